"""What-if: a journal decided again under its own rules flips nothing, and under others what those rules flip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capdesk import CapitalAllocator, CapitalConfig, CapitalRecycler
from capdesk.decide.what_if import Flip, Impossible, what_if
from capdesk.model import commands as c
from capdesk.model.journal import Entry
from capdesk.model.money import PPM
from capdesk.model.requests import Granted, Refused, Request
from capdesk.model.rules import MarketState
from tests.desks import ROOMY, Fold, VirtualClock, as_one_batch, journal, sleeve
from tests.random_desks import WORLD, WORLDS, play, steps

slow = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def again(desk: Fold | list[Entry], **config: Any) -> list[Flip | Impossible]:
    entries = desk.entries if isinstance(desk, Fold) else desk
    return list(what_if(entries, CapitalConfig(**config).mandate()))


def flips(found: list[Flip | Impossible]) -> list[tuple[int, str, int, str, int]]:
    return [
        (it.sequence, it.was.value, it.was_amount, it.becomes.value, it.amount)
        for it in found
        if isinstance(it, Flip)
    ]


@slow
@given(world=st.sampled_from(sorted(WORLDS)), steps=steps)
def test_the_same_rules_flip_nothing(world: str, steps: list[Any]) -> None:
    desk = Fold(WORLDS[world])
    play(desk, steps)

    assert again(desk, **WORLDS[world]) == []


async def test_the_same_rules_flip_nothing_of_a_real_ledger(tmp_path: Path) -> None:
    """With batches, leases that end by themselves, repeats of refusals, recycling, and restarts."""
    path, clock = tmp_path / "desk.db", VirtualClock()
    async with CapitalAllocator.open(path, WORLD, initial_bankroll=100, clock=clock) as desk:
        await desk.observe_market("low", gas_price_gwei=20)
        await desk.request_allocation("sun", 20, "maker", lease_seconds=60)
        for _ in range(3):
            await desk.request_allocation("sun", 20, "maker")
        clock.forward(61)
        await as_one_batch(
            desk,
            desk.request_allocation("rain", 30, "maker"),
            desk.request_allocation("wind", 30, "taker", lease_seconds=60),
            desk.request_allocation("fog", 90, "stranger"),
        )
        await desk.release_allocation("rain", -20, request_id="a loss")
        await desk.request_allocation("rain", 5, "maker")
        await desk.review()
    clock.forward(90_000)
    async with CapitalAllocator.open(path, clock=clock) as desk:
        await desk.reverse_release("a loss", reason="disputed")
        await desk.observe_market("medium", gas_price_gwei=90)
        await desk.review()
        recycler = CapitalRecycler(None, desk)
        await recycler.queue_recycle("fog", 2, delay_seconds=0)
        await recycler.run_due()
        await desk.sync_with_wallet(3)
        await desk.request_allocation("fog", 5, "maker")
        await desk.halt("by hand")
        await desk.request_allocation("sun", 5, "maker")
        await desk.resume("go on")
        await desk.request_allocation("sun", 5, "maker")
        entries = await journal(desk)

    assert {"lease_ended", "halted", "restored", "reconciled", "breaker_tripped"} <= {
        event.__struct_config__.tag for entry in entries for event in entry.events
    }
    assert again(entries, **WORLD) == []


def test_a_resume_ends_a_halt_that_only_the_passing_of_time_has_caused() -> None:
    rules = {
        **ROOMY,
        "max_exposure_per_market_percent": 4,
        "max_mark_age_seconds": 60,
        "max_drawdown_percent": 5,
    }
    desk = Fold(rules)
    desk.do(Request("sun", 50 * PPM, "s"))
    desk.do(c.Mark("sun", 80 * PPM))
    desk.do(c.Resume("the gain was on paper only"), seconds=60)
    desk.do(Request("rain", 10 * PPM, "s"))

    assert isinstance(desk.entries[-1].events[0], Granted)
    assert again(desk, **rules) == []


def test_a_tighter_limit_flips_what_it_must_and_says_why() -> None:
    desk = Fold(ROOMY)
    desk.do(Request("sun", 20 * PPM, "s"))
    desk.do(Request("rain", 50 * PPM, "s"))
    desk.do(Request("wind", 10 * PPM, "s"))
    desk.do(c.Release("rain"))
    desk.do(Request("fog", 15 * PPM, "s"))
    found = again(desk, **{**ROOMY, "max_total_exposure_percent": 40})

    assert flips(found) == [
        (3, "success", 50 * PPM, "success", 20 * PPM),
        (4, "success", 10 * PPM, "total_limit_exceeded", 0),
    ]
    assert [(it.market, it.strategy, it.asked) for it in found if isinstance(it, Flip)] == [
        ("rain", "s", 50 * PPM),
        ("wind", "s", 10 * PPM),
    ]
    assert [it.why for it in found] == [
        "granted $20.00 of $50.00 asked for rain: the limit total is $40.00, $20.00 of it in use, so $20.00 is left",
        "refused $10.00 asked for wind: the limit total is $40.00, $40.00 of it in use, so $0.00 is left",
    ]


def test_a_looser_limit_flips_a_refusal_to_a_grant() -> None:
    desk = Fold({**ROOMY, "max_total_exposure_percent": 10})
    desk.do(Request("sun", 10 * PPM, "s"))
    desk.do(Request("rain", 5 * PPM, "s"))

    assert flips(again(desk, **ROOMY)) == [(3, "total_limit_exceeded", 0, "success", 5 * PPM)]


def test_sleeves_that_were_not_there_disable_and_do_not_know() -> None:
    desk = Fold(ROOMY)
    for market, strategy in (("sun", "maker"), ("rain", "taker"), ("wind", "stranger")):
        desk.do(Request(market, 10 * PPM, strategy))
    found = again(desk, **ROOMY, sleeves=[sleeve("maker", 50), sleeve("taker", 10, minimum=20)])

    assert [becomes for _, _, _, becomes, _ in flips(found)] == ["strategy_disabled", "unknown_strategy"]


def test_a_kill_switch_that_was_not_there_halts_what_followed_until_it_was_resumed() -> None:
    desk = Fold(ROOMY)
    desk.do(c.SyncWallet(90 * PPM))
    desk.do(Request("sun", 10 * PPM, "s"), 60)
    desk.do(Request("rain", 10 * PPM, "s"), 60)
    found = again(desk, **{**ROOMY, "max_exposure_per_market_percent": 4, "max_drawdown_percent": 5})

    assert [(becomes, amount) for *_, becomes, amount in flips(found)] == [("halted", 0), ("halted", 0)]
    assert all("drawdown 10.00%" in it.why for it in found)


def test_request_times_are_as_they_were() -> None:
    config = {**ROOMY, "risk": {"stale_after_seconds": 60}}
    desk = Fold(config)
    desk.do(c.Observe(MarketState(volatility_state="low")))
    desk.do(Request("sun", 90 * PPM, "s"), 59)
    desk.do(c.Release("sun"))
    desk.do(Request("sun", 90 * PPM, "s"), 2)

    assert flips(again(desk, **{**config, "risk": {"stale_after_seconds": 30}})) == [
        (3, "success", 90 * PPM, "success", 30 * PPM)
    ]
    assert flips(again(desk, **{**config, "risk": {"stale_after_seconds": 90}})) == [
        (5, "success", 30 * PPM, "success", 90 * PPM)
    ]


def test_leases_end_by_the_other_rules() -> None:
    desk = Fold({**ROOMY, "on_expiry": "hold"})
    desk.do(Request("sun", 90 * PPM, "s", lease=60 * PPM))
    desk.do(Request("rain", 90 * PPM, "s"), 61)

    assert flips(again(desk, **{**ROOMY, "on_expiry": "free"})) == [
        (4, "success", 10 * PPM, "success", 90 * PPM)
    ]


def test_what_a_wallet_did_not_explain_is_the_same_under_other_rules() -> None:
    desk = Fold(ROOMY)
    desk.do(Request("sun", 50 * PPM, "s"))
    desk.do(c.SyncWallet(47 * PPM))
    desk.do(Request("rain", 90 * PPM, "s"))
    found = again(desk, **{**ROOMY, "max_exposure_per_market_percent": 20})

    # 3 dollars are missing in either case, and 20 % of 97 are left.
    assert flips(found) == [
        (2, "success", 50 * PPM, "success", 20 * PPM),
        (4, "success", 47 * PPM, "success", 19_400_000),
    ]


def test_a_reversal_takes_back_what_was_released_here() -> None:
    desk = Fold(ROOMY)
    desk.do(Request("sun", 50 * PPM, "s"))
    (released,) = desk.do(c.Release("sun", pnl=10 * PPM))
    assert isinstance(released, c.Released)
    desk.do(c.ReverseRelease(3, released, "disputed"))
    desk.do(c.Release("sun", pnl=0))
    desk.do(Request("rain", 150 * PPM, "s"))
    smaller = again(desk, **{**ROOMY, "max_exposure_per_market_percent": 20})
    none = again(desk, **{**ROOMY, "min_order_size": 60, "order_split_threshold": 100})

    assert flips(smaller) == [
        (2, "success", 50 * PPM, "success", 20 * PPM),
        (6, "success", 100 * PPM, "success", 20 * PPM),
    ]
    assert [it.why for it in none if isinstance(it, Impossible)] == [
        "the release in entry 3 does not happen under these rules"
    ]
    assert flips(none) == [(2, "success", 50 * PPM, "invalid_amount", 0)]


def test_what_cannot_be_carried_out_is_named_and_the_rest_goes_on() -> None:
    desk = Fold({**ROOMY, "accounts": ("main", "venue")})
    desk.do(c.Transfer(30 * PPM, "main", "venue"))
    desk.do(Request("sun", 90 * PPM, "s"))
    found = again(desk, **ROOMY)

    assert [(it.sequence, it.why) for it in found if isinstance(it, Impossible)] == [
        (2, "account must be one of main, got 'venue'")
    ]
    assert flips(found) == [(3, "success", 70 * PPM, "success", 90 * PPM)]


def test_market_states_are_moot_under_rules_without_a_risk_table() -> None:
    desk = Fold({**ROOMY, "risk": {}})
    desk.do(c.Observe(MarketState(volatility_state="extreme")))
    desk.do(Request("sun", 90 * PPM, "s"))

    assert flips(again(desk, **ROOMY)) == [(3, "success", 30 * PPM, "success", 90 * PPM)]


only_answers = steps.map(
    lambda steps: [(lambda desk, make=make: _answered_alike(make(desk)), seconds) for make, seconds in steps]
)


def _answered_alike(command: c.Command | None) -> c.Command | None:
    """Only commands that mean the same under any rules: no results in proportion to what was granted."""
    if isinstance(command, c.Release):
        return c.Release(command.market, command.strategy)
    if isinstance(command, c.Confirm | c.Mark | c.QueueRecycle | c.ReverseRelease | c.Recycle | c.SyncWallet):
        return None
    return command


BY_THE_WRITER = (c.Found, c.Expire, c.Arrive, c.Trip, c.UpdateMandate)


@slow
@given(
    first=st.sampled_from(sorted(WORLDS)),
    then=st.sampled_from(sorted(WORLDS)),
    before=only_answers,
    after=only_answers,
)
def test_a_mandate_that_changed_is_replaced_from_the_first_entry_on(
    first: str, then: str, before: list[Any], after: list[Any]
) -> None:
    """So the rules of today may flip what was decided before them, and even after: the capital lies elsewhere.

    What is promised: each verdict is the one that a desk would have given that had these rules
    from the beginning and was told the same at the same times.
    """
    desk = Fold(WORLDS[first])
    play(desk, before)
    desk.do(c.UpdateMandate(CapitalConfig(**WORLDS[then]).mandate(), "a new day"))
    play(desk, after)
    other = Fold(WORLDS[then])
    expected = []
    for entry in desk.entries:
        if isinstance(entry.command, BY_THE_WRITER):
            continue
        events = other.tried(entry.command, (entry.at - other.at) / 1e6)
        for was, becomes in zip(entry.events, events if isinstance(events, tuple) else (), strict=False):
            if isinstance(was, Granted | Refused) and isinstance(becomes, Granted | Refused):
                old, new = (getattr(it, "code", "success") for it in (was, becomes))
                amounts = [getattr(it, "amount", 0) for it in (was, becomes)]
                if (old, amounts[0]) != (new, amounts[1]):
                    expected.append((entry.sequence, str(old), amounts[0], str(new), amounts[1]))

    assert flips(again(desk, **WORLDS[then])) == expected


@pytest.mark.parametrize("world", sorted(WORLDS))
def test_a_change_of_rules_to_the_same_rules_flips_nothing(world: str) -> None:
    desk = Fold(WORLDS[world])
    desk.do(Request("sun", 10 * PPM, "maker"))
    desk.do(c.UpdateMandate(CapitalConfig(**WORLDS[world]).mandate(), "no change"))
    desk.do(Request("rain", 10 * PPM, "maker"))

    assert again(desk, **WORLDS[world]) == []


def test_marks_of_one_moment_are_those_of_the_size_here_and_of_what_is_open_here() -> None:
    desk = Fold(ROOMY)
    desk.do(Request("sun", 40 * PPM, "s"))
    desk.do(Request("rain", 40 * PPM, "s"))
    desk.do(c.MarkAll((c.Mark("sun", 80 * PPM), c.Mark("rain", 40 * PPM))))
    desk.do(Request("fog", 100 * PPM, "s"))
    smaller = again(desk, **{**ROOMY, "max_total_exposure_percent": 20})

    # 20 of sun at twice its cost: equity is 120, and 20 % of it are 24.
    assert flips(smaller) == [
        (2, "success", 40 * PPM, "success", 20 * PPM),
        (3, "success", 40 * PPM, "total_limit_exceeded", 0),
        (5, "success", 20 * PPM, "success", 4 * PPM),
    ]
