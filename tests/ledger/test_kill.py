"""kill -9 in mid-load, again and again on one ledger: whatever was answered is there.

``CAPDESK_KILLS`` sets how often.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.reduction import DupFd
from pathlib import Path

import apsw
import pytest

from capdesk import CapitalAllocator
from capdesk.ledger.invariants import check_in_full
from tests.ledger.children import begin, end_all, trade_until_killed
from tests.ledger.support import assert_replays_to, audit

KILLS = int(os.environ.get("CAPDESK_KILLS", "60"))
BOTS = 24


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    yield
    end_all()


class Victim:
    """A process under load, of which every id it asked for and every answer is known."""

    def __init__(self, path: Path, run: int) -> None:
        self._log, given = os.pipe()
        self._rest = b""
        self.asked: set[str] = set()
        self.answered: set[str] = set()
        self._process = begin(trade_until_killed, str(path), f"run{run}", BOTS, _Handle(given))
        os.close(given)

    def run_until(self, answers: int) -> None:
        while len(self.answered) < answers:
            assert self._read(), "the victim ended by itself"

    def kill(self) -> None:
        """SIGKILL, then read what it had still written."""
        self._process.kill()
        while self._read():
            pass
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL
        os.close(self._log)

    def _read(self) -> bool:
        received = os.read(self._log, 65_536)
        *lines, self._rest = (self._rest + received).split(b"\n")
        for line in lines:
            (self.asked if line.startswith(b"+") else self.answered).add(line[1:].decode())
        return bool(received)


class _Handle:
    """A file descriptor on its way to another process."""

    def __init__(self, descriptor: int) -> None:
        self._duplicate = DupFd(descriptor)

    def detach(self) -> int:
        return self._duplicate.detach()


def test_kill_in_mid_load_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    chance = random.Random(20_260_724)
    everything: set[str] = set()
    for run in range(KILLS):
        victim = Victim(path, run)
        victim.run_until(chance.randrange(30, 300))
        victim.kill()
        assert victim.asked - victim.answered, f"nothing was in flight at kill {run}"
        everything |= victim.answered
        lost = everything - kept_ids(path)
        assert not lost, f"kill {run} lost {sorted(lost)}"
        if run % 2:
            # The other half is left as it is for the next process, so that the log grows over several kills.
            asyncio.run(reopened(path, victim, thoroughly=run % 20 == 1))
    assert audit(path).grants > KILLS * 10


async def reopened(path: Path, victim: Victim, *, thoroughly: bool) -> None:
    """The desk knows its answers of the last run, and its totals hold; thoroughly, all of it is proved."""
    async with CapitalAllocator.open(path) as desk:
        check_in_full(desk.ledger.state)
        for request_id in sorted(victim.answered)[:5]:
            outcome = await desk.get_outcome(request_id)
            assert outcome is not None
            assert outcome.request_id == request_id
        if thoroughly:
            assert_replays_to(desk.ledger.state, audit(path))


def kept_ids(path: Path) -> set[str]:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        return {request_id for (request_id,) in db.execute("SELECT request_id FROM requests")}
