"""The fields of planning: where they come from, and that no ledger minds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capdesk import CapitalAllocator, CapitalConfig, ConfigError, InvalidInput
from capdesk.config import read_planning
from capdesk.config.planning import PLANNING


def test_the_defaults_are_those_of_the_seed() -> None:
    planning = read_planning(None)

    assert (planning.strategy, planning.max_protocols) == ("equal_weight", 10)
    assert (planning.risk_free_rate, planning.rebalance_threshold) == (0.02, 0.1)
    assert planning.optimization_frequency == 86_400


def test_an_argument_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "capdesk.toml"
    file.write_text('strategy = "max_sharpe"\nmax_protocols = 3\nrisk_free_rate = 0.03\n')
    monkeypatch.setenv("CAPITAL_MAX_PROTOCOLS", "4")
    monkeypatch.setenv("CAPITAL_RISK_FREE_RATE", "0.04")
    planning = read_planning(CapitalConfig.load(file, risk_free_rate="0.05"))

    assert planning.strategy == "max_sharpe"
    assert planning.max_protocols == 4
    assert planning.risk_free_rate == 0.05
    assert planning.rebalance_threshold == 0.1


@pytest.mark.parametrize("config", [None, {}, {"min_order_size": 2}, CapitalConfig(min_order_size=2)])
def test_what_a_caller_leaves_out_comes_from_the_environment(
    config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPITAL_STRATEGY", "risk_parity")

    assert read_planning(config).strategy == "risk_parity"


@pytest.mark.parametrize("config", [{"strategy": "equal_weight"}, CapitalConfig(strategy="equal_weight")])
def test_an_argument_that_is_the_default_beats_the_environment_too(
    config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPITAL_STRATEGY", "risk_parity")

    assert read_planning(config).strategy == "equal_weight"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "CAPITAL_STRATEGY",
            "martingale",
            "CAPITAL_STRATEGY: strategy = 'martingale': it should be 'equal_weight'",
        ),
        ("CAPITAL_RISK_FREE_RATE", "2", "CAPITAL_RISK_FREE_RATE: risk_free_rate = '2': a rate is a fraction"),
        ("CAPITAL_REBALANCE_THRESHOLD", "10", "CAPITAL_REBALANCE_THRESHOLD: rebalance_threshold = '10'"),
        ("CAPITAL_MAX_PROTOCOLS", "0", "CAPITAL_MAX_PROTOCOLS: max_protocols = 0: it should be greater"),
        ("CAPITAL_MAX_PROTOCOLS", "ten", "CAPITAL_MAX_PROTOCOLS: max_protocols = 'ten'"),
        ("CAPITAL_OPTIMIZATION_FREQUENCY", "daily", "CAPITAL_OPTIMIZATION_FREQUENCY: "),
    ],
)
def test_a_wrong_value_of_the_environment_names_its_variable(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    for read in (read_planning, lambda _: CapitalConfig.load()):
        with pytest.raises(ConfigError, match=rf"^{said}[^\n]*$"):
            read(None)


def test_no_rule_of_a_ledger_changes_with_the_planning() -> None:
    changed = CapitalConfig(
        strategy="max_sharpe",
        risk_free_rate="0.1",
        rebalance_threshold="0.2",
        max_protocols=2,
        optimization_frequency=60,
    )

    assert changed.model_fields_set == PLANNING
    assert changed.mandate() == CapitalConfig().mandate()


async def test_fields_of_planning_open_a_ledger_under_its_own_mandate(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, {"min_order_size": 2}, initial_bankroll=200):
        pass
    async with CapitalAllocator.open(path, {"strategy": "risk_parity"}) as desk:
        assert desk.config.min_order_size == 2
        assert desk.config.strategy == "risk_parity"
        assert desk.mandate_version == 1


async def test_a_mandate_is_not_updated_with_fields_of_planning() -> None:
    desk = CapitalAllocator({"min_order_size": 2}, 200)

    with pytest.raises(InvalidInput, match="max_protocols, strategy rule the planner and are no part"):
        await desk.update_mandate({"strategy": "risk_parity", "max_protocols": 3}, reason="plan by risk")
    assert desk.config.min_order_size == 2


async def test_planning_outlives_a_change_of_the_rules() -> None:
    desk = CapitalAllocator({"strategy": "risk_parity", "min_order_size": 2}, 200)
    await desk.update_mandate({"min_order_size": 3}, reason="larger")

    assert (desk.config.min_order_size, desk.config.strategy) == (3, "risk_parity")


@pytest.mark.parametrize("text", ["", "  "])
@pytest.mark.parametrize(
    ("field", "allowed", "default"),
    [
        ("strategy", "one of equal_weight, risk_parity", "equal_weight"),
        ("risk_free_rate", "a fraction above -1 and below 1", "0.02"),
        ("rebalance_threshold", "a fraction from 0 to 1", "0.1"),
        ("max_protocols", "a whole number from 1 to 100000", "10"),
        ("optimization_frequency", "a number of seconds from 1 up", "86400"),
    ],
)
def test_an_empty_variable_is_named_with_what_it_may_be(
    field: str, allowed: str, default: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CAPITAL_{field.upper()}", text)

    with pytest.raises(ConfigError) as caught:
        read_planning(None)
    said = str(caught.value)
    assert said.startswith(f"CAPITAL_{field.upper()} is set but empty: give {allowed}")
    assert said.endswith(f"or unset it (the default is {default})")


def test_an_empty_variable_of_any_field_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in CapitalConfig.model_fields:
        monkeypatch.setenv(f"CAPITAL_{field.upper()}", "")
        with pytest.raises(ConfigError, match=rf"^CAPITAL_{field.upper()} is set but empty: give .*$"):
            CapitalConfig.load()
        monkeypatch.delenv(f"CAPITAL_{field.upper()}")
