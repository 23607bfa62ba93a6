"""Documents of others: deep ones are refused whatever the process's recursion limit is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from capdesk.sources.documents import DEEPEST, read_json


def test_brackets_within_strings_count_for_nothing() -> None:
    assert read_json(b'{"a": "[[\\"[[", "b": [1]}') == {"a": '[["[[', "b": [1]}


def test_the_deepest_document_is_read_and_a_deeper_one_refused() -> None:
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST)
    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        read_json(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))


def test_brackets_alone_do_not_end_a_process_whose_recursion_limit_was_raised() -> None:
    program = (
        "import sys; sys.setrecursionlimit(1_000_000)\n"
        "from capdesk.sources.documents import read_json\n"
        "try: read_json(b'[' * 1_000_000)\n"
        "except ValueError as error: print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "it is nested deeper than 100 levels\n"), ended.stderr
