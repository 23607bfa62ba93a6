"""Several operating-system users on one ledger: the lock goes with the file."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from capdesk import CapitalAllocator
from capdesk.ledger.files import Turn
from capdesk.model.errors import LedgerUnavailable
from tests.ledger.children import start

ONE, OTHER, GROUP = 65_533, 65_534, 65_532


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def opened(path: Path) -> None:
    async with CapitalAllocator.open(path, initial_bankroll=200) as desk:
        await desk.deposit(1)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o664])
async def test_the_lock_has_the_mode_and_group_of_the_ledger(tmp_path: Path, mode: int) -> None:
    path, turn = tmp_path / "desk.db", tmp_path / "desk.db-turn"
    await opened(path)
    assert mode_of(turn) == mode_of(path)
    path.chmod(mode)
    group = next(iter(os.getgroups()), path.stat().st_gid)
    os.chown(path, -1, group)
    await opened(path)
    assert (mode_of(turn), turn.stat().st_gid) == (mode, group)


def test_what_the_system_does_not_allow_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "desk.db"
    path.touch(0o660)
    turn = Turn(path)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(LedgerUnavailable, match=r"mode and group of desk\.db: Operation not permitted"):
        turn.share()
    turn.close()


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory of a group, that one of its members made."""
    folder = Path(tempfile.mkdtemp(prefix="capdesk-users-"))
    os.chown(folder, ONE, GROUP)
    folder.chmod(0o2770)
    yield folder
    shutil.rmtree(folder)


def deposit_as(user: int, path: str, answers: Connection) -> None:
    """Become another user, once all that is needed was imported as this one."""
    asyncio.run(opened(Path(path).with_name("import.db")))
    os.setgroups([GROUP])
    os.setgid(user)
    os.setuid(user)
    os.umask(0o022)
    try:
        asyncio.run(opened(Path(path)))
    except Exception as error:
        answers.send(repr(error))
    else:
        answers.send("done")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")
async def test_another_user_of_the_group_writes_the_ledger(shared: Path) -> None:
    path = shared / "desk.db"
    # Root made it, as in a container's first start; the ledger is then given to its owner.
    await opened(path)
    for left in shared.iterdir():
        os.chown(left, ONE, GROUP)
    (shared / "desk.db-turn").chmod(0o600)
    path.chmod(0o660)
    for user in (ONE, OTHER, ONE):
        process, line = start(deposit_as, user, str(path))
        assert line.recv() == "done"
        process.join()
    async with CapitalAllocator.open(path) as desk:
        assert desk.bankroll == 204
