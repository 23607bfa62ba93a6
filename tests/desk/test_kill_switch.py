"""The kill switch: the drawdown of the unit value beyond its limit halts the desk until someone resumes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from capdesk import Amount, CapitalAllocator, CapitalRecycler, Hooks, InvalidInput, Supervisor
from capdesk.ledger.tools import check
from capdesk.model.journal import Halted, Resumed
from tests.desks import (
    ROOMY,
    VirtualClock,
    as_one_batch,
    copy_as_after_a_crash,
    events_of,
    journal,
    lose,
    sleeve,
)

pytestmark = pytest.mark.filterwarnings("ignore::capdesk.RulesWarning")

RULES = {**ROOMY, "max_drawdown_percent": 5}


def desk_of(dollars: object = 100, **rules: Any) -> CapitalAllocator:
    return CapitalAllocator({**RULES, **rules}, dollars, clock=VirtualClock())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.db"


@pytest.fixture
async def desk(path: Path) -> AsyncIterator[CapitalAllocator]:
    async with CapitalAllocator.open(path, RULES, initial_bankroll=100, clock=VirtualClock()) as opened:
        yield opened


async def result(desk: CapitalAllocator, market: str = "n", amount: object = 5, **more: Any) -> str:
    return (await desk.request_allocation(market, amount, **more)).result.value


@pytest.mark.parametrize(
    ("loss", "fires"), [(4.99, False), (5, False), (5.01, True), (100, True), (130, True)]
)
async def test_it_fires_beyond_its_limit(loss: float, fires: bool) -> None:
    desk = desk_of()
    await desk.request_allocation("m", 10)
    await desk.release_allocation("m", -loss)

    assert (desk.halted is not None) is fires
    assert await result(desk) == ("halted" if fires else "success")


async def test_its_entry_names_the_drawdown_and_the_limit() -> None:
    desk = desk_of()
    await lose(desk, 6)
    await desk.review()

    (halted,) = await events_of(desk, Halted)
    assert halted == Halted("drawdown 6.00% of the unit value exceeds the limit of 5.00%", 60_000_000)


async def test_a_withdrawal_of_half_is_no_drawdown() -> None:
    desk = desk_of()
    await lose(desk, 4)
    await desk.withdraw(48)

    assert desk.equity == 48
    assert desk.drawdown == 0.04
    assert desk.halted is None
    # One percent of what is left, and a little more, is beyond the limit now.
    await lose(desk, "0.49")
    assert desk.halted is None
    await lose(desk, "0.02")
    assert desk.halted is not None


async def test_a_deposit_heals_nothing() -> None:
    desk = desk_of()
    await lose(desk, 4)
    await desk.deposit(10_000)
    assert desk.drawdown == 0.04
    await lose(desk, 106)

    assert desk.halted is not None


async def test_the_peak_is_of_the_unit_value_and_follows_profit() -> None:
    desk = desk_of()
    await lose(desk, -20)
    await lose(desk, 6)
    assert desk.drawdown == 0.05
    assert desk.halted is None
    await lose(desk, "0.01")
    assert desk.halted is not None


async def test_a_mark_below_cost_fires_it() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50)
    await desk.mark_allocation("m", "44.9")

    assert desk.halted is not None
    assert await result(desk) == "halted"


async def test_a_gain_that_turns_stale_fires_it_before_the_next_grant() -> None:
    clock = VirtualClock()
    desk = CapitalAllocator({**RULES, "max_mark_age_seconds": 60}, 100, clock=clock)
    await desk.request_allocation("m", 20)
    await desk.mark_allocation("m", 30)
    clock.forward(61)

    assert (await desk.quote("n", 5)).result == "halted"
    assert await result(desk) == "halted"
    assert desk.halted is not None
    assert "9.09%" in desk.halted.reason


async def test_a_heartbeat_notices_a_halt_that_only_time_has_caused() -> None:
    clock, told = VirtualClock(), []
    desk = CapitalAllocator({**RULES, "max_mark_age_seconds": 60}, 100, clock=clock)
    supervisor = Supervisor(desk, Hooks(halted=told.append))
    await desk.request_allocation("m", 20)
    await desk.mark_allocation("m", 30)
    await supervisor.beat()
    assert told == []
    clock.forward(61)
    await supervisor.beat()
    await supervisor.beat()

    assert told == ["drawdown 9.09% of the unit value exceeds the limit of 5.00%"]
    assert len(await events_of(desk, Halted)) == 1


@pytest.mark.parametrize(
    "request_",
    [
        {"strategy": "a stranger"},
        {"strategy": "small"},
        {"amount": 0},
        {"market": "m", "strategy": "maker"},
        {"amount": 10_000},
        {"account": "main", "lease_seconds": 60},
    ],
    ids=["unknown strategy", "disabled", "no amount", "held already", "too much", "lease"],
)
async def test_halted_comes_before_every_other_reason(request_: dict[str, Any]) -> None:
    desk = desk_of(sleeves=[sleeve("maker", 50), sleeve("small", 1, minimum=10)])
    await desk.request_allocation("m", 5, "maker")
    await desk.halt("by hand")

    verdict = await desk.request_allocation(
        request_.pop("market", "n"), request_.pop("amount", 5), request_.pop("strategy", "maker"), **request_
    )
    assert verdict.result == "halted"
    assert "the desk is halted (by hand)" in verdict.why


async def test_legs_and_increases_are_refused_too() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 5)
    await desk.halt("by hand")
    legs = await desk.request_allocations(
        [{"market_id": "n", "requested_amount": 5}, {"market_id": "o", "requested_amount": 5}]
    )

    assert [leg.result for leg in legs] == ["halted", "halted"]
    assert (await desk.increase_allocation("m", 5)).result == "halted"


async def test_releases_confirmations_flows_and_recycling_go_on() -> None:
    desk = desk_of()
    recycler = CapitalRecycler(None, desk)
    await desk.request_allocation("m", 10)
    await desk.request_allocation("n", 20, lease_seconds=60)
    await desk.request_allocation("o", 30)
    await lose(desk, 10)
    assert desk.halted is not None

    assert await desk.release_allocation("m", 1) == 10
    assert (await desk.confirm_allocation("n", 15)).amount == 15
    assert await desk.deposit(5) == 96
    assert await desk.withdraw(5) == 91
    await recycler.queue_recycle("o", 2, delay_seconds=0)
    assert [event.amount for event in await recycler.run_due()] == [30]
    assert desk.get_allocation_report()["total_allocated"] == 15


async def test_only_resume_ends_it() -> None:
    desk = desk_of()
    await lose(desk, 6)
    await lose(desk, -50)
    await desk.deposit(100)
    await desk.review()
    await desk.update_mandate({**RULES, "max_drawdown_percent": 50}, reason="more patience")
    await desk.update_mandate(ROOMY, reason="no limit")
    assert await result(desk) == "halted"
    await desk.resume("looked into it")

    assert desk.halted is None
    assert await result(desk) == "success"
    assert await events_of(desk, Resumed) == [Resumed("looked into it")]


async def test_resume_sets_the_high_water_mark_anew() -> None:
    desk = desk_of()
    await lose(desk, 6)
    await desk.resume("go on from here")
    assert desk.drawdown == 0
    await lose(desk, "4.7")
    assert desk.halted is None
    assert desk.drawdown == 0.05
    await lose(desk, "0.01")
    assert desk.halted is not None


async def test_resuming_a_desk_that_is_not_halted_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="the desk is not halted"):
        await desk_of().resume("why not")


async def test_a_lower_limit_fires_at_once_on_the_drawdown_there_is() -> None:
    desk = desk_of()
    await lose(desk, 4)
    await desk.update_mandate({**RULES, "max_drawdown_percent": 3}, reason="less patience")

    assert desk.halted is not None


async def test_a_halt_that_has_fired_keeps_its_reason_when_another_is_given() -> None:
    desk = desk_of()
    await lose(desk, 6)
    await desk.halt("by hand")

    assert desk.halted is not None
    assert desk.halted.reason.startswith("drawdown 6.00%")


@pytest.mark.parametrize("crash", [False, True], ids=["closed", "crashed"])
async def test_a_restart_resets_nothing(desk: CapitalAllocator, path: Path, crash: bool) -> None:
    await lose(desk, 4)
    await desk.withdraw(48)
    await lose(desk, "0.49")
    assert desk.halted is None
    drawdown = desk.drawdown
    other = path.with_name("other.db")
    if not crash:
        await desk.close()
    copy_as_after_a_crash(path, other)

    async with CapitalAllocator.open(other, clock=VirtualClock()) as again:
        assert again.drawdown == drawdown
        await lose(again, "0.02")
        halted = again.halted
        assert halted is not None
        copy_as_after_a_crash(other, path.with_name("third.db"))
    async with CapitalAllocator.open(path.with_name("third.db"), clock=VirtualClock()) as third:
        assert third.halted == halted
        assert await result(third) == "halted"
        await third.resume("after a night's sleep")
    async with CapitalAllocator.open(path.with_name("third.db"), clock=VirtualClock()) as fourth:
        assert fourth.halted is None
        assert fourth.drawdown == 0
        assert await result(fourth) == "success"
    assert check(path.with_name("third.db")).problems == []


async def test_the_latch_holds_when_loss_and_regain_are_one_batch(desk: CapitalAllocator) -> None:
    await desk.request_allocation("m", 10)
    await desk.request_allocation("n", 10)
    await as_one_batch(desk, desk.release_allocation("m", -10), desk.release_allocation("n", 10))

    entries = await journal(desk)
    assert [entry.command.__struct_config__.tag for entry in entries][-2:] == ["release", "release"]
    assert desk.equity == 100
    assert desk.halted is not None
    assert await result(desk) == "halted"


async def test_a_request_in_the_batch_of_the_loss_is_refused(desk: CapitalAllocator) -> None:
    await desk.request_allocation("m", 10)
    _, verdict = await as_one_batch(desk, desk.release_allocation("m", -10), desk.request_allocation("n", 5))

    assert verdict.result == "halted"


async def test_a_trip_that_is_resumed_in_its_own_batch_is_journaled_all_the_same(
    desk: CapitalAllocator,
) -> None:
    await desk.request_allocation("m", 10)
    await as_one_batch(desk, desk.release_allocation("m", -10), desk.resume("seen it coming"))

    assert desk.halted is None
    assert [it.drawdown_ppb for it in await events_of(desk, Halted)] == [100_000_000]


async def test_two_desks_on_one_ledger_are_halted_together(desk: CapitalAllocator, path: Path) -> None:
    async with CapitalAllocator.open(path, clock=VirtualClock()) as other:
        await lose(other, Amount("5.01"))
        assert await result(desk) == "halted"
        await desk.resume("by the first")
        assert await result(other) == "success"
