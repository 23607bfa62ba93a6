"""Configurations that cannot be obeyed: one line for each problem, with the field, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capdesk import CapitalAllocator, CapitalConfig, ConfigError

MARKET, TOTAL = "max_exposure_per_market_percent", "max_total_exposure_percent"

BAD: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({MARKET: 0.05}, (MARKET, "0.05", "percent is meant, did you mean 5")),
    ({TOTAL: 0.3}, (TOTAL, "0.3", "percent is meant, did you mean 30")),
    ({MARKET: -1}, (MARKET, "-1", "between 0 and 100")),
    ({TOTAL: 100.5}, (TOTAL, "100.5", "between 0 and 100")),
    ({MARKET: float("nan")}, (MARKET, "nan", "finite")),
    ({MARKET: float("inf")}, (MARKET, "inf", "finite")),
    ({MARKET: True}, (MARKET, "True", "boolean")),
    ({MARKET: "five"}, (MARKET, "'five'", "number")),
    ({"max_exposure_per_market_absolute": 0}, ("max_exposure_per_market_absolute", "0", "at least")),
    ({"max_exposure_per_market_absolute": -50}, ("max_exposure_per_market_absolute", "-50", "at least")),
    ({"min_order_size": 0}, ("min_order_size", "0", "at least")),
    ({"min_order_size": float("nan")}, ("min_order_size", "nan", "finite")),
    ({"order_split_count": 0}, ("order_split_count", "0", "greater than or equal to 1")),
    ({"order_split_count": True}, ("order_split_count", "True", "integer")),
    ({"order_split_count": 2.5}, ("order_split_count", "2.5", "integer")),
    ({"order_split_count": 21}, ("order_split_count = 21", "0.95", "min_order_size = 1")),
    ({"min_order_size": 7}, ("order_split_count = 3", "6.67", "min_order_size = 7")),
    ({"order_tick": 7}, ("order_tick = 7", "6.67")),
    ({"order_tick": 4, "min_order_size": 5}, ("order_tick", "4", "min_order_size", "5")),
    ({"order_tick": 0}, ("order_tick", "0", "at least")),
    ({"recycle_delay_seconds": -5}, ("recycle_delay_seconds", "-5", "0 up")),
    ({"recycle_delay_seconds": float("inf")}, ("recycle_delay_seconds", "inf", "finite")),
    ({"id_retention_days": 0}, ("id_retention_days", "0", "at least")),
    ({"share_markets": "yes"}, ("share_markets", "'yes'", "boolean")),
    ({"on_expiry": "drop"}, ("on_expiry", "'drop'", "'hold' or 'free'")),
    ({"day_boundary": "24:00"}, ("day_boundary", "'24:00'")),
    ({"accounts": []}, ("accounts", "[]", "at least 1")),
    ({"accounts": ["a", "a"]}, ("accounts", "different names", "a, a")),
    ({"accounts": ["main", ""]}, ("accounts.1", "''", "1 to 256")),
    ({"groups": {"btc": {}}}, ("groups.btc", "max_percent or max_absolute")),
    ({"groups": {"btc": {"max_percent": 0.2}}}, ("groups.btc.max_percent", "0.2", "did you mean 20")),
    ({"market_profiles": [{"pattern": ""}]}, ("market_profiles.0.pattern", "''", "1 to 256")),
    ({"priority_tiers": {"normal": 50}}, ("priority_tiers", "critical, high, normal")),
    ({"priority_tiers": {"urgent": 50}}, ("priority_tiers", "urgent", "'critical', 'high' or 'normal'")),
    ({"max_market_percent": 5}, ("max_market_percent", "no field", MARKET)),
]


@pytest.mark.parametrize(("fields", "said"), BAD, ids=[str(fields) for fields, _ in BAD])
def test_a_field_that_cannot_be_obeyed_is_named(fields: dict[str, Any], said: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as error:
        CapitalConfig(**fields)
    message = str(error.value)
    assert [part for part in said if part not in message] == [], message
    assert "\n" not in message


def test_every_problem_has_a_line_of_its_own() -> None:
    with pytest.raises(ConfigError) as error:
        CapitalConfig(**{MARKET: 0.05, TOTAL: 101, "order_split_count": 0})
    assert [line.split(" = ")[0] for line in str(error.value).splitlines()] == [
        MARKET,
        TOTAL,
        "order_split_count",
    ]


def test_a_bad_configuration_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        CapitalAllocator({MARKET: 0.05}, 200)
    with pytest.raises(ConfigError, match="CapitalConfig or a mapping of its fields, got int"):
        CapitalAllocator(5, 200)  # type: ignore[arg-type]


async def test_a_ledger_is_not_begun_under_a_bad_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=MARKET):
        await CapitalAllocator.open(tmp_path / "desk.db", {MARKET: 101}, initial_bankroll=200)
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        CapitalConfig().order_split_count = 5


@pytest.mark.parametrize(
    ("written", "ppm"), [("0.5%", 5_000), (0, 0), (100, 1_000_000), ("12.34567%", 123_456)]
)
def test_percentages_are_kept_in_parts_per_million(written: object, ppm: int) -> None:
    assert CapitalConfig(**{MARKET: written}).mandate().market_percent_ppm == ppm
