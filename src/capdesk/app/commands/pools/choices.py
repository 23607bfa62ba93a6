"""The choices that commands over pools share, read and checked."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

if TYPE_CHECKING:
    from capdesk.decide.pools.eligibility import OnIce
    from capdesk.records import Records

OnIceChoice = Annotated[
    str,
    typer.Option("--on-ice", help="What becomes of positions in an iced coin.", metavar="exit|reduce|freeze"),
]
Day = Annotated[
    str | None,
    typer.Option(help="The day to look at.", metavar="DATE", show_default="the last that is recorded"),
]


def today() -> dt.date:
    """The day that it is, in UTC."""
    return dt.datetime.now(dt.UTC).date()


def read_date(given: str) -> dt.date:
    """Read a date."""
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise typer.BadParameter(f"{given!r} is no date such as 2026-02-16", param_hint="--day") from None


def read_day(records: "Records", given: str | None) -> dt.date:
    """Read a date; the last day that the records know when none is given."""
    from capdesk.model.errors import InvalidInput

    if given is not None:
        return read_date(given)
    last = records.last_day()
    if last is None:
        raise InvalidInput("the records hold no pools yet: 'capdesk pools import FILE' brings them in")
    return last


def read_on_ice(given: str) -> "OnIce":
    """Read what becomes of an iced coin."""
    from capdesk.decide.pools.eligibility import OnIce

    known = get_args(OnIce)
    if given not in known:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(known)}", param_hint="--on-ice")
    return cast("OnIce", given)
