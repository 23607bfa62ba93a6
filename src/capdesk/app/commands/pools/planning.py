"""A treasury's day: `pools plan`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.pools.choices import Day, OnIceChoice, read_day, read_on_ice

if TYPE_CHECKING:
    from capdesk.app.pool_plan_view import Told


def plan(
    day: Day = None,
    holdings: Annotated[
        Path | None,
        typer.Option(
            help="A CSV of balances to plan with: date, account, chain, symbol, amount, address, pool.",
            metavar="FILE",
            show_default="the recorded balances (daily_ledger)",
        ),
    ] = None,
    treasury: Annotated[
        str | None,
        typer.Option(help="Only this account's balances; all accounts' without it.", metavar="NAME"),
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option(help="A TOML file of limits and costs, with a table [survey].", metavar="FILE"),
    ] = None,
    method: Annotated[
        str, typer.Option(help="How it is solved.", metavar="exact|highs|milp|cvxpy")
    ] = "exact",
    on_ice: OnIceChoice = "",
    at_peg: Annotated[
        bool, typer.Option("--at-peg", help="Take approved dollar coins without a price for one dollar.")
    ] = False,
    explain: Annotated[
        list[str] | None,
        typer.Option(help="Say why a pool is in or out; may be given again.", metavar="POOL"),
    ] = None,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Plan a day from the records: what to hold, the transactions that get there, and the proof.

    Coins that have left their peg are iced first. The plan is stored as a run.
    """
    from capdesk.app import pool_plan_view

    told, reasons = make(
        day=day,
        holdings=holdings,
        treasury=treasury,
        parameters=parameters,
        method=method,
        on_ice=on_ice,
        at_peg=at_peg,
        explain=explain or [],
        records=records,
    )
    if json_output:
        render.write_json(pool_plan_view.record(told, reasons))
    else:
        pool_plan_view.draw(told, reasons)
    return ExitCode.DONE


def make(
    *,
    day: str | None,
    holdings: Path | None,
    treasury: str | None,
    parameters: Path | None,
    method: str,
    on_ice: str,
    at_peg: bool,
    explain: list[str],
    records: str,
) -> "tuple[Told, list[str]]":
    """Carry a day out, icebox, survey, plan, forecasts and run, as one transaction; and say why of each pool."""
    from capdesk.app.pool_balances import days_of, warnings
    from capdesk.app.pool_plan_view import Told, explained
    from capdesk.app.pools_file import balances_of, read_rules
    from capdesk.records import Records
    from capdesk.records.valuation import value
    from capdesk.treasury import fill_icebox, pool_names, write_forecasts
    from capdesk.treasury_day import on_ice_plans, situation
    from capdesk.treasury_prices import recent_prices, taken_at_peg

    limits, rules = read_rules(parameters, read_on_ice(on_ice) if on_ice else None)
    with Records(records) as whole, whole.transaction() as opened:
        when = read_day(opened, day)
        iced, returned = fill_icebox(opened, when, rules.ice)
        balances = balances_of(opened, when, holdings, treasury)
        days = days_of(balances)
        pegged = taken_at_peg(opened, when) if at_peg else ()
        held = value(balances, recent_prices(opened, when), when, at_peg=pegged)
        standing = situation(
            opened,
            when,
            {name: float(each) for name, each in held.current_allocations.items()},
            {name: float(each) for name, each in held.liquidity_portfolio.items()},
            limits,
            rules,
            at_peg=at_peg,
        )
        made, run = standing.plan(method)
        choices = on_ice_plans(standing, method) if standing.iced else {}
        write_forecasts(opened, when, standing.surveyed)
        stored = opened.save_run(run)
        told = Told(
            records=records,
            run=stored.number,
            hash=stored.hash,
            standing=standing,
            plan=made,
            pools=pool_names(opened.pools()),
            tokens={name: f"{each.symbol} {each.chain}".strip() for name, each in opened.tokens().items()},
            iced=tuple(iced),
            returned=tuple(returned),
            choices=choices,
            balances_days=days,
            warnings=warnings(opened, when, days, held.current_allocations),
        )
        return told, [explained(told, each) for each in explain]
