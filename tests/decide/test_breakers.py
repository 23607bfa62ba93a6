"""Circuit breakers: what trips each, with its figures, and what alone lifts it."""

from __future__ import annotations

from typing import Any

import pytest

from capdesk.decide.grants import decide_request
from capdesk.model import commands as c
from capdesk.model.errors import InvalidInput
from capdesk.model.journal import BreakerLifted, BreakerTripped
from capdesk.model.mandate import DAY
from capdesk.model.money import PPM
from capdesk.model.requests import Granted, Request
from capdesk.model.rules import MarketState
from tests.desks import HOUR, ROOMY, START, Fold

BEFORE_MIDNIGHT = 16 * 3600 - 10
"""Seconds from START to ten seconds before midnight."""

DAILY = {**ROOMY, "breakers": {"daily_loss_percent": 2}}
GAS = {**ROOMY, "risk": {}, "breakers": {"gas_above_gwei": 80, "gas_for_seconds": 3600}}
STALE = {**ROOMY, "risk": {}, "breakers": {"stale_data": True}}


def trade(desk: Fold, dollars: float, seconds: float = 0) -> None:
    """An allocation comes back with so much profit."""
    desk.do(Request("m", 10 * PPM, "s"), seconds)
    desk.do(c.Release("m", pnl=round(dollars * PPM)))


def granted(desk: Fold) -> bool:
    return isinstance(decide_request(desk.state, Request("n", 5 * PPM, "s"), desk.at), Granted)


def gas(desk: Fold, gwei: int | None, seconds: float = 0) -> None:
    desk.do(
        c.Observe(MarketState(volatility_state="low", gas_price=None if gwei is None else gwei * PPM)),
        seconds,
    )


def tripped(desk: Fold) -> list[str]:
    return sorted(name for name, it in desk.state.breakers.entries() if it is not None)


@pytest.mark.parametrize(("loss", "trips"), [(2, False), (2.000001, True), (50, True)])
def test_the_daily_loss_limit_trips_beyond_its_percentage(loss: float, trips: bool) -> None:
    desk = Fold(DAILY)
    trade(desk, -loss)

    assert (tripped(desk) == ["daily_loss"]) is trips
    assert granted(desk) is not trips


def test_its_trip_is_journaled_with_the_figures() -> None:
    desk = Fold(DAILY)
    trade(desk, -3)
    desk.do(c.Review(), 60)

    (trip,) = [event for entry in desk.entries for event in entry.events if isinstance(event, BreakerTripped)]
    assert trip == BreakerTripped(
        "daily_loss", "the day has lost $3.00 of the $100.00 it began with, more than 2 %"
    )


def test_several_losses_of_a_day_add_up_and_gains_make_up_for_them() -> None:
    desk = Fold(DAILY)
    trade(desk, -1.5)
    trade(desk, 1)
    trade(desk, -1.5)
    assert tripped(desk) == []
    trade(desk, -0.1)
    assert tripped(desk) == ["daily_loss"]


def test_fees_and_what_a_wallet_lacks_are_losses_of_the_day() -> None:
    desk = Fold(DAILY)
    desk.do(Request("m", 10 * PPM, "s"))
    desk.do(c.Release("m", pnl=-1 * PPM, fees=PPM // 2))
    assert tripped(desk) == []
    desk.do(c.SyncWallet(97_900_000))
    assert tripped(desk) == ["daily_loss"]


def test_a_withdrawal_is_no_loss_of_the_day() -> None:
    desk = Fold(DAILY)
    desk.do(c.Withdraw(60 * PPM))
    trade(desk, -0.7)

    assert tripped(desk) == []


def test_it_latches_so_that_a_later_gain_does_not_lift_it() -> None:
    desk = Fold(DAILY)
    trade(desk, -3)
    desk.do(c.SyncWallet(120 * PPM))
    desk.do(c.Review(), 3600)

    assert tripped(desk) == ["daily_loss"]
    assert not granted(desk)


def test_a_reversed_release_trips_and_counts_like_any_loss() -> None:
    desk = Fold(DAILY)
    desk.do(Request("m", 10 * PPM, "s"))
    (released,) = desk.do(c.Release("m", pnl=5 * PPM))
    assert isinstance(released, c.Released)
    desk.do(c.ReverseRelease(desk.state.sequence, released, "disputed"))
    assert tripped(desk) == []
    trade_sequence = desk.do(c.Release("m", pnl=-3 * PPM))
    assert trade_sequence
    assert tripped(desk) == ["daily_loss"]


def test_it_lifts_at_the_next_day_and_not_before() -> None:
    desk = Fold(DAILY)
    trade(desk, -3)
    desk.do(c.Review(), BEFORE_MIDNIGHT + 9)
    assert tripped(desk) == ["daily_loss"]
    events = desk.do(c.Review(), 1)

    assert BreakerLifted("daily_loss", "a new day has begun") in events
    assert tripped(desk) == []
    assert granted(desk)


def test_one_that_trips_before_midnight_and_is_journaled_after_it_lifts_that_day() -> None:
    desk = Fold(DAILY)
    trade(desk, -3, seconds=BEFORE_MIDNIGHT)
    desk.do(c.Review(), 60)

    assert tripped(desk) == []


@pytest.mark.parametrize(("boundary", "lifts"), [("08:30", True), ("07:30", False), ("00:00", False)])
def test_a_day_begins_at_the_configured_boundary(boundary: str, lifts: bool) -> None:
    # START is eight in the morning.
    desk = Fold({**DAILY, "day_boundary": boundary})
    trade(desk, -3, seconds=60)
    desk.do(c.Review(), 3600)

    assert (tripped(desk) == []) is lifts


def test_the_new_day_begins_with_its_own_equity() -> None:
    desk = Fold(DAILY)
    trade(desk, -50)
    desk.do(c.Review(), DAY / 1e6)
    trade(desk, -0.9)
    assert tripped(desk) == []
    trade(desk, -0.2)

    # 1.1 of the 50 that the day began with is 2.2 %.
    assert tripped(desk) == ["daily_loss"]


def test_gas_trips_only_when_it_stayed_high_for_its_time() -> None:
    desk = Fold(GAS)
    gas(desk, 81)
    desk.do(c.Review(), 3599)
    assert tripped(desk) == []
    desk.do(c.Review(), 1)

    assert tripped(desk) == ["gas"]
    assert desk.state.breakers["gas"] is not None
    assert desk.state.breakers["gas"].reason == "gas has been above 80 gwei for 1.0 hours"
    assert not granted(desk)


def test_one_look_at_or_below_the_limit_begins_the_count_anew() -> None:
    desk = Fold(GAS)
    gas(desk, 200)
    gas(desk, 80, 1800)
    gas(desk, 200, 60)
    desk.do(c.Review(), 3000)
    assert tripped(desk) == []
    desk.do(c.Review(), 600)
    assert tripped(desk) == ["gas"]


def test_gas_lifts_when_it_is_seen_low_and_not_when_it_is_not_seen() -> None:
    desk = Fold(GAS)
    gas(desk, 200)
    desk.do(c.Review(), 3600)
    gas(desk, None, 60)
    desk.do(c.Review())
    assert tripped(desk) == ["gas"]
    gas(desk, 80, 60)
    events = desk.do(c.Review())

    assert BreakerLifted("gas", "gas is at or below 80 gwei") in events
    assert granted(desk)


def test_an_unknown_price_does_not_interrupt_sustained_gas() -> None:
    desk = Fold(GAS)
    gas(desk, 200)
    gas(desk, None, 1800)
    desk.do(c.Review(), 1800)

    assert tripped(desk) == ["gas"]


def test_stale_data_trips_and_a_fresh_state_lifts_it() -> None:
    desk = Fold(STALE)
    desk.do(c.Review())
    assert tripped(desk) == ["stale_data"]
    gas(desk, 20)
    desk.do(c.Review())
    assert tripped(desk) == []
    desk.do(c.Review(), HOUR / 1e6)
    assert tripped(desk) == []
    desk.do(c.Review(), 1)
    assert tripped(desk) == ["stale_data"]
    assert not granted(desk)


@pytest.mark.parametrize(
    "config", [ROOMY, DAILY, {**ROOMY, "risk": {}}, {**ROOMY, "sleeves": [{"name": "s", "percent": 100}]}]
)
def test_the_manual_breaker_stops_every_desk_until_it_is_lifted_by_hand(config: dict[str, Any]) -> None:
    desk = Fold(config)
    if "risk" in config:
        gas(desk, 20)
    assert desk.do(c.TripBreaker("a rumour")) == (BreakerTripped("manual", "a rumour"),)
    assert desk.do(c.TripBreaker("another")) == ()
    assert not granted(desk)
    for _ in range(3):
        desk.do(c.Review(), DAY / 1e6)
        if "risk" in config:
            gas(desk, 20)
    assert tripped(desk) == ["manual"]
    desk.do(c.LiftBreaker("it was nothing"))

    assert granted(desk)


def test_only_the_manual_breaker_is_lifted_by_hand() -> None:
    desk = Fold(DAILY)
    trade(desk, -3)

    with pytest.raises(InvalidInput, match="the manual breaker has not tripped"):
        desk.do(c.LiftBreaker("please"))
    assert tripped(desk) == ["daily_loss"]


@pytest.mark.parametrize("later", [DAILY, {**ROOMY, "breakers": {"gas_above_gwei": 90}, "risk": {}}, ROOMY])
def test_a_breaker_whose_rule_is_dropped_lifts(later: dict[str, Any]) -> None:
    from capdesk import CapitalConfig

    desk = Fold({**STALE, "breakers": {"stale_data": True, "daily_loss_percent": 2}})
    gas(desk, 20)
    trade(desk, -3)
    desk.do(c.Review(), 7200)
    assert tripped(desk) == ["daily_loss", "stale_data"]
    desk.do(c.UpdateMandate(CapitalConfig(**later).mandate(), "fewer rules"))
    desk.do(c.Review())
    desk.do(c.Review())

    assert tripped(desk) == (["daily_loss"] if later is DAILY else [])


def test_two_breakers_stop_grants_until_both_are_lifted() -> None:
    desk = Fold(DAILY)
    trade(desk, -3)
    desk.do(c.TripBreaker("by hand"))
    desk.do(c.Review(), DAY / 1e6)
    assert not granted(desk)
    desk.do(c.LiftBreaker("all clear"))

    assert granted(desk)


def test_a_breaker_takes_nothing_by_force_and_lets_releases_go_on() -> None:
    desk = Fold(ROOMY)
    desk.do(Request("m", 10 * PPM, "s"))
    desk.do(c.TripBreaker("by hand"))

    assert desk.state.allocated == 10 * PPM
    assert desk.do(c.Release("m"))
    assert desk.state.allocated == 0
    assert desk.at == START
