"""What was recycled: the history, newest first, and the statistics of the day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from capdesk import CapitalRecycler
from tests.desk.conftest import MakeDesk
from tests.desk.support import START, Clock


async def recycled(make_desk: MakeDesk, clock: Clock, count: int = 5) -> CapitalRecycler:
    """One market each minute from `START` on, resolved two seconds before."""
    desk = await make_desk()
    recycler = CapitalRecycler(None, desk)
    for number in range(count):
        await desk.request_allocation(f"m{number}", 5 + number)
        await recycler.queue_recycle(f"m{number}", pnl=number - 1, delay_seconds=2)
        clock.advance(2)
        await recycler.run_due()
        clock.advance(58)
    return recycler


async def test_the_history_is_newest_first(make_desk: MakeDesk, clock: Clock) -> None:
    recycler = await recycled(make_desk, clock)
    history = await recycler.get_recycle_history()
    assert [event.market_id for event in history] == ["m4", "m3", "m2", "m1", "m0"]
    assert [(event.amount, event.pnl) for event in history] == [(9, 3), (8, 2), (7, 1), (6, 0), (5, -1)]
    assert history[-1].resolved_at == START
    assert history[-1].recycled_at == START + timedelta(seconds=2)


async def test_the_history_is_limited(make_desk: MakeDesk, clock: Clock) -> None:
    recycler = await recycled(make_desk, clock)
    assert [event.market_id for event in await recycler.get_recycle_history(limit=2)] == ["m4", "m3"]
    assert await recycler.get_recycle_history(limit=0) == []


async def test_the_history_gives_a_hundred_unless_told_otherwise(make_desk: MakeDesk, clock: Clock) -> None:
    recycler = await recycled(make_desk, clock, 101)
    assert len(await recycler.get_recycle_history()) == 100
    assert len(await recycler.get_recycle_history(limit=1_000)) == 101


async def test_the_history_begins_where_it_is_asked_to(make_desk: MakeDesk, clock: Clock) -> None:
    recycler = await recycled(make_desk, clock)
    third = START + timedelta(minutes=2, seconds=2)
    assert [event.market_id for event in await recycler.get_recycle_history(third)] == ["m4", "m3", "m2"]
    later = third + timedelta(microseconds=1)
    assert [event.market_id for event in await recycler.get_recycle_history(since=later)] == ["m4", "m3"]


async def test_what_is_pending_is_not_in_the_history(make_desk: MakeDesk, clock: Clock) -> None:
    recycler = await recycled(make_desk, clock, 1)
    await recycler.queue_recycle("m9")
    assert [event.market_id for event in await recycler.get_recycle_history()] == ["m0"]


async def test_the_statistics_of_a_day(make_desk: MakeDesk, clock: Clock) -> None:
    recycler = await recycled(make_desk, clock)
    await recycler.queue_recycle("m9", delay_seconds=3600)
    stats = recycler.get_daily_stats()
    as_of = stats.pop("as_of")
    assert stats == {
        "recycles_today": 5,
        "capital_recycled_today": 35,
        "total_pnl_today": 5,
        "avg_recycle_time_seconds": 2,
        "pending_recycles": 1,
    }
    assert as_of.time == START + timedelta(minutes=5)
    assert json.loads(json.dumps(recycler.get_daily_stats(), default=str))["total_pnl_today"] == "5"


async def test_a_day_without_recycling_has_statistics_of_zero(make_desk: MakeDesk) -> None:
    stats = CapitalRecycler(None, await make_desk()).get_daily_stats()
    assert [value for name, value in stats.items() if name != "as_of"] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("boundary", "hour", "same_day"),
    [("00:00", 23, True), ("00:00", 24, False), ("06:30", 30, True), ("06:30", 31, False)],
)
async def test_statistics_begin_anew_at_the_days_boundary(
    make_desk: MakeDesk, clock: Clock, boundary: str, hour: int, same_day: bool
) -> None:
    desk = await make_desk({"day_boundary": boundary})
    recycler = CapitalRecycler(None, desk)
    await desk.request_allocation("a", 5)
    await recycler.force_recycle("a")
    midnight = datetime(2026, 7, 24, tzinfo=UTC)
    clock.advance((midnight + timedelta(hours=hour) - clock.time).total_seconds())
    assert recycler.get_daily_stats()["recycles_today"] == (1 if same_day else 0)
    await desk.request_allocation("b", 5)
    await recycler.force_recycle("b")
    assert recycler.get_daily_stats()["recycles_today"] == (2 if same_day else 1)


async def test_fees_are_taken_from_the_bankroll_and_not_from_the_days_profit(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk = await make_desk()
    recycler = CapitalRecycler(None, desk)
    await desk.request_allocation("a", 5)
    await recycler.queue_recycle("a", pnl=3, fees="0.25")
    clock.advance(5)
    await recycler.run_due()
    assert recycler.get_daily_stats()["total_pnl_today"] == 3
    assert desk.bankroll == 202.75
