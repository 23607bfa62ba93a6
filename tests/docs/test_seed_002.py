"""Seed 002 as it stands: its table, its three options, its integration with a bot; only imports are supplied."""

from __future__ import annotations

import sys
from textwrap import indent
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import capdesk
from capdesk import Amount, InvalidInput, RulesWarning, calculate_strategy_capital, get_allocation_summary
from capdesk.decide.sleeves import budgets
from capdesk.model.money import PPM
from tests.desks import ROOMY, sleeve

SLEEVES = [
    sleeve("market_making", 78, cap=500, minimum=50),
    sleeve("arbitrage", 20, cap=200, minimum=10),
]
"""Seed 002's two strategies as a desk is told of them."""

TABLE = [
    (72.92, "56.88", "14.58", "1.46"),
    (100, "78.00", "20.00", "2.00"),
    (500, "390.00", "100.00", "10.00"),
    (5_000, "500.00", "200.00", "100.00"),
    (40, "0.00", "0.00", "0.80"),
]

OPTION_1 = """
from src.config.capital_allocator import calculate_strategy_capital

# Get current balance
current_balance = get_usdc_balance()  # e.g., 72.92

# Calculate dynamic allocations
allocations = calculate_strategy_capital(current_balance)

# Use the calculated values
mm_capital = allocations['market_making']  # $56.88
arb_capital = allocations['arbitrage']     # $14.58
reserve = allocations['reserve']           # $1.46

# Check if strategies should be enabled
if allocations['mm_enabled']:
    start_market_making_strategy(mm_capital)
if allocations['arb_enabled']:
    start_arbitrage_strategy(arb_capital)
"""

OPTION_2 = """
from src.config.capital_allocator import get_allocation_summary

# Print detailed allocation breakdown
print(get_allocation_summary(
    current_balance=72.92,
    peak_equity=72.92
))
"""

OPTION_3 = """
from src.config.capital_allocator import (
    calculate_drawdown_limit,
    calculate_max_exposure
)

# Dynamic drawdown limit (5% of peak)
peak_equity = 72.92
drawdown_limit = calculate_drawdown_limit(peak_equity)  # $3.65

# Maximum total exposure (95% of balance)
max_exposure = calculate_max_exposure(current_balance)  # $69.27
"""

INITIALIZE = """
# In src/main.py (around line 260)
async def initialize(self):
    # Get current balance
    balance = await self.get_usdc_balance()
    
    # Calculate dynamic allocations
    from src.config.capital_allocator import calculate_strategy_capital
    allocations = calculate_strategy_capital(balance)
    
    # Log allocation summary
    from src.config.capital_allocator import get_allocation_summary
    logger.info(get_allocation_summary(balance, peak_equity=balance))
    
    # Initialize strategies with calculated capital
    if allocations['mm_enabled']:
        self.market_making = MarketMakingStrategy(
            capital=allocations['market_making'],
            client=self.client,
            # ... other params
        )
    
    if allocations['arb_enabled']:
        self.arbitrage = ArbitrageStrategy(
            capital=allocations['arbitrage'],
            client=self.client,
            # ... other params
        )
"""  # noqa: W293

DRAWDOWN_CHECK = """
# In _heartbeat_loop() or risk controller
from src.config.capital_allocator import calculate_drawdown_limit

# Track peak equity
if balance > self.peak_equity:
    self.peak_equity = balance

# Calculate dynamic drawdown limit
drawdown_limit = calculate_drawdown_limit(self.peak_equity)
current_drawdown = self.peak_equity - balance

if current_drawdown > drawdown_limit:
    logger.error(f"🚨 KILL SWITCH: Drawdown ${current_drawdown:.2f} exceeds limit ${drawdown_limit:.2f}")
    await self.emergency_shutdown()
"""


@pytest.fixture(autouse=True)
def seed_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that the seed imports from is capdesk."""
    for name in ("src", "src.config"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "src.config.capital_allocator", capdesk)


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str) -> None:
        self.lines.append(line)

    error = info


class Bot:
    """What the seed's bot has beside the code that is shown."""

    client = "client"
    market_making = arbitrage = None

    def __init__(self, balance: float) -> None:
        self.balance, self.peak_equity, self.shut_down = balance, balance, False

    async def get_usdc_balance(self) -> float:
        return self.balance

    async def emergency_shutdown(self) -> None:
        self.shut_down = True


def cents(amount: object) -> str:
    return f"{amount:.2f}"


@pytest.mark.parametrize(("balance", "making", "arbitrage", "reserve"), TABLE)
def test_every_row_of_the_table_holds_to_the_cent(
    balance: float, making: str, arbitrage: str, reserve: str
) -> None:
    capital = calculate_strategy_capital(balance)

    assert [cents(capital[key]) for key in ("market_making", "arbitrage", "reserve")] == [
        making,
        arbitrage,
        reserve,
    ]
    assert capital["mm_enabled"] == (making != "0.00")
    assert capital["arb_enabled"] == (arbitrage != "0.00")
    assert capital["total_allocated"] + capital["unallocated"] == balance


def test_a_large_account_keeps_what_the_caps_leave() -> None:
    capital = calculate_strategy_capital(5_000)

    assert (capital["total_allocated"], capital["unallocated"]) == (800, 4_200)


def test_option_1_runs_as_it_stands() -> None:
    started: list[tuple[str, str]] = []
    names: dict[str, Any] = {
        "get_usdc_balance": lambda: 72.92,
        "start_market_making_strategy": lambda capital: started.append(("making", cents(capital))),
        "start_arbitrage_strategy": lambda capital: started.append(("arbitrage", cents(capital))),
    }
    exec(OPTION_1, names)

    assert started == [("making", "56.88"), ("arbitrage", "14.58")]
    assert cents(names["reserve"]) == "1.46"


def test_option_1_starts_nothing_below_the_minimums() -> None:
    def never(_: object) -> None:
        pytest.fail("a disabled strategy was started")

    exec(
        OPTION_1,
        {
            "get_usdc_balance": lambda: 40,
            "start_market_making_strategy": never,
            "start_arbitrage_strategy": never,
        },
    )


def test_option_2_prints_the_breakdown(capsys: pytest.CaptureFixture[str]) -> None:
    exec(OPTION_2, {})
    shown = capsys.readouterr().out

    for figure in ("$72.92", "$56.88", "$14.58", "$1.46", "$69.27", "within its limit of $3.65"):
        assert figure in shown


def test_option_3_gives_the_limits_in_dollars() -> None:
    names: dict[str, Any] = {"current_balance": 72.92}
    exec(OPTION_3, names)

    assert cents(names["drawdown_limit"]) == "3.65"
    assert cents(names["max_exposure"]) == "69.27"


@pytest.mark.parametrize(("balance", "making", "arbitrage", "reserve"), TABLE)
async def test_the_bot_initializes_its_strategies(
    balance: float, making: str, arbitrage: str, reserve: str
) -> None:
    log = Log()
    names: dict[str, Any] = {
        "logger": log,
        "MarketMakingStrategy": lambda capital, client: (cents(capital), client),
        "ArbitrageStrategy": lambda capital, client: (cents(capital), client),
    }
    exec(INITIALIZE, names)
    bot = Bot(balance)
    await names["initialize"](bot)

    assert bot.market_making == (None if making == "0.00" else (making, "client"))
    assert bot.arbitrage == (None if arbitrage == "0.00" else (arbitrage, "client"))
    assert cents(Amount(balance)) in log.lines[0].replace(",", "")


@pytest.mark.parametrize(("balance", "fires"), [(100, False), (95, False), (94.99, True), (110, False)])
async def test_the_drawdown_check_fires_beyond_its_limit(balance: float, fires: bool) -> None:
    log = Log()
    names: dict[str, Any] = {"logger": log}
    exec("async def check(self, balance):\n" + indent(DRAWDOWN_CHECK, "    "), names)
    bot = Bot(100.0)
    await names["check"](bot, balance)

    assert bot.shut_down is fires
    assert log.lines == (["🚨 KILL SWITCH: Drawdown $5.01 exceeds limit $5.00"] if fires else [])
    assert bot.peak_equity == max(100, balance)


def test_the_summary_says_what_is_capped_and_what_is_disabled() -> None:
    assert "capped at $500.00" in get_allocation_summary(5_000, 5_000)
    assert "disabled: under its minimum of $50.00" in get_allocation_summary(40, 40)
    assert "kill switch of $5.00" in get_allocation_summary(94.99, 100)


@pytest.mark.parametrize("balance", [-0.01, float("nan"), None, True, "much"])
def test_a_balance_that_is_no_amount_is_refused(balance: object) -> None:
    with pytest.raises(InvalidInput, match="current_balance must be"):
        calculate_strategy_capital(balance)


@given(micro=st.integers(0, 10**13))
def test_a_desk_with_the_seeds_sleeves_has_the_functions_figures(micro: int) -> None:
    config = capdesk.CapitalConfig(**{**ROOMY, "sleeves": SLEEVES, "reserve_percent": 2})
    making, arbitrage = budgets(config.mandate().sleeves, micro, lambda _: PPM)
    capital = calculate_strategy_capital(Amount.from_micro(micro))

    assert (making.amount, arbitrage.amount) == (
        capital["market_making"].micro,
        capital["arbitrage"].micro,
    )
    assert (making.enabled, arbitrage.enabled) == (capital["mm_enabled"], capital["arb_enabled"])
    assert 0 <= capital["unallocated"] <= Amount.from_micro(micro)


def test_limits_that_are_not_written_with_sleeves_are_the_seeds() -> None:
    with pytest.warns(RulesWarning, match="one market may hold 78 % of equity"):
        config = capdesk.CapitalConfig(sleeves=SLEEVES, reserve_percent=2)

    assert config.max_total_exposure_percent == 95
    assert config.max_exposure_per_market_percent == 100
    assert config.max_exposure_per_market_absolute is None
    assert config.max_drawdown_percent == 5
