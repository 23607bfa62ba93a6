"""`pools import`: what a source tells comes into the planning records, and what it does not is said."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.pools.choices import read_date, today

if TYPE_CHECKING:
    from capdesk.model.market_rows import Rejected, Row
    from capdesk.model.tokens import Token

MOST_SHOWN = 20


def import_rows(
    file: Annotated[
        str,
        typer.Argument(
            help="A .csv, .csv.gz, .parquet or .json; or the address or name that the source reads from.",
            metavar="FILE",
            show_default=False,
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            help="What kind of source it is.",
            metavar="NAME",
            show_default="pools or defillama, by the file's name",
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="An option of the source; may be given again.", metavar="NAME=VALUE"),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(
            help="The day of the figures, for sources that do not tell it.",
            metavar="DATE",
            show_default="today",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Write nothing if any row is left out.")] = False,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Bring pools, balances, prices or gas into the planning records.

    A row that cannot be accepted is told of and left out: exit code 8. A
    document that is none is refused, and nothing is written.
    """
    from capdesk import sources
    from capdesk.model.errors import InvalidInput, MalformedDocument
    from capdesk.records import Records

    kind = source or sources.guess(file)
    when = read_import_day(day)
    try:
        settings, known = read_settings(setting or []), known_tokens(records)
        found = sources.read(sources.open_source(kind, file, settings, when, known=known))
    except MalformedDocument as error:
        if source is not None:
            raise
        raise MalformedDocument(
            f"{error}. It was read as {kind}: --source balances, prices or gas reads tables of those"
        ) from error
    if strict and found.rejected:
        raise InvalidInput("\n".join(["nothing was written:", *map(str, found.rejected[:MOST_SHOWN])]))
    with Records(records, create=True) as opened:
        written = opened.write(found.rows)
    if json_output:
        render.write_json(
            {
                "records": records,
                "source": kind,
                "added": written.added,
                "revised": written.revised,
                "unchanged": written.unchanged,
                "priced": priced(found.rows),
                "rejected": [
                    {"row": each.row, "field": each.field, "given": each.given, "reason": each.reason}
                    for each in found.rejected
                ],
            }
        )
    else:
        render.say(
            f"[green]imported[/]  {render.literal(file)}, rows: {written.added:,} new, "
            f"{written.revised:,} revised, {written.unchanged:,} as they were"
        )
        draw_priced(priced(found.rows))
        draw_rejected(found.rejected)
    return ExitCode.ATTENTION if found.rejected else ExitCode.DONE


def read_import_day(given: str | None) -> dt.date:
    """Read the day of figures that do not tell it; today when none is given."""
    if given is None:
        return today()
    day = read_date(given)
    if day > today() + dt.timedelta(days=1):
        raise typer.BadParameter(f"{day} is still to come: no figure is of it", param_hint="--day")
    return day


def known_tokens(location: str) -> "dict[str, Token]":
    """The tokens of the records, by id; none where there are no records yet."""
    from capdesk.model.errors import NotRecords
    from capdesk.records import Records

    try:
        with Records(location) as opened:
            return opened.tokens()
    except NotRecords:
        # What else may lie there is said when the rows are written.
        return {}


def priced(rows: "tuple[Row, ...]") -> dict[str, str]:
    """The tokens that were priced: id -> what people call it."""
    from capdesk.model.market_rows import Price

    found = {each.token.token_id: each.token for each in rows if isinstance(each, Price)}
    return {name: f"{token.symbol} {token.chain}".strip() for name, token in found.items()}


def draw_priced(tokens: dict[str, str]) -> None:
    """Print which tokens were priced, the first of them if they are many."""
    for name, called in list(tokens.items())[:MOST_SHOWN]:
        render.say(f"priced    {render.literal(called)}  {render.literal(name)}")
    if len(tokens) > MOST_SHOWN:
        render.say(f"[dim]and {len(tokens) - MOST_SHOWN:,} more: --json tells all of them[/]")


def read_settings(given: list[str]) -> dict[str, str]:
    """Read the options of a source; the last of a name counts."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--set")
        found[name.strip()] = value.strip()
    return found


def draw_rejected(rejected: "tuple[Rejected, ...]") -> None:
    """Print the rows that were left out, the first of them if they are many."""
    if not rejected:
        return
    grid = render.table(("row", "right"), "field", "given", "which")
    for each in sorted(rejected, key=lambda each: each.row)[:MOST_SHOWN]:
        words = (each.field, each.given, each.reason)
        grid.add_row(f"{each.row:,}", *map(render.literal, words))
    count = "1 row was" if len(rejected) == 1 else f"{len(rejected):,} rows were"
    render.say(f"[yellow]{count} left out[/]")
    render.console().print(grid)
    if len(rejected) > MOST_SHOWN:
        render.say(f"[dim]and {len(rejected) - MOST_SHOWN:,} more: --json tells all of them[/]")
