"""What people write about sleeves, risk and breakers: what is refused, what is warned of, what reads back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk import Amount, CapitalAllocator, CapitalConfig, ConfigError, MandateMismatch, RulesWarning
from capdesk.config import differences
from capdesk.model.mandate import Mandate
from capdesk.model.rules import BreakerRules, RiskStep, Sleeve
from tests.desks import ROOMY, VirtualClock, sleeve

FILE = """
max_drawdown_percent = "none"
reserve_percent = 2
default_sleeve = "arbitrage"
idle = "share"
compounding = "half"
resume_margin_percent = 10
recall_seconds = 900
sizing = "unified"

[[sleeves]]
name = "market_making"
percent = 78
cap = 500
minimum = 50
expected_return = 12.5
pays_gas = true

[[sleeves]]
name = "arbitrage"
percent = "0.5%"
cap = "none"
minimum = 0
expected_return = -1
max_position_size = 0.3
risk_multiplier = 0.8

[risk]
mode = "target"
medium = 0.75
target_volatility = 0.25
hysteresis = 0.05
max_daily_change = 0.2
stale_after_seconds = "none"
volatility_acts_on = "market_limits"
gas = [{ above = 40, multiplier = 0.5 }]
correlation = [{ above = 0.7, multiplier = 0.9 }]

[breakers]
daily_loss_percent = 3
gas_above_gwei = 120.5
gas_for_seconds = 1800
stale_data = true
"""


def test_a_file_is_read_to_the_last_field(tmp_path: Path) -> None:
    path = tmp_path / "capdesk.toml"
    path.write_text(FILE)
    mandate = CapitalConfig.load(path).mandate()

    assert mandate.sleeves == (
        Sleeve("market_making", 780_000, 500_000_000, 50_000_000, 125_000, True),
        Sleeve("arbitrage", 5_000, None, 0, -10_000, False, 300_000, 800_000),
    )
    assert mandate.breakers == BreakerRules(30_000, 120_500_000, 1_800_000_000, True)
    risk = mandate.risk
    assert risk is not None
    assert (risk.mode, risk.medium, risk.high, risk.target_ppm) == ("target", 750_000, 600_000, 250_000)
    assert (risk.hysteresis_ppm, risk.daily_change_ppm, risk.stale_after) == (50_000, 200_000, None)
    assert (risk.gas, risk.correlation) == ((RiskStep(40_000_000, 500_000),), (RiskStep(700_000, 900_000),))
    assert risk.acts_on == "market_limits"
    assert (mandate.reserve_ppm, mandate.resume_margin_ppm, mandate.recall_within) == (
        20_000,
        100_000,
        900_000_000,
    )
    assert (mandate.idle, mandate.compounding, mandate.sizing, mandate.default_sleeve) == (
        "share",
        "half",
        "unified",
        "arbitrage",
    )
    # What the file does not say is seed 002's.
    assert (mandate.total_percent_ppm, mandate.market_percent_ppm, mandate.market_absolute) == (
        950_000,
        1_000_000,
        None,
    )


def test_a_file_and_its_mandate_are_the_same_rules(tmp_path: Path) -> None:
    path = tmp_path / "capdesk.toml"
    path.write_text(FILE)
    mandate = CapitalConfig.load(path).mandate()

    assert CapitalConfig.from_mandate(mandate).mandate() == mandate
    assert differences(mandate, CapitalConfig.load(path).mandate()) == []


names = st.lists(st.sampled_from(["maker", "taker", "other", "none"]), unique=True, min_size=1, max_size=4)


@st.composite
def mandates(draw: st.DrawFn) -> Mandate:
    """Rules written at random in every field of sleeves, risk and breakers."""
    dollars = st.integers(0, 10**9).map(Amount.from_micro)
    factor = st.integers(0, 10**6).map(Amount.from_micro)
    sleeves = []
    for name in draw(names):
        minimum, cap = draw(dollars), draw(st.none() | dollars.filter(bool))
        sleeves.append(
            sleeve(
                name,
                f"{draw(st.integers(0, 24 * 10**4)) / 10**4:f}%",
                cap=cap,
                minimum=minimum if cap is None else min(cap, minimum),
                expected_return=draw(
                    st.none() | st.integers(-(10**6), 10**6).map(lambda it: Amount(it) / 10**4)
                ),
                pays_gas=draw(st.booleans()),
                max_position_size=draw(factor),
                risk_multiplier=draw(factor),
            )
        )
    step = st.fixed_dictionaries({"above": dollars, "multiplier": factor})
    risk = st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["table", "target"]),
            "low": factor,
            "extreme": factor,
            "gas": st.lists(step, max_size=3),
            "correlation": st.lists(step, max_size=2),
            "target_volatility": dollars.filter(bool),
            "max_daily_change": factor,
            "stale_after_seconds": st.none() | dollars,
            "volatility_acts_on": st.sampled_from(["budgets", "market_limits"]),
        },
    )
    breakers = st.fixed_dictionaries(
        {}, optional={"daily_loss_percent": st.integers(1, 100), "gas_for_seconds": dollars}
    )
    return CapitalConfig(
        **ROOMY,
        sleeves=sleeves,
        default_sleeve=draw(st.none() | st.sampled_from([it["name"] for it in sleeves])),
        idle=draw(st.sampled_from(["keep", "share"])),
        risk=draw(st.none() | risk),
        breakers=draw(st.none() | breakers),
    ).mandate()


@given(mandate=mandates())
def test_every_mandate_is_written_as_the_configuration_that_compiles_to_it(mandate: Mandate) -> None:
    assert CapitalConfig.from_mandate(mandate).mandate() == mandate


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        (
            {"sleeves": [sleeve("a", 60), sleeve("b", 40)], "reserve_percent": 2},
            r"sleeves and the reserve add up to more than 100 percent: a 60 \+ b 40 \+ reserve 2 = 102",
        ),
        (
            {"sleeves": [sleeve("a", 60), sleeve("b", 20), sleeve("a", 20)]},
            "sleeves must have different names, got a more than once",
        ),
        (
            {"sleeves": [sleeve("a", 60, cap=40, minimum=50)]},
            "sleeve a: cap = 40 is under minimum = 50, so it could never be enabled",
        ),
        (
            {"sleeves": [sleeve("a", 60)], "default_sleeve": "b"},
            r"default_sleeve = 'b' is none of the sleeves \(a\)",
        ),
        ({"default_sleeve": "b"}, r"default_sleeve = 'b' is none of the sleeves \(there are none\)"),
        ({"sleeves": [sleeve("a", 0.6)]}, r"sleeves.0.percent = 0.6: percent is meant, did you mean 60\?"),
        ({"sleeves": [sleeve("a", 101)]}, "sleeves.0.percent = 101: a percentage must lie between 0 and 100"),
        ({"sleeves": [sleeve("a ", 10)]}, r"sleeves\.0\.name = 'a '"),
        ({"sleeves": [sleeve("a", 10, minimum=-1)]}, "sleeves.0.minimum = -1: must be 0 or more"),
        ({"sleeves": [sleeve("a", 10, pays_gas="yes")]}, "sleeves.0.pays_gas"),
        (
            {"sleeves": [sleeve("a", 10, share=3)]},
            "sleeves.0.share is no field of sleeves; its fields are name, percent, cap",
        ),
        (
            {"risk": {"gas": [{"above": 5, "x": 1}]}},
            "risk.gas.0.x is no field of risk.gas; its fields are above",
        ),
        ({"sleeves": [sleeve("a", 10, risk_multiplier=1.5)]}, "a multiplier must lie between 0 and 1"),
        ({"risk": {"medium": 80}}, "risk.medium = 80: a multiplier must lie between 0 and 1"),
        ({"risk": {"mode": "magic"}}, "risk.mode = 'magic'"),
        ({"risk": {"volatility_acts_on": "both"}}, "risk.volatility_acts_on = 'both'"),
        ({"breakers": {"daily_loss_percent": 0.02}}, r"did you mean 2\?"),
        ({"idle": "spend"}, "idle = 'spend'"),
        ({"compounding": "double"}, "compounding = 'double'"),
        ({"sizing": "kelly"}, "sizing = 'kelly'"),
    ],
)
def test_what_is_impossible_is_refused_by_name(rules: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        CapitalConfig(**{**ROOMY, **rules})


def test_every_problem_is_a_line_of_its_own() -> None:
    with pytest.raises(ConfigError) as caught:
        CapitalConfig(sleeves=[sleeve("a", 0.6), sleeve("b", 10, cap=0)], risk={"low": 2})

    assert [line.partition(" = ")[0] for line in str(caught.value).splitlines()] == [
        "sleeves.0.percent",
        "sleeves.1.cap",
        "risk.low",
    ]


def test_shares_of_just_one_hundred_are_allowed() -> None:
    assert (
        CapitalConfig(**ROOMY, sleeves=[sleeve("a", "99.5"), sleeve("b", "0.5%")]).sleeves[1].percent == 0.5
    )


@pytest.mark.parametrize(
    "rules",
    [
        {"max_drawdown_percent": 5},
        {"max_drawdown_percent": 50, "sleeves": [sleeve("a", 50), sleeve("b", 10)]},
        {"sleeves": [sleeve("a", 5)]},
    ],
)
def test_one_loss_that_can_halt_the_desk_is_warned_of(rules: dict[str, Any]) -> None:
    with pytest.warns(RulesWarning, match="the loss of a single market can halt the desk"):
        CapitalConfig(**rules)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"max_drawdown_percent": "5.000001"},
        {"max_drawdown_percent": 5, "sleeves": [sleeve("a", "4.99")]},
        {"sleeves": [sleeve("a", 50)], "max_drawdown_percent": None},
    ],
)
def test_a_desk_that_survives_any_single_loss_is_not(rules: dict[str, Any]) -> None:
    CapitalConfig(**rules)


@pytest.mark.parametrize(
    ("breakers", "named"),
    [
        ({"gas_above_gwei": 80}, r"breakers\.gas_above_gwei can never trip"),
        (
            {"gas_above_gwei": 80, "stale_data": True},
            r"breakers\.gas_above_gwei and breakers\.stale_data can",
        ),
    ],
)
def test_breakers_that_can_never_see_the_market_are_warned_of(breakers: dict[str, Any], named: str) -> None:
    with pytest.warns(RulesWarning, match=named):
        CapitalConfig(breakers=breakers)
    CapitalConfig(breakers=breakers, risk={})


def test_a_ledgers_own_rules_are_read_back_without_a_warning() -> None:
    with pytest.warns(RulesWarning):
        mandate = CapitalConfig(sleeves=[sleeve("a", 50)], breakers={"stale_data": True}).mandate()

    assert CapitalConfig.from_mandate(mandate).max_drawdown_percent == 5


def test_the_environment_has_sleeves_and_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPITAL_SLEEVES", json.dumps([sleeve("a", 40, cap=100), sleeve("b", 10.5)]))
    monkeypatch.setenv("CAPITAL_RISK", '{"medium": 0.7, "gas": []}')
    monkeypatch.setenv("CAPITAL_BREAKERS", '{"daily_loss_percent": 2.5}')
    monkeypatch.setenv("CAPITAL_MAX_DRAWDOWN_PERCENT", "none")
    monkeypatch.setenv("CAPITAL_IDLE", "share")
    config = CapitalConfig.load()

    assert [(it.name, it.percent, it.cap) for it in config.sleeves] == [("a", 40, 100), ("b", 10.5, None)]
    assert config.risk is not None
    assert (config.risk.medium, config.risk.gas) == (0.7, ())
    assert config.breakers is not None
    assert config.breakers.daily_loss_percent == 2.5
    assert (config.max_drawdown_percent, config.idle) == (None, "share")
    assert config.max_total_exposure_percent == 95


def test_the_environment_beats_the_file_and_an_argument_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "capdesk.toml"
    path.write_text(FILE)
    monkeypatch.setenv("CAPITAL_IDLE", "keep")
    monkeypatch.setenv("CAPITAL_COMPOUNDING", "fixed")
    config = CapitalConfig.load(path, compounding="full")

    assert (config.idle, config.compounding, config.sizing) == ("keep", "full", "unified")


@pytest.mark.parametrize("text", ["[{", '[{"name": "a"}]', '{"name": "a"}'])
def test_sleeves_that_the_environment_garbles_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPITAL_SLEEVES", text)
    with pytest.raises(ConfigError, match=r"(?i)sleeves"):
        CapitalConfig.load()


async def test_another_sleeve_than_the_ledgers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    ours = {**ROOMY, "sleeves": [sleeve("a", 50)]}
    async with CapitalAllocator.open(path, ours, initial_bankroll=100, clock=VirtualClock()):
        pass
    with pytest.raises(MandateMismatch, match=r"sleeves: ledger .*50.*, given .*40") as caught:
        await CapitalAllocator.open(path, {**ours, "sleeves": [sleeve("a", 40)]})

    assert [name for name, _, _ in caught.value.differences] == ["sleeves"]


async def test_a_desk_says_its_sleeves_as_they_were_written() -> None:
    desk = CapitalAllocator({**ROOMY, "sleeves": [sleeve("a", "12.5", cap=9)], "risk": {"low": "0.9"}}, 100)
    await desk.update_mandate({**ROOMY, "sleeves": [sleeve("a", 25)]}, reason="more")

    assert desk.config.sleeves[0].percent == 25
    assert desk.config.sleeves[0].cap is None
    assert desk.config.risk is None
