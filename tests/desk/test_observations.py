"""The verbs of supervision: what they take, what they refuse by name, and that each is done once by its id."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from capdesk import CapitalAllocator, IdConflict, InvalidInput, Signal
from capdesk.model.requests import moment
from tests.desks import ROOMY, START, VirtualClock, budget, journal, sleeve

RULES = {**ROOMY, "sleeves": [sleeve("a", 100)], "risk": {}}


def desk_of(**rules: Any) -> CapitalAllocator:
    return CapitalAllocator({**RULES, **rules}, 100, clock=VirtualClock())


async def amount(desk: CapitalAllocator) -> int:
    return int((await budget(desk, "a")).amount)


async def test_a_state_or_a_figure_sets_the_multiplier() -> None:
    desk = desk_of()
    await desk.observe_market("medium")
    assert await amount(desk) == 80
    await desk.observe_market(volatility="0.9")
    assert await amount(desk) == 60
    await desk.observe_market("low", circuit_breaker_triggered=True)
    assert await amount(desk) == 0
    await desk.observe_market("low")
    assert await amount(desk) == 100


async def test_a_state_counts_from_when_it_was_seen() -> None:
    desk = desk_of()
    await desk.observe_market("low", at=moment(START) - timedelta(minutes=50))
    assert await amount(desk) == 100
    clock = desk._clock
    assert isinstance(clock, VirtualClock)
    clock.forward(601)

    assert await amount(desk) == 30


async def test_a_state_older_than_the_last_changes_nothing() -> None:
    desk = desk_of()
    await desk.observe_market("high")

    assert await desk.observe_market("low", at=moment(START) - timedelta(seconds=1)) == ()
    assert await amount(desk) == 60


async def test_a_state_of_the_future_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must not be of the future"):
        await desk_of().observe_market("low", at=moment(START) + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"volatility_state": "calm"}, "must be one of low, medium, high, extreme, got 'calm'"),
        ({"volatility": -0.1}, "volatility must be 0 or more"),
        ({"volatility": float("nan")}, "volatility must be a finite number"),
        ({"gas_price_gwei": -1}, "gas_price_gwei must be 0 or more"),
        ({"circuit_breaker_triggered": "no"}, "circuit_breaker_triggered must be True or False"),
        ({"correlation": "much"}, "correlation must be a number"),
        ({"correlation": 80}, "correlation must lie between -1 and 1"),
        ({"correlation": -1.01}, "correlation must lie between -1 and 1"),
        ({"at": datetime(2027, 1, 1)}, "at must have a time zone"),  # noqa: DTZ001
    ],
)
async def test_what_is_no_market_state_is_refused_by_name(given: dict[str, Any], what: str) -> None:
    desk = desk_of()
    with pytest.raises(InvalidInput, match=what):
        await desk.observe_market(**given)
    assert len(await journal(desk)) == 1


async def test_a_mandate_without_a_risk_table_takes_no_state() -> None:
    with pytest.raises(InvalidInput, match=r"the mandate has no \[risk\] table"):
        await desk_of(risk=None).observe_market("low")


async def test_the_history_is_newest_first_and_as_long_as_asked() -> None:
    desk = desk_of()
    for state in ("low", "medium", "high"):
        await desk.observe_market(state)

    assert [it.volatility_state for it in await desk.get_market_history()] == ["high", "medium", "low"]
    assert [it.volatility_state for it in await desk.get_market_history(limit=1)] == ["high"]


async def test_each_verb_is_done_once_by_its_id() -> None:
    desk = desk_of()
    for _ in range(2):
        await desk.observe_market("low", request_id="observe")
        await desk.review(request_id="review")
        await desk.halt("by hand", request_id="halt")
        await desk.resume("go on", request_id="resume")
        await desk.trip_breaker("a rumour", request_id="trip")
        await desk.lift_breaker("it was nothing", request_id="lift")

    assert len(await journal(desk)) == 7
    assert desk.halted is None
    with pytest.raises(IdConflict):
        await desk.halt("another reason", request_id="halt")


@pytest.mark.parametrize("verb", ["halt", "resume", "trip_breaker", "lift_breaker"])
@pytest.mark.parametrize("reason", ["", " ", "x" * 257, None])
async def test_a_reason_is_a_text(verb: str, reason: Any) -> None:
    with pytest.raises(InvalidInput, match="reason must be"):
        await getattr(desk_of(), verb)(reason)


async def test_a_size_is_within_what_the_market_leaves_and_is_not_cut_again() -> None:
    desk = desk_of()
    await desk.observe_market("high")
    sized = await desk.size_position("a", Signal("a", 0.5))

    # Half of the 60 that high volatility leaves: the factor is in the budget and nowhere else.
    assert (sized.asked, sized.amount, sized.bound_by) == (30, 30, None)
    await desk.request_allocation("m", 45, "a")
    again = await desk.size_position("a", Signal("a", 0.5))
    assert (again.asked, again.amount, again.bound_by) == (30, 15, "total")


async def test_a_size_on_a_halted_desk_says_so() -> None:
    desk = desk_of()
    await desk.observe_market("low")
    await desk.halt("by hand")

    assert (await desk.size_position("a", Signal("a", 0.5))).result == "halted"


async def test_a_size_is_a_fraction() -> None:
    with pytest.raises(InvalidInput, match="position_size_percent must be a fraction from 0 to 1"):
        await desk_of().size_position("a", Signal("a", 20))


async def test_a_new_risk_table_judges_at_once_what_was_seen_last() -> None:
    desk = desk_of()
    await desk.observe_market("high", gas_price_gwei=20)
    assert await amount(desk) == 60
    await desk.update_mandate({**RULES, "risk": {"high": 0.4}}, reason="careful")
    assert await amount(desk) == 40
    assert (await desk.request_allocation("m", 90, "a")).amount == 40
    await desk.update_mandate({**RULES, "risk": None}, reason="off")
    assert await amount(desk) == 100
    await desk.update_mandate({**RULES, "risk": {"high": 0.5}}, reason="on again")
    assert await amount(desk) == 50


async def test_a_new_target_holds_at_once_whatever_the_hysteresis_and_the_days_limit() -> None:
    target = {"mode": "target", "target_volatility": 0.5}
    desk = desk_of(risk=target)
    await desk.observe_market(volatility=1)
    assert await amount(desk) == 50
    await desk.update_mandate({**RULES, "risk": {**target, "target_volatility": 0.2}}, reason="careful")
    assert await amount(desk) == 20


async def test_another_change_of_the_rules_leaves_the_multiplier_as_it_is() -> None:
    target = {"mode": "target", "target_volatility": 0.5}
    desk = desk_of(risk=target)
    await desk.observe_market(volatility=1)
    await desk.observe_market(volatility=10)
    before = desk.ledger.state.risk
    await desk.update_mandate({**RULES, "risk": target, "min_order_size": 2}, reason="larger orders")
    assert desk.ledger.state.risk == before


async def test_a_sleeve_that_pays_gas_from_now_on_has_the_price_that_was_seen() -> None:
    desk = desk_of()
    await desk.observe_market("low", gas_price_gwei=75)
    assert await amount(desk) == 100
    await desk.update_mandate({**RULES, "sleeves": [sleeve("a", 100, pays_gas=True)]}, reason="on chain")
    assert await amount(desk) == 90
    await desk.observe_market("low")
    assert await amount(desk) == 70


async def test_a_stale_state_stays_stale_under_new_rules() -> None:
    desk = desk_of()
    await desk.observe_market("low")
    clock = desk._clock
    assert isinstance(clock, VirtualClock)
    clock.forward(3_601)
    await desk.update_mandate({**RULES, "risk": {"extreme": 0.2}}, reason="careful")
    assert await amount(desk) == 20
