"""Money in, out and between accounts, and what is there: `deposit`, `withdraw`, `transfer`, `sync`, `mark`."""

from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.model.money import Amount


def deposit(
    amount: options.Amount,
    account: options.Account = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Add money to the bankroll: a flow, not a profit."""
    bankroll = on_desk(ledger, lambda desk: desk.deposit(amount, account, request_id=request_id))
    return show_flow("deposited", amount, bankroll, as_json=json_output)


def withdraw(
    amount: options.Amount,
    account: options.Account = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Take free money out of the bankroll: a flow, not a loss.

    Exit code 3 means that less than this is free.
    """
    bankroll = on_desk(ledger, lambda desk: desk.withdraw(amount, account, request_id=request_id))
    return show_flow("withdrawn", amount, bankroll, as_json=json_output)


def show_flow(done: str, amount: str, bankroll: "Amount", *, as_json: bool) -> ExitCode:
    """Print what a flow left in the bankroll."""
    booked = exact(amount)
    if as_json:
        render.write_json({done: booked, "bankroll": bankroll})
    else:
        render.say(f"[green]{done}[/]  {render.money(booked)}, the bankroll is {render.money(bankroll)}")
    return ExitCode.DONE


def transfer(
    amount: options.Amount,
    source: Annotated[str, typer.Argument(help="The account it leaves.", metavar="SOURCE")],
    target: Annotated[str, typer.Argument(help="The account it goes to.", metavar="TARGET")],
    transit: Annotated[
        str, typer.Option(help="How long it is on its way, in nobody's reach.", metavar="SECONDS")
    ] = "0",
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Move free money from one account to another.

    Exit code 3 means that the source has less than this free.
    """
    moved = on_desk(
        ledger, lambda desk: desk.transfer(amount, source, target, transit, request_id=request_id)
    )
    if json_output:
        render.write_json({"transferred": moved, "source": source, "target": target})
    else:
        places = f"{render.literal(source)} to {render.literal(target)}"
        render.say(f"[green]transferred[/]  {render.money(moved)} from {places}")
    return ExitCode.DONE


def sync(
    cash: Annotated[
        str, typer.Argument(help="Dollars in the wallet that no allocation has.", metavar="CASH")
    ],
    account: options.Account = None,
    expected: Annotated[
        str | None,
        typer.Option(
            help="What the desk had free when the wallet was read; refused where capital moved since.",
            metavar="AMOUNT",
        ),
    ] = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Compare an account with its wallet: what nobody explained is booked as profit or loss."""
    bankroll = on_desk(
        ledger,
        lambda desk: desk.sync_with_wallet(cash, account, expected=expected, request_id=request_id),
    )
    return show_flow("synced", cash, bankroll, as_json=json_output)


def mark(
    market: options.Market,
    value: Annotated[
        str, typer.Argument(help="What the allocation is worth now, in dollars.", metavar="VALUE")
    ],
    strategy: options.Strategy = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Tell the desk what an open allocation is worth; equity and drawdown follow."""
    equity = on_desk(
        ledger, lambda desk: desk.mark_allocation(market, value, strategy=strategy, request_id=request_id)
    )
    booked = exact(value)
    if json_output:
        render.write_json({"market_id": market, "mark": booked, "equity": equity})
    else:
        render.say(
            f"[green]marked[/]  {render.literal(market)} at {render.money(booked)}, "
            f"equity is {render.money(equity)}"
        )
    return ExitCode.DONE


def exact(amount: str) -> "Amount":
    """Give an amount as the desk has booked it, to the millionth."""
    from capdesk.model.money import Amount, to_micro

    return Amount.from_micro(to_micro(amount))
