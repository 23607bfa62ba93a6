"""The lists: `pools approve`, `pools blacklist`, `pools icebox`."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.pools.choices import read_date, today
from capdesk.app.commands.pools.names import Resolved, resolve
from capdesk.model.lists import APPROVED_PROTOCOLS, APPROVED_TOKENS, BLACKLISTED_TOKENS, ICEBOX_TOKENS

if TYPE_CHECKING:
    from capdesk.app.commands.pools.names import Doubt
    from capdesk.model.tokens import Token
    from capdesk.records import Records
    from capdesk.records.naming import Stay


def names_of(what: str) -> Any:
    """The argument that names what comes on a list or leaves it."""
    said = f"{what}; the list is shown when left out."
    return typer.Argument(help=said, metavar="[NAME...]", show_default=False)


Names = Annotated[list[str] | None, names_of("Tokens, by symbol or chain:address")]
TokensOrProtocols = Annotated[list[str] | None, names_of("Tokens, by symbol or chain:address, or protocols")]
Chain = Annotated[str | None, typer.Option(help="Only the tokens of one chain are meant.", metavar="CHAIN")]
Reason = Annotated[str | None, typer.Option(help="Why; it stays with the name.", metavar="TEXT")]
Day = Annotated[
    str | None,
    typer.Option(
        help="From the beginning of this day on, in UTC, so that its plan obeys.",
        metavar="DATE",
        show_default="from now on",
    ),
]
Remove = Annotated[bool, typer.Option("--remove", help="Take the names off; the history stays.")]


def approve(
    names: TokensOrProtocols = None,
    protocol: Annotated[bool, typer.Option("--protocol", help="The names are those of protocols.")] = False,
    chain: Chain = None,
    reason: Reason = None,
    day: Day = None,
    remove: Remove = False,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Approve tokens or protocols, or show those that are.

    A symbol stands for the token of each chain that bears it. A chain where
    two do is left out, and told (exit code 8): name the token by its address.
    """
    which = APPROVED_PROTOCOLS if protocol else APPROVED_TOKENS
    return put(which, names, chain, reason, day, records, remove=remove, json_output=json_output)


def command(which: str, does: str) -> Callable[..., ExitCode]:
    """Make the command of a list of tokens.

    Parameters
    ----------
    does
        What the command says of itself.
    """

    def keep(
        names: Names = None,
        chain: Chain = None,
        reason: Reason = None,
        day: Day = None,
        remove: Remove = False,
        records: options.Records = options.DEFAULT_RECORDS,
        json_output: options.Json = False,
    ) -> ExitCode:
        return put(which, names, chain, reason, day, records, remove=remove, json_output=json_output)

    keep.__doc__ = does
    return keep


blacklist = command(BLACKLISTED_TOKENS, "Forbid tokens, whatever else is approved, or show those that are.")
icebox = command(ICEBOX_TOKENS, "Hold tokens back for a while, or show those that are.")


def put(
    which: str,
    names: list[str] | None,
    chain: str | None,
    reason: str | None,
    day: str | None,
    location: str,
    *,
    remove: bool,
    json_output: bool,
) -> ExitCode:
    """Put names on a list or take them off; without names, show it."""
    from capdesk.records import Records

    if names and not reason:
        raise typer.BadParameter("say why: whoever reads the list later wants to know", param_hint="--reason")
    at = None if day is None else beginning_of(read_date(day))
    with Records(location) as opened:
        known = opened.tokens()
        if not names:
            show(which, opened.stays(which), known, json_output=json_output)
            return ExitCode.DONE
        of_protocols = which == APPROVED_PROTOCOLS
        found = (
            Resolved(protocols(names, opened, remove=remove), [])
            if of_protocols
            else resolve(names, chain, known)
        )
        changed = (opened.remove if remove else opened.add)(which, found.tokens, reason or "", at)
    if json_output:
        done = "removed" if remove else "added"
        render.write_json({"list": which, done: changed, "reason": reason, "left_out": found.doubts})
    else:
        draw_changed(which, changed, known, remove=remove)
        draw_doubts(found.doubts)
    return ExitCode.ATTENTION if found.doubts else ExitCode.DONE


def draw_changed(which: str, changed: list[str], known: "dict[str, Token]", *, remove: bool) -> None:
    """Print what came on a list or left it, a line each."""
    if not changed:
        render.say(f"nothing to change: {which} is like that already")
        return
    render.say(f"[green]{'left' if remove else 'added to'}[/] {which}")
    for name in changed:
        render.say(f"  {render.literal(called(name, known))}")


def draw_doubts(doubts: "list[Doubt]") -> None:
    """Print which chains were left out, with the tokens that bear the name there, a line each."""
    for each in doubts:
        chain, name = render.literal(each.chain), render.literal(each.name)
        render.say(f"[yellow]left out[/] {chain}: {len(each.tokens)} tokens are called {name}")
        for token in each.tokens:
            render.say(f"  {render.literal(token)}")
    if doubts:
        render.say("name one of them too, by chain:address")


def beginning_of(day: dt.date) -> dt.datetime:
    """The first instant of a day, in UTC, so that the day's own decision obeys what counts from it on."""
    if day > today():
        raise typer.BadParameter(
            f"{day} is still to come: a list is changed from now on, or for a day that was",
            param_hint="--day",
        )
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def protocols(names: list[str], records: "Records", *, remove: bool) -> list[str]:
    """See to it that protocols are written as the pools write them."""
    from capdesk.model.errors import InvalidInput

    known = {pool.project for pool in records.pools().values()}
    for name in names:
        if name not in known and not remove:
            there = ", ".join(sorted(known)) or "none"
            raise InvalidInput(f"no pool is of a protocol {name!r}: the pools in the records are of {there}")
    return names


def show(which: str, stays: "list[Stay]", known: "dict[str, Token]", *, json_output: bool) -> None:
    """Print who is on a list, and who was."""
    if json_output:
        names = ("name", "added_at", "added_reason", "removed_at", "removed_reason")
        render.write_json(
            {"list": which, "stays": [{name: getattr(stay, name) for name in names} for stay in stays]}
        )
        return
    if not stays:
        render.say(f"{which} is empty, and has always been")
        return
    for stay in stays:
        there = stay.removed_at is None
        render.say(
            f"{'[green]on[/]   ' if there else '[dim]left[/] '}{render.literal(called(stay.name, known))}"
        )
        render.say(f"     since {render.clock_time(stay.added_at)}: {render.literal(stay.added_reason)}")
        if stay.removed_at is not None:
            gone = f"until {render.clock_time(stay.removed_at)}: {stay.removed_reason}"
            render.say(f"     {render.literal(gone)}")


def called(name: str, known: "dict[str, Token]") -> str:
    """A token's id with the symbol that people know it by."""
    token = known.get(name)
    return name if token is None or token.address is None else f"{token.symbol} {name}"
