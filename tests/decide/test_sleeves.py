"""Budgets by closed form: shares, caps, minimums, what idle sleeves leave, and the profit that enters the base."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capdesk.decide.sleeves import Compounding, budgets, compounding_base
from capdesk.model.money import PPM
from capdesk.model.rules import Budget, Sleeve

DOLLAR = 1_000_000


def one(percent: int, base: int, multiplier: int = PPM, **rules: int) -> Budget:
    """The budget of a single sleeve; percent and dollars as people write them."""
    micro = {name: value * DOLLAR for name, value in rules.items()}
    (budget,) = budgets(
        (Sleeve("a", percent * 10_000, micro.get("cap"), micro.get("minimum", 0)),),
        base * DOLLAR,
        lambda _: multiplier,
    )
    return budget


@st.composite
def tables(draw: st.DrawFn) -> tuple[Sleeve, ...]:
    """Up to six sleeves whose percentages add up to 100 at most, some capped, some with a minimum."""
    weights = draw(st.lists(st.integers(0, 100), min_size=1, max_size=6))
    whole = max(sum(weights), 1)
    sleeves = []
    for place, weight in enumerate(weights):
        cap = draw(st.none() | st.integers(1, 900 * DOLLAR))
        minimum = draw(st.just(0) | st.integers(0, 600 * DOLLAR))
        ppm = weight * PPM // whole
        sleeves.append(Sleeve(f"s{place}", ppm, cap, minimum if cap is None else min(minimum, cap)))
    return tuple(sleeves)


BASES = st.integers(0, 2_000 * DOLLAR)
MULTIPLIERS = st.sampled_from([0, 1, 210_000, 333_333, 800_000, PPM])


def capped(sleeve: Sleeve, share: Fraction) -> Fraction:
    return share if sleeve.cap is None else min(share, Fraction(sleeve.cap))


def level(sleeves: list[Sleeve], base: int, pot: Fraction) -> Fraction:
    """How much each percentage point gains when a pot is poured in: water-filling, by its breakpoints."""
    stops = sorted(
        (Fraction(it.cap) - Fraction(base * it.percent_ppm, PPM)) / it.percent_ppm
        for it in sleeves
        if it.cap is not None and it.percent_ppm
    )
    reached = Fraction(0)
    for stop in [max(Fraction(0), stop) for stop in stops]:
        weight = sum(
            it.percent_ppm
            for it in sleeves
            if it.cap is None or base * it.percent_ppm + reached * it.percent_ppm * PPM < it.cap * PPM
        )
        if weight * (stop - reached) >= pot:
            return reached + pot / weight if weight else reached
        pot -= weight * (stop - reached)
        reached = stop
    weight = sum(it.percent_ppm for it in sleeves if it.cap is None)
    return reached + pot / weight if weight else reached


@given(sleeves=tables(), base=BASES, multiplier=MULTIPLIERS)
def test_a_kept_budget_is_the_multiplier_times_the_lesser_of_share_and_cap(
    sleeves: tuple[Sleeve, ...], base: int, multiplier: int
) -> None:
    for sleeve, budget in zip(sleeves, budgets(sleeves, base, lambda _: multiplier), strict=True):
        share = floor(Fraction(base * sleeve.percent_ppm, PPM))
        before = floor(capped(sleeve, Fraction(share)))
        enabled = before >= sleeve.minimum

        assert budget.share == share
        assert budget.enabled == enabled
        assert budget.before == (before if enabled else 0)
        assert budget.amount == floor(Fraction(budget.before * multiplier, PPM))
        assert budget.capped == (enabled and sleeve.cap is not None and before == sleeve.cap)


@given(sleeves=tables(), base=BASES)
def test_shared_idle_capital_is_water_filling(sleeves: tuple[Sleeve, ...], base: int) -> None:
    found = budgets(sleeves, base, lambda _: PPM, idle="share")
    kept = budgets(sleeves, base, lambda _: PPM)
    open_ = [it for it, budget in zip(sleeves, kept, strict=True) if budget.enabled and it.percent_ppm]
    pot = Fraction(sum(budget.share for budget in kept) - sum(budget.before for budget in kept))
    gain = level(open_, base, pot)
    for sleeve, budget in zip(sleeves, found, strict=True):
        if not budget.enabled:
            assert budget.before == 0
            continue
        expected = capped(sleeve, Fraction(base * sleeve.percent_ppm, PPM) + gain * sleeve.percent_ppm)
        assert abs(budget.before - expected) <= 4 * len(sleeves)


@given(sleeves=tables(), base=BASES, multiplier=MULTIPLIERS)
def test_sharing_goes_above_no_cap_and_gives_out_no_more_than_was_planned(
    sleeves: tuple[Sleeve, ...], base: int, multiplier: int
) -> None:
    found = budgets(sleeves, base, lambda _: multiplier, idle="share")

    assert sum(budget.before for budget in found) <= sum(budget.share for budget in found) <= base
    for sleeve, budget in zip(sleeves, found, strict=True):
        assert sleeve.cap is None or budget.before <= sleeve.cap
        assert budget.amount <= budget.before


@given(sleeves=tables(), base=BASES)
def test_sharing_takes_from_nobody_and_enables_the_same_sleeves(
    sleeves: tuple[Sleeve, ...], base: int
) -> None:
    shared = budgets(sleeves, base, lambda _: PPM, idle="share")
    kept = budgets(sleeves, base, lambda _: PPM, idle="keep")

    for more, less in zip(shared, kept, strict=True):
        assert more.before >= less.before
        assert more.enabled == less.enabled


@given(sleeves=tables(), base=BASES)
def test_sharing_leaves_cash_only_where_every_open_sleeve_is_full(
    sleeves: tuple[Sleeve, ...], base: int
) -> None:
    found = budgets(sleeves, base, lambda _: PPM, idle="share")
    left = sum(budget.share for budget in found) - sum(budget.before for budget in found)
    for sleeve, budget in zip(sleeves, found, strict=True):
        if budget.enabled and sleeve.percent_ppm and (sleeve.cap is None or budget.before < sleeve.cap):
            assert left < len(sleeves)


def test_a_capped_sleeves_rest_goes_to_the_others_in_proportion() -> None:
    sleeves = (Sleeve("a", 500_000, cap=100), Sleeve("b", 300_000), Sleeve("c", 200_000))

    amounts = [it.amount for it in budgets(sleeves, 1_000, lambda _: PPM, idle="share")]

    assert amounts == [100, 540, 360]


def test_what_was_shared_stops_at_a_cap_and_goes_on_to_the_next() -> None:
    sleeves = (Sleeve("a", 500_000, cap=100), Sleeve("b", 300_000, cap=400), Sleeve("c", 200_000, cap=450))

    amounts = [it.amount for it in budgets(sleeves, 1_000, lambda _: PPM, idle="share")]

    assert amounts == [100, 400, 450]


@pytest.mark.parametrize(("base", "enabled"), [(100, True), (99, False)])
def test_a_sleeve_is_disabled_just_under_its_minimum(base: int, enabled: bool) -> None:
    budget = one(50, base, minimum=50)

    assert budget.enabled is enabled
    assert budget.amount == (50 * DOLLAR if enabled else 0)


def test_the_minimum_looks_at_the_amount_before_the_multiplier() -> None:
    budget = one(60, 100, multiplier=300_000, minimum=50)

    assert budget.enabled
    assert budget.amount == 18 * DOLLAR


def test_a_paused_sleeve_has_nothing_though_it_is_above_its_minimum() -> None:
    (budget,) = budgets((Sleeve("a", PPM),), 100, lambda _: PPM, paused=frozenset(["a"]))

    assert (budget.enabled, budget.before, budget.amount) == (False, 0, 0)


def test_every_product_is_rounded_down() -> None:
    sleeves = (Sleeve("a", 333_333), Sleeve("b", 666_666))

    assert [(it.share, it.amount) for it in budgets(sleeves, 5, lambda _: 999_999)] == [(1, 0), (3, 2)]


def test_equity_below_zero_is_no_budget() -> None:
    (budget,) = budgets((Sleeve("a", PPM),), -7, lambda _: PPM)

    assert (budget.share, budget.amount) == (0, 0)


@given(
    equity=st.integers(-(10**12), 10**12),
    contributed=st.integers(-(10**12), 10**12),
    mode=st.sampled_from(["full", "half", "fixed"]),
)
def test_how_much_of_the_profit_enters_the_base(equity: int, contributed: int, mode: Compounding) -> None:
    profit = max(0, equity - contributed)
    kept_out = {"full": Fraction(0), "half": Fraction(profit, 2), "fixed": Fraction(profit)}[mode]

    assert compounding_base(equity, contributed, mode) == max(0, floor(equity - kept_out))


@pytest.mark.parametrize("mode", ["full", "half", "fixed"])
def test_a_loss_always_enters_the_base(mode: Compounding) -> None:
    assert compounding_base(80, 100, mode) == 80
