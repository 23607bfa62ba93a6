"""What every verdict keeps, whatever is asked: rooms, amounts, codes, and their order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from capdesk.decide import grants
from capdesk.decide.grants import decide_request
from capdesk.model.mandate import GroupLimit, Mandate, MarketProfile, PriorityTier
from capdesk.model.requests import AllocationResult, Granted, Refused, Request, RoomLeft
from capdesk.model.state import MarketUse, State
from tests.decide.support import NOON, dollars

CODES = {
    "available": AllocationResult.INSUFFICIENT_CAPITAL,
    "account": AllocationResult.INSUFFICIENT_CAPITAL,
    "total": AllocationResult.TOTAL_LIMIT_EXCEEDED,
    "priority": AllocationResult.TOTAL_LIMIT_EXCEEDED,
    "group": AllocationResult.GROUP_LIMIT_EXCEEDED,
    "market_percent": AllocationResult.MARKET_LIMIT_EXCEEDED,
    "market_absolute": AllocationResult.MARKET_LIMIT_EXCEEDED,
}
ORDER = [
    AllocationResult.INSUFFICIENT_CAPITAL,
    AllocationResult.TOTAL_LIMIT_EXCEEDED,
    AllocationResult.GROUP_LIMIT_EXCEEDED,
    AllocationResult.MARKET_LIMIT_EXCEEDED,
]

SUMS = st.integers(0, dollars(120)) | st.sampled_from([0, 1, dollars(1), dollars(10), dollars(20)])
PERCENTS = st.integers(0, 1_000_000) | st.sampled_from([50_000, 300_000, 1_000_000])


@st.composite
def mandates(draw: st.DrawFn) -> Mandate:
    shares = draw(st.lists(PERCENTS, min_size=3, max_size=3))
    names = ("critical", "high", "normal")
    tiers = tuple(PriorityTier(name, share) for name, share in zip(names, shares, strict=True))
    group = GroupLimit("btc", draw(PERCENTS | st.none()), draw(SUMS), ("btc-*",))
    profile = MarketProfile("btc-up", draw(PERCENTS | st.none()), draw(SUMS | st.none()))
    return Mandate(
        market_percent_ppm=draw(PERCENTS),
        market_absolute=draw(SUMS | st.none()),
        total_percent_ppm=draw(PERCENTS),
        tiers=draw(st.sampled_from([(), tiers])),
        groups=draw(st.sampled_from([(), (group,)])),
        profiles=draw(st.sampled_from([(), (profile,)])),
        accounts=draw(st.sampled_from([("main",), ("main", "venue")])),
        share_markets=draw(st.booleans()),
    )


@st.composite
def states(draw: st.DrawFn) -> State:
    """A desk that holds anything, in profit or in loss, below its limits or far beyond them."""
    state = State()
    state.mandate, state.mandate_version = draw(mandates()), 1
    state.deposits = draw(st.integers(1, dollars(500)))
    state.pnl = draw(st.integers(-dollars(600), dollars(100)) | st.just(0))
    state.mark_excess = draw(st.integers(-dollars(50), dollars(50)) | st.just(0))
    state.transit_total = draw(SUMS | st.just(0))
    state.allocated = draw(SUMS)
    for account in state.mandate.accounts:
        state.balances[account] = draw(st.integers(-dollars(20), dollars(200)))
        state.by_account[account] = draw(SUMS)
    state.by_group["btc"] = draw(SUMS)
    if state.mandate.share_markets:
        state.markets["btc-up"] = MarketUse(draw(SUMS), ("other",))
    return state


@st.composite
def asked(draw: st.DrawFn) -> Request:
    return Request(
        market=draw(st.sampled_from(["btc-up", "rain"])),
        asked=draw(st.integers(-5, dollars(100))),
        strategy="sniper",
        min_amount=draw(st.just(0) | SUMS),
        all_or_none=draw(st.booleans()),
        priority=draw(st.sampled_from(["critical", "high", "normal"])),
    )


def granted(outcome: Granted | Refused) -> int:
    return outcome.amount if isinstance(outcome, Granted) else 0


@given(states(), asked())
@settings(max_examples=200)
def test_grant_exceeds_no_room(state: State, request: Request) -> None:
    outcome = decide_request(state, request, NOON)
    if isinstance(outcome, Granted):
        event(f"granted, bound by {outcome.bound_by}")
        assert all(room.used + outcome.amount <= room.limit for room in outcome.rooms)


@given(states(), asked())
@settings(max_examples=200)
def test_grant_is_what_was_asked_or_the_least_room(state: State, request: Request) -> None:
    outcome = decide_request(state, request, NOON)
    if isinstance(outcome, Granted):
        least = min(room.left for room in outcome.rooms)
        assert outcome.amount == min(request.asked, least)
        assert (outcome.bound_by is None) == (outcome.amount == request.asked)


@given(states(), asked())
def test_grant_keeps_its_conditions(state: State, request: Request) -> None:
    outcome = decide_request(state, request, NOON)
    if isinstance(outcome, Granted):
        assert outcome.amount >= max(state.mandate.min_order, request.min_amount)
        assert outcome.amount == request.asked or not request.all_or_none
        assert sum(outcome.orders) in (0, outcome.amount)


@given(states(), asked(), st.integers(0, dollars(30)))
@settings(max_examples=150)
def test_asking_for_more_never_gives_less(state: State, request: Request, more: int) -> None:
    plain = Request(request.market, request.asked, request.strategy, priority=request.priority)
    bigger = Request(request.market, request.asked + more, request.strategy, priority=request.priority)
    assert granted(decide_request(state, plain, NOON)) <= granted(decide_request(state, bigger, NOON))


@given(states(), asked(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_order_of_limits_does_not_change_the_amount(state: State, request: Request, random: Any) -> None:
    first = decide_request(state, request, NOON)
    with pytest.MonkeyPatch.context() as patch:

        def shuffled(*given: Any) -> tuple[RoomLeft, ...]:
            rooms = list(original(*given))
            random.shuffle(rooms)
            return tuple(rooms)

        original = grants.rooms_for
        patch.setattr(grants, "rooms_for", shuffled)
        second = decide_request(state, request, NOON)
    assert granted(first) == granted(second)
    assert isinstance(first, Granted) == isinstance(second, Granted)


@given(states(), asked())
@settings(max_examples=200)
def test_refusal_names_the_limit_that_left_least(state: State, request: Request) -> None:
    outcome = decide_request(state, request, NOON)
    if isinstance(outcome, Refused) and outcome.rooms:
        event(f"refused, bound by {outcome.bound_by}")
        least = min(room.left for room in outcome.rooms)
        bound = next(room for room in outcome.rooms if room.name == outcome.bound_by)
        assert bound.left == least


@given(states(), asked())
@settings(max_examples=200)
def test_refusal_has_the_first_code_among_the_tightest_limits(state: State, request: Request) -> None:
    outcome = decide_request(state, request, NOON)
    if isinstance(outcome, Refused) and outcome.rooms:
        least = min(room.left for room in outcome.rooms)
        codes = [CODES[room.name.partition(":")[0]] for room in outcome.rooms if room.left == least]
        assert outcome.code is min(codes, key=ORDER.index)


@given(states(), asked())
def test_a_request_changes_nothing(state: State, request: Request) -> None:
    before = (state.scalars(), dict(state.positions), dict(state.markets), dict(state.by_group))
    decide_request(state, request, NOON)
    assert before == (state.scalars(), dict(state.positions), dict(state.markets), dict(state.by_group))


@given(states(), asked())
def test_every_limit_that_applies_is_shown(state: State, request: Request) -> None:
    outcome = decide_request(state, request, NOON)
    if not outcome.rooms:
        return
    names = {room.name.partition(":")[0] for room in outcome.rooms}
    mandate, grouped = state.mandate, request.market == "btc-up"
    assert {"available", "total", "market_percent"} <= names
    assert ("account" in names) == (len(mandate.accounts) > 1)
    assert ("priority" in names) == bool(mandate.tiers)
    assert ("group" in names) == (bool(mandate.groups) and grouped)
    _, absolute = mandate.market_limits(request.market)
    assert ("market_absolute" in names) == (absolute is not None)
