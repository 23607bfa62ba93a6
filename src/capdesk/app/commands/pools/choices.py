"""The choices that commands over pools share, read and checked."""

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

if TYPE_CHECKING:
    from capdesk.decide.pools.eligibility import OnIce

OnIceChoice = Annotated[
    str,
    typer.Option("--on-ice", help="What becomes of positions in an iced coin.", metavar="exit|reduce|freeze"),
]


def read_on_ice(given: str) -> "OnIce":
    """Read what becomes of an iced coin."""
    from capdesk.decide.pools.eligibility import OnIce

    known = get_args(OnIce)
    if given not in known:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(known)}", param_hint="--on-ice")
    return cast("OnIce", given)
