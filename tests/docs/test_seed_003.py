"""Seed 003 as it stands: both of its managers, its tracker, its figures in rupees, and the desk that does the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk import (
    Amount,
    CapitalAllocator,
    InvalidInput,
    Signal,
    StrategyCapitalManager,
    StrategyCapitalTracker,
    UnifiedCapitalManager,
)
from tests.desks import ROOMY, sleeve

STRATEGIES = (
    "momentum_surfer",
    "volatility_explosion",
    "volume_profile_scalper",
    "regime_adaptive_controller",
    "confluence_amplifier",
)
TEN_LAKH = 10_00_000
TWO_LAKH = 2_00_000

OPTION_1 = """
class StrategyCapitalManager:
    def __init__(self):
        self.strategy_allocations = {
            'momentum_surfer': 0.20,      # 20% of capital
            'volatility_explosion': 0.20,  # 20% of capital  
            'volume_profile_scalper': 0.20, # 20% of capital
            'regime_adaptive_controller': 0.20, # 20% of capital
            'confluence_amplifier': 0.20   # 20% of capital
        }
        
    def get_strategy_capital(self, strategy_name: str, total_capital: float) -> float:
        \"\"\"Get dedicated capital for strategy\"\"\"
        return total_capital * self.strategy_allocations.get(strategy_name, 0.0)
        
    def calculate_position_size(self, strategy_name: str, signal: Signal, 
                              total_capital: float) -> float:
        \"\"\"Calculate position size within strategy's allocated capital\"\"\"
        strategy_capital = self.get_strategy_capital(strategy_name, total_capital)
        
        # Strategy manages its own risk within allocated capital
        return strategy_capital * signal.position_size_percent
"""  # noqa: W291, W293

OPTION_2 = """
class UnifiedCapitalManager:
    def __init__(self):
        self.total_capital = 1000000.0
        self.strategy_limits = {
            'momentum_surfer': {
                'max_capital': 200000.0,      # 20% allocation
                'max_position_size': 0.5,     # 50% of strategy capital
                'risk_multiplier': 1.0        # Normal risk
            },
            'volatility_explosion': {
                'max_capital': 200000.0,      # 20% allocation  
                'max_position_size': 0.3,     # 30% of strategy capital
                'risk_multiplier': 0.8        # Higher risk strategy
            }
        }
        
    def calculate_position_size(self, strategy_name: str, signal: Signal) -> float:
        \"\"\"Calculate position size with strategy-aware risk management\"\"\"
        strategy_config = self.strategy_limits.get(strategy_name)
        if not strategy_config:
            return 0.0
            
        # Use strategy's allocated capital as base
        strategy_capital = strategy_config['max_capital']
        max_position = strategy_capital * strategy_config['max_position_size']
        
        # Apply strategy-specific risk multiplier
        position_size = max_position * strategy_config['risk_multiplier']
        
        return min(position_size, strategy_capital)
"""  # noqa: W291, W293

QUICK_FIX = """
# In RiskManager.calculate_position_size()
strategy_capital = self.get_strategy_allocated_capital(signal.strategy_name)
position_size = strategy_capital * signal.position_size_percent
"""


def seeds(source: str, name: str) -> Any:
    """An object of a class as the seed wrote it; the type it leaves undefined is supplied."""
    names: dict[str, Any] = {"Signal": Signal}
    exec(source, names)
    return names[name]()


@given(
    strategy=st.sampled_from([*STRATEGIES, "a_stranger"]),
    total=st.integers(0, 10**9),
    size=st.integers(0, 1000).map(lambda part: part / 1000),
)
def test_strategy_first_is_the_seeds_class(strategy: str, total: int, size: float) -> None:
    theirs, ours = seeds(OPTION_1, "StrategyCapitalManager"), StrategyCapitalManager()
    signal = Signal(strategy, size)

    assert dict(ours.strategy_allocations) == theirs.strategy_allocations
    assert float(ours.get_strategy_capital(strategy, total)) == pytest.approx(
        theirs.get_strategy_capital(strategy, total), rel=1e-12
    )
    assert float(ours.calculate_position_size(strategy, signal, total)) == pytest.approx(
        theirs.calculate_position_size(strategy, signal, total), rel=1e-12, abs=1e-6
    )


@given(strategy=st.sampled_from([*STRATEGIES, "a_stranger"]), size=st.sampled_from([0.0, 0.1, 1.0]))
def test_unified_is_the_seeds_class(strategy: str, size: float) -> None:
    theirs, ours = seeds(OPTION_2, "UnifiedCapitalManager"), UnifiedCapitalManager()
    signal = Signal(strategy, size)

    assert ours.total_capital == theirs.total_capital
    assert ours.strategy_limits == theirs.strategy_limits
    assert float(ours.calculate_position_size(strategy, signal)) == theirs.calculate_position_size(
        strategy, signal
    )


def test_the_figures_of_the_seed() -> None:
    manager = StrategyCapitalManager()

    for strategy in STRATEGIES:
        assert manager.get_strategy_capital(strategy, TEN_LAKH) == TWO_LAKH
        assert manager.calculate_position_size(strategy, Signal(strategy), TEN_LAKH) == TWO_LAKH
    assert UnifiedCapitalManager().calculate_position_size("momentum_surfer") == 100_000
    assert UnifiedCapitalManager().calculate_position_size("volatility_explosion") == 48_000


def test_the_quick_fix_runs_on_the_tracker() -> None:
    names: dict[str, Any] = {
        "self": StrategyCapitalTracker(TEN_LAKH),
        "signal": Signal("momentum_surfer", 0.5),
    }
    exec(QUICK_FIX, names)

    assert (names["strategy_capital"], names["position_size"]) == (TWO_LAKH, 100_000)


def test_the_trackers_metrics_by_hand() -> None:
    tracker = StrategyCapitalTracker(1000, {"a": 0.5, "b": "0.3", "c": 0.1})
    tracker.record_position("a", 250)
    tracker.record_position("b", 300)
    tracker.record_position("a", -50)

    # (200 + 300) / 1000; capital 500, 300 and 100 about a mean of 300.
    assert tracker.capital_utilization() == 0.5
    assert tracker.strategy_capital_variance() == Amount(80_000) / 3
    assert StrategyCapitalTracker(0, {}).capital_utilization() == 0
    assert StrategyCapitalTracker(0, {}).strategy_capital_variance() == 0


@pytest.mark.parametrize("amount", [501, -1])
def test_the_tracker_refuses_more_than_a_strategy_may_have(amount: int) -> None:
    with pytest.raises(InvalidInput, match="a may have 0 to 500 at work"):
        StrategyCapitalTracker(1000, {"a": 0.5}).record_position("a", amount)


def test_what_no_strategy_may_be_told_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="add up to 1 at most"):
        StrategyCapitalManager({"a": 0.6, "b": 0.5})
    with pytest.raises(InvalidInput, match=r"a must be a fraction from 0 to 1 \(0.2 for 20 %\), got 20"):
        StrategyCapitalManager({"a": 20})
    with pytest.raises(InvalidInput, match="position_size_percent must be a fraction"):
        StrategyCapitalManager().calculate_position_size("momentum_surfer", Signal("x", 1.5), 100)
    with pytest.raises(InvalidInput, match="total_capital must be 0 or more, got -1"):
        StrategyCapitalManager().get_strategy_capital("momentum_surfer", -1)
    with pytest.raises(InvalidInput, match="strategy_name must be one of a, got 'b'"):
        StrategyCapitalTracker(1000, {"a": 1}).record_position("b", 1)


async def test_five_strategies_use_all_of_the_capital_that_the_seed_gives_them() -> None:
    desk = CapitalAllocator({**ROOMY, "sleeves": [sleeve(name, 20) for name in STRATEGIES]}, TEN_LAKH)
    for strategy in STRATEGIES:
        sized = await desk.size_position(strategy, Signal(strategy, 1.0))
        result, amount = await desk.request_allocation(f"market of {strategy}", sized.asked, strategy)
        assert (result, amount, sized.amount) == ("success", TWO_LAKH, TWO_LAKH)
    audit = await desk.audit()

    assert audit.capital_utilization == 1
    assert audit.strategy_capital_variance == 0
    assert [it.amount for it in await desk.get_allocations()] == [TWO_LAKH] * 5


async def test_nobody_cuts_what_the_strategy_first_mode_sized() -> None:
    desk = CapitalAllocator({**ROOMY, "sleeves": [sleeve(name, 20) for name in STRATEGIES]}, TEN_LAKH)
    sized = await desk.size_position(STRATEGIES[0], Signal(STRATEGIES[0], 0.25, "RELIANCE"))

    assert (sized.market_id, sized.asked, sized.amount) == ("RELIANCE", 50_000, 50_000)
    assert sized.bound_by is None


async def test_the_unified_mode_of_a_desk_is_the_seeds_second_option() -> None:
    desk = CapitalAllocator(
        {
            **ROOMY,
            "sizing": "unified",
            "sleeves": [
                sleeve("momentum_surfer", 20, max_position_size=0.5, risk_multiplier=1.0),
                sleeve("volatility_explosion", 20, max_position_size=0.3, risk_multiplier=0.8),
            ],
        },
        TEN_LAKH,
    )
    for strategy in ("momentum_surfer", "volatility_explosion"):
        sized = await desk.size_position(strategy, Signal(strategy))
        assert sized.amount == UnifiedCapitalManager().calculate_position_size(strategy)
    with pytest.raises(InvalidInput, match=r"must have a sleeve .*got 'a_stranger'"):
        await desk.size_position("a_stranger", Signal("a_stranger"))


async def test_sizing_is_a_quote_and_takes_nothing() -> None:
    desk = CapitalAllocator({**ROOMY, "sleeves": [sleeve("a", 50)]}, 100)
    before = desk.get_allocation_report()
    quoted = await desk.size_position("a", Signal("a", 0.5, "m"))

    assert desk.get_allocation_report() == before
    assert (await desk.request_allocation("m", quoted.asked, "a")).outcome == quoted.outcome
