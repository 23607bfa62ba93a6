"""Capital to a market and back: `request`, `confirm`, `release`."""

from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.requests import Verdict


def request(
    market: options.Market,
    amount: options.Amount,
    strategy: Annotated[str, typer.Option(help="The strategy that asks.", metavar="NAME")] = "sniper",
    min_amount: Annotated[
        str | None, typer.Option(help="Refuse rather than grant less than this.", metavar="AMOUNT")
    ] = None,
    all_or_none: Annotated[
        bool, typer.Option("--all-or-none", help="Refuse rather than grant less than was asked.")
    ] = False,
    group: Annotated[
        str | None, typer.Option(help="The group of correlated markets it counts in.", metavar="NAME")
    ] = None,
    account: options.Account = None,
    priority: Annotated[str, typer.Option(help="critical, high or normal.", metavar="TIER")] = "normal",
    lease: Annotated[
        str | None,
        typer.Option(
            help="Reserve for so long only; 'capdesk confirm' makes it stay.",
            metavar="SECONDS",
        ),
    ] = None,
    quote: Annotated[bool, typer.Option("--quote", help="Only say what would be granted.")] = False,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Ask for capital in a market.

    A limit may cut the grant, and the answer shows which. Exit code 3 means that the desk refused.
    """

    async def ask(desk: "CapitalAllocator") -> "Verdict":
        terms = {
            "min_amount": min_amount,
            "all_or_none": all_or_none,
            "group": group,
            "account": account,
            "priority": priority,
            "lease_seconds": lease,
        }
        if quote:
            return await desk.quote(market, amount, strategy, **terms)
        return await desk.request_allocation(market, amount, strategy, **terms, request_id=request_id)

    verdict = on_desk(ledger, ask)
    show_verdict(verdict, as_json=json_output, quote=quote)
    return ExitCode.DONE if verdict.granted else ExitCode.REFUSED


def increase(
    market: options.Market,
    amount: options.Amount,
    strategy: options.Strategy = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Ask for more capital for an open allocation, decided like any request.

    Exit code 3 means that the desk refused, or that the market holds nothing.
    """
    verdict = on_desk(
        ledger, lambda desk: desk.increase_allocation(market, amount, strategy, request_id=request_id)
    )
    show_verdict(verdict, as_json=json_output)
    return ExitCode.DONE if verdict.granted else ExitCode.REFUSED


def show_verdict(verdict: "Verdict", *, as_json: bool, quote: bool = False) -> None:
    """Print the desk's answer to a request."""
    from capdesk.app.commands import verdict_view

    if as_json:
        render.write_json(verdict_view.record(verdict) | {"quote": quote})
    else:
        verdict_view.draw(verdict, quote=quote)


def confirm(
    market: options.Market,
    filled: Annotated[
        str | None,
        typer.Option(
            help="What the venue filled; the rest goes back. All of it when left out.", metavar="AMOUNT"
        ),
    ] = None,
    strategy: options.Strategy = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Make a reservation stay: the order was filled, in full or in part."""
    verdict = on_desk(
        ledger, lambda desk: desk.confirm_allocation(market, filled, strategy, request_id=request_id)
    )
    confirmed = verdict.result == "success"
    if json_output:
        render.write_json(
            {
                "result": verdict.result,
                "market_id": market,
                "strategy": verdict.strategy,
                "amount": verdict.amount,
                "why": verdict.why,
                "request_id": verdict.request_id,
                "sequence": verdict.sequence,
            }
        )
    elif confirmed:
        render.say(f"[green]confirmed[/]  {render.money(verdict.amount)} stays in {render.literal(market)}")
    else:
        render.say(f"[red]refused[/]  {verdict.result.value}: {render.literal(verdict.why)}")
    return ExitCode.DONE if confirmed else ExitCode.REFUSED


def release(
    market: options.Market,
    pnl: options.Pnl = "0",
    fees: options.Fees = "0",
    amount: Annotated[
        str | None,
        typer.Option(help="Release a part of the principal; all of it when left out.", metavar="AMOUNT"),
    ] = None,
    strategy: options.Strategy = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Take a market's capital back, with its profit or loss.

    Exit code 3 means that the market held nothing, and nothing was booked.
    """

    async def give_back(desk: "CapitalAllocator") -> dict[str, object]:
        principal = await desk.release_allocation(
            market, pnl, amount=amount, fees=fees, strategy=strategy, request_id=request_id
        )
        return {"market_id": market, "released": principal, "bankroll": desk.bankroll}

    outcome = on_desk(ledger, give_back)
    if json_output:
        render.write_json(outcome)
    elif outcome["released"]:
        render.say(
            f"[green]released[/]  {render.money(outcome['released'])} from {render.literal(market)}, "
            f"the bankroll is {render.money(outcome['bankroll'])}"
        )
    else:
        render.say(f"[red]refused[/]  {render.literal(market)} holds nothing; nothing was booked")
    return ExitCode.DONE if outcome["released"] else ExitCode.REFUSED
