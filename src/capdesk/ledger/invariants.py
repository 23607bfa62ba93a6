"""What must hold after every commit; a breach stops the writer and leaves the disk as it was.

bankroll = deposits - withdrawals + P&L - fees = the accounts' balances + what is in
transit; allocated = the sum of open allocations, per account, market, group and
strategy too; nothing allocated is negative.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from capdesk.model.errors import InvariantBreach
from capdesk.model.state import EMPTY_MARKET, State


def _expect(holds: bool, what: str, here: object, there: object) -> None:
    if not holds:
        raise InvariantBreach(f"{what}: {here} against {there} (micro-units); nothing was committed")


def check_money(state: State) -> None:
    """The bankroll lies in the accounts or is in transit."""
    balances = sum(amount for _, amount in state.balances.entries())
    _expect(
        balances + state.transit_total == state.bankroll,
        "accounts and transit do not add up to the bankroll",
        balances + state.transit_total,
        state.bankroll,
    )
    _expect(state.allocated >= 0, "a negative sum is allocated", state.allocated, 0)


def check_in_full(state: State) -> None:
    """Add everything up again.

    Raises
    ------
    InvariantBreach
        Naming the total that does not hold.
    """
    check_money(state)
    totals: dict[str, Counter[str]] = {name: Counter() for name in _TOTALS}
    for _, position in state.positions.entries():
        if position is None:
            continue
        _expect(position.amount > 0, f"{position.market} holds no positive amount", position.amount, 0)
        for name, of in _TOTALS.items():
            owner = of(position)
            if owner is not None:
                totals[name][owner] += position.amount
    _expect(
        totals["markets"].total() == state.allocated,
        "open allocations do not add up to the allocated total",
        totals["markets"].total(),
        state.allocated,
    )
    for name, counted in totals.items():
        kept = {key: _size(value) for key, value in getattr(state, name).entries()}
        _expect(kept == dict(counted), f"the totals {name} do not add up", kept, dict(counted))
    in_transit = sum(transit.amount for _, transit in state.transits.entries() if transit is not None)
    _expect(in_transit == state.transit_total, "transfers under way", in_transit, state.transit_total)


_TOTALS = {
    "markets": lambda position: position.market,
    "by_account": lambda position: position.account,
    "by_group": lambda position: position.group,
    "by_strategy": lambda position: position.strategy,
    "by_sleeve": lambda position: position.sleeve,
}


def _size(value: Any) -> int:
    return value.used if hasattr(value, "used") else value


def check_step(before: State, after: State) -> None:
    """Check what a working copy changed: totals moved by just what the allocations moved.

    Raises
    ------
    InvariantBreach
        Naming the total that does not hold.
    """
    _check_money_step(before, after)
    moved = 0
    markets: dict[str, int] = {}
    accounts: dict[str, int] = {}
    groups: dict[str, int] = {}
    strategies: dict[str, int] = {}
    sleeves: dict[str, int] = {}
    position_before = before.positions.get
    for key, new in after.positions.items():
        old = position_before(key)
        delta = 0
        if new is not None:
            if new.amount <= 0:
                _expect(False, f"{new.market} holds no positive amount", new.amount, 0)
            delta = new.amount
        if old is not None:
            delta -= old.amount
        position = new or old
        if old is not None and new is not None:
            # New rules count it elsewhere, or it was given back and asked for anew within the batch:
            # out of the old place as it was, into the new one as it is.
            if old.account != new.account:
                _elsewhere(accounts, old.account, new.account, old.amount)
            if old.group != new.group:
                _elsewhere(groups, old.group, new.group, old.amount)
            if old.sleeve != new.sleeve:
                _elsewhere(sleeves, old.sleeve, new.sleeve, old.amount)
        if delta == 0 or position is None:
            continue
        moved += delta
        markets[position.market] = markets.get(position.market, 0) + delta
        accounts[position.account] = accounts.get(position.account, 0) + delta
        strategies[position.strategy] = strategies.get(position.strategy, 0) + delta
        _moved(sleeves, position.sleeve, delta)
        _moved(groups, position.group, delta)
    _expect(
        after.allocated - before.allocated == moved,
        "the allocated total",
        after.allocated - before.allocated,
        moved,
    )
    use_before = before.markets.get
    changes = {name: use.used - use_before(name, EMPTY_MARKET).used for name, use in after.markets.items()}
    _same_moves("market", changes, markets)
    _same_moves("account", _changes(before.by_account, after.by_account), accounts)
    _same_moves("strategy", _changes(before.by_strategy, after.by_strategy), strategies)
    _same_moves("sleeve", _changes(before.by_sleeve, after.by_sleeve), sleeves)
    _same_moves("group", _changes(before.by_group, after.by_group), groups)


def _moved(moves: dict[str, int], name: str | None, delta: int) -> None:
    if name is not None:
        moves[name] = moves.get(name, 0) + delta


def _elsewhere(moves: dict[str, int], old: str | None, new: str | None, amount: int) -> None:
    _moved(moves, old, -amount)
    _moved(moves, new, amount)


def _changes(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: total - before[name] for name, total in after.items()}


def _check_money_step(before: State, after: State) -> None:
    """The accounts and what is in transit moved by just what the bankroll moved."""
    was = before.balances
    moved = sum([balance - was[account] for account, balance in after.balances.items()])
    _expect(
        moved + after.transit_total - before.transit_total == after.bankroll - before.bankroll,
        "accounts and transit do not add up to the bankroll",
        moved + after.transit_total - before.transit_total,
        after.bankroll - before.bankroll,
    )
    _expect(after.allocated >= 0, "a negative sum is allocated", after.allocated, 0)


def _same_moves(what: str, changes: dict[str, int], moves: dict[str, int]) -> None:
    if changes == moves:
        return
    for name, change in changes.items():
        if change != moves.get(name, 0):
            _expect(False, f"the total of {what} {name}", change, moves.get(name, 0))
    if not moves.keys() <= changes.keys():
        missing = ", ".join(sorted(moves.keys() - changes.keys()))
        _expect(False, f"no total was kept for {what} {missing}", 0, moves)
