"""A plan's positions to the desk: `pools adopt`."""

from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk, require_ledger

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator
    from capdesk.model.money import Amount
    from capdesk.model.runs import StoredRun
    from capdesk.positions import Adopted


def adopt(
    run: options.Run,
    strategy: Annotated[
        str,
        typer.Option(
            help="Whose allocations they are: a sleeve, where the desk has sleeves.", metavar="NAME"
        ),
    ] = "pools",
    account: options.Account = None,
    records: options.Records = options.DEFAULT_RECORDS,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Make the positions of a plan allocations of the desk, by its one decision.

    Exit code 3 means that the desk's limits cut or refused some: each is told, and which
    of the plan's transactions may be sent.
    """
    from capdesk.app.commands.pools import sending
    from capdesk.positions import adopt_positions, positions_of
    from capdesk.records import Records
    from capdesk.treasury import pool_names

    require_ledger(ledger)
    with Records(records) as opened:
        stored = opened.run(run, "pools")
        names = pool_names(opened.pools())
        tokens = {name: f"{each.symbol} {each.chain}".strip() for name, each in opened.tokens().items()}

    async def take(desk: "CapitalAllocator") -> "tuple[list[Adopted], Amount]":
        positions, elsewhere = positions_of(stored)
        adopted = await adopt_positions(
            desk,
            positions,
            stored.hash,
            elsewhere=elsewhere,
            strategy=strategy,
            account=account,
            names=names,
        )
        return adopted, desk.equity

    adopted, equity = on_desk(ledger, take)
    whole = all(each.whole for each in adopted)
    may_be_sent = [] if whole else sending.sendable(stored, adopted)
    if json_output:
        render.write_json(
            {
                "run": stored.number,
                "whole": whole,
                "equity": equity,
                "positions": [
                    {name: getattr(each, name) for name in each.__struct_fields__} for each in adopted
                ],
                "treasury": treasury_of(stored),
                "may_be_sent": may_be_sent,
            }
        )
    else:
        draw(adopted, names, stored, equity)
        if may_be_sent:
            sending.draw(may_be_sent, names | tokens)
    return ExitCode.DONE if whole else ExitCode.REFUSED


def treasury_of(stored: "StoredRun") -> "Amount":
    """What the treasury is worth when the plan has been carried out."""
    from capdesk.model.money import Amount

    result = stored.run.outcome.result
    return sum((Amount(each) for each in result["allocations"].values()), Amount(result["cash"]))


def draw(adopted: "list[Adopted]", names: dict[str, str], stored: "StoredRun", equity: "Amount") -> None:
    """Print what became of each position."""
    colours = {
        "opened": "green",
        "increased": "green",
        "released": "cyan",
        "kept": "dim",
        "paid": "cyan",
        "sent": "yellow",
        "refused": "red",
    }
    grid = render.table("pool", ("", "whole"), ("asked", "right"), ("granted", "right"), ("value", "right"))
    for each in adopted:
        grid.add_row(
            called(each, names),
            f"[{colours[each.done]}]{each.done}[/]",
            *(render.money(round(figure, 2)) for figure in (each.asked, each.granted, each.value)),
        )
    render.console().print(grid)
    for each in adopted:
        if each.why:
            render.say(
                f"\n[yellow]{called(each, names)}[/]: {render.literal(each.why.replace(each.pool_id, 'it'))}"
            )
    short = sum(1 for each in adopted if not each.whole)
    said = f"[yellow]the desk's limits cut or refused {short} of them[/]" if short else "[green]all of it[/]"
    render.say(f"\nrun {stored.number} is the desk's: {said}; its equity is {render.money(round(equity, 2))}")
    treasury = treasury_of(stored)
    if equity != treasury:
        render.say(f"carried out in full, the plan leaves a treasury of {render.money(round(treasury, 2))}")
    render.say("[dim]capdesk audit shows them in the waterfall[/]")


def called(adopted: "Adopted", names: dict[str, str]) -> str:
    """What people call the pool of a position."""
    return render.literal(names.get(adopted.pool_id, adopted.pool_id))
