"""THE decision: how much of what a request asks may be granted, and which limit says so.

Every limit that applies is looked at and leaves a room; the grant is the least of what
was asked and of all rooms. Nothing else in the program grants, cuts or resizes.
"""

from __future__ import annotations

from msgspec.structs import replace

from capdesk.decide.orders import order_sizes
from capdesk.decide.review import budget_of, deployable
from capdesk.decide.risk.gate import market_limit_multiplier
from capdesk.model.errors import InvalidInput
from capdesk.model.mandate import Mandate
from capdesk.model.money import PPM, usd
from capdesk.model.requests import PRIORITIES, AllocationResult, Granted, Refused, Request, RoomLeft
from capdesk.model.rules import Budget, Sleeve
from capdesk.model.state import MarketUse, Position, State

_PRECEDENCE = {
    "available": AllocationResult.INSUFFICIENT_CAPITAL,
    "account": AllocationResult.INSUFFICIENT_CAPITAL,
    "total": AllocationResult.TOTAL_LIMIT_EXCEEDED,
    "priority": AllocationResult.TOTAL_LIMIT_EXCEEDED,
    "sleeve": AllocationResult.SLEEVE_LIMIT_EXCEEDED,
    "group": AllocationResult.GROUP_LIMIT_EXCEEDED,
    "market_percent": AllocationResult.MARKET_LIMIT_EXCEEDED,
    "market_absolute": AllocationResult.MARKET_LIMIT_EXCEEDED,
}
"""Limits in the order in which they answer when several leave the same room."""


def decide_request(state: State, request: Request, at: int) -> Granted | Refused:
    """Decide one request.

    Parameters
    ----------
    state
        What the desk knows; it is not changed.
    request
        What is asked, in micro-units.
    at
        Microseconds since 1970 (UTC), at which a lease begins.

    Raises
    ------
    InvalidInput
        For an account, group or priority that the mandate does not know.
    """
    mandate = state.mandate
    if request.increase:
        request = _of_its_holder(state, request)
    account, group = places(state, request)
    sleeve = _sleeve_of(state, request) if mandate.sleeves else None
    budget = None if sleeve is None else budget_of(state, sleeve, at)
    use = state.markets[request.market]
    held = state.positions[request.market, request.strategy] if use.strategies else None
    early = _refuse_early(state, request, mandate, sleeve, budget, use, held)
    if early is not None:
        return early
    rooms = rooms_for(state, request, account, group, sleeve, budget, use, at)
    tightest, left = _tightest(rooms)
    granted = request.asked if request.asked <= left else left
    bound_by = tightest.name if granted < request.asked else None
    least = request.asked if request.all_or_none else max(mandate.min_order, request.min_amount)
    if granted < least:
        return Refused(
            market=request.market,
            strategy=request.strategy,
            code=_PRECEDENCE[tightest.name.partition(":")[0]],
            version=state.mandate_version,
            rooms=rooms,
            bound_by=tightest.name,
        )
    return Granted(
        market=request.market,
        strategy=request.strategy,
        amount=granted,
        account=account,
        rooms=rooms,
        version=state.mandate_version,
        sleeve=None if sleeve is None else sleeve.name,
        group=group,
        orders=order_sizes(mandate, granted) if granted > mandate.split_threshold else (),
        bound_by=bound_by,
        lease_until=None if request.lease is None else at + request.lease,
        increase=request.increase,
    )


def _tightest(rooms: tuple[RoomLeft, ...]) -> tuple[RoomLeft, int]:
    """The limit with the least room, the first of equals, and that room; never below 0."""
    tightest = rooms[0]
    least = tightest.limit - tightest.used
    for room in rooms:
        left = room.limit - room.used
        if left <= 0:
            return room, 0
        if left < least:
            tightest, least = room, left
    return tightest, least


def _of_its_holder(state: State, request: Request) -> Request:
    """An increase that names no strategy is for the one that holds the market."""
    if request.strategy:
        return request
    holders = state.markets[request.market].strategies
    if len(holders) > 1:
        raise InvalidInput(
            f"{request.market} holds capital for {', '.join(holders)}: name one with strategy=..."
        )
    return replace(request, strategy=holders[0]) if holders else request


def _sleeve_of(state: State, request: Request) -> Sleeve | None:
    """The sleeve a request draws on; an increase has that of its allocation."""
    held = state.positions[request.market, request.strategy] if request.increase else None
    if held is None:
        return state.mandate.sleeve_of(request.strategy)
    return next((sleeve for sleeve in state.mandate.sleeves if sleeve.name == held.sleeve), None)


def rooms_for(
    state: State,
    request: Request,
    account: str,
    group: str | None,
    sleeve: Sleeve | None,
    budget: Budget | None,
    use: MarketUse,
    at: int,
) -> tuple[RoomLeft, ...]:
    """The room under every limit that applies to a request, in the order of precedence.

    ``equity x percent x multiplier`` is rounded down to the micro-unit; equity below zero
    counts as zero. The market's multiplier is in the budgets or in the market limits.
    """
    mandate = state.mandate
    bankroll = state.bankroll
    equity = bankroll + state.mark_excess
    if equity < 0:
        equity = 0
    allocated = state.allocated
    rooms = [RoomLeft("available", bankroll - state.transit_total, allocated)]
    if len(mandate.accounts) > 1:
        rooms.append(RoomLeft(f"account:{account}", state.balances[account], state.by_account[account]))
    gated = mandate.risk is not None or mandate.breakers is not None or state.breakers.any()
    total = deployable(state, equity, at) if gated else equity * mandate.total_percent_ppm // PPM
    rooms.append(RoomLeft("total", total, allocated))
    if mandate.tiers:
        tier = mandate.tier(request.priority)
        if tier is not None:
            rooms.append(RoomLeft(f"priority:{tier.name}", total * tier.share_ppm // PPM, allocated))
    if budget is not None:
        rooms.append(RoomLeft(f"sleeve:{budget.sleeve}", budget.amount, state.by_sleeve[budget.sleeve]))
    if group is not None:
        rooms.extend(_group_rooms(state, mandate, group, equity))
    percent, absolute = mandate.market_percent_ppm, mandate.market_absolute
    if mandate.profiles:
        percent, absolute = mandate.market_limits(request.market)
    of_equity = equity * percent
    if gated:
        factor = market_limit_multiplier(state, sleeve, at)
        of_equity = of_equity * factor // PPM
        absolute = None if absolute is None else absolute * factor // PPM
    rooms.append(RoomLeft("market_percent", of_equity // PPM, use.used))
    if absolute is not None:
        rooms.append(RoomLeft("market_absolute", absolute, use.used))
    return tuple(rooms)


def _group_rooms(state: State, mandate: Mandate, name: str, equity: int) -> list[RoomLeft]:
    limits = mandate.group(name)
    if limits is None:
        return []
    caps = [] if limits.percent_ppm is None else [equity * limits.percent_ppm // PPM]
    if limits.absolute is not None:
        caps.append(limits.absolute)
    return [RoomLeft(f"group:{name}", min(caps), state.by_group[name])] if caps else []


def places(state: State, request: Request) -> tuple[str, str | None]:
    """The account and the group that a request draws on; an increase has those of its allocation.

    Raises
    ------
    InvalidInput
        For names that the mandate does not know.
    """
    mandate = state.mandate
    held = state.positions[request.market, request.strategy] if request.increase else None
    if held is not None:
        return held.account, held.group
    account = mandate.accounts[0] if request.account is None else request.account
    if account not in mandate.accounts:
        raise InvalidInput(f"account must be one of {', '.join(mandate.accounts)}, got {account!r}")
    if request.priority not in PRIORITIES:
        raise InvalidInput(f"priority must be one of {', '.join(PRIORITIES)}, got {request.priority!r}")
    if request.group is None:
        return account, mandate.group_of(request.market) if mandate.groups else None
    if mandate.group(request.group) is None:
        known = ", ".join(group.name for group in mandate.groups) or "none are configured"
        raise InvalidInput(f"group must be one that the mandate limits ({known}), got {request.group!r}")
    return account, request.group


def _refuse_early(
    state: State,
    request: Request,
    mandate: Mandate,
    sleeve: Sleeve | None,
    budget: Budget | None,
    use: MarketUse,
    held: Position | None,
) -> Refused | None:
    """The reasons that come before any limit."""
    if state.halt is not None:
        detail = f"refused {usd(request.asked)} asked for {request.market}: the desk is halted ({state.halt.reason})"
        return _refused(state, request, AllocationResult.HALTED, detail)
    if mandate.sleeves:
        outside = _refuse_strategy(state, request, mandate, sleeve, budget)
        if outside is not None:
            return outside
    if request.asked < mandate.min_order:
        asked = usd(request.asked)
        detail = (
            f"refused {asked} asked for {request.market}: the amount must be above zero"
            if request.asked <= 0
            else f"refused {asked} asked for {request.market}: the minimum order is {usd(mandate.min_order)}"
        )
        return _refused(state, request, AllocationResult.INVALID_AMOUNT, detail)
    if request.increase:
        if held is None:
            whom = f" for {request.strategy}" if request.strategy else ""
            detail = f"{request.market} holds nothing{whom}: request an allocation first"
            return _refused(state, request, AllocationResult.NOT_ALLOCATED, detail)
        return None
    if held is not None or (use.strategies and not mandate.share_markets):
        owner = request.strategy if held is not None else use.strategies[0]
        detail = (
            f"refused {usd(request.asked)} asked for {request.market}: "
            f"it holds {usd(use.used)} already, for {owner}; release it first, or increase it"
        )
        return _refused(state, request, AllocationResult.ALREADY_ALLOCATED, detail)
    return None


def _refuse_strategy(
    state: State, request: Request, mandate: Mandate, sleeve: Sleeve | None, budget: Budget | None
) -> Refused | None:
    if sleeve is None or budget is None:
        known = ", ".join(sleeve.name for sleeve in mandate.sleeves)
        detail = f"{request.strategy} has no sleeve: the sleeves are {known}, and none is the default"
        return _refused(state, request, AllocationResult.UNKNOWN_STRATEGY, detail)
    if not budget.enabled:
        detail = (
            f"the sleeve {sleeve.name} is disabled: {usd(budget.share)} is its share, "
            f"its minimum is {usd(sleeve.minimum)}"
        )
        return _refused(state, request, AllocationResult.STRATEGY_DISABLED, detail)
    return None


def _refused(state: State, request: Request, code: AllocationResult, detail: str) -> Refused:
    return Refused(
        market=request.market,
        strategy=request.strategy,
        code=code,
        version=state.mandate_version,
        detail=detail,
    )
