"""Every strategy has its page with a picture, and the pictures are what is computed."""

from __future__ import annotations

import re
import sys
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

from capdesk import AllocationStrategy

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
NUMBER = re.compile(r"-?\d+\.?\d*")


def drawing() -> ModuleType:
    spec = util.spec_from_file_location("draw", PICTURES / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    path = list(sys.path)
    try:
        return {picture.__name__: picture() for picture in drawing().PICTURES}
    finally:
        sys.path[:] = path


def test_pictures_are_those_that_are_computed(drawn: dict[str, str]) -> None:
    assert {file.stem for file in PICTURES.glob("*.svg")} == set(drawn)
    for name, text in drawn.items():
        kept = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert NUMBER.sub("#", text) == NUMBER.sub("#", kept), name
        ours, theirs = (list(map(float, NUMBER.findall(each))) for each in (text, kept))
        assert ours == pytest.approx(theirs, abs=0.35), name


def test_pictures_are_small_and_need_nothing_from_elsewhere() -> None:
    for file in PICTURES.glob("*.svg"):
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert len(text) < 30_000
        assert "http" not in text
        assert "<script" not in text


@pytest.mark.parametrize("strategy", AllocationStrategy)
def test_every_strategy_has_a_page_with_use_formula_source_and_picture(strategy: AllocationStrategy) -> None:
    page = (ROOT / "docs" / "how-to" / f"{strategy.replace('_', '-')}.md").read_text(encoding="utf-8")
    assert f'"{strategy}"' in page
    assert "\nUse it " in page
    assert "## Formula" in page
    assert re.search(r"\*, (19|20)\d\d", page)
    assert f"(../pictures/{strategy}.svg)" in page
