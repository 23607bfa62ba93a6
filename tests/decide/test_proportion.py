"""What-if on allocations of another size: results in proportion to the capital that made them."""

import pytest

from capdesk import CapitalConfig
from capdesk.decide.what_if import Flip, Impossible, what_if
from capdesk.desk import CapitalAllocator
from capdesk.ledger.codec import read_row
from capdesk.model.journal import Entry
from capdesk.model.mandate import Mandate
from capdesk.model.money import MICRO

WIDE = {"max_exposure_per_market_percent": 20, "max_exposure_per_market_absolute": None}


def journal(desk: CapitalAllocator) -> list[Entry]:
    return [read_row(row) for row in desk.ledger._store.rows(0)]


def under(percent: int, desk: CapitalAllocator, **more: object) -> list[Flip | Impossible]:
    return list(what_if(journal(desk), rules(percent, **more)))


def rules(percent: int, **more: object) -> Mandate:
    return CapitalConfig(**{**WIDE, **more, "max_exposure_per_market_percent": percent}).mandate()


async def test_half_a_position_makes_half_of_its_loss() -> None:
    desk = CapitalAllocator(WIDE, initial_bankroll=1000)
    await desk.request_allocation("a", 200)
    await desk.release_allocation("a", -100)
    await desk.request_allocation("b", 200)
    half, then = under(10, desk)

    assert (half.was_amount, half.amount) == (200 * MICRO, 100 * MICRO)
    assert then.amount == 95 * MICRO  # 10 % of 1000 - 50.


async def test_half_a_position_is_marked_at_half_its_value() -> None:
    desk = CapitalAllocator(WIDE, initial_bankroll=1000)
    await desk.request_allocation("a", 200)
    await desk.mark_allocation("a", 160)
    await desk.request_allocation("b", 200)
    _, then = under(10, desk)

    assert then.amount == 98 * MICRO  # 10 % of 1000 - 20.


@pytest.mark.parametrize(("filled", "rest"), [(150, 100), (60, 60)])
async def test_an_order_fills_as_far_as_the_smaller_grant_goes(filled: int, rest: int) -> None:
    desk = CapitalAllocator(WIDE, initial_bankroll=1000)
    await desk.request_allocation("a", 200, lease_seconds=60)
    await desk.confirm_allocation("a", filled)
    await desk.request_allocation("b", 200)
    found = under(10, desk, max_total_exposure_percent=12)

    assert not any(isinstance(each, Impossible) for each in found)
    last = found[-1]
    assert isinstance(last, Flip)
    assert last.amount == min(100, 120 - rest) * MICRO


async def test_a_part_released_is_the_same_part_of_a_smaller_position() -> None:
    desk = CapitalAllocator(WIDE, initial_bankroll=1000)
    await desk.request_allocation("a", 200)
    await desk.release_allocation("a", 20, amount=150, fees=2)
    await desk.request_allocation("b", 200)
    found = under(10, desk, max_total_exposure_percent=12)

    assert not any(isinstance(each, Impossible) for each in found)
    # 25 stays of 100; 12 % of 1000 + 10 - 1 is 121.08, of which 96.08 is left.
    assert isinstance(found[-1], Flip)
    assert found[-1].amount == 96_080_000


async def test_what_is_queued_comes_back_in_proportion() -> None:
    desk = CapitalAllocator({**WIDE, "recycle_delay_seconds": 0}, initial_bankroll=1000)
    from capdesk.recycler import CapitalRecycler

    recycler = CapitalRecycler(None, desk)
    await desk.request_allocation("a", 200)
    await recycler.queue_recycle("a", -100)
    await recycler.run_due()
    await desk.request_allocation("b", 200)
    _, then = what_if(journal(desk), rules(10, recycle_delay_seconds=0))

    assert isinstance(then, Flip)
    assert then.amount == 95 * MICRO


async def test_a_market_state_is_moot_where_no_rule_looks_at_it_and_so_is_a_resume_without_a_halt() -> None:
    desk = CapitalAllocator({**WIDE, "risk": {}, "max_drawdown_percent": 21}, initial_bankroll=1000)
    await desk.observe_market("low")
    await desk.request_allocation("a", 200)
    await desk.release_allocation("a", -215)
    await desk.resume("seen")

    assert under(20, desk) == []
