"""What every part of the desk stands on: an open ledger to submit commands to and to read from."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING

from capdesk.desk import arguments as read
from capdesk.ledger.ledger import Ledger
from capdesk.model import commands as c
from capdesk.model.errors import NoBankroll
from capdesk.model.journal import Entry
from capdesk.model.state import Position, State

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig


class DeskBase:
    """Holds the ledger of a desk; without a bankroll there is none."""

    path: Path | None
    _config: CapitalConfig | None
    _ledger: Ledger | None

    @property
    def ledger(self) -> Ledger:
        """The ledger beneath, for the recycler and for tools.

        Raises
        ------
        NoBankroll
            If the desk was given no bankroll.
        """
        return self._open_ledger

    @property
    def _open_ledger(self) -> Ledger:
        if self._ledger is None:
            raise NoBankroll
        return self._ledger

    @property
    def _state(self) -> State:
        return self._open_ledger.state

    def _reading(self) -> Reading:
        return Reading(self._open_ledger)

    def _positions(self) -> list[Position]:
        with self._reading() as state:
            return [position for position in state.positions.values() if position is not None]

    def _submit(
        self, command: c.Command, request_id: str | None, deadline_seconds: float | None
    ) -> Awaitable[Entry]:
        if self._ledger is None:
            raise NoBankroll
        if request_id is not None:
            read.request_id(request_id)
        return self._ledger.submit(command, request_id, read.deadline(deadline_seconds))


class Reading:
    """The published state, held still for a moment."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._lock = ledger, ledger.reading

    def __enter__(self) -> State:
        self._lock.acquire()
        return self._ledger.state

    def __exit__(self, *_: object) -> None:
        self._lock.release()
