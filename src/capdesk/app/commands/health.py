"""What `capdesk doctor` looks at: whether this machine keeps what a ledger is promised.

Each check measures one thing on the directory where the ledger lies and gives a `Finding`.
"""

import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]

WAL_BUG_FIXED = (3, 51, 3)
WAL_INTRODUCED = (3, 7, 0)
SYNCS = 100
SYNC_BYTES = 4096
SLOW_SYNC_SECONDS = 0.05
CLOCK_TOLERANCE_SECONDS = 0.1
SPARE_BYTES = 100 * 2**20
VOLATILE = {"tmpfs", "ramfs"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in words and in figures."""

    check: str
    verdict: Verdict
    said: str
    figures: dict[str, object] = field(default_factory=dict)


def check_sqlite(version: str) -> Finding:
    """Judge the SQLite that the ledger is written with.

    Versions 3.7.0 to 3.51.2 can corrupt a WAL file that two connections write and
    checkpoint at once (https://sqlite.org/wal.html#walresetbug).
    """
    number = tuple(int(part) for part in version.split("."))
    affected = WAL_INTRODUCED <= number < WAL_BUG_FIXED
    said = (
        f"{version} can corrupt a WAL file that two processes write: install an apsw of 3.51.3 or later"
        if affected
        else f"{version}, free of the WAL-reset bug (3.7.0 to 3.51.2)"
    )
    return Finding(
        "sqlite", "problem" if affected else "ok", said, {"version": version, "wal_reset_bug": affected}
    )


def check_sync(directory: Path) -> tuple[Finding, Finding]:
    """Time how long this disk takes to make a page durable, and whether the clocks agree meanwhile."""
    wall, steady = time.time(), time.monotonic()
    taken = sorted(sync_times(directory))
    drift = abs((time.time() - wall) - (time.monotonic() - steady))
    middle, worst = median(taken), quantiles(taken, n=100)[98]
    slow = worst > SLOW_SYNC_SECONDS
    said = f"median {middle * 1e3:.2f} ms, p99 {worst * 1e3:.2f} ms for {SYNC_BYTES // 1024} KiB"
    if slow:
        said += ": every lone grant waits for this; many at once share it"
    latency = Finding(
        "fdatasync",
        "warning" if slow else "ok",
        said,
        {"median_seconds": middle, "p99_seconds": worst, "samples": SYNCS, "bytes": SYNC_BYTES},
    )
    jumped = drift > CLOCK_TOLERANCE_SECONDS
    steadiness = Finding(
        "clock steadiness",
        "warning" if jumped else "ok",
        f"the clock jumped by {drift:.3f} s while this ran; leases and delays end by it"
        if jumped
        else f"wall clock and monotonic clock agree within {drift * 1e3:.2f} ms",
        {"drift_seconds": drift},
    )
    return latency, steadiness


def sync_times(directory: Path) -> list[float]:
    """Write and sync pages in a file of the ledger's directory that is removed again; seconds each."""
    sync = getattr(os, "fdatasync", os.fsync)
    page = os.urandom(SYNC_BYTES)
    taken = []
    with tempfile.TemporaryFile(dir=directory, prefix="capdesk-doctor-") as file:
        for _ in range(SYNCS):
            os.write(file.fileno(), page)
            start = time.perf_counter()
            sync(file.fileno())
            taken.append(time.perf_counter() - start)
    return taken


def check_clock(last: datetime | None) -> Finding:
    """Compare the clock with the ledger's last entry: time on a desk never goes back."""
    now = datetime.now(UTC)
    figures: dict[str, object] = {"now": now, "last_entry": last}
    if last is None:
        return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC", figures)
    behind = (last - now).total_seconds()
    figures["seconds_since_last_entry"] = -behind
    if behind > CLOCK_TOLERANCE_SECONDS:
        from capdesk.desk.arguments import instant
        from capdesk.desk.opening import ahead_of_the_clock

        said = ahead_of_the_clock(instant(last, "last"), instant(now, "now"))
        return Finding("clock", "problem", said, figures)
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC, the last entry is of {last:%Y-%m-%d %H:%M:%S}"
    return Finding("clock", "ok", said, figures)


def check_file_system(directory: Path) -> Finding:
    """Judge whether locks and syncs can be trusted where the ledger lies."""
    from capdesk.ledger.files import NETWORK_FILE_SYSTEMS, file_system

    kind = file_system(directory)
    figures: dict[str, object] = {"type": kind, "directory": directory.resolve()}
    if kind in NETWORK_FILE_SYSTEMS:
        said = f"{kind} is a network file system: its locks and syncs cannot be trusted, use a local disk"
        return Finding("file system", "problem", said, figures)
    if kind in VOLATILE:
        said = f"{kind} lies in memory: the ledger is gone when the machine restarts"
        return Finding("file system", "warning", said, figures)
    if kind == "unknown":
        return Finding(
            "file system", "warning", "this system does not tell its type: use a local disk", figures
        )
    return Finding("file system", "ok", kind, figures)


def check_turn(ledger: Path) -> Finding:
    """Look whether some process is writing at this moment; a lock cannot outlive its process."""
    import fcntl

    turn = ledger.with_name(f"{ledger.name}-turn")
    figures: dict[str, object] = {"file": turn, "held": False}
    if not turn.exists():
        return Finding("lock file", "ok", "none yet, it is made with the ledger", figures)
    with turn.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            figures["held"] = True
            return Finding("lock file", "ok", f"{turn.name} is held: another process is writing", figures)
    return Finding("lock file", "ok", f"{turn.name} is free", figures)


def check_space(directory: Path) -> Finding:
    """Look whether the disk can take more entries."""
    free = shutil.disk_usage(directory).free
    short = free < SPARE_BYTES
    said = f"{free / 2**20:,.0f} MiB free"
    if short:
        said += ": grants stop when it is full; nothing that was granted is lost"
    return Finding("disk space", "problem" if short else "ok", said, {"free_bytes": free})
