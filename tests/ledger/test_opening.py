"""Opening a ledger: what is upgraded, what is refused with which error, and that a refused file stays as it was."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path

import apsw
import pytest

from capdesk import CapitalAllocator
from capdesk.ledger import files, schema
from capdesk.ledger.schema import APPLICATION_ID, newest_version, schema_files, upgrade, version_of
from capdesk.ledger.snapshot import write_snapshot
from capdesk.ledger.tools import check, compact
from capdesk.model.errors import (
    CorruptLedger,
    LedgerError,
    LedgerUnavailable,
    NetworkFileSystem,
    NewerSchema,
    NoBankroll,
    NotALedger,
)
from tests.faults.disk import kept, put_down
from tests.ledger.children import start
from tests.ledger.power_loss import record, work_a_little
from tests.ledger.support import Audit, assert_replays_to, audit, read_journal, replay

MARKETS = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a snapshot in its midst, closed."""
    path = tmp_path_factory.mktemp("made") / "desk.db"

    async def make() -> None:
        async with CapitalAllocator.open(path, initial_bankroll=10_000) as desk:
            for number in range(MARKETS):
                await desk.request_allocation(f"m{number}", 50, request_id=f"r{number}")
                if number == MARKETS // 2:
                    await desk.ledger.ask(lambda writer: writer.save_snapshot())
                if number % 4 == 0:
                    await desk.release_allocation(f"m{number}", number - 9)

    asyncio.run(make())
    return path


@pytest.fixture
def ledger(made: Path, tmp_path: Path) -> Path:
    """A copy of that ledger to do things to."""
    folder = tmp_path / "desk"
    folder.mkdir()
    return shutil.copy(made, folder / "desk.db")


@pytest.fixture
def unclosed(ledger: Path) -> Path:
    """The same with more in its write-ahead log, as a killed process leaves it."""
    live = ledger.with_name("live.db")
    shutil.move(ledger, live)
    with closing(apsw.Connection(str(live))) as db:
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        db.execute(
            "UPDATE repeats SET count = count; DELETE FROM repeats; INSERT INTO repeats VALUES (1, 1, 1)"
        )
        shutil.copy(live, ledger)
        shutil.copy(f"{live}-wal", f"{ledger}-wal")
    for old in ledger.parent.glob("live.db*"):
        old.unlink()
    return ledger


def fingerprints(folder: Path) -> dict[str, str]:
    """Every file but the index of the log and the turn, which hold nothing, and an empty log."""
    return {
        file.name: sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.iterdir())
        if not file.name.endswith(("-shm", "-turn")) and not (file.name.endswith("-wal") and not _size(file))
    }


def _size(file: Path) -> int:
    return file.stat().st_size


async def open_and_close(path: Path, bankroll: object = None) -> None:
    async with CapitalAllocator.open(path, initial_bankroll=bankroll):
        pass


async def assert_refused(path: Path, error: type[LedgerError], bankroll: object = 10_000) -> str:
    """Opening fails with this error, and nothing beside or in the file has changed."""
    before = fingerprints(path.parent)
    with pytest.raises(error) as raised:
        await open_and_close(path, bankroll)
    assert fingerprints(path.parent) == before
    return str(raised.value)


def build(path: Path, versions: int, journal: Audit) -> None:
    """A ledger file as it was when the schema had only so many versions."""
    with closing(apsw.Connection(str(path))) as db:
        db.pragma("journal_mode", "wal")
        for _, text in schema_files("sqlite")[:versions]:
            db.execute(text)
        db.pragma("application_id", APPLICATION_ID)
        db.pragma("user_version", versions)
        db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", journal.rows)
        if versions > 1:
            ids = [(0, name, sequence) for name, sequence in journal.ids.items()]
            db.executemany("INSERT INTO requests VALUES (?, ?, ?)", ids)


@pytest.mark.parametrize("versions", range(1, newest_version("sqlite")))
async def test_a_file_of_an_older_schema_is_upgraded_and_works(
    made: Path, tmp_path: Path, versions: int
) -> None:
    journal = read_journal(made)
    path = tmp_path / "older.db"
    build(path, versions, journal)
    async with CapitalAllocator.open(path) as desk:
        assert_replays_to(desk.ledger.state, journal)
        verdict = await desk.request_allocation("new", 5, request_id="new")
        if versions > 1:
            again = await desk.request_allocation("m1", 50, request_id="r1")
            assert again.sequence == journal.ids["r1"]
            assert check(path).problems == []
    assert verdict.granted
    with closing(apsw.Connection(str(path))) as db:
        assert db.pragma("user_version") == newest_version("sqlite")


async def test_an_upgrade_that_fails_half_way_leaves_the_file_as_it_was(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        *schema_files("sqlite"),
        (newest_version("sqlite") + 1, "CREATE TABLE more (a); CREATE TABLE journal (a)"),
    ]
    monkeypatch.setattr(schema, "schema_files", lambda dialect: steps)
    await assert_refused(ledger, LedgerError)
    monkeypatch.undo()
    await open_and_close(ledger)


async def test_a_file_of_a_newer_schema_is_refused(ledger: Path) -> None:
    with closing(apsw.Connection(str(ledger))) as db:
        db.pragma("user_version", newest_version("sqlite") + 1)
    message = await assert_refused(ledger, NewerSchema)
    assert "upgrade capdesk" in message


async def test_a_newer_schema_in_the_write_ahead_log_is_refused(ledger: Path) -> None:
    with closing(apsw.Connection(str(ledger))) as db:
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        db.pragma("user_version", newest_version("sqlite") + 1)
    await assert_refused(ledger, NewerSchema)


async def test_a_text_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing to do with capital\n" * 100)
    await assert_refused(path, NotALedger)


async def test_a_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(LedgerUnavailable, match="cannot be read"):
        await open_and_close(path, 100)


@pytest.mark.parametrize("mode", ["delete", "wal"])
async def test_the_database_of_another_program_is_refused(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "other.db"
    with closing(apsw.Connection(str(path))) as db:
        db.pragma("journal_mode", mode)
        db.execute("CREATE TABLE journal (a); INSERT INTO journal VALUES (1)")
    await assert_refused(path, NotALedger)


async def test_the_unfinished_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """All of it still lies in its write-ahead log, which is not folded in either."""
    path = tmp_path / "other.db"
    with closing(apsw.Connection(str(path))) as db:
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        db.pragma("journal_mode", "wal")
        db.execute("CREATE TABLE journal (a); INSERT INTO journal VALUES (1)")
    await assert_refused(path, NotALedger)


async def test_a_database_with_another_application_id_is_refused(ledger: Path) -> None:
    with closing(apsw.Connection(str(ledger))) as db:
        db.pragma("application_id", 0x0F055112)
    await assert_refused(ledger, NotALedger)


async def test_a_missing_file_without_a_bankroll_is_refused(tmp_path: Path) -> None:
    message = await assert_refused(tmp_path / "none.db", NotALedger, bankroll=None)
    assert "initial_bankroll" in message
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_was_never_founded_needs_a_bankroll(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    build(path, newest_version("sqlite"), Audit([], [], {}))
    with pytest.raises(NoBankroll):
        await open_and_close(path)
    await open_and_close(path, 100)
    assert len(audit(path).entries) == 1


async def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "desk.db"
    with pytest.raises(LedgerUnavailable, match="does not exist"):
        await open_and_close(path, 100)
    assert list(tmp_path.iterdir()) == []


def test_a_founding_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    """A process killed in its first millisecond leaves SQLite's rollback journal beside the first page."""
    founding = record(tmp_path, "founding", work_a_little)
    _, _, disk, _ = next(at for at in founding.follow() if at[1][:2] == ("write", "desk.db"))
    put_down(disk.after_loss(kept), tmp_path)
    assert (tmp_path / "desk.db-journal").stat().st_size > 0
    asyncio.run(open_and_close(tmp_path / "desk.db", 100))
    assert len(audit(tmp_path / "desk.db").entries) == 1


async def test_a_lost_file_beside_its_write_ahead_log_is_not_begun_anew(unclosed: Path) -> None:
    unclosed.write_bytes(b"")
    await assert_refused(unclosed, CorruptLedger)
    unclosed.unlink()
    await assert_refused(unclosed, CorruptLedger)


async def test_a_file_that_forgot_its_write_ahead_log_is_refused(unclosed: Path) -> None:
    body = bytearray(unclosed.read_bytes())
    body[18:20] = b"\x01\x01"
    unclosed.write_bytes(body)
    await assert_refused(unclosed, CorruptLedger)


@pytest.mark.parametrize("length", [1, 15, 16, 99, 100, 511, 512, 4_095, 4_096, 4_097, 12_288, 20_000])
async def test_a_truncated_file_is_refused(ledger: Path, length: int) -> None:
    body = ledger.read_bytes()
    assert len(body) > 24_576
    ledger.write_bytes(body[:length])
    await assert_refused(ledger, LedgerError)


async def test_a_file_without_its_last_page_is_refused(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[:-4_096])
    await assert_refused(ledger, CorruptLedger)


def damaged_bytes(ledger: Path) -> Iterator[int]:
    """Every byte of the header, and some of every page."""
    size, chance = ledger.stat().st_size, random.Random(7)
    yield from range(100)
    for page in range(0, size, 4_096):
        yield from (page + chance.randrange(4_096) for _ in range(5))
        yield from range(page, page + 9, 3)


async def test_a_changed_byte_is_refused_or_changes_nothing_that_counts(ledger: Path) -> None:
    """A byte may lie in unused space; then the state is what it was. Else the file is refused, as it is."""
    body, journal = ledger.read_bytes(), read_journal(ledger)
    for stray in ledger.parent.glob("desk.db-*"):
        stray.unlink()
    refused = 0
    for at in damaged_bytes(ledger):
        for stray in ledger.parent.glob("desk.db-*"):
            stray.unlink()
        damaged = bytearray(body)
        damaged[at] ^= 0x55
        ledger.write_bytes(damaged)
        try:
            desk = await CapitalAllocator.open(ledger)
        except LedgerError:
            refused += 1
            was = {"desk.db": sha256(damaged).hexdigest()}
            assert fingerprints(ledger.parent) == was, f"byte {at}: the file was touched"
        else:
            assert_replays_to(desk.ledger.state, journal)
            await desk.close()
    assert refused > 40


def change(path: Path, statement: str, *given: object) -> None:
    with closing(apsw.Connection(str(path))) as db:
        db.execute(statement, given)
        assert db.changes() == 1


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE journal SET hash = zeroblob(32) WHERE sequence = (SELECT max(sequence) FROM journal)",
        "UPDATE snapshots SET digest = zeroblob(32) WHERE sequence = (SELECT max(sequence) FROM journal)",
        "UPDATE snapshots SET body = zeroblob(99) WHERE sequence = (SELECT max(sequence) FROM journal)",
    ],
    ids=["hash", "digest", "snapshot"],
)
async def test_a_broken_chain_or_snapshot_is_refused(ledger: Path, damage: str) -> None:
    change(ledger, damage)
    await assert_refused(ledger, CorruptLedger)


async def test_a_snapshot_of_another_journal_is_refused(ledger: Path) -> None:
    journal = read_journal(ledger)
    with closing(apsw.Connection(str(ledger))) as db:
        newest = db.execute("SELECT max(sequence) FROM snapshots").get
    body = write_snapshot(replay(Audit(journal.entries[:newest], [], {})), bytes(32))
    change(
        ledger,
        "UPDATE snapshots SET body = ?, digest = ? WHERE sequence = ?",
        body,
        sha256(body).digest(),
        newest,
    )
    await assert_refused(ledger, CorruptLedger)


async def test_snapshots_of_an_unknown_format_are_passed_over(ledger: Path) -> None:
    journal = read_journal(ledger)
    with closing(apsw.Connection(str(ledger))) as db:
        assert db.execute("SELECT count(*) FROM snapshots").get == 2
        db.execute("UPDATE snapshots SET format = 999, body = x'00'")
        db.execute("UPDATE snapshots SET digest = ?", (sha256(b"\x00").digest(),))
    async with CapitalAllocator.open(ledger) as desk:
        assert_replays_to(desk.ledger.state, journal)
        assert (await desk.request_allocation("new", 5)).granted
    audit(ledger)


async def test_an_older_snapshot_serves_where_the_newest_is_of_an_unknown_format(ledger: Path) -> None:
    journal = read_journal(ledger)
    change(ledger, "UPDATE snapshots SET format = 999 WHERE sequence = (SELECT max(sequence) FROM snapshots)")
    async with CapitalAllocator.open(ledger) as desk:
        assert_replays_to(desk.ledger.state, journal)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
async def test_a_network_file_system_is_refused(
    ledger: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "file_system", lambda path, mounts=None: kind)
    message = await assert_refused(ledger, NetworkFileSystem)
    assert kind in message
    await assert_refused(ledger.with_name("new.db"), NetworkFileSystem)


def test_the_file_system_is_that_of_the_innermost_mount(tmp_path: Path) -> None:
    inner = tmp_path / "bank roll"
    inner.mkdir()
    escaped = str(inner).replace(" ", "\\040")
    mounts = f"/dev/a / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\n/dev/b {tmp_path}/bank xfs rw 0 0\n"
    assert files.file_system(inner / "desk.db", mounts) == "nfs4"
    assert files.file_system(tmp_path / "bank roller" / "desk.db", mounts) == "ext4"
    assert files.file_system(tmp_path / "desk.db", mounts) == "ext4"


def test_a_link_is_followed_to_where_the_file_lies(tmp_path: Path) -> None:
    far, near = tmp_path / "far", tmp_path / "near"
    far.mkdir()
    near.symlink_to(far)
    mounts = f"/dev/a / ext4 rw 0 0\nserver:/x {far} nfs rw 0 0\n"
    assert files.file_system(near / "desk.db", mounts) == "nfs"


async def test_two_desks_in_one_process_share_one_ledger(ledger: Path) -> None:
    async with CapitalAllocator.open(ledger) as one, CapitalAllocator.open(ledger) as other:
        first, second = await asyncio.gather(
            one.request_allocation("shared", 9, request_id="one"),
            other.request_allocation("shared", 9, request_id="other"),
        )
        assert first.granted != second.granted
        assert (await one.get_allocation("shared")) == (await other.get_allocation("shared"))
        assert (await other.request_allocation("shared", 9, request_id="one")).granted == first.granted
        journal = read_journal(ledger)
        await asyncio.gather(one.get_available(), other.get_available())
        assert_replays_to(one.ledger.state, journal)
        assert_replays_to(other.ledger.state, journal)
    audit(ledger)


async def test_closing_one_of_two_desks_leaves_the_other_at_work(ledger: Path) -> None:
    one = await CapitalAllocator.open(ledger)
    async with CapitalAllocator.open(ledger) as other:
        await one.close()
        assert (await other.request_allocation("still", 5, request_id="still")).granted
    assert "still" in audit(ledger).ids


def open_without_privileges(path: str, answers: Connection) -> None:
    """Open a ledger as somebody whom file permissions bind."""
    with tempfile.TemporaryDirectory() as folder:
        # Whoever runs the tests may import what others may not read.
        asyncio.run(open_and_close(Path(folder) / "first.db", 100))
    if os.geteuid() == 0:
        os.seteuid(65_534)
    try:
        asyncio.run(open_and_close(Path(path), 100))
        answers.send("opened")
    except LedgerError as error:
        answers.send(type(error).__name__)
    except BaseException as error:
        answers.send(repr(error))
        raise


def opened_without_privileges(path: Path) -> str:
    process, line = start(open_without_privileges, str(path))
    answer = line.recv()
    process.join()
    return answer


@pytest.fixture
def public(made: Path) -> Iterator[Path]:
    """A ledger that everybody may write, in a directory that everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "desk.db"
        shutil.copy(made, path)
        path.chmod(0o666)
        path.parent.chmod(0o777)
        yield path
        path.parent.chmod(0o777)


def read_only_file(path: Path) -> None:
    path.chmod(0o444)


def read_only_directory(path: Path) -> None:
    path.parent.chmod(0o555)


def unreadable_file(path: Path) -> None:
    path.chmod(0o000)


@pytest.mark.parametrize("forbid", [read_only_file, read_only_directory, unreadable_file])
def test_what_may_not_be_written_is_refused(public: Path, forbid: Callable[[Path], None]) -> None:
    before = fingerprints(public.parent)
    forbid(public)
    assert opened_without_privileges(public) == "LedgerUnavailable"
    assert fingerprints(public.parent) == before


def test_a_new_ledger_in_a_read_only_directory_is_refused(public: Path) -> None:
    public.unlink()
    read_only_directory(public)
    assert opened_without_privileges(public) == "LedgerUnavailable"
    assert list(public.parent.iterdir()) == []


def test_what_may_be_written_opens_without_privileges(public: Path) -> None:
    assert opened_without_privileges(public) == "opened"


async def test_compacting_folds_the_log_in_while_another_process_has_the_ledger_open(ledger: Path) -> None:
    log = ledger.with_name("desk.db-wal")
    async with CapitalAllocator.open(ledger) as desk:
        await desk.deposit(1)
        assert log.stat().st_size > 0
        await asyncio.to_thread(compact, ledger)
        assert log.stat().st_size == 0
        assert await desk.deposit(1) == desk.bankroll


def test_a_ledger_that_is_founded_while_it_is_looked_at_is_no_stranger(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    looking, founding = apsw.Connection(str(path)), apsw.Connection(str(path))
    founding.pragma("journal_mode", "wal")
    statements = itertools.count(1)

    def between_two_looks(*_: object) -> bool:
        if next(statements) == 2:
            upgrade(founding, "sqlite")
        return True

    looking.exec_trace = between_two_looks
    assert version_of(looking, path) in (0, newest_version("sqlite"))
    founding.close()
    looking.close()
