"""A supervisor whose hooks, sources and notifiers fail, hang or come back after a restart."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from capdesk import CapitalAllocator, Hooks, Supervisor
from capdesk.model.errors import LedgerError
from tests.desks import ROOMY, VirtualClock, budget, lose, sleeve
from tests.virtual_loop import run_virtually

pytestmark = pytest.mark.filterwarnings("ignore::capdesk.RulesWarning")

RULES = {**ROOMY, "sleeves": [sleeve("maker", 50, minimum=40), sleeve("taker", 50)]}


def fails(*_: object) -> None:
    raise RuntimeError("the bot is away")


async def fails_later(*_: object) -> None:
    await asyncio.sleep(0)
    raise RuntimeError("the bot is away")


async def hangs(*_: object) -> None:
    await asyncio.Event().wait()


def desk_of(dollars: object = 100, **rules: Any) -> CapitalAllocator:
    return CapitalAllocator({**RULES, **rules}, dollars, clock=VirtualClock())


@pytest.mark.parametrize("hook", [fails, fails_later])
async def test_a_hook_that_fails_is_logged_and_the_others_are_called(
    hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    desk = desk_of(70, max_drawdown_percent=5)
    told: list[str] = []
    await desk.request_allocation("m", 35, "taker")
    await lose(desk, 35)
    with caplog.at_level(logging.ERROR, "capdesk.supervisor"):
        await Supervisor(desk, Hooks(pause=hook, recalled=hook, halted=told.append)).beat()

    assert len(told) == 1
    assert [record.getMessage().split(" failed")[0].startswith("the hook") for record in caplog.records] == [
        True,
        True,
    ]
    assert "the bot is away" in caplog.text


@pytest.mark.parametrize("source", [fails, fails_later, hangs, lambda: {"volatility": float("nan")}])
def test_a_market_that_cannot_be_read_never_keeps_the_review_from_happening(
    source: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        desk = desk_of(risk={}, breakers={"stale_data": True})
        with caplog.at_level(logging.ERROR, "capdesk.supervisor"):
            await Supervisor(desk, look=source, anomaly_z=3.5).beat()
        assert [it.name for it in await desk.get_breakers()] == ["stale_data"]
        assert "see_market failed" in caplog.text

    run_virtually(main())


@pytest.mark.parametrize("source", [fails, hangs, lambda: {"main": "much"}, lambda: {"nowhere": 5}])
def test_a_wallet_that_cannot_be_read_leaves_the_books_believed(
    source: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        desk = desk_of()
        with caplog.at_level(logging.ERROR, "capdesk.supervisor"):
            await Supervisor(desk, wallet=source).beat()
        assert desk.bankroll == 100
        assert "compare_wallet failed" in caplog.text
        assert desk.ledger.state.budget_version == 1

    run_virtually(main())


def test_the_heartbeat_beats_on_through_every_failure(caplog: pytest.LogCaptureFixture) -> None:
    beats: list[float] = []

    def look() -> dict[str, Any]:
        beats.append(asyncio.get_running_loop().time())
        raise OSError("no route to the market")

    async def main() -> None:
        desk = desk_of(10, risk={})
        supervisor = Supervisor(desk, Hooks(pause=fails), look=look, notify=fails, every_seconds=60)
        await supervisor.start()
        await asyncio.sleep(3600)
        await supervisor.stop()

    with caplog.at_level(logging.CRITICAL, "capdesk.supervisor"):
        run_virtually(main())

    assert len(beats) == 60
    assert beats == [60 * number for number in range(60)]


def test_a_hook_that_hangs_delays_the_next_beat_by_no_more_than_one_interval() -> None:
    beats: list[float] = []

    def look() -> None:
        beats.append(asyncio.get_running_loop().time())

    async def main() -> None:
        supervisor = Supervisor(desk_of(10), Hooks(pause=hangs), look=look, every_seconds=60)
        await supervisor.start()
        await asyncio.sleep(601)
        await supervisor.stop()

    run_virtually(main())
    # The first beat waits for the hook, for as long as a beat may take; the strategy is told once.
    assert beats == [0, *range(120, 601, 60)]


def test_a_notifier_that_hangs_delays_nothing_and_does_not_hold_up_the_end() -> None:
    beats: list[float] = []

    def look() -> None:
        beats.append(asyncio.get_running_loop().time())

    async def main() -> None:
        desk = desk_of(100, max_drawdown_percent=5)
        await lose(desk, 50)
        supervisor = Supervisor(desk, look=look, notify=hangs, every_seconds=60)
        await supervisor.start()
        await asyncio.sleep(601)
        await asyncio.wait_for(supervisor.stop(), 61)

    run_virtually(main())
    assert len(beats) == 11


def test_a_ledger_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        desk = desk_of()
        review, calls = desk.review, []

        async def broken() -> Any:
            calls.append(len(calls))
            if len(calls) < 4:
                raise LedgerError("the disk is away")
            return await review()

        desk.review = broken  # type: ignore[method-assign]
        supervisor = Supervisor(desk, every_seconds=60)
        await supervisor.start()
        await asyncio.sleep(300)
        await supervisor.stop()
        assert len(calls) == 5
        assert desk.ledger.state.budget_version == 1

    with caplog.at_level(logging.ERROR, "capdesk.supervisor"):
        run_virtually(main())
    assert caplog.text.count("the heartbeat failed; the next one is in 60 s") == 3


def test_starting_twice_is_one_heartbeat_and_stopping_twice_is_none() -> None:
    beats: list[int] = []

    async def main() -> None:
        supervisor = Supervisor(desk_of(), look=lambda: beats.append(1), every_seconds=60)
        await supervisor.start()
        await supervisor.start()
        await asyncio.sleep(119)
        await supervisor.stop()
        await supervisor.stop()
        await asyncio.sleep(600)
        assert len(beats) == 2
        await supervisor.start()
        await asyncio.sleep(1)
        assert len(beats) == 3
        await supervisor.stop()

    run_virtually(main())


async def test_after_a_restart_whoever_was_paused_is_resumed(tmp_path: Path) -> None:
    path, heard = tmp_path / "desk.db", []
    hooks = Hooks(
        pause=lambda name: heard.append(("pause", name)),
        resume=lambda name, capital: heard.append(("resume", name, capital)),
    )
    async with CapitalAllocator.open(path, RULES, initial_bankroll=70) as desk:
        await Supervisor(desk, hooks).beat()
    async with CapitalAllocator.open(path) as desk:
        # The strategy began anew as well: it is told again.
        await Supervisor(desk, hooks).beat()
    assert heard == [("pause", "maker"), ("pause", "maker")]
    heard.clear()
    async with CapitalAllocator.open(path) as desk:
        await desk.deposit(30)
        supervisor = Supervisor(desk, hooks)
        await supervisor.beat()
        await supervisor.beat()

    assert heard == [("resume", "maker", 50)]


async def test_a_restart_keeps_pauses_recalls_and_the_market(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    rules = {**RULES, "risk": {}, "resume_margin_percent": 10}
    clock = VirtualClock()
    async with CapitalAllocator.open(path, rules, initial_bankroll=100, clock=clock) as desk:
        await desk.observe_market("low")
        await desk.request_allocation("m", 50, "taker")
        await desk.observe_market("high")
        await lose(desk, 25)
        await Supervisor(desk).beat()
        before = (await desk.get_budgets(), await desk.get_recalls(), desk.ledger.state.risk)
    async with CapitalAllocator.open(path, clock=clock) as desk:
        assert (await desk.get_budgets(), await desk.get_recalls(), desk.ledger.state.risk) == before
        await desk.deposit(10)
        assert await desk.review() != ()
        # 42.5 is above the minimum of 40, but not by the margin.
        assert not (await budget(desk, "maker")).enabled


async def test_what_is_granted_while_the_wallet_is_read_is_no_profit_and_no_loss() -> None:
    desk = desk_of(max_drawdown_percent=5)
    await desk.request_allocation("sun", 20, "taker")

    async def reads_before_the_grant() -> dict[str, Any]:
        seen = await desk.get_cash()
        await desk.request_allocation("rain", 30, "maker")
        return {"main": seen}

    async def reads_before_the_release() -> dict[str, Any]:
        seen = await desk.get_cash()
        await desk.release_allocation("sun")
        return {"main": seen}

    for wallet in (reads_before_the_grant, reads_before_the_release):
        await Supervisor(desk, wallet=wallet).beat()
        assert (desk.bankroll, desk.halted) == (100, None)
    await Supervisor(desk, wallet=lambda: {"main": 69}).beat()
    assert desk.bankroll == 99
