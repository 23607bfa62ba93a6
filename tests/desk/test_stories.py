"""What people read: the story of a market, the sentence of a verdict, and errors of a readable length."""

from __future__ import annotations

from typing import Any

import pytest

from capdesk import CapitalConfig, CapitalRecycler, ConfigError, IdConflict, InvalidInput
from capdesk.model.journal import LeaseEnded
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, length, roomy


@pytest.mark.parametrize("market", ["a", "b", "c"])
async def test_leases_that_end_at_once_are_in_the_story_of_each_market(
    make_desk: MakeDesk, clock: Clock, market: str
) -> None:
    desk = await make_desk(roomy(on_expiry="free"))
    for name in ("a", "b", "c"):
        await desk.request_allocation(name, 10, lease_seconds=60)
    clock.advance(61)
    await desk.deposit(1)
    last = (await desk.explain(market))[-1]
    assert market in [event.market for event in last.events if isinstance(event, LeaseEnded)]


async def test_the_sentence_of_a_partial_confirmation_tells_what_went_back(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("a", 10, lease_seconds=60)
    verdict = await desk.confirm_allocation("a", 3)
    assert "$3.00" in verdict.why
    assert "$10.00" in verdict.why
    assert "every limit has room" not in verdict.why


async def test_a_conflict_of_ids_is_told_in_a_short_sentence(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    legs = [{"market_id": f"m{number}", "requested_amount": 1} for number in range(100)]
    await desk.request_allocations(legs, request_id="x")
    with pytest.raises(IdConflict) as caught:
        await desk.deposit(1, request_id="x")
    assert "'x'" in str(caught.value)
    assert len(str(caught.value)) < 600


async def test_a_quote_takes_the_arguments_of_a_request(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    given: dict[str, Any] = {
        "market_id": "a",
        "requested_amount": 5,
        "strategy": "momentum",
        "min_amount": 2,
        "all_or_none": True,
        "account": "main",
        "priority": "high",
        "lease_seconds": 60,
        "request_id": "x",
        "deadline_seconds": 30,
    }
    quoted = await desk.quote(**given)
    assert await desk.get_outcome("x") is None
    granted = await desk.request_allocation(**given)
    assert (quoted.result, quoted.amount, quoted.rooms) == (granted.result, granted.amount, granted.rooms)


async def test_a_bad_place_of_a_later_leg_is_an_error_whatever_the_first_leg_gets(
    make_desk: MakeDesk,
) -> None:
    desk = await make_desk()
    await desk.request_allocation("a", 5)
    before = length(desk)
    with pytest.raises(InvalidInput, match="account must be one of main, got 'moon'"):
        await desk.request_allocations(
            [
                {"market_id": "a", "requested_amount": 5},
                {"market_id": "b", "requested_amount": 5, "account": "moon"},
            ]
        )
    assert length(desk) == before


@pytest.mark.parametrize("limit", [-1, True, "many"])
async def test_a_bad_length_of_the_history_is_named_with_its_value(make_desk: MakeDesk, limit: Any) -> None:
    recycler = CapitalRecycler(None, await make_desk())
    with pytest.raises(InvalidInput, match=f"limit must be .* got .*{limit}"):
        await recycler.get_recycle_history(limit=limit)


def test_a_retention_beyond_all_time_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigError, match="id_retention_days"):
        CapitalConfig(id_retention_days=10**9)


def test_a_pattern_may_have_spaces_as_market_names_do() -> None:
    config = CapitalConfig(market_profiles=[{"pattern": "BTC up *", "max_percent": 2}])
    assert config.mandate().market_limits("BTC up or down") == (20_000, 50_000_000)
