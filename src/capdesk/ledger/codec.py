"""Journal rows: how an entry is written, and the hash that chains it to the one before."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple, get_args

import msgspec

from capdesk.model.commands import Command
from capdesk.model.errors import CorruptLedger
from capdesk.model.journal import Body, Entry, Event

GENESIS = bytes(32)

_KINDS: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(Command)}
_NAMED = {kind for kind in _KINDS if "market" in kind.__struct_fields__}
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Body)


class Row(NamedTuple):
    """One row of the journal as a store keeps it; `body` is JSON."""

    sequence: int
    at: int
    kind: str
    market: str
    request_id: str
    body: bytes
    hash: bytes


def chain(
    previous: bytes, sequence: int, at: int, kind: str, market: str, request_id: str, body: bytes
) -> bytes:
    """The SHA-256 of a row and of the hash before it.

    Lengths stand before the texts, so that no two rows read the same.
    """
    names = f"{sequence}|{at}|{kind}|{len(market)}:{market}|{len(request_id)}:{request_id}|"
    return sha256(previous + names.encode() + body).digest()


def write_row(previous: bytes, sequence: int, at: int, request_id: str, body: Body) -> Row:
    """The row of an entry, chained to the one before."""
    command = body.command
    kind = _KINDS[type(command)]
    market: str = command.market if type(command) in _NAMED else _subject(body.events)  # pyright: ignore
    encoded = _encode(body)
    digest = chain(previous, sequence, at, kind, market, request_id, encoded)
    # As `Row` does it, without the call.
    return tuple.__new__(Row, (sequence, at, kind, market, request_id, encoded, digest))


def _subject(events: tuple[Event, ...]) -> str:
    """The one market that events are about; empty when they are about none or several."""
    named = {getattr(event, "market", None) for event in events}
    return (named.pop() if len(named) == 1 else None) or ""


def read_row(row: Row) -> Entry:
    """The entry of a row.

    Raises
    ------
    CorruptLedger
        If its body cannot be read.
    """
    return read_entry(row.sequence, row.at, row.request_id, row.body)


def read_entry(sequence: int, at: int, request_id: str, body: bytes) -> Entry:
    """The entry that a row's columns say.

    Raises
    ------
    CorruptLedger
        If its body cannot be read.
    """
    try:
        said = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptLedger(f"entry {sequence} of the journal cannot be read: {error}") from error
    return Entry(sequence, at, request_id, said.command, said.events)


def verify_row(row: Row, previous: bytes, expected: int) -> None:
    """Check a row's number and hash.

    Raises
    ------
    CorruptLedger
        If it is not what followed the row before.
    """
    if row.sequence != expected:
        raise CorruptLedger(
            f"entry {expected} of the journal is missing: entry {row.sequence} follows instead"
        )
    if row.hash != chain(previous, *row[:6]):
        raise CorruptLedger(f"entry {row.sequence} of the journal was changed: its hash does not match")
