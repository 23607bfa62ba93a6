"""How a day's plan for pools looks on a terminal, and as JSON."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from msgspec import Struct

from capdesk.app import render
from capdesk.app.transactions_view import transactions
from capdesk.decide.pools.eligibility import OnIce
from capdesk.decide.pools.explain import explain
from capdesk.model.errors import InvalidInput
from capdesk.model.lists import ICEBOX_TOKENS
from capdesk.model.money import Amount
from capdesk.model.pool_plans import LimitInForce, PoolPlan
from capdesk.records.canonical import plain
from capdesk.treasury import spoken
from capdesk.treasury_day import Situation

if TYPE_CHECKING:
    from rich.table import Table

MOST_LIMITS = 12
WIDE = 96


class Told(Struct, frozen=True):
    """A plan with what is told about it.

    Attributes
    ----------
    run, hash
        The stored run.
    pools, tokens
        What people call them, by id.
    iced, returned
        Tokens that went on ice this day, and that came back.
    choices
        Where a held coin is iced: what each answer to it would do.
    balances_days
        Account -> the day of the balances that the plan started from.
    warnings
        What speaks against these balances.
    """

    records: str
    run: int
    hash: str
    standing: Situation
    plan: PoolPlan
    pools: dict[str, str]
    tokens: dict[str, str]
    iced: tuple[str, ...]
    returned: tuple[str, ...]
    choices: dict[OnIce, PoolPlan]
    balances_days: dict[str, dt.date]
    warnings: tuple[str, ...]

    def say(self, text: str) -> str:
        """A sentence with names for ids, as a table may print it."""
        return render.literal(spoken(text, self.pools | self.tokens))


def explained(told: Told, pool: str) -> str:
    """Why a pool is in the plan or not; it may be called by its id, the head of it, or its name.

    Raises
    ------
    InvalidInput
        If no pool is called so, or several are.
    """
    wanted = pool.casefold()
    found = [
        pool_id
        for pool_id, name in told.pools.items()
        if pool_id == pool or wanted == name.casefold() or pool_id.casefold().startswith(wanted)
    ]
    if len(found) != 1:
        called = f"{len(found)} pools are" if found else "no pool is"
        raise InvalidInput(f"{called} called {pool!r}: 'capdesk pools eligible --json' has their ids")
    (pool_id,) = found
    reasons = next(
        (
            each.eligibility.reasons
            for each in told.standing.surveyed
            if each.facts.pool_id == pool_id and each.eligibility.reasons
        ),
        (),
    )
    if reasons and pool_id not in told.standing.held:
        return f"{told.pools[pool_id]} is not in: {spoken('; '.join(reasons), told.tokens)}"
    return spoken(explain(told.plan, pool_id), told.pools)


def record(told: Told, reasons: list[str]) -> dict[str, object]:
    """Give a plan as the JSON object that `pools plan --json` prints."""
    used = {each.pool_id for each in told.plan.positions}
    return {
        "run": told.run,
        "hash": told.hash,
        "records": told.records,
        "day": told.standing.day,
        **plain(told.plan),
        "names": {name: called for name, called in told.pools.items() if name in used},
        "iced": told.iced,
        "returned": told.returned,
        "on_ice": {
            choice: {
                "costs": plan.costs.total,
                "objective": plan.objective,
                "stays": _stays(told, plan),
                "wallets": _in_wallets(told, plan),
            }
            for choice, plan in told.choices.items()
        },
        "balances_days": told.balances_days,
        "warnings": [spoken(each, told.pools) for each in told.warnings],
        "why": reasons,
    }


def draw(told: Told, reasons: list[str]) -> None:
    """Print a plan for a person."""
    out, plan = render.console(), told.plan
    out.print(f"[bold]Plan for {told.standing.day}[/]  run {told.run} in {render.literal(told.records)}\n")
    out.print(render.facts(_facts(told)))
    if plan.transactions:
        out.print("\n[bold]Transactions[/], in this order")
        out.print(transactions(plan.transactions, told.say))
    out.print("\n[bold]Positions[/]")
    out.print(_positions(told, wide=out.width >= WIDE))
    if out.width < WIDE and any(each.shadow_price for each in plan.positions):
        out.print(f"[dim]{WIDE} columns also show what $1,000 more of each pool's own limit would add[/]")
    if told.choices:
        out.print("\n[bold]A held coin is on ice[/]: what each answer would come to")
        out.print(_choices(told))
    if any(map(_worth, plan.limits)):
        out.print("\n[bold]Limits in force[/], and what a thousand dollars more of each would add")
        out.print(_limits(told))
    for reason in reasons:
        out.print()
        out.print(render.literal(reason))
    out.print(
        "\n[dim]"
        f"capdesk pools adopt {told.run} takes it to the desk, capdesk pools replay {told.run} computes it again[/]"
    )


def _facts(told: Told) -> list[tuple[str, str]]:
    plan = told.plan
    days = plan.parameters.horizon_days
    held = sum((each.before for each in plan.positions), Amount(0))
    total = sum(plan.allocations.values(), plan.cash) + plan.costs.total
    promised = sum(each.yield_usd for each in plan.positions)
    proof = plan.certificate
    word = {"reallocate": "green", "place_yield": "cyan", "forced": "yellow"}[plan.decision.kind]
    return [
        *(("warning", f"[yellow]{told.say(each)}[/]") for each in told.warnings),
        ("held", f"{_cents(total)}: {_cents(held)} in pools, {_cents(total - held)} cash"),
        ("balances", _by(told)),
        ("decision", f"[{word}]{plan.decision.kind.replace('_', ' ')}[/]  {told.say(plan.decision.reason)}"),
        *_under_limits(told),
        (
            "costs",
            f"{_cents(plan.costs.total)}: gas {_cents(plan.costs.gas)}, fees {_cents(plan.costs.conversion)}",
        ),
        ("promised", f"{_cents(Amount(promised))} in {days:g} days, {_cents(Amount(promised / days))} a day"),
        *_besides(plan),
        ("cash", _cents(plan.cash)),
        (
            "proof",
            f"${proof.objective:,.2f}, and no plan can exceed ${proof.bound:,.2f} (gap {proof.gap:.1e}); "
            f"{proof.leaves} {'leaf' if proof.leaves == 1 else 'leaves'}, bound by the {proof.proof}",
        ),
        ("solver", render.literal(plan.solver)),
        *(("iced", f"[red]{told.say(each)}[/]  {render.literal(each)}") for each in told.iced),
        *(("returned", f"[green]{told.say(each)}[/]  {render.literal(each)}") for each in told.returned),
        *(("note", told.say(note)) for note in plan.notes),
    ]


def _besides(plan: PoolPlan) -> list[tuple[str, str]]:
    """What makes the net of a plan another sum than what its pools promise, less its costs."""
    earned, missed = (round(Amount(each), 2) for each in (plan.cash_usd, plan.in_transit_usd))
    rows = [("cash earns", _cents(earned))] if earned else []
    if missed:
        rows.append(("in transit", f"{_cents(missed)} of yield is missed while money crosses bridges"))
    return [*rows, ("net", f"{_cents(Amount(plan.objective))}, all of these together")] if rows else []


def _under_limits(told: Told) -> list[tuple[str, str]]:
    """The positions that broken limits made smaller, and what of them should be and cannot."""
    decision = told.plan.decision
    trimmed = [
        ("trimmed", f"{told.say(each.pool_id)} by {_cents(each.amount)}: {told.say(each.reason)}")
        for each in decision.trimmed
    ]
    stuck = [
        ("stuck", told.say(f"{each.pool_id}: {each.reason}" if each.pool_id else each.reason))
        for each in decision.breaches
        if each.stuck
    ]
    return trimmed + stuck


def _by(told: Told) -> str:
    days = sorted(set(told.balances_days.values()))
    return f"of {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "")


def _positions(told: Told, *, wide: bool) -> Table:
    """What is held before and after; where there is room, what $1,000 more of each pool's own limit would add."""
    more = [("$1,000 more", "right")] if wide else []
    grid = render.table(
        "pool",
        ("before", "right"),
        ("after", "right"),
        ("share", "right"),
        ("APY", "right"),
        ("group", "right"),
        *more,
    )
    for each in sorted(told.plan.positions, key=lambda each: (-each.amount, -each.before)):
        name = told.say(each.pool_id)
        if each.stuck:
            name += f"\n[yellow]{_cents(each.stuck)} cannot leave: {told.say(each.reason)}[/]"
        grid.add_row(
            name,
            _cents(each.before) if each.before else "[dim]–[/]",
            _cents(each.amount) if each.amount else "[dim]–[/]",
            f"{each.weight * 100:.1f} %",
            f"{each.apy:.2f} %",
            f"{each.group}",
            *([f"${each.shadow_price * 1000:,.2f}" if each.shadow_price else ""] if wide else []),
        )
    return grid


def _choices(told: Told) -> Table:
    days = told.plan.parameters.horizon_days
    grid = render.table(
        "on_ice",
        ("costs today", "right"),
        (f"net in {days:g} days", "right"),
        ("stays in pools", "right"),
        ("as cash of the coin", "right"),
    )
    for choice, plan in told.choices.items():
        grid.add_row(
            choice,
            _cents(plan.costs.total),
            render.signed_money(round(Amount(plan.objective), 2)),
            _cents(_stays(told, plan)),
            _cents(_in_wallets(told, plan)),
        )
    return grid


def _stays(told: Told, plan: PoolPlan) -> Amount:
    iced = told.standing.iced
    return sum((amount for pool, amount in plan.allocations.items() if pool in iced), Amount(0))


def _in_wallets(told: Told, plan: PoolPlan) -> Amount:
    """What would be held of iced coins outside of pools: an exit leaves a pool, and not yet its coin."""
    iced = told.standing.lists.names(ICEBOX_TOKENS)
    return sum((amount for token, amount in plan.balances.items() if token in iced), Amount(0))


def _limits(told: Told) -> Table:
    grid = render.table("limit", ("allows", "right"), ("worth", "right"))
    dear = sorted(filter(_worth, told.plan.limits), key=lambda each: -each.shadow_price)
    for each in dear[:MOST_LIMITS]:
        grid.add_row(told.say(each.name), f"${each.limit:,.2f}", f"${_worth(each):,.4f}")
    if len(told.plan.limits) > len(dear[:MOST_LIMITS]):
        rest = len(told.plan.limits) - len(dear[:MOST_LIMITS])
        grid.add_row(f"[dim]and {rest} more that are worth less: --json shows all[/]", "", "")
    return grid


def _worth(limit: LimitInForce) -> float:
    """Dollars that a thousand more of a limit would add, as they are shown."""
    return round(limit.shadow_price * 1000, 4)


def _cents(amount: Amount) -> str:
    return render.money(round(amount, 2))
