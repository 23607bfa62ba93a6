"""`pools import`: what a source tells comes into the planning records, and what it does not is said."""

from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.pools.choices import read_date, today

if TYPE_CHECKING:
    from capdesk.model.market_rows import Rejected

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
    from capdesk.model.errors import InvalidInput
    from capdesk.records import Records

    kind = source or sources.guess(file)
    when = today() if day is None else read_date(day)
    found = sources.read(sources.open_source(kind, file, read_settings(setting or []), when))
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
        draw_rejected(found.rejected)
    return ExitCode.ATTENTION if found.rejected else ExitCode.DONE


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
    render.say(f"[yellow]{len(rejected):,} rows were left out[/]")
    render.console().print(grid)
    if len(rejected) > MOST_SHOWN:
        render.say(f"[dim]and {len(rejected) - MOST_SHOWN:,} more: --json tells all of them[/]")
