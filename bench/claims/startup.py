"""How long a shell waits: importing the desk, the help text, and a ledger command, as whole processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.callers import expect
from bench.desk import BANKROLL
from bench.place import Place
from bench.rows import Row

_IMPORT = "import capdesk; capdesk.CapitalAllocator; capdesk.CapitalConfig"


def measure(place: Place) -> list[Row]:
    """A row for the import and one for each command; the commands take turns."""
    capdesk = str(Path(sys.executable).with_name("capdesk"))
    ledger = place.file("desk.db")
    _run(capdesk, "init", "--ledger", str(ledger), "--bankroll", str(BANKROLL))
    request = (capdesk, "request", "btc-updown-1020", "15", "--ledger", str(ledger), "--json")
    expect(json.loads(_run(*request))["amount"], "15", "what the command line was granted")
    commands = {
        "bare": (sys.executable, "-c", "pass"),
        "import": (sys.executable, "-c", _IMPORT),
        "help": (capdesk, "--help"),
        "report": (capdesk, "report", "--ledger", str(ledger), "--json"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(place.rounds(15)):
        for name, command in commands.items():
            began = perf_counter()
            _run(*command)
            seconds[name].append(perf_counter() - began)
    medians = {name: median(values) for name, values in seconds.items()}
    return [
        _row("import capdesk with its desk and configuration", medians["import"] - medians["bare"], 0.3),
        _row("capdesk --help, whole process", medians["help"], 0.5),
        _row("capdesk report, whole process", medians["report"], 0.5),
    ]


def _row(task: str, seconds: float, goal: float) -> Row:
    return Row(
        task=task, against="", unit="s", capdesk=seconds, peer=None, ratio=None, goal=goal, at_most=True
    )


def _run(*command: str) -> str:
    plain = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=plain, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout
