"""Seed 002's heartbeat as it stands, beside the supervisor that does the same on a desk."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

import capdesk
from capdesk import CapitalAllocator, Hooks, Supervisor
from tests.desks import ROOMY, VirtualClock, sleeve

HEARTBEAT = """
# In _heartbeat_loop() (around line 2616)
async def _heartbeat_loop(self):
    while self.running:
        balance = await self.get_usdc_balance()
        
        # Recalculate allocations
        allocations = calculate_strategy_capital(balance)
        
        # Check if strategies need to be enabled/disabled
        if not allocations['mm_enabled'] and self.market_making.is_running:
            logger.warning("⚠️ MM capital below threshold - pausing strategy")
            await self.market_making.pause()
        
        if allocations['mm_enabled'] and not self.market_making.is_running:
            logger.info("✅ MM capital above threshold - resuming strategy")
            await self.market_making.resume(allocations['market_making'])
        
        # Similar for arbitrage strategy...
"""  # noqa: W293

BALANCES = [100, 70, 64.1, 64, 72.92, 72.92, 10, 63, 5_000, 500, 0.5, 64.11]


class Strategy:
    def __init__(self) -> None:
        self.is_running = True
        self.heard: list[tuple[str, str]] = []

    async def pause(self, _: object = None) -> None:
        self.is_running = False
        self.heard.append(("pause", ""))

    async def resume(self, capital: Any) -> None:
        self.is_running = True
        self.heard.append(("resume", f"{capital:.2f}"))


class Bot:
    def __init__(self) -> None:
        self.market_making = Strategy()
        self.left = list(BALANCES)

    @property
    def running(self) -> bool:
        return bool(self.left)

    async def get_usdc_balance(self) -> float:
        return self.left.pop(0)


async def seeds_heartbeat() -> list[tuple[str, str]]:
    class Log:
        def info(self, _: str) -> None: ...

        warning = info

    names: dict[str, Any] = {
        "calculate_strategy_capital": capdesk.calculate_strategy_capital,
        "logger": Log(),
    }
    exec(HEARTBEAT, names)
    bot = Bot()
    await names["_heartbeat_loop"](bot)
    return bot.market_making.heard


async def supervisors_heartbeat() -> list[tuple[str, str]]:
    making = Strategy()
    desk = CapitalAllocator(
        {**ROOMY, "sleeves": [sleeve("market_making", 78, cap=500, minimum=50)]}, 100, clock=VirtualClock()
    )
    hooks = Hooks(pause=making.pause, resume=lambda _, capital: making.resume(capital))
    supervisor = Supervisor(desk, hooks)
    for balance in BALANCES:
        await desk.update_bankroll(balance)
        await supervisor.beat()
    return making.heard


async def test_the_seeds_heartbeat_pauses_and_resumes_at_the_minimum() -> None:
    heard = await seeds_heartbeat()

    assert heard == [
        ("pause", ""),
        ("resume", "56.88"),
        ("pause", ""),
        ("resume", "500.00"),
        ("pause", ""),
        ("resume", "50.01"),
    ]


async def test_the_supervisor_tells_a_strategy_what_the_seeds_heartbeat_tells_it() -> None:
    assert await supervisors_heartbeat() == await seeds_heartbeat()


def test_the_seeds_import_needs_no_more_than_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("src", "src.config"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "src.config.capital_allocator", capdesk)
    for function in (
        "calculate_strategy_capital",
        "calculate_drawdown_limit",
        "calculate_max_exposure",
        "get_allocation_summary",
    ):
        exec(f"from src.config.capital_allocator import {function}", {})
