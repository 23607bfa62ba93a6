"""One command's visit to the desk: open the ledger that is there, ask, close."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from capdesk.app.commands.exits import NoSuchLedger

if TYPE_CHECKING:
    from capdesk.desk import CapitalAllocator

T = TypeVar("T")


def require_ledger(path: Path) -> Path:
    """Return the path of a ledger that exists.

    A mistyped path would otherwise open a new, empty desk with a bankroll that nobody gave it.

    Raises
    ------
    NoSuchLedger
        If there is no file at `path`.
    """
    if not path.is_file():
        raise NoSuchLedger(
            f"there is no ledger file at {path}: make one with 'capdesk init --ledger {path}', "
            "or name an existing one with --ledger or CAPDESK_LEDGER"
        )
    return path


def on_desk(ledger: Path, visit: "Callable[[CapitalAllocator], Awaitable[T]]") -> T:
    """Open the desk of an existing ledger, await `visit(desk)` on it, and close it."""
    require_ledger(ledger)

    import asyncio

    from capdesk.desk import CapitalAllocator

    async def run() -> T:
        async with CapitalAllocator.open(ledger) as desk:
            return await visit(desk)

    return asyncio.run(run())
