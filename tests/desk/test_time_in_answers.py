"""What time does to marks shows alike in every figure, and an instant is read to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.desk import arguments
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, roomy

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def test_report_and_drawdown_know_that_a_mark_has_turned_stale(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk = await make_desk(roomy(max_mark_age_seconds=60), 100)
    await desk.request_allocation("m", 10)
    await desk.mark_allocation("m", 35)
    clock.advance(61)
    assert desk.equity == 100
    assert desk.get_allocation_report()["max_total_allowed"] == 100
    assert desk.drawdown == pytest.approx(0.2)


async def test_the_halt_of_a_mark_that_has_turned_stale_is_known_before_it_is_journaled(
    make_desk: MakeDesk, clock: Clock
) -> None:
    rules = roomy(max_exposure_per_market_percent=4, max_mark_age_seconds=60, max_drawdown_percent=5)
    desk = await make_desk(rules, 100)
    await desk.request_allocation("m", 4)
    await desk.mark_allocation("m", 50)
    assert desk.halted is None
    clock.advance(61)
    assert desk.halted is not None
    assert (desk.halted.since, (await desk.quote("n", 1)).result) == (clock.time, "halted")


async def test_what_a_report_allows_is_what_a_quote_gives(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(roomy(max_mark_age_seconds=60, max_total_exposure_percent=50), 100)
    await desk.request_allocation("m", 10)
    await desk.mark_allocation("m", 40)
    clock.advance(61)
    headroom = desk.get_allocation_report()["headroom"]
    assert headroom == (await desk.quote("n", 100)).amount


@given(st.integers(0, 4_000_000_000_000_000), st.integers(-14, 14))
def test_instant_is_read_to_the_microsecond(micro: int, hours: int) -> None:
    time = (EPOCH + timedelta(microseconds=micro)).astimezone(timezone(timedelta(hours=hours)))
    assert arguments.instant(time, "at") == micro
