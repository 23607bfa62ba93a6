"""The rules: journaled, versioned, and the same for everybody on one ledger."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from capdesk import Amount, CapitalAllocator, CapitalConfig, ConfigError, MandateMismatch
from capdesk.config.planning import PLANNING
from capdesk.model.mandate import Mandate
from tests.desk.conftest import MakeDesk
from tests.desk.support import roomy

EVERY_FIELD: dict[str, Any] = {
    "max_exposure_per_market_percent": "0.25%",
    "max_exposure_per_market_absolute": "12.345678",
    "max_total_exposure_percent": Decimal("33.3333"),
    "min_order_size": 2,
    "order_split_threshold": 40,
    "order_split_count": 4,
    "order_tick": "0.01",
    "recycle_delay_seconds": 7.5,
    "share_markets": True,
    "on_expiry": "free",
    "priority_tiers": {"critical": 100, "high": 80, "normal": 50},
    "market_profiles": [{"pattern": "btc-*", "max_percent": 3, "max_absolute": 9}],
    "groups": {"btc": {"max_percent": 10, "patterns": ["btc-*"]}, "eth": {"max_absolute": 7}},
    "accounts": ["venue", "wallet"],
    "max_mark_age_seconds": 30,
    "id_retention_days": "1.5",
    "day_boundary": "06:30",
    "owner_silent_seconds": 60,
    "reserve_percent": 2,
    "idle": "share",
    "compounding": "half",
    "resume_margin_percent": 10,
    "max_drawdown_percent": 20,
    "recall_seconds": 60,
    "sizing": "unified",
    "risk": {"low": "0.9", "gas": [{"above": 20, "multiplier": "0.5"}]},
    "breakers": {"daily_loss_percent": 4, "stale_data": False},
}


def test_the_defaults_are_those_of_the_seed() -> None:
    config = CapitalConfig()
    assert config.mandate() == Mandate()
    assert (config.max_exposure_per_market_percent, config.max_exposure_per_market_absolute) == (5, 50)
    assert (config.max_total_exposure_percent, config.min_order_size) == (30, 1)
    assert (config.order_split_threshold, config.order_split_count) == (20, 3)
    assert config.recycle_delay_seconds == 5


def test_every_field_is_tried_here() -> None:
    of_sleeves = {"sleeves", "default_sleeve"}  # tests/desk/test_config_sleeves.py
    assert set(EVERY_FIELD) == set(CapitalConfig.model_fields) - of_sleeves - PLANNING


@pytest.mark.parametrize("name", EVERY_FIELD)
def test_a_field_survives_being_compiled(name: str) -> None:
    config = CapitalConfig(**{name: EVERY_FIELD[name]})
    assert config.mandate() != Mandate()
    assert CapitalConfig.from_mandate(config.mandate()) == config


@pytest.mark.parametrize("days", ["0.1234567", 1 / 7, "7.00000001"])
async def test_a_desk_opens_under_the_configuration_it_shows(tmp_path: Path, days: object) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, {"id_retention_days": days}, initial_bankroll=200):
        pass
    async with CapitalAllocator.open(path) as desk:
        shown = desk.config
    async with CapitalAllocator.open(path, shown) as desk:
        assert desk.mandate_version == 1


async def test_a_new_mandate_is_a_new_version_and_decides_from_then_on(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    first = await desk.request_allocation("a", 50)
    assert await desk.update_mandate({"max_exposure_per_market_percent": 10}, reason="a calm week") == 2
    second = await desk.request_allocation("b", 50)
    assert [(each.mandate_version, each.amount) for each in (first, second)] == [(1, 10), (2, 20)]
    assert (desk.mandate_version, desk.config.max_exposure_per_market_percent) == (2, 10)


async def test_what_is_open_stays_open_under_a_narrower_mandate(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("a", 150)
    await desk.update_mandate({}, reason="back to the defaults")
    assert [held.amount for held in await desk.get_allocations()] == [150]
    assert desk.get_allocation_report()["headroom"] == 0
    assert not (await desk.request_allocation("b", 5)).granted


async def test_a_ledger_keeps_its_mandate_and_its_bankroll(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, {"min_order_size": 2}, initial_bankroll=200):
        pass
    async with CapitalAllocator.open(path, initial_bankroll=999) as desk:
        assert (desk.bankroll, desk.config.min_order_size, desk.mandate_version) == (200, 2, 1)
    async with CapitalAllocator.open(path, {"min_order_size": "2.00"}) as desk:
        assert desk.mandate_version == 1


async def test_another_configuration_is_refused_with_the_fields_that_differ(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, {"min_order_size": 2}, initial_bankroll=200):
        pass
    before = path.read_bytes()
    with pytest.raises(MandateMismatch) as error:
        await CapitalAllocator.open(path, {"max_total_exposure_percent": 40, "order_tick": "0.01"})
    assert error.value.differences == [
        ("max_total_exposure_percent", "30", "40"),
        ("min_order_size", "2", "1"),
        ("order_tick", "none", "0.01"),
    ]
    assert error.value.version == 1
    for part in ("max_total_exposure_percent: ledger 30, given 40", "update_mandate(config, reason=...)"):
        assert part in str(error.value)
    assert path.read_bytes() == before


async def test_groups_in_another_order_match_other_markets_and_are_named_as_different(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    one, two = {"max_absolute": 5, "patterns": ["*"]}, {"max_absolute": 6, "patterns": ["m"]}
    async with CapitalAllocator.open(path, {"groups": {"one": one, "two": two}}, initial_bankroll=200):
        pass
    with pytest.raises(MandateMismatch) as error:
        await CapitalAllocator.open(path, {"groups": {"two": two, "one": one}})
    assert [name for name, _, _ in error.value.differences] == ["groups"]


async def test_an_update_by_one_desk_is_seen_by_the_other(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with (
        CapitalAllocator.open(path, CapitalConfig(), initial_bankroll=200) as one,
        CapitalAllocator.open(path) as two,
    ):
        await two.update_mandate({"max_exposure_per_market_percent": 10}, reason="a calm week")
        verdict = await one.request_allocation("m", 50)
        assert (verdict.amount, verdict.mandate_version) == (20, 2)
        assert one.config == CapitalConfig(max_exposure_per_market_percent=10)


async def test_the_reason_of_an_update_is_journaled(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.update_mandate({"min_order_size": 2}, reason="small orders cost too much", request_id="id")
    entry: Any = await desk.get_outcome("id")
    assert entry.events[0].reason == "small orders cost too much"
    assert entry.events[0].version == 2


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text(
        "max_exposure_per_market_percent = 6.1\nmin_order_size = 2\norder_split_count = 2\n"
        'accounts = ["venue", "wallet"]\n\n[groups.btc]\nmax_percent = 12\npatterns = ["btc-*"]\n'
    )
    return path


def test_a_file_beats_the_defaults(toml: Path) -> None:
    config = CapitalConfig.load(toml)
    assert (config.max_exposure_per_market_percent, config.min_order_size) == (Amount("6.1"), 2)
    assert (config.accounts, config.groups["btc"].max_percent) == (("venue", "wallet"), 12)
    assert config.max_total_exposure_percent == 30


def test_the_environment_beats_the_file_and_arguments_beat_both(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPITAL_MAX_EXPOSURE_PER_MARKET_PERCENT", "7")
    monkeypatch.setenv("CAPITAL_MIN_ORDER_SIZE", "3")
    config = CapitalConfig.load(toml, min_order_size=4)
    assert (config.max_exposure_per_market_percent, config.min_order_size) == (7, 4)
    assert config.order_split_count == 2


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("share_markets", "true", True),
        ("share_markets", "0", False),
        ("order_split_count", "2", 2),
        ("max_exposure_per_market_absolute", "none", None),
        ("max_exposure_per_market_percent", "0.5%", Amount("0.5")),
        ("accounts", "venue,wallet", ("venue", "wallet")),
        ("accounts", '["venue"]', ("venue",)),
        (
            "priority_tiers",
            '{"critical": 100, "high": 80, "normal": 50}',
            {"critical": 100, "high": 80, "normal": 50},
        ),
    ],
)
def test_each_kind_of_field_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"CAPITAL_{name.upper()}", text)
    assert getattr(CapitalConfig.load(), name) == value


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read as a configuration"):
        CapitalConfig.load(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("min_order_size = \n")
    with pytest.raises(ConfigError, match=r"bad\.toml cannot be read as a configuration"):
        CapitalConfig.load(bad)
    monkeypatch.setenv("CAPITAL_GROUPS", "{")
    with pytest.raises(ConfigError, match="CAPITAL_GROUPS must be JSON"):
        CapitalConfig.load()


def test_a_field_that_is_nearly_one_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r"^max_drawdown is no field .*; did you mean max_drawdown_percent\?$"
    ):
        CapitalAllocator({"max_drawdown": 10})


def test_a_table_where_a_list_belongs_is_told_in_words() -> None:
    with pytest.raises(ConfigError, match=r"^sleeves = \{'sniper': 30\}: it should be a list$"):
        CapitalAllocator({"sleeves": {"sniper": 30}})


def test_a_difference_too_long_for_a_message_is_only_named_in_it() -> None:
    error = MandateMismatch([("sleeves", "x" * 200, "y" * 200), ("min_order_size", "1", "2")], 3)

    assert error.summary == "sleeves: not the same; min_order_size: ledger 1, given 2"
