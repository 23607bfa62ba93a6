"""Changing the books: every total moves with the allocation that moves it.

These functions change a state's working copy and are called by `transition.evolve`
alone. They keep: bankroll = deposits - withdrawals + P&L - fees, and allocated = the
sum of open allocations, per account, market, group and strategy too.
"""

from __future__ import annotations

from msgspec.structs import replace

from capdesk.decide import unit_value
from capdesk.model.mandate import Mandate
from capdesk.model.state import EMPTY_MARKET, NEVER, MarketUse, Position, State
from capdesk.model.tables import Table


def open_position(state: State, new: Position) -> None:
    """Put an allocation on the books; it is not marked yet."""
    key = (new.market, new.strategy)
    state.positions[key] = new
    use = state.markets[new.market]
    state.markets[new.market] = MarketUse(use.used + new.amount, (*use.strategies, new.strategy))
    _move_totals(state, new, new.amount)
    if new.lease_until is not None:
        state.leases[key] = new.lease_until


def change_position(state: State, old: Position, new: Position, at: int) -> None:
    """Change an allocation that is on the books."""
    key = (new.market, new.strategy)
    state.positions[key] = new
    if new.amount != old.amount:
        use = state.markets[new.market]
        state.markets[new.market] = MarketUse(use.used + new.amount - old.amount, use.strategies)
        _move_totals(state, new, new.amount - old.amount)
    if new.mark is not None or old.mark is not None:
        gain = mark_gain(new, state.mandate, at)
        state.mark_excess += gain - mark_gain(old, state.mandate, at)
        turns = stale_time(new, state.mandate)
        if turns > at:
            state.stale_at = min(state.stale_at, turns)
    lease = 0 if new.lease_until is None or new.held else new.lease_until
    if lease != (0 if old.lease_until is None or old.held else old.lease_until):
        state.leases.put(key, lease)


def close_position(state: State, old: Position, at: int) -> None:
    """Take an allocation off the books."""
    key = (old.market, old.strategy)
    state.positions.put(key, None)
    use = state.markets[old.market]
    others = tuple(name for name in use.strategies if name != old.strategy)
    state.markets.put(old.market, MarketUse(use.used - old.amount, others) if others else EMPTY_MARKET)
    _move_totals(state, old, -old.amount)
    if old.mark is not None:
        state.mark_excess -= mark_gain(old, state.mandate, at)
    if old.lease_until is not None:
        state.leases.put(key, 0)


def _move_totals(state: State, position: Position, delta: int) -> None:
    """What the accounts, strategies, sleeves and groups hold moves with an allocation."""
    state.allocated += delta
    account, strategy = position.account, position.strategy
    state.by_account.put(account, state.by_account[account] + delta)
    state.by_strategy.put(strategy, state.by_strategy[strategy] + delta)
    _count(state.by_sleeve, position.sleeve, delta)
    _count(state.by_group, position.group, delta)


def regroup(state: State, before: Mandate) -> None:
    """Let what is open count under new rules as what they would grant: its sleeve, and its group by patterns.

    A group that the request named stays, and so does what no new rule replaces.
    """
    mandate = state.mandate
    if (mandate.groups, mandate.sleeves, mandate.default_sleeve) == (
        before.groups,
        before.sleeves,
        before.default_sleeve,
    ):
        return
    for key, position in list(state.positions.entries()):
        if position is None:
            continue
        group, sleeve = position.group, sleeve_under(mandate, position.strategy, position.sleeve)
        if group is None or group == before.group_of(position.market) or before.group(group) is None:
            group = mandate.group_of(position.market) or group
        if (group, sleeve) != (position.group, position.sleeve):
            _count(state.by_group, position.group, -position.amount)
            _count(state.by_group, group, position.amount)
            _count(state.by_sleeve, position.sleeve, -position.amount)
            _count(state.by_sleeve, sleeve, position.amount)
            state.positions[key] = replace(position, group=group, sleeve=sleeve)


def group_under(mandate: Mandate, market: str, group: str | None) -> str | None:
    """The group that a market's capital counts in: the one it had while the mandate knows it, else by patterns."""
    if group is not None and mandate.group(group) is not None:
        return group
    return mandate.group_of(market) or group


def sleeve_under(mandate: Mandate, strategy: str, sleeve: str | None) -> str | None:
    """The sleeve that a strategy's capital counts in; the one it had where the mandate names none for it."""
    own = mandate.sleeve_of(strategy)
    return sleeve if own is None else own.name


def _count(totals: Table[str, int], name: str | None, delta: int) -> None:
    if name is not None:
        totals.put(name, totals[name] + delta)


def book_pnl(state: State, account: str, pnl: int, fees: int = 0) -> None:
    """Profit or loss, and fees as a line of their own."""
    state.pnl += pnl
    state.fees += fees
    state.balances.put(account, state.balances[account] + pnl - fees)
    unit_value.mark_peak(state)


def book_flow(state: State, account: str, amount: int) -> None:
    """Money that came in (positive) or went out (negative): no profit, no loss."""
    before = state.equity
    if amount >= 0:
        state.deposits += amount
    else:
        state.withdrawals -= amount
    state.balances.put(account, state.balances[account] + amount)
    unit_value.flow(state, before)


def mark_gain(position: Position, mandate: Mandate, at: int) -> int:
    """Mark minus cost; a gain on a stale mark counts as none."""
    if position.mark is None:
        return 0
    gain = position.mark - position.amount
    return 0 if gain > 0 and at >= stale_time(position, mandate) else gain


def stale_time(position: Position, mandate: Mandate) -> int:
    """When an allocation's mark turns stale."""
    if position.mark is None or mandate.max_mark_age is None:
        return NEVER
    return position.marked_at + mandate.max_mark_age


def tick(state: State, at: int) -> None:
    """Let time pass: marks whose age is over fall back to the lower of cost and mark, ids age."""
    age_ids(state, at)
    if at >= state.stale_at:
        revalue(state, at)
        unit_value.watch_drawdown(state, at)


def age_ids(state: State, at: int) -> None:
    """Begin a new period of request ids when the one before is over."""
    if at - state.id_since >= state.mandate.id_retention and state.founded:
        state.id_period += 1
        state.id_since = at


def revalue(state: State, at: int) -> None:
    """Sum the marks anew."""
    excess, stale_at = 0, NEVER
    for _, position in state.positions.entries():
        if position is None or position.mark is None:
            continue
        excess += mark_gain(position, state.mandate, at)
        turns = stale_time(position, state.mandate)
        if turns > at:
            stale_at = min(stale_at, turns)
    state.mark_excess, state.stale_at = excess, stale_at
    unit_value.mark_peak(state)
