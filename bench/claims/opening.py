"""Opening a ledger of ten million events: after a kill in the worst moment, and after a good close.

The real `CapitalAllocator.open` in a fresh process, imports included, with the file out of
the page cache. Its memory is measured beside that of opening a short ledger with as many
open allocations and as long a tail after its last snapshot.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.callers import expect
from bench.long_ledger import OPEN, forget_later_snapshots, long_ledger
from bench.place import Place
from bench.rows import Row

ENTRIES, QUICK_ENTRIES, SHORT_ENTRIES = 10_000_000, 1_000_000, 25_000

_OPEN = """
import asyncio, json, os, resource, sys, time
began = time.perf_counter()
from capdesk import CapitalAllocator
from pathlib import Path

async def measure(path, close):
    desk = await CapitalAllocator.open(path)
    seconds = time.perf_counter() - began
    report = desk.get_allocation_report()
    if close:
        await desk.close()
    status = Path("/proc/self/status")
    if status.exists():
        kilobytes = int(status.read_text().partition("VmHWM:")[2].split()[0])
    else:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([seconds, kilobytes / 1024, report["as_of"].sequence, str(report["total_allocated"])]))
    sys.stdout.flush()
    os._exit(0)

asyncio.run(measure(sys.argv[1], sys.argv[2] == "close"))
"""


def measure(place: Place) -> list[Row]:
    """Rows for both openings, and for their memory."""
    entries = QUICK_ENTRIES if place.quick else ENTRIES
    path, short = long_ledger(place.cache, entries), long_ledger(place.cache, SHORT_ENTRIES)
    rounds = place.rounds(9)
    killed: list[tuple[float, float]] = []
    small: list[tuple[float, float]] = []
    forget_later_snapshots(path, entries)
    forget_later_snapshots(short, SHORT_ENTRIES)
    for _ in range(rounds):
        killed.append(_open(path, entries))
        small.append(_open(short, SHORT_ENTRIES))
    _open(path, entries, close=True)
    closed = [_open(path, entries) for _ in range(rounds)]
    size = f"{path.stat().st_size / 1e9:.1f} GB"
    return [
        _opening(entries, "killed before its next snapshot", killed, size),
        _opening(entries, "closed well", closed, size),
        Row(
            task=f"peak memory, opening {entries:,} events",
            against=f"opening {SHORT_ENTRIES:,} events",
            unit="MB",
            capdesk=median(memory for _, memory in killed),
            peer=median(memory for _, memory in small),
            ratio=median(memory for _, memory in killed) / median(memory for _, memory in small),
            goal=1.25,
            at_most=True,
        ),
    ]


def _opening(entries: int, how: str, openings: list[tuple[float, float]], size: str) -> Row:
    return Row(
        task=f"opening {entries:,} events, {how}",
        against="",
        unit="s",
        capdesk=median(seconds for seconds, _ in openings),
        peer=None,
        ratio=None,
        goal=1.0,
        at_most=True,
        note=f"{size}, peak memory {max(memory for _, memory in openings):.0f} MB",
    )


def _open(path: Path, entries: int, *, close: bool = False) -> tuple[float, float]:
    """Seconds and megabytes of one opening in a process of its own."""
    _leave_page_cache(path)
    command = (sys.executable, "-c", _OPEN, str(path), "close" if close else "exit")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"opening {path.name} failed: {done.stderr}")
    seconds, megabytes, sequence, allocated = json.loads(done.stdout)
    expect(sequence, entries, "the last entry")
    expect(allocated in (str(15 * OPEN), str(15 * (OPEN - 1))), True, "what is allocated is right")
    return seconds, megabytes


def _leave_page_cache(path: Path) -> None:
    if hasattr(os, "posix_fadvise"):
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
