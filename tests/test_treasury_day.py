"""A day's decision is put together from the records: what is held, since when, at which prices and gas."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from capdesk.model.errors import InvalidInput
from capdesk.model.lists import APPROVED_TOKENS, ICEBOX_TOKENS
from capdesk.model.market_rows import Gas, PoolDay, PoolFacts, Price
from capdesk.model.pool_parameters import ChainCosts, ExpectedLoss, PoolParameters
from capdesk.model.tokens import Token
from capdesk.records import Records
from capdesk.treasury_day import on_ice_plans, situation, with_gas
from capdesk.treasury_prices import end_of
from tests.treasuries import COIN, DAY, TVL, USDC, USDT, days, figures, furnish, prices

LIMITS = PoolParameters(
    min_pools=1, profit_optimization=True, position_max_pct_total_assets=0.5, group1_max_pct=1.0,
    group2_max_pct=1.0, group3_max_pct=1.0, group_room="cascade",
)  # fmt: skip
CASH = {USDC.token_id: 1_000_000.0}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with furnish(tmp_path / "records.db") as opened:
        yield opened


def test_prices_are_those_of_the_day_or_the_day_before_and_a_peg_only_where_it_is_asked_for(
    records: Records,
) -> None:
    records.write([Price(DAY - dt.timedelta(days=1), USDC, Decimal("0.998"))])
    assert situation(records, DAY, {}, CASH, LIMITS).prices == {USDC.token_id: 0.998}
    at_peg = situation(records, DAY, {}, CASH, LIMITS, at_peg=True).prices
    assert at_peg == {USDC.token_id: 0.998, USDT.token_id: 1.0}
    plan, _ = situation(records, DAY, {}, CASH, LIMITS).plan()
    assert "aave-usdt" not in plan.allocations


def test_a_pool_that_is_held_and_not_known_is_refused(records: Records) -> None:
    with pytest.raises(InvalidInput, match="pools that the records do not know: elsewhere"):
        situation(records, DAY, {"elsewhere": 5.0}, CASH, LIMITS)


def test_a_position_larger_than_its_pool_is_refused(records: Records) -> None:
    records.write(prices(DAY))
    too_much = TVL["spark-usdc"] * 1.02
    with pytest.raises(InvalidInput) as refused:
        situation(records, DAY, {"spark-usdc": too_much}, CASH, LIMITS)
    for words in ("USDC sparklend Ethereum (spark-usdc)", "$51,000,000.00", "$50,000,000.00", "price"):
        assert words in str(refused.value)
    assert situation(records, DAY, {"spark-usdc": too_much}, CASH, LIMITS, tvl_holds_ours=False).held
    assert situation(records, DAY, {"spark-usdc": TVL["spark-usdc"] * 1.005}, CASH, LIMITS).held


BASE = Token("Base", "USDC", "0x" + "c" * 40, "USD")


@pytest.mark.parametrize("named", ["USDC", "usdc"])
def test_a_limit_of_a_symbol_holds_for_all_its_approved_tokens_together(records: Records, named: str) -> None:
    records.write([*prices(DAY), Price(DAY, BASE, Decimal(1))])
    records.write([PoolFacts("aave-base", "Base", "aave-v3", "USDC", (BASE,))])
    records.write([PoolDay("aave-base", DAY, tvl=10**14, apy=9.0)])
    records.add(APPROVED_TOKENS, [BASE.token_id], "sound", end_of(DAY))

    def share(limits: PoolParameters) -> float:
        plan, _ = situation(records, DAY, {}, CASH, limits).plan()
        return sum(each.weight for each in plan.positions if each.pool_id != "aave-usdt")

    assert share(LIMITS) > 0.4
    assert share(replace(LIMITS, token_max_pct={named: 0.3})) == pytest.approx(0.3, abs=1e-3)
    own = {named: 0.3, USDC.token_id: 0.1, BASE.token_id: 0.15}
    assert share(replace(LIMITS, token_max_pct=own)) == pytest.approx(0.25, abs=1e-3)
    # What has a limit by its symbol is none of the others.
    assert share(replace(LIMITS, token_max_pct={named: 0.3, "*": 0.05})) == pytest.approx(0.3, abs=1e-3)
    group = {"circle": (USDC.token_id.upper().replace("0X", "0x"), BASE.token_id)}
    grouped = replace(LIMITS, token_groups=group, token_max_pct={"circle": 0.2})
    assert share(grouped) == pytest.approx(0.2, abs=1e-3)
    lossy = replace(LIMITS, token_losses={named: ExpectedLoss(1.0)})
    assert share(lossy) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token_max_pct": {"USDCC": 0.3}}, "token_max_pct['USDCC'] is of no approved token: did you mean USDC?"),
        ({"token_losses": {"DAI": ExpectedLoss(0.1)}}, "token_losses['DAI'] is of no approved token"),
        ({"token_max_pct": {"ethereum:0x" + "a" * 39 + "d": 0.3}}, "the records: did you mean ethereum:0xaa"),
        ({"token_groups": {"x": ["base:DAI"]}}, "token_groups['x'] is of no token in the records"),
        ({"protocol_max_pct": {"aave": 0.3}}, "['aave'] is of no pool in the records: did you mean aave-v3?"),
        ({"protocol_losses": {"curve": ExpectedLoss(0.1)}}, "protocol_losses['curve'] is of no pool in the records"),
        ({"chain_max_pct": {"etherum": 0.3}}, "['etherum'] is of no pool in the records: did you mean Ethereum?"),
    ],
)  # fmt: skip
def test_a_limit_of_a_name_that_nothing_has_is_refused(
    records: Records, given: dict[str, Any], said: str
) -> None:
    records.write(prices(DAY))
    with pytest.raises(InvalidInput) as refused:
        situation(records, DAY, {}, CASH, replace(LIMITS, **given))
    assert said in str(refused.value)
    named: dict[str, Any] = {
        "protocol_max_pct": {"AAVE-v3": 0.3, "*": 0.5},
        "chain_max_pct": {"ethereum": 0.6},
        "token_max_pct": {"*": 0.5},
    }
    assert situation(records, DAY, {}, CASH, replace(LIMITS, **named)).pools


def test_a_day_on_which_no_pool_is_in_is_refused(records: Records) -> None:
    with pytest.raises(InvalidInput, match="none of the 3 pools in the records is in on 2026-02-17"):
        situation(records, DAY + dt.timedelta(days=1), {}, CASH, LIMITS)


def test_a_position_on_paper_is_added_to_the_tvl_and_a_real_one_is_in_it(records: Records) -> None:
    held = {"aave-usdc": 1_000_000.0}
    for real, expected in ((True, TVL["aave-usdc"]), (False, TVL["aave-usdc"] + 1_000_000)):
        standing = situation(records, DAY, held, CASH, LIMITS, tvl_holds_ours=real)
        tvl = {each.pool_id: each.forecasted_tvl for each in standing.pools}
        assert tvl["aave-usdc"] == expected
        assert tvl["spark-usdc"] == TVL["spark-usdc"]


def test_gas_is_the_mean_of_the_recorded_week_at_the_price_of_its_coin(records: Records) -> None:
    records.write([Gas(day, "ethereum", Decimal(gwei)) for day, gwei in zip(days(8), range(8), strict=True)])
    records.write([Price(DAY, COIN, Decimal(2_000))])
    given = PoolParameters(chains={"ethereum": ChainCosts(gas_gwei=99.0, deposit_units=100_000)})
    costs = with_gas(given, records, DAY, {"ethereum"}).chains["ethereum"]
    # The mean of 1..7 gwei: the day before them is older than a week.
    assert (costs.gas_gwei, costs.native_price_usd, costs.deposit_units) == (4.0, 2_000.0, 100_000)
    assert costs.gas_usd(100_000) == pytest.approx(100_000 * 4e-9 * 2_000)
    assert with_gas(given, records, DAY, {"base"}) == given


def test_gas_whose_coin_has_no_price_is_refused_unless_one_is_given(records: Records) -> None:
    records.write([Gas(DAY, "ethereum", Decimal(1))])
    with pytest.raises(InvalidInput, match=r"import the price of ethereum:native, or set chains\.ethereum"):
        with_gas(PoolParameters(), records, DAY, {"ethereum"})
    given = PoolParameters(chains={"ethereum": ChainCosts(native_price_usd=2_500.0)})
    assert with_gas(given, records, DAY, {"ethereum"}).chains["ethereum"].gas_gwei == 1.0


def test_a_cool_down_counts_from_the_latest_plan_that_moved_a_position(records: Records) -> None:
    first, second = days(2, DAY + dt.timedelta(days=1))
    records.write([*prices(first), *prices(second), *figures(second)])
    _, run = situation(records, first, {}, CASH, LIMITS).plan()
    moved = {step["pool_id"] for step in run.outcome.result["transactions"] if step["pool_id"]}
    records.save_run(run)
    held = dict.fromkeys(TVL, 1_000.0)
    cooling = PoolParameters(min_pools=1, cool_down_days=2)
    since = {
        name: each.days_since_move
        for name, each in situation(records, second, held, CASH, cooling).held.items()
    }
    assert moved
    assert since == {name: 1 if name in moved else None for name in TVL}
    assert situation(records, second, held, CASH, LIMITS).held["aave-usdc"].days_since_move is None


def test_each_answer_to_an_iced_coin_is_planned(records: Records) -> None:
    records.write(prices(DAY))
    records.add(ICEBOX_TOKENS, [USDC.token_id], "a rumour", end_of(DAY))
    held = {"aave-usdc": 400_000.0, "spark-usdc": 300_000.0}
    standing = situation(records, DAY, held, {USDT.token_id: 300_000.0}, LIMITS)
    assert standing.iced == set(held)
    left = {
        choice: {pool: float(plan.allocations.get(pool, 0)) for pool in held}
        for choice, plan in on_ice_plans(standing).items()
    }
    assert left["exit"] == dict.fromkeys(held, 0.0)
    assert left["freeze"] == held
    assert all(left["reduce"][pool] <= held[pool] for pool in held)


def test_the_run_carries_the_lists_of_the_day_and_what_was_held(records: Records) -> None:
    records.write(prices(DAY))
    plan, run = situation(records, DAY, {"aave-usdc": 100_000.0}, CASH, LIMITS).plan()
    assert {each.name for each in run.lists.approved_tokens} == {USDC.token_id, USDT.token_id}
    assert run.inputs["current_allocations"]["aave-usdc"]["value_usd"] == 100_000
    assert run.day == DAY
    before, costs = Decimal(1_100_000), plan.costs.total
    assert sum(plan.allocations.values()) + plan.cash + costs == before
