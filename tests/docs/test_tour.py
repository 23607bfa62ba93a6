"""The documents are run: what they tell a reader to type is typed, and what they show is compared.

A fence marked `python` is run with `await` allowed, all of a document in one namespace and one
event loop; the `text` fence right after it is what it must print. In a `console` fence every line
that begins with `$ ` is run by the shell, and the lines under it are what it must print. `...`
stands for anything. Each document has a directory of its own, which begins with `examples` alone.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL_SECONDS = 240
RUN_ELSEWHERE = ["cli.md", "benchmarks.md"]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One thing that a reader does, and what the document says will be seen."""

    language: str
    line: int
    source: str
    expected: str


def steps(text: str) -> Iterator[Step]:
    """What a document tells its reader to run, in order."""
    fences = list(_FENCE.finditer(text))
    for fence, follower in zip(fences, [*fences[1:], None], strict=False):
        language, body = fence.groups()
        line = text.count("\n", 0, fence.start(2)) + 1
        if language == "python":
            follows = follower is not None and not text[fence.end() : follower.start()].strip()
            shown = follower[2] if follower is not None and follows and follower[1] == "text" else ""
            yield Step("python", line, body, shown)
        elif language == "console":
            for command in _COMMAND.finditer(body):
                at = line + body.count("\n", 0, command.start())
                yield Step("console", at, command[1], command[2])


def documents() -> list[str]:
    """Every document of ours that tells its reader to run something."""
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    return sorted(
        str(page.relative_to(ROOT))
        for page in pages
        if page.name not in RUN_ELSEWHERE and any(steps(page.read_text(encoding="utf-8")))
    )


class Reader:
    """Follows a document step by step."""

    def __init__(self, document: str, home: Path) -> None:
        self.document = document
        self.home = home
        self.names: dict[str, object] = {"__name__": "document"}
        shutil.copytree(
            ROOT / "examples", home / "examples", ignore=shutil.ignore_patterns("__pycache__", "*.db*")
        )
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("CAPITAL_", "CAPDESK_"))
            },
            "PATH": f"{_programs(home)}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }

    async def follow(self, text: str) -> None:
        """Run every step."""
        for step in steps(text):
            python = step.language == "python"
            seen = await self.run(step) if python else await asyncio.to_thread(self.shell, step)
            if not OutputChecker().check_output(step.expected, seen, ELLIPSIS | NORMALIZE_WHITESPACE):
                raise AssertionError(
                    f"{self.document}:{step.line} shows\n{step.expected}\nbut a reader sees\n{seen}"
                )

    async def run(self, step: Step) -> str:
        """Run Python as `python -m asyncio` would, and take what it prints."""
        padded = "\n" * (step.line - 1) + step.source
        code = compile(padded, self.document, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        with redirect_stdout(io.StringIO()) as printed:
            running = eval(code, self.names)
            if inspect.isawaitable(running):
                await running
        return printed.getvalue()

    def shell(self, step: Step) -> str:
        """Run a command line, and take all that it prints."""
        done = subprocess.run(
            step.source,
            shell=True,
            cwd=self.home,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SHELL_SECONDS,
            check=False,
        )
        return done.stdout


def _programs(home: Path) -> Path:
    """A directory in which `capdesk` and `python` are those of the tests, wherever they were installed."""
    folder = home.with_name(f"{home.name}-bin")
    folder.mkdir()
    for name, start in (
        ("capdesk", f"{sys.executable} -c 'from capdesk.app.cli import main; main()'"),
        ("python", sys.executable),
    ):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {start} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.mark.parametrize("document", documents())
async def test_document_does_what_it_shows(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "reader"
    home.mkdir()
    monkeypatch.chdir(home)
    for name in [name for name in os.environ if name.startswith(("CAPITAL_", "CAPDESK_"))]:
        monkeypatch.delenv(name)
    await Reader(document, home).follow((ROOT / document).read_text(encoding="utf-8"))


async def test_reader_notices_output_that_differs(tmp_path: Path) -> None:
    home = tmp_path / "reader"
    home.mkdir()
    shown = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    with pytest.raises(AssertionError, match=r"x\.md:2 shows\n3\n\nbut a reader sees\n2"):
        await Reader("x.md", home).follow(shown)


async def test_reader_notices_output_that_is_not_shown(tmp_path: Path) -> None:
    home = tmp_path / "reader"
    home.mkdir()
    with pytest.raises(AssertionError, match=r"x\.md:2"):
        await Reader("x.md", home).follow("```console\n$ echo two\n```\n")


def test_documents_that_show_how_to_do_something_are_run() -> None:
    run = set(documents())
    how_to = {str(page.relative_to(ROOT)) for page in ROOT.glob("docs/how-to/*.md")}
    assert {"README.md", "docs/tour.md", "docs/ARCHITECTURE.md", *how_to} <= run


async def test_tour_shows_every_verb_a_newcomer_needs() -> None:
    tour = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
    run = "\n".join(step.source for step in steps(tour))
    needed = [
        "request_allocation(",
        "release_allocation(",
        "quote(",
        "lease_seconds=",
        "confirm_allocation(",
        "CapitalRecycler(",
        "share_markets=",
        "groups=",
        "sleeves=",
        "resume(",
        "audit(",
        "request_id=",
        "CapitalAllocator.open(",
        "get_outcome(",
        "explain",
        "update_mandate(",
        "get_allocation_report()",
    ]
    assert [verb for verb in needed if verb not in run] == []
