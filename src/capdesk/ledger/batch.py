"""What one transaction of the writer will write and answer, as it is decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from capdesk.ledger.codec import Row
from capdesk.model.commands import Command
from capdesk.model.journal import Entry
from capdesk.model.requests import Request
from capdesk.model.state import State


@dataclass(slots=True)
class Batch:
    """The working copy, and all that follows from it."""

    draft: State
    at: int
    last_hash: bytes
    rows: list[Row] = field(default_factory=list)
    ids: list[tuple[int, str, int]] = field(default_factory=list)
    repeats: list[tuple[int, int]] = field(default_factory=list)
    replies: dict[str, Entry] = field(default_factory=dict)
    refusals: dict[Any, Entry] = field(default_factory=dict)
    written: bool = False


def refusal_key(command: Command) -> Any:
    """What a repeated refusal is known by."""
    return (command.market, command.strategy) if type(command) is Request else command
