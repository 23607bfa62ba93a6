"""Where and on what a run is measured: a directory on a real disk, the commit, SQLite and its pragmas."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from bench.desk import open_desk, pragmas
from capdesk.ledger.files import file_system

_IN_MEMORY = ("tmpfs", "ramfs")


@dataclass(frozen=True, slots=True)
class Place:
    """One run's place and effort.

    Attributes
    ----------
    directory
        Holds every file of every contestant, and is removed after the run.
    cache
        Holds what takes long to build, between runs.
    quick
        Fewer rounds and smaller ledgers.
    """

    directory: Path
    cache: Path
    quick: bool

    def rounds(self, full: int) -> int:
        """How many rounds to run."""
        return max(3, full // 4) if self.quick else full

    def file(self, name: str) -> Path:
        """A path for a file that does not exist yet."""
        return Path(tempfile.mkdtemp(dir=self.directory)) / name


@contextmanager
def find_place(chosen: Path | None, quick: bool) -> Iterator[Place]:
    """A directory on a disk; without a choice, the first temporary directory that does not lie in memory."""
    candidates = [chosen] if chosen else [Path(tempfile.gettempdir()), Path("/var/tmp"), Path.home()]
    usable = [path for path in candidates if path.is_dir() and os.access(path, os.W_OK)]
    if not usable:
        raise SystemExit(f"no directory to write to: {', '.join(map(str, candidates))}")
    base = next((path for path in usable if file_system(path) not in _IN_MEMORY), usable[0])
    cache = base / f"capdesk-bench-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=cache))
    try:
        yield Place(directory, cache, quick)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def circumstances(place: Place) -> dict[str, str]:
    """What the figures depend on, for the foot of the table."""
    kind = file_system(place.directory)
    return {
        "commit": _commit(),
        "SQLite": f"{apsw.sqlite_lib_version()} (apsw {apsw.apsw_version()})",
        "pragmas": ", ".join(f"{name}={value}" for name, value in asyncio.run(_pragmas(place)).items()),
        "file system": kind + (", IN MEMORY: nothing here is durable" if kind in _IN_MEMORY else ""),
        "machine": f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}",
    }


async def _pragmas(place: Place) -> dict[str, object]:
    async with open_desk(place.file("desk.db")) as desk:
        return await pragmas(desk)


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        head, changed = git("rev-parse", "--short=12", "HEAD"), git("status", "--porcelain", "--", "../src")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head} with local changes in src" if changed else head
