"""A supervisor that plans anew: when, and what becomes of the plan."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from capdesk import CapitalAllocator, Hooks, Supervisor
from capdesk.weights import plan_weights
from tests.desks import VirtualClock

DAY = 86_400


class Plans:
    """Gives plans of two names, the first being a little larger each time."""

    def __init__(self) -> None:
        self.made = 0
        self.broken = False

    def __call__(self) -> Any:
        if self.broken:
            raise ArithmeticError("no prices today")
        self.made += 1
        return plan_weights(["scroll", "zksync"], "risk_parity", risk_scores=[1, 1 + self.made])


def forward(desk: CapitalAllocator, seconds: float) -> None:
    clock = desk._clock
    assert isinstance(clock, VirtualClock)
    clock.forward(seconds)


def largest(desk: CapitalAllocator) -> str:
    return f"{desk.config.sleeves[0].percent.normalize():f}"


async def test_a_plan_is_made_at_once_and_then_once_a_day() -> None:
    desk, plans = CapitalAllocator(None, 1000, clock=VirtualClock()), Plans()
    supervisor = Supervisor(desk, plan=plans)
    await supervisor.beat()
    assert (plans.made, largest(desk)) == (1, "66.6667")
    forward(desk, DAY - 1)
    await supervisor.beat()
    assert plans.made == 1
    forward(desk, 1)
    await supervisor.beat()
    assert (plans.made, largest(desk)) == (2, "75")


@pytest.mark.parametrize("source", ["argument", "environment", "desk"])
async def test_the_frequency_is_the_configurations(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"optimization_frequency": 60} if source == "desk" else None
    if source == "environment":
        monkeypatch.setenv("CAPITAL_OPTIMIZATION_FREQUENCY", "60")
    desk, plans = CapitalAllocator(config, 1000, clock=VirtualClock()), Plans()
    supervisor = Supervisor(desk, plan=plans, plan_every_seconds=60 if source == "argument" else None)
    for _ in range(3):
        await supervisor.beat()
        forward(desk, 30)

    assert plans.made == 2


async def test_a_restart_plans_no_sooner(tmp_path: Path) -> None:
    clock, plans = VirtualClock(), Plans()
    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=1000, clock=clock) as desk:
        await Supervisor(desk, plan=plans).beat()
    clock.forward(DAY / 2)
    async with CapitalAllocator.open(tmp_path / "desk.db", clock=clock) as desk:
        supervisor = Supervisor(desk, plan=plans)
        await supervisor.beat()
        assert plans.made == 1
        clock.forward(DAY / 2)
        await supervisor.beat()
        assert plans.made == 2


async def test_the_budgets_follow_in_the_same_heartbeat() -> None:
    desk = CapitalAllocator(None, 1000, clock=VirtualClock())
    supervisor = Supervisor(desk, plan=Plans())
    await supervisor.beat()

    assert {budget.sleeve: budget.amount for budget in desk.ledger.state.published} == {
        "scroll": 666_667_000,
        "zksync": 333_333_000,
    }


async def test_no_plan_leaves_the_one_in_force() -> None:
    desk = CapitalAllocator(None, 1000, clock=VirtualClock())
    await Supervisor(desk, plan=lambda: None).beat()

    assert desk.mandate_version == 1


async def test_a_plan_that_fails_is_logged_and_made_at_the_next_heartbeat(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk, plans = CapitalAllocator(None, 1000, clock=VirtualClock()), Plans()
    supervisor = Supervisor(desk, plan=plans)
    plans.broken = True
    with caplog.at_level(logging.ERROR, "capdesk.supervisor"):
        await supervisor.beat()
    assert "plan_anew failed" in caplog.text
    assert "no prices today" in caplog.text
    plans.broken = False
    await supervisor.beat()

    assert (plans.made, largest(desk)) == (1, "66.6667")


async def test_a_plan_that_takes_long_does_not_hold_the_heartbeat_up() -> None:
    desk, plans, ready = CapitalAllocator(None, 1000, clock=VirtualClock()), Plans(), asyncio.Event()
    asked = 0

    async def slow() -> Any:
        nonlocal asked
        asked += 1
        await ready.wait()
        return plans()

    supervisor = Supervisor(desk, plan=slow, every_seconds=0.01)
    await supervisor.beat()
    await supervisor.beat()
    assert (asked, desk.mandate_version) == (1, 1)
    ready.set()
    while desk.mandate_version == 1:
        await supervisor.beat()

    assert (asked, largest(desk)) == (1, "66.6667")
    await supervisor.stop()


async def test_stopping_gives_up_a_plan_that_is_being_made() -> None:
    desk = CapitalAllocator(None, 1000, clock=VirtualClock())

    async def never() -> Any:
        await asyncio.Event().wait()

    supervisor = Supervisor(desk, plan=never, every_seconds=0.01)
    await supervisor.beat()
    await supervisor.stop()

    assert [task for task in asyncio.all_tasks() if task.get_name() == "capdesk-replanning"] == []


async def test_whoever_asks_is_told_of_a_plan_that_changed_the_shares() -> None:
    desk, told = CapitalAllocator(None, 1000, clock=VirtualClock()), []
    adopted = plan_weights(["scroll", "zksync"], "equal_weight")
    hooks = Hooks(adopted=lambda plan, version: told.append((plan, version)))
    supervisor = Supervisor(desk, hooks, plan=lambda: adopted, plan_every_seconds=60)
    await supervisor.beat()
    forward(desk, 60)
    await supervisor.beat()

    assert told == [(adopted, 2)]
