"""Opening a ledger file: founding it, comparing its rules, and saying so where its time is ahead of the clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capdesk.ledger.ledger import Ledger
from capdesk.ledger.rules import TRANSITION
from capdesk.model.commands import Found
from capdesk.model.errors import InvalidInput, LedgerClosed, MandateMismatch, NoBankroll
from capdesk.model.mandate import Mandate
from capdesk.model.requests import moment
from capdesk.model.state import State

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig
    from capdesk.desk.allocator import CapitalAllocator, ConfigLike


logger = logging.getLogger("capdesk.desk")

_TOLERANCE = 60 * 1_000_000
"""Clocks of processes may differ; a ledger further ahead was written while a clock was wrong, or is now."""


def open_ledger(
    path: Path,
    config: ConfigLike,
    bankroll: int | None,
    clock: Callable[[], int],
    deadline_seconds: float,
    vfs: str | None,
) -> tuple[Ledger, CapitalConfig | None]:
    """Open a ledger file, founding it with a bankroll if it is new; with the configuration that was given.

    Raises
    ------
    MandateMismatch
        Listing the fields in which the configuration is not the ledger's mandate.
    NoBankroll, LedgerError
        If there is no ledger to open.
    """
    given = None
    if config is not None:
        from capdesk.config import read_config

        given = read_config(config)
    ledger = Ledger.open(
        path, TRANSITION, clock, create=bankroll is not None, deadline_seconds=deadline_seconds, vfs=vfs
    )
    try:
        if not ledger.state.founded:
            _found(ledger, given, bankroll)
        elif given is not None:
            _refuse_another(ledger.state, given)
    except BaseException:
        ledger.close()
        raise
    warn_of_the_clock(ledger.state.at, clock())
    return ledger, given


def _found(ledger: Ledger, given: CapitalConfig | None, bankroll: int | None) -> None:
    if bankroll is None:
        raise NoBankroll
    mandate = Mandate() if given is None else given.mandate()
    try:
        ledger.decide_now(Found(mandate, bankroll))
    except InvalidInput:
        # Another process founded it in this very moment: its bankroll stands.
        if not ledger.state.founded:
            raise
        if given is not None:
            _refuse_another(ledger.state, given)


def _refuse_another(state: State, given: CapitalConfig) -> None:
    """What only plans is no rule of a ledger, and may differ."""
    if not given.plans_only and given.mandate() != state.mandate:
        from capdesk.config import differences

        raise MandateMismatch(differences(state.mandate, given.mandate()), state.mandate_version)


def warn_of_the_clock(last: int, now: int) -> None:
    """Log a warning where the last entry, in microseconds since 1970, is well ahead of the clock."""
    if last - now > _TOLERANCE:
        logger.warning("%s", ahead_of_the_clock(last, now))


def ahead_of_the_clock(last: int, now: int) -> str:
    """Say what follows from a last entry of the future, and what to do."""
    return (
        f"the clock says {moment(now):%Y-%m-%d %H:%M:%S} UTC, {(last - now) / 1e6:,.1f} s before the last entry: "
        "the desk's time stands still until then, so that leases do not end and delays do not pass. "
        "Set the clock right if it is wrong now; if it was wrong when the entry was written, "
        "free what waits with 'capdesk recycle MARKET --now' and confirm or release what is leased"
    )


class Opening:
    """A ledger about to be opened: ``async with`` it, or ``await`` it and close it yourself."""

    def __init__(self, connect: Callable[[], CapitalAllocator]) -> None:
        self._connect = connect
        self._desk: CapitalAllocator | None = None

    def __await__(self) -> Generator[Any, None, CapitalAllocator]:
        return asyncio.to_thread(self._connect).__await__()

    async def __aenter__(self) -> CapitalAllocator:
        self._desk = await self
        return self._desk

    async def __aexit__(self, *_: object) -> None:
        if self._desk is None:
            raise LedgerClosed("the ledger was never opened")
        await self._desk.close()
