"""Sources by name: capdesk's own and those of other packages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import Gas
from capdesk.sources import guess, names, open_source, read

DAY = dt.date(2026, 2, 16)

PLUGIN = """
from decimal import Decimal
from capdesk.model.market_rows import Gas

class Constant:
    def __init__(self, location, *, day, gwei):
        self.row = Gas(day, location, Decimal(gwei))

    def rows(self):
        yield self.row
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "constant_gas.py").write_text(PLUGIN, encoding="utf-8")
    information = tmp_path / "constant_gas-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: constant-gas\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[capdesk.sources]\nconstant-gas = constant_gas:Constant\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("plugin")
def test_a_package_brings_a_source_by_an_entry_point() -> None:
    assert "constant-gas" in names()
    found = read(open_source("constant-gas", "mychain", {"gwei": "1.25"}, DAY))
    assert [(each.chain, str(each.gwei)) for each in found.rows if isinstance(each, Gas)] == [
        ("mychain", "1.25")
    ]


def test_a_source_that_nobody_brings_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidInput, match="no source 'nowhere': choose one of balances, ccxt-balances"):
        open_source("nowhere", "x", {}, DAY)


def test_an_option_that_a_source_does_not_take_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no option 'colour': it takes chain"):
        open_source("gas", "gas.csv", {"colour": "red"}, DAY)


def test_an_option_that_a_source_needs_is_asked_for() -> None:
    with pytest.raises(InvalidInput, match="needs the option 'pool'"):
        open_source("defillama-chart", "chart.json", {}, DAY)


@pytest.mark.parametrize(
    ("location", "name"),
    [("a.json", "defillama"), ("https://x", "defillama"), ("a.csv.gz", "pools"), ("a.parquet", "pools")],
)
def test_what_a_location_looks_like(location: str, name: str) -> None:
    assert guess(location) == name


def test_a_location_that_looks_like_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="say with --source"):
        guess("pools.xlsx")
