"""`capdesk ledger check` finds what was changed in a ledger behind the desk's back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from capdesk import CapitalAllocator
from capdesk.ledger.codec import write_row
from capdesk.ledger.snapshot import read_snapshot, write_snapshot
from capdesk.ledger.tools import check
from capdesk.model.journal import Body
from tests.ledger.support import read_journal

ENTRIES = 12
MIDDLE = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "desk.db"

    async def make() -> None:
        async with CapitalAllocator.open(path, initial_bankroll=1_000) as desk:
            for number in range(ENTRIES - 2):
                if number == MIDDLE:
                    await desk.ledger.ask(lambda writer: writer.save_snapshot())
                await desk.request_allocation(f"m{number}", 10, request_id=f"r{number}")
            await desk.release_allocation("m0", 3, request_id="last")

    asyncio.run(make())
    return path


@pytest.fixture
def ledger(made: Path, tmp_path: Path) -> Path:
    return shutil.copy(made, tmp_path / "desk.db")


def tamper(path: Path, statements: str, *given: object) -> None:
    """Change a ledger as somebody with a database shell would."""
    with closing(apsw.Connection(str(path))) as db:
        before = db.total_changes()
        db.execute(statements, given)
        assert db.total_changes() > before, "nothing was changed"


def test_an_untouched_ledger_is_sound(ledger: Path) -> None:
    report = check(ledger)
    assert report.problems == []
    assert report.entries == ENTRIES
    assert report.last_hash == read_journal(ledger).rows[-1].hash.hex()


def test_checking_changes_nothing(ledger: Path) -> None:
    before = ledger.read_bytes()
    check(ledger)
    assert ledger.read_bytes() == before


@pytest.mark.parametrize("sequence", [1, MIDDLE, ENTRIES])
@pytest.mark.parametrize(
    "change",
    [
        "sequence = sequence + 100",
        "at = at + 1",
        "kind = 'confirm'",
        "market = market || 'x'",
        "request_id = request_id || 'x'",
        "body = CAST(replace(body, ':', ': ') AS BLOB)",
        "body = CAST(replace(body, '10', '11') AS BLOB)",
        "body = zeroblob(0)",
        "hash = zeroblob(32)",
    ],
)
def test_a_changed_column_is_found(ledger: Path, sequence: int, change: str) -> None:
    if "'11'" in change and sequence == ENTRIES:
        change = change.replace("'10', '11'", "'30', '31'")
    tamper(ledger, f"UPDATE journal SET {change} WHERE sequence = {sequence}")
    assert check(ledger).problems


@pytest.mark.parametrize("column", ["body", "hash", "market", "request_id"])
def test_any_changed_byte_of_an_entry_is_found(ledger: Path, column: str) -> None:
    row = read_journal(ledger).rows[MIDDLE]
    value = getattr(row, column)
    text = isinstance(value, str)
    body = value.encode() if text else value
    for at in range(0, len(body), 1 if len(body) < 100 else 7):
        changed = body[:at] + bytes([body[at] ^ 0x01]) + body[at + 1 :]
        tamper(
            ledger,
            f"UPDATE journal SET {column} = ? WHERE sequence = {row.sequence}",
            changed.decode() if text else changed,
        )
        assert check(ledger).problems, f"byte {at} of {column}"


@pytest.mark.parametrize("sequence", [1, MIDDLE, ENTRIES])
def test_a_deleted_entry_is_found(ledger: Path, sequence: int) -> None:
    tamper(ledger, f"DELETE FROM journal WHERE sequence = {sequence}")
    assert check(ledger).problems


def test_a_deleted_entry_is_found_though_the_others_are_numbered_anew(ledger: Path) -> None:
    tamper(ledger, f"DELETE FROM journal WHERE sequence = {MIDDLE}")
    for sequence in range(MIDDLE + 1, ENTRIES + 1):
        tamper(ledger, f"UPDATE journal SET sequence = {sequence - 1} WHERE sequence = {sequence}")
    assert check(ledger).problems


@pytest.mark.parametrize(
    "columns", ["at, kind, market, request_id, body, hash", "body", "market, request_id"]
)
def test_swapped_entries_are_found(ledger: Path, columns: str) -> None:
    with closing(apsw.Connection(str(ledger))) as db:
        one, other = (
            db.execute(f"SELECT {columns} FROM journal WHERE sequence = ?", (sequence,)).fetchone()
            for sequence in (MIDDLE, MIDDLE + 1)
        )
        marks = ", ".join("?" * len(one))
        for sequence, row in ((MIDDLE, other), (MIDDLE + 1, one)):
            db.execute(f"UPDATE journal SET ({columns}) = ({marks}) WHERE sequence = {sequence}", row)
    assert check(ledger).problems


def test_an_entry_added_by_another_hand_is_found(ledger: Path) -> None:
    tamper(
        ledger,
        "INSERT INTO journal SELECT sequence + 1, at, kind, market, 'forged', body, hash FROM journal "
        f"WHERE sequence = {ENTRIES}",
    )
    assert check(ledger).problems


def test_a_whole_journal_written_anew_has_another_last_hash(ledger: Path) -> None:
    """Who can write the file can forge all of it: only a hash noted elsewhere shows that."""
    noted = check(ledger).last_hash
    journal = read_journal(ledger)
    rows, previous = [], bytes(32)
    for entry in journal.entries:
        row = write_row(
            previous, entry.sequence, entry.at - 1, entry.request_id, Body(entry.command, entry.events)
        )
        rows.append(row)
        previous = row.hash
    with closing(apsw.Connection(str(ledger))) as db:
        db.execute("DELETE FROM journal; DELETE FROM snapshots")
        db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    report = check(ledger)
    assert report.problems == []
    assert report.last_hash != noted


def forge(ledger: Path, which: str, change: Callable[[bytes], bytes]) -> None:
    """Change a snapshot and give it the digest that belongs to it."""
    with closing(apsw.Connection(str(ledger))) as db:
        sequence, body = db.execute(f"SELECT {which}(sequence), body FROM snapshots").fetchone()
        forged = change(body)
        db.execute(
            "UPDATE snapshots SET body = ?, digest = ? WHERE sequence = ?",
            (forged, sha256(forged).digest(), sequence),
        )


def poorer(body: bytes) -> bytes:
    """The same state with a dollar less deposited, all its own sums agreeing."""
    state, last_hash = read_snapshot(body)
    state.deposits -= 1_000_000
    state.balances["main"] -= 1_000_000
    return write_snapshot(state, last_hash)


def without_drawdown(body: bytes) -> bytes:
    state, last_hash = read_snapshot(body)
    state.worst_ppb += 1
    return write_snapshot(state, last_hash)


def of_another_hash(body: bytes) -> bytes:
    return write_snapshot(read_snapshot(body)[0], bytes(32))


@pytest.mark.parametrize("which", ["min", "max"])
@pytest.mark.parametrize("change", [poorer, without_drawdown, of_another_hash, lambda body: body[:-1]])
def test_a_forged_snapshot_is_found(ledger: Path, which: str, change: Callable[[bytes], bytes]) -> None:
    forge(ledger, which, change)
    assert check(ledger).problems


@pytest.mark.parametrize("column", ["body", "digest"])
def test_a_changed_snapshot_is_found(ledger: Path, column: str) -> None:
    tamper(ledger, f"UPDATE snapshots SET {column} = zeroblob(32)")
    assert check(ledger).problems


def test_a_snapshot_of_no_entry_is_found(ledger: Path) -> None:
    tamper(
        ledger,
        "UPDATE snapshots SET sequence = sequence + 100 WHERE sequence = (SELECT max(sequence) FROM journal)",
    )
    assert check(ledger).problems


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM requests WHERE request_id = 'r3'",
        "UPDATE requests SET request_id = 'r3x' WHERE request_id = 'r3'",
        "UPDATE requests SET sequence = sequence + 1 WHERE request_id = 'r3'",
        "UPDATE requests SET sequence = 999 WHERE request_id = 'r3'",
    ],
)
def test_a_changed_request_id_is_found(ledger: Path, statement: str) -> None:
    tamper(ledger, statement)
    assert check(ledger).problems


def test_a_damaged_page_is_found(ledger: Path) -> None:
    body = bytearray(ledger.read_bytes())
    with closing(apsw.Connection(str(ledger))) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'journal_recycled'").get
    body[(root - 1) * 4_096] = 0xFF
    ledger.write_bytes(body)
    assert check(ledger).problems
