"""What each strategy may have: `budget`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.app.commands.budget_view import Sheet
    from capdesk.desk import CapitalAllocator
    from capdesk.model.mandate import Mandate


def budget(
    balance: Annotated[
        str | None,
        typer.Option(
            help="Budgets for this balance; for the ledger as it is when left out.", metavar="AMOUNT"
        ),
    ] = None,
    peak: Annotated[
        str | None,
        typer.Option(help="The highest equity so far; the balance when left out.", metavar="AMOUNT"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            envvar="CAPDESK_CONFIG",
            help="Whose sleeves to budget.",
            metavar="FILE",
            show_default="capdesk.toml where it exists",
        ),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(
            "--ledger",
            envvar="CAPDESK_LEDGER",
            help="Whose sleeves to budget, instead of a configuration's.",
            metavar="FILE",
            show_default="desk.db without --balance",
        ),
    ] = None,
    json_output: options.Json = False,
) -> ExitCode:
    """Show how many dollars each strategy's sleeve has, and where the kill switch fires.

    Where no sleeves are configured they are the built-in two: market making 78 % and arbitrage 20 %.
    """
    if balance is not None:
        sheet = for_balance(balance, balance if peak is None else peak, config, ledger)
    elif peak is not None:
        raise typer.BadParameter("it belongs to a balance: give --balance too", param_hint="--peak")
    else:
        sheet = as_it_is(ledger or options.DEFAULT_LEDGER)
    from capdesk.app.commands import budget_view

    if json_output:
        render.write_json(budget_view.record(sheet))
    else:
        budget_view.draw(sheet)
    return ExitCode.DONE


def for_balance(balance: str, peak: str, config: Path | None, ledger: Path | None) -> "Sheet":
    """Budget a balance by the sleeves that were named, or by the built-in ones."""
    from capdesk.app.commands import budget_view
    from capdesk.desk.arguments import not_negative

    at_hand, highest = not_negative(balance, "balance"), not_negative(peak, "peak")
    mandate, source = rules(config, ledger)
    if mandate is None or not mandate.sleeves:
        mandate, source = budget_view.built_in(), "the built-in sleeves"
    return budget_view.of_balance(mandate, at_hand, max(at_hand, highest), source)


def rules(config: Path | None, ledger: Path | None) -> "tuple[Mandate | None, str]":
    """The rules that were named: a configuration's, a ledger's, or those that lie beside the caller."""
    if config is None and ledger is not None:

        async def look(desk: "CapitalAllocator") -> "Mandate":
            return desk.ledger.state.mandate

        return on_desk(ledger, look), f"the sleeves of {ledger}"
    if config is None and options.DEFAULT_CONFIG.exists():
        config = options.DEFAULT_CONFIG
    if config is None:
        return None, ""
    from capdesk.app.commands.rules import load

    return load(config).mandate(), f"the sleeves of {config}"


def as_it_is(ledger: Path) -> "Sheet":
    """Budget the ledger as it is, with what of it is in use."""

    async def look(desk: "CapitalAllocator") -> "Sheet":
        from capdesk.app.commands import budget_view
        from capdesk.desk.views import looking

        return await desk.ledger.ask(looking(lambda state, at: budget_view.of_state(state, at, str(ledger))))

    return on_desk(ledger, look)
