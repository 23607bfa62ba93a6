"""The public door: what goes in, what is refused, and what a plan says."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from capdesk.model.errors import InfeasibleError, InvalidInput
from capdesk.pools import (
    ChainCosts,
    ExpectedLoss,
    Holding,
    Piecewise,
    Pool,
    PoolParameters,
    PoolPlan,
    explain,
    optimize_allocations,
)
from tests.decide.pools import instances


def universe(count: int = 12, chain: str = "ethereum") -> list[Pool]:
    return [
        Pool(
            f"p{each}",
            ("USDC",) if each % 2 else ("USDT",),
            ("aave", "morpho", "fluid")[each % 3],
            chain,
            3.0 + 0.4 * each,
            30_000_000.0,
            1 + each % 3,
            4.0,
            4.0,
        )
        for each in range(count)
    ]


def changed(pools: list[Pool], pool_id: str, **fields: Any) -> list[Pool]:
    """The pools with one of them changed."""
    return [replace(pool, **fields) if pool.pool_id == pool_id else pool for pool in pools]


CASH = {"USDC": 600_000, "USDT": 400_000}


def total_after(plan: PoolPlan) -> Decimal:
    return sum(plan.allocations.values(), Decimal(0)) + plan.cash + plan.costs.total


def test_plan_places_everything_and_reconciles_to_the_micro_unit() -> None:
    plan = optimize_allocations(universe(), {"p0": 120_000.5}, CASH, {"swap_gas_usd": 3.0})
    assert total_after(plan) == Decimal("1120000.5")
    assert sum(plan.balances.values(), Decimal(0)) == plan.cash
    assert plan.gap <= 1e-6
    assert plan.objective <= plan.bound + 1e-6
    assert plan.certificate.proof == "tree"


@pytest.mark.parametrize("seed", range(5))
def test_billions_reconcile_to_the_micro_unit_too(seed: int) -> None:
    draw = random.Random(seed)
    pools = [
        replace(pool, tokens=("USDC", "USDT", "DAI"), shares=(0.3, 0.3, 0.4), forecasted_tvl=9e12)
        for pool in universe()
    ]
    cash = {token: round(draw.uniform(1e10, 4e11), 6) for token in ("USDC", "USDT", "DAI")}
    held = {"p0": round(draw.uniform(1e10, 2e11), 6), "p7": round(draw.uniform(1e10, 2e11), 6)}
    plan = optimize_allocations(pools, held, cash)
    assert total_after(plan) == sum(Decimal(repr(each)) for each in (*cash.values(), *held.values()))
    assert sum(plan.balances.values(), Decimal(0)) == plan.cash


def test_transactions_can_be_carried_out_in_their_order() -> None:
    plan = optimize_allocations(universe(), {"p0": 120_000.5, "p1": 80_000}, CASH, {"swap_gas_usd": 3.0})
    balances = {f"ethereum:{token}": Decimal(amount) for token, amount in CASH.items()}
    positions = {"p0": Decimal("120000.5"), "p1": Decimal(80_000)}
    for step in plan.transactions:
        for flow in step.gives:
            balances[flow.token] -= flow.amount
            assert balances[flow.token] >= 0
        for flow in step.takes:
            balances[flow.token] += flow.amount
        if step.pool_id:
            sign = 1 if step.verb == "deposit" else -1
            positions[step.pool_id] = positions.get(step.pool_id, Decimal(0)) + sign * step.amount
        moved = sum((flow.amount for flow in step.gives), Decimal(0))
        arrived = sum((flow.amount for flow in step.takes), Decimal(0))
        change = {"deposit": step.amount, "withdraw": -step.amount}.get(step.verb, Decimal(0))
        assert moved == arrived + change + step.gas + step.fee
    verbs = [step.verb for step in plan.transactions]
    assert verbs == sorted(verbs, key=("withdraw", "convert", "deposit").index)
    assert {name: amount for name, amount in positions.items() if amount} == plan.allocations
    assert {name: amount for name, amount in balances.items() if amount} == plan.balances


def test_gas_of_the_plan_is_the_gas_of_its_steps() -> None:
    plan = optimize_allocations(universe(), {"p0": 120_000}, CASH, {"swap_gas_usd": 3.0})
    assert sum((step.gas for step in plan.transactions), Decimal(0)) == plan.costs.gas
    assert sum((step.fee for step in plan.transactions), Decimal(0)) == plan.costs.conversion
    paid = [step.days_to_break_even for step in plan.transactions if step.verb == "deposit"]
    assert all(days is not None and days > 0 for days in paid)


def test_limits_of_the_seed_hold() -> None:
    plan = optimize_allocations(universe(), {}, CASH)
    by_group = {group: sum(its.amount for its in plan.positions if its.group == group) for group in (1, 2, 3)}
    assert by_group[1] <= 350_000
    assert by_group[2] <= 350_000
    assert by_group[3] <= 300_000
    assert max(plan.allocations.values()) <= 250_000
    assert len(plan.allocations) >= 4


def test_cascade_lets_safer_groups_use_what_riskier_ones_leave() -> None:
    safe = [replace(pool, group=1) for pool in universe()]
    strict = optimize_allocations(safe, {}, CASH)
    cascade = optimize_allocations(safe, {}, CASH, {"group_room": "cascade"})
    assert sum(strict.allocations.values(), Decimal(0)) == 350_000
    assert sum(cascade.allocations.values(), Decimal(0)) > 990_000
    assert any("stay cash" in note and "group1_max_pct" in note for note in strict.notes)


def test_min_pools_falls_to_the_eligible_ones_with_a_note() -> None:
    plan = optimize_allocations(universe(2), {}, CASH)
    assert len(plan.allocations) == 2
    assert any("min_pools fell from 4 to 2" in note for note in plan.notes)


def test_a_pool_that_is_not_offered_any_more_is_left() -> None:
    gone = Pool("old", ("DAI",), "gone", "ethereum", gas_out_usd=2.0)
    plan = optimize_allocations(universe(), {"old": Holding(50_000, pool=gone)}, CASH)
    assert plan.decision.kind == "forced"
    assert plan.decision.forced[0].reason == "the pool is not offered any more"
    assert "old" not in plan.allocations
    assert plan.transactions[0].verb == "withdraw"


def test_in_a_run_on_a_pool_the_rest_is_stuck_and_said_so() -> None:
    pools = changed(universe(), "p0", status="exit", reason="USDT is iced", withdrawable_usd=10_000.0)

    plan = optimize_allocations(pools, {"p0": 50_000}, CASH)
    assert plan.allocations["p0"] == 40_000
    (forced,) = plan.decision.forced
    assert forced.stuck == 40_000
    assert "USDT is iced" in forced.reason
    assert "only $10,000.00" in forced.reason


def test_a_slightly_better_plan_does_not_replace_what_is_held() -> None:
    pools = universe()
    first = optimize_allocations(pools, {}, CASH)
    held = {name: float(amount) for name, amount in first.allocations.items()}
    moved = changed(pools, "p5", forecasted_apy=5.02)
    again = optimize_allocations(moved, held, {"USDC": 40.0}, {"reallocation_margin": 0.05})
    assert again.decision.kind == "place_yield"
    assert again.transactions == ()
    assert again.cash == 40
    assert again.decision.net_new >= again.decision.net_stay


def test_yesterdays_yield_is_placed_where_it_is_worth_its_gas() -> None:
    pools = universe()
    held = {
        name: float(amount) * 0.9
        for name, amount in optimize_allocations(pools, {}, CASH).allocations.items()
    }
    plan = optimize_allocations(
        pools,
        held,
        {"USDC": 20_000.0, "USDT": 50_000.0},
        {"reallocation_margin": 5.0, "yesterday_yield_usd": 21_000.0},
    )
    assert plan.decision.kind == "place_yield"
    placed = sum(plan.allocations.values(), Decimal(0)) - Decimal(str(sum(held.values())))
    assert 20_000 < placed <= 21_000
    assert plan.cash >= 49_000


def test_a_much_better_plan_replaces_what_is_held() -> None:
    plan = optimize_allocations(
        universe(), {"p0": 200_000, "p1": 200_000}, CASH, {"reallocation_margin": 0.05}
    )
    assert plan.decision.kind == "reallocate"
    assert plan.decision.net_new > plan.decision.net_stay + plan.decision.margin


def test_explain_tells_the_apy_that_would_have_brought_a_pool_in() -> None:
    pools = universe()
    plan = optimize_allocations(pools, {}, CASH)
    out = next(each for each in plan.left_out if each.entry_apy is not None)
    assert f"from {out.entry_apy:.4g} %" in explain(plan, out.pool_id)

    def with_apy(apy: float) -> PoolPlan:
        return optimize_allocations(changed(pools, out.pool_id, forecasted_apy=apy), {}, CASH)

    assert out.entry_apy is not None
    assert out.pool_id in with_apy(out.entry_apy + 0.05).allocations
    assert out.pool_id not in with_apy(out.entry_apy - 0.05).allocations


def test_shadow_price_of_a_group_is_what_a_dollar_more_of_it_adds() -> None:
    plan = optimize_allocations(universe(), {}, CASH)
    limit = next(each for each in plan.limits if each.name.startswith("group") and each.shadow_price > 0)
    fraction = getattr(PoolParameters(), limit.name) + 100 / 1e6
    more = optimize_allocations(universe(), {}, CASH, {limit.name: fraction})
    assert more.objective - plan.objective == pytest.approx(100 * limit.shadow_price, rel=1e-3)


def test_without_cash_an_impossible_plan_is_refused_with_the_arithmetic() -> None:
    few = universe(3)
    with pytest.raises(InfeasibleError, match=r"together 75.00% < 100 %, and cash is not allowed"):
        optimize_allocations(few, {}, CASH, {"allow_cash": False})


def test_without_cash_everything_is_placed() -> None:
    plan = optimize_allocations(universe(), {}, CASH, {"allow_cash": False, "group3_max_pct": 0.4})
    assert plan.cash < Decimal("0.01")


def test_nothing_pays_and_all_stays_cash() -> None:
    poor = [replace(pool, forecasted_apy=0.001, gas_in_usd=500.0) for pool in universe()]
    plan = optimize_allocations(poor, {}, CASH)
    assert plan.allocations == {}
    assert plan.cash == 1_000_000


def test_a_frame_is_read_as_pools() -> None:
    frame = pl.DataFrame(
        {
            "pool_id": ["a", "b", "c", "d"],
            "tokens": ["USDC", "USDC,USDT", "USDT", "USDT"],
            "forecasted_apy": [4.0, 5.0, 6.0, 7.0],
            "forecasted_tvl": [1e8] * 4,
            "group": [1, 2, 3, 1],
            "gas_in_usd": [1.0, None, 1.0, 1.0],
        }
    )
    for given in (frame, frame.to_pandas(), frame.to_arrow()):
        plan = optimize_allocations(given, {}, CASH)
        assert set(plan.allocations) == {"a", "b", "c", "d"}


def test_a_token_on_another_chain_is_another_token_and_a_bridge_costs() -> None:
    far = [
        replace(pool, pool_id=f"b{pool.pool_id}", chain="base", forecasted_apy=9.0) for pool in universe(6)
    ]
    pools = [*universe(6), *far]
    cash = {"ethereum:USDC": 1_000_000}
    near = optimize_allocations(pools, {}, cash, {"bridge_rate": 0.0005, "bridge_gas_usd": 10.0})
    assert any(step.verb == "bridge" for step in near.transactions)
    dear = optimize_allocations(pools, {}, cash, {"bridge_rate": 0.05, "bridge_gas_usd": 10.0})
    assert not any(step.verb == "bridge" for step in dear.transactions)
    slow = optimize_allocations(pools, {}, cash, {"bridge_rate": 0.0005, "bridge_days": 29.0})
    assert slow.objective < near.objective


def test_a_plans_own_amounts_are_tomorrows_holdings() -> None:
    first = optimize_allocations(universe(), {}, CASH)
    again = optimize_allocations(universe(), first.allocations, {"USDC": Decimal("0.5")})
    assert again.decision.kind == "place_yield"
    assert again.allocations == first.allocations


def test_nothing_is_placed_beyond_the_last_deposit_whose_rate_is_known() -> None:
    pools = changed(universe(), "p11", rate_model=Piecewise((10_000.0,), (50.0,)))
    assert optimize_allocations(pools, {}, CASH).allocations["p11"] == 10_000
    more = optimize_allocations(pools, {"p11": 30_000}, CASH)
    assert more.allocations["p11"] <= 30_000


@pytest.mark.parametrize("name", ["usdc", "Ethereum:usdc"])
def test_an_expected_loss_of_a_token_is_known_without_case(name: str) -> None:
    sure = optimize_allocations(universe(), {}, CASH, {"token_losses": {name: ExpectedLoss(1.0)}})
    assert {each.tokens for each in sure.positions} == {("ethereum:USDT",)}


def test_a_limit_of_a_name_that_no_pool_bears_is_noted() -> None:
    given = {
        "protocol_max_pct": {"avae": 0.1, "Aave": 0.2, "*": 0.5},
        "token_max_pct": {"USDD": 0.1, "usdc": 0.3, "Ethereum:USDT": 0.3},
    }
    notes = optimize_allocations(universe(), {}, CASH, given).notes
    assert [note for note in notes if "of no pool" in note] == [
        "token_max_pct['USDD'] is of no pool",
        "protocol_max_pct['avae'] is of no pool",
    ]


def test_units_follow_prices() -> None:
    plan = optimize_allocations(universe(), {}, CASH, prices={"USDC": 1.0, "USDT": 0.5})
    flows = [flow for step in plan.transactions for flow in step.gives if flow.token == "ethereum:USDT"]
    assert all(flow.units == pytest.approx(float(flow.amount) * 2) for flow in flows)


@pytest.mark.parametrize("seed", range(12))
def test_the_net_of_a_plan_is_the_sum_of_what_it_tells(seed: int) -> None:
    pools, held, cash, parameters = instances.small(seed)
    plan = optimize_allocations(pools, held, cash, parameters)
    told = sum(each.yield_usd for each in plan.positions) + plan.cash_usd - plan.in_transit_usd
    assert told - float(plan.costs.total) == pytest.approx(plan.objective, abs=0.01)


def test_a_bridge_that_takes_days_costs_the_yield_of_them() -> None:
    here, there = (
        Pool(name, ("USDC",), chain=name, forecasted_apy=apy, forecasted_tvl=1e9)
        for name, apy in (("ethereum", 4.0), ("base", 9.0))
    )
    free = {
        "min_pools": 1,
        "profit_optimization": True,
        "position_max_pct_total_assets": 1.0,
        "group1_max_pct": 1.0,
    }
    costs = {"conversion_rate": 0.0, "bridge_rate": 0.0, "bridge_days": 2.0}
    plan = optimize_allocations([here, there], {}, {"ethereum:USDC": 1e6}, {**free, **costs})
    (bridge,) = [step for step in plan.transactions if step.verb == "bridge"]
    yearly = (math.log(1.04) + math.log(1.09)) / 2
    assert plan.in_transit_usd == pytest.approx(float(bridge.amount) * yearly * 2 / 365, rel=1e-6)
    assert plan.cash_usd == 0
    assert optimize_allocations([here], {}, {"ethereum:USDC": 1e6}, free).in_transit_usd == 0


def test_a_full_group_names_the_room_that_a_cascade_would_open() -> None:
    pools = [replace(pool, group=1) for pool in universe(8)]
    strict = optimize_allocations(pools, {}, CASH)
    (note,) = [note for note in strict.notes if "stay cash" in note]
    total = sum(CASH.values())
    assert note.endswith(
        f'group_room = "cascade" lets safer pools use the ${0.65 * total:,.0f} that riskier groups leave'
    )
    cascade = optimize_allocations(pools, {}, CASH, {"group_room": "cascade"})
    assert not any("cascade" in note for note in cascade.notes)
    assert cascade.cash < strict.cash


FRAME = {"pool_id": ["a", "b"], "tokens": ["USDC", "USDT"], "forecasted_apy": [5.0, 6.0]}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"parameters": {"min_pool": 3}}, r"'min_pool': did you mean min_pools\?"),
    ({"parameters": {"group1_max_pct": 35}}, r"group1_max_pct .* got 35: did you mean 0.35\?"),
    ({"parameters": {"horizon_days": 0}}, "horizon_days must be"),
    ({"parameters": {"max_pools": 2}}, "max_pools 2 is less than min_pools 4"),
    ({"parameters": {"token_max_pct": {"USDC": 40}}}, r"token_max_pct\['USDC'\] .* did you mean 0.4\?"),
    ({"parameters": {"chains": {"ethereum": {"gas": 3}}}}, "gas"),
    (
        {"parameters": {"chains": {"x": ChainCosts(gas_gwei=-1)}}},
        r"chains\['x'\].gas_gwei must be 0",
    ),
    ({"pools": []}, "pools: there are none"),
    ({"pools": [*universe(3), replace(universe(1)[0], forecasted_tvl=-1.0)]}, "row 3 .* stands in row 0"),
    (
        {"pools": [*universe(1), replace(universe(2)[1], forecasted_tvl=-1.0)]},
        r"\(p1\): forecasted_tvl must be 0",
    ),
    (
        {"pools": [replace(universe(1)[0], forecasted_apy=1e9)]},
        r"row 0 \(p0\): forecasted_apy must lie between",
    ),
    ({"pools": [replace(universe(1)[0], group=4)]}, "group must be 1, 2 or 3"),
    (
        {"pools": [replace(universe(1)[0], shares=(0.5,), tokens=("A", "B"))]},
        "shares has 1 entries for 2 tokens",
    ),
    ({"current_allocations": {"nobody": 5.0}}, r"\['nobody'\]: no such pool"),
    ({"current_allocations": {"p0": -5.0}}, r"\['p0'\] must be 0 or more"),
    ({"liquidity_portfolio": {"USDC": float("nan")}}, "finite number"),
    ({"current_allocations": {"p0": 5.0}, "prices": {"USDC": 1.0}}, "held pool's token USDT has no price"),
    ({"method": "guess"}, "method must be exact"),
    ({"parameters": [1]}, "parameters must be a mapping, got list"),
    ({"parameters": {"min_pools": None}}, "min_pools must be a whole number, got nothing"),
    ({"parameters": {"token_losses": {"USDC": 0.1}}}, "token_losses"),
    ({"parameters": {"yesterday_yield_usd": 1e300}}, "yesterday_yield_usd must be 0 or more, and at most"),
    ({"liquidity_portfolio": None}, "liquidity_portfolio must be a mapping, got NoneType"),
    ({"liquidity_portfolio": {}}, "nothing is held in either"),
    (
        {"liquidity_portfolio": {"USDC": 1e13}},
        r"liquidity_portfolio\['USDC'\] must be 0 or more, and at most",
    ),
    ({"liquidity_portfolio": {"USDC": 9e12, "USDT": 9e12}}, "all of liquidity_portfolio and"),
    ({"current_allocations": {"p0": Holding(5.0, -1.0)}}, "days_since_move must be 0 or more"),
    ({"current_allocations": {"old": Holding(5.0, pool="p0")}}, "must be a Pool, got str"),  # pyright: ignore
    ({"pools": [replace(universe(1)[0], pool_id=5)]}, "pool_id must be a text, got 5"),
    ({"pools": [replace(universe(1)[0], chain=None)]}, r"row 0 \(p0\): chain must be a text, got None"),
    ({"pools": [replace(universe(1)[0], tokens="USDC")]}, "tokens must be a tuple of names"),
    ({"pools": [replace(universe(1)[0], tokens=(":",))]}, "tokens must be names"),
    ({"pools": [replace(universe(1)[0], tokens=("0x12",))]}, r"row 0 \(p0\): tokens: an address has"),
    ({"pools": [replace(universe(1)[0], tokens=("usdc", "ethereum:USDC"))]}, "each once"),
    (
        {"pools": [replace(universe(1)[0], tokens=("base:USDC",))]},
        "does not lie on the pool's chain ethereum",
    ),
    (
        {"pools": [replace(universe(1)[0], tokens=("USDC", "USDT"), shares=(1.0, 0.0))]},
        "shares must be more than 0",
    ),
    ({"pools": [replace(universe(1)[0], forecasted_tvl=1e300)]}, "forecasted_tvl must be 0 or more, and at"),
    ({"pools": [replace(universe(1)[0], rate_model="kinked")]}, "rate_model must be Emission, Kinked or"),
    ({"pools": [replace(universe(1)[0], rate_model=Piecewise((float("nan"),), (5.0,)))]}, "finite number"),
    (
        {"pools": pl.DataFrame({**FRAME, "forecasted_tvl": [1e8, None]})},
        r"row 1 \(b\): forecasted_tvl is empty",
    ),
    ({"pools": pl.DataFrame({**FRAME, "group": [None, 1]})}, r"row 0 \(a\): group is empty"),
]


MADE: list[tuple[dict[str, Any], str]] = [
    (
        {"group1_max_pct": 35},
        "parameters: group1_max_pct must be a fraction from 0 to 1, got 35: did you mean 0.35?",
    ),
    ({"min_pools": "4"}, "parameters: min_pools must be a whole number from 0 on, got '4'"),
    ({"max_pools": 2}, "parameters: max_pools 2 is less than min_pools 4"),
    ({"group_room": "all"}, "parameters: group_room must be strict or cascade, got 'all'"),
    ({"allow_cash": "no"}, "parameters: allow_cash must be true or false, got 'no'"),
    ({"token_max_pct": {"USDC": 40}}, "parameters: token_max_pct['USDC'] must be a fraction"),
    (
        {"chains": {"x": ChainCosts(gas_gwei=-1)}},
        "parameters: chains['x'].gas_gwei must be 0 or more, got -1",
    ),
    ({"token_losses": {"USDC": 0.1}}, "parameters: token_losses['USDC'] must be a table of figures, got 0.1"),
    ({"protocol_losses": 3}, "parameters: protocol_losses must be a table of names, got 3"),
]


@pytest.mark.parametrize(("given", "said"), MADE)
def test_parameters_that_cannot_be_obeyed_are_refused_when_they_are_made(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        PoolParameters(**given)
    assert str(refused.value).startswith(said)
    with pytest.raises(InvalidInput, match="parameters: "):
        replace(PoolParameters(), **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"min_pools": "4"}, "parameters: min_pools must be a whole number, got a text"),
        ({"horizon_days": [1]}, "parameters: horizon_days must be a number, got a list"),
        ({"max_pools": 2.5}, "parameters: max_pools must be a whole number or nothing, got a number"),
        (
            {"protocol_losses": {"aave": {"loss": 1}}},
            "parameters: protocol_losses[...].hazard_per_year is missing",
        ),
        ({"chains": {"e": {"gas": 3}}}, "parameters: there is no 'gas' in chains[...]"),
        ({"group_room": "all"}, "parameters: group_room must be strict or cascade, got 'all'"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_in_plain_words(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        optimize_allocations(universe(), {}, CASH, given)
    assert str(refused.value) == said


@pytest.mark.parametrize(("bad", "message"), BAD, ids=[message[:30] for _, message in BAD])
def test_bad_input_gets_one_error_with_row_and_field(bad: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "pools": universe(),
        "current_allocations": {},
        "liquidity_portfolio": CASH,
        **bad,
    }
    with pytest.raises(InvalidInput, match=message):
        optimize_allocations(**given)


def test_a_treasury_under_the_smallest_position_is_told_so() -> None:
    pools = [Pool(f"p{number}", ("USDC",), "aave", "ethereum", 5.0, 5e6) for number in range(6)]
    with pytest.raises(InfeasibleError, match=r"no pool may take \$50\.00 .* smallest position is \$100\.00"):
        optimize_allocations(pools, {}, {"USDC": 50.0}, {"allow_cash": False})
