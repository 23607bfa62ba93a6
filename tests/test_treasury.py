"""A treasury's survey: which pools are in and what becomes of those that are held, and the icebox that fills itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from capdesk.decide.pools.eligibility import EligibilityRules, OnIce
from capdesk.decide.pools.icebox import IceRules
from capdesk.model.lists import APPROVED_PROTOCOLS, BLACKLISTED_TOKENS, ICEBOX_TOKENS
from capdesk.model.market_rows import PoolDay, PoolFacts, Price
from capdesk.model.money import MICRO
from capdesk.model.tokens import Token
from capdesk.pools import Emission, Kinked
from capdesk.records import Records
from capdesk.treasury import (
    SurveyRules,
    end_of,
    fill_icebox,
    pool_names,
    pools_for,
    spoken,
    survey,
    write_forecasts,
)
from tests.treasuries import DAY, POOLS, USDC, USDT, days, figures, furnish, prices


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with furnish(tmp_path / "records.db") as opened:
        yield opened


def pools(
    records: Records, held: tuple[str, ...] = (), rules: SurveyRules | None = None
) -> dict[str, tuple[str, str]]:
    rules = rules or SurveyRules()
    made = pools_for(survey(records, DAY, rules), dict.fromkeys(held), rules)
    return {each.pool_id: (each.status, each.reason) for each in made}


def test_what_is_in_is_open_and_what_is_out_is_left_out_unless_it_is_held(records: Records) -> None:
    records.remove(APPROVED_PROTOCOLS, ["sparklend"], "hacked", end_of(DAY))
    assert set(pools(records)) == {"aave-usdc", "aave-usdt"}
    made = pools(records, held=("spark-usdc",))
    assert made["spark-usdc"] == ("exit", "the protocol sparklend is not approved")
    assert made["aave-usdc"] == ("open", "")


@pytest.mark.parametrize("on_ice", ["exit", "reduce", "freeze"])
def test_a_held_pool_whose_only_fault_is_an_iced_coin_is_treated_as_told(
    records: Records, on_ice: OnIce
) -> None:
    records.add(ICEBOX_TOKENS, [USDT.token_id], "a rumour", end_of(DAY))
    rules = SurveyRules(eligibility=EligibilityRules(on_ice=on_ice))
    assert pools(records, ("aave-usdt",), rules)["aave-usdt"] == (
        on_ice,
        "the token USDT is on ice: a rumour",
    )
    records.add(BLACKLISTED_TOKENS, [USDT.token_id], "worse", end_of(DAY))
    assert pools(records, ("aave-usdt",), rules)["aave-usdt"][0] == "exit"


def test_our_own_deposit_does_not_carry_a_pool_over_the_least_tvl(records: Records) -> None:
    records.write([PoolDay("spark-usdc", DAY, tvl=600_000 * MICRO, apy=5.0)])
    own = {"spark-usdc": 200_000 * MICRO}
    judged = {each.facts.pool_id: each.eligibility for each in survey(records, DAY, own=own)}
    assert judged["spark-usdc"].reasons == ("its TVL without our own deposit is $400,000, under $500,000",)
    assert all(each.eligibility.eligible for each in survey(records, DAY))


def test_a_pool_without_figures_for_the_day_is_out_and_must_be_left(records: Records) -> None:
    later = DAY + dt.timedelta(days=1)
    records.write(figures(later, ["aave-usdc"]))
    made = pools_for(survey(records, later), {"aave-usdt": None})
    assert {each.pool_id: each.status for each in made} == {"aave-usdc": "open", "aave-usdt": "exit"}


def test_what_was_told_later_is_not_known_on_the_day(records: Records) -> None:
    later = DAY + dt.timedelta(days=1)
    records.write([PoolDay("aave-usdc", later, tvl=1, apy=99.0)])
    records.remove(APPROVED_PROTOCOLS, ["aave-v3"], "hacked", end_of(later))
    assert all(each.eligibility.eligible for each in survey(records, DAY))


def test_a_deposit_dilutes_the_rate_unless_a_pool_has_a_model_of_its_own(records: Records) -> None:
    kinked = Kinked(utilisation=0.8)
    rules = SurveyRules(rate_models={"*": Emission(), "aave-usdc": kinked})
    made = {each.pool_id: each.rate_model for each in pools_for(survey(records, DAY, rules), {}, rules)}
    assert made == {"aave-usdc": kinked, "spark-usdc": Emission(), "aave-usdt": Emission()}
    none = SurveyRules(rate_models={})
    assert {each.rate_model for each in pools_for(survey(records, DAY, none), {}, none)} == {None}


def test_forecasts_are_kept_beside_the_figures(records: Records) -> None:
    write_forecasts(records, DAY, survey(records, DAY))
    assert records.forecasts(DAY)["aave-usdt"] == (6.0, 80_000_000 * MICRO)
    assert records.forecast_errors(DAY)["aave-usdt"] == (None, None)
    before = DAY - dt.timedelta(days=1)
    records.write([PoolDay("aave-usdt", before, 10**12, 5.5), PoolDay("aave-usdc", before, 10**12, 4.0)])
    write_forecasts(records, DAY, survey(records, DAY))
    errors = records.forecast_errors(DAY)
    assert (errors["aave-usdt"], errors["aave-usdc"]) == ((0.5, 0.5), (0.0, 0.0))


def test_a_coin_that_closes_a_percent_below_is_iced_and_comes_back_after_its_days_at_the_peg(
    records: Records,
) -> None:
    rules = IceRules(return_days=3)
    closes = ["1", "0.9901", "0.99", "0.995", "1", "1"]
    told: list[tuple[list[str], list[str]]] = []
    for day, close in zip(days(len(closes)), closes, strict=True):
        records.write(prices(day, usdc=close))
        told.append(fill_icebox(records, day, rules))
    nothing: tuple[list[str], list[str]] = ([], [])
    assert told == [nothing, nothing, ([USDC.token_id], []), nothing, nothing, ([], [USDC.token_id])]
    (stay,) = records.stays(ICEBOX_TOKENS)
    assert stay.added_reason.startswith("closed at 0.9900 of its peg on 2026-02-13")
    assert stay.removed_reason == "3 days at its peg to 2026-02-16"


def test_a_coin_above_its_peg_is_left_alone_and_one_iced_by_hand_stays(records: Records) -> None:
    records.add(ICEBOX_TOKENS, [USDT.token_id], "a rumour", end_of(days(9)[0]))
    for day in days(9):
        records.write(prices(day, usdc="1.05"))
        assert fill_icebox(records, day, IceRules()) == ([], [])
    assert [each.name for each in records.lists(end_of(DAY)).icebox_tokens] == [USDT.token_id]


def test_a_price_on_no_chain_ices_every_token_of_its_symbol(records: Records) -> None:
    coin = Token("", "USDC", None, "USD")
    records.write([Price(DAY, coin, Decimal("0.97"))])
    iced, _ = fill_icebox(records, DAY, IceRules())
    assert iced == [USDC.token_id]
    assert set(pools(records)) == {"aave-usdt"}


def test_a_coin_whose_prices_fell_silent_waits_its_days_at_the_peg(records: Records) -> None:
    fallen, back = days(1)[0], DAY + dt.timedelta(days=200)
    records.write(prices(fallen, usdc="0.9"))
    fill_icebox(records, fallen, IceRules())
    records.write(prices(back, usdc="1"))
    assert fill_icebox(records, back, IceRules()) == ([], [])
    for number in range(1, 7):
        records.write(prices(back + dt.timedelta(days=number), usdc="1"))
    settled = back + dt.timedelta(days=6)
    assert fill_icebox(records, settled, IceRules()) == ([], [USDC.token_id])


def test_pools_that_are_called_alike_are_told_apart_by_the_head_of_their_id() -> None:
    alike = PoolFacts("9abcdef", "Ethereum", "aave-v3", "USDC", (USDC,))
    names = pool_names({each.pool_id: each for each in (*POOLS, alike)})
    assert names["aave-usdc"] == "USDC aave-v3 Ethereum aave"
    assert names["9abcdef"] == "USDC aave-v3 Ethereum 9abc"
    assert names["spark-usdc"] == "USDC sparklend Ethereum"


def test_a_sentence_is_spoken_with_names_the_longest_id_first() -> None:
    assert spoken("p1 and p10 are full", {"p1": "one", "p10": "ten"}) == "one and ten are full"
    assert spoken("nothing", {"p1": "one"}) == "nothing"


def test_a_reward_is_cut_by_the_token_that_it_is_paid_in(records: Records) -> None:
    crv = "ethereum:0xd533a949740bb3306d119cc777fa900ba034cd52"
    paid = [
        replace(POOLS[0], reward_tokens=(crv,)),
        replace(POOLS[1], reward_tokens=("ethereum:0x" + "d" * 40,)),
    ]
    rates = [PoolDay(each.pool_id, DAY, 10**14, 5.0, apy_base=3.0, apy_reward=2.0) for each in POOLS]
    records.write([*paid, *rates])
    assert [records.pools()[each.pool_id] for each in paid] == paid
    rules = SurveyRules(haircuts={"Ethereum:0xD533a949740bb3306d119CC777fa900bA034cd52": 0.5, "*": 0.1})
    found = {each.facts.pool_id: each.forecast for each in survey(records, DAY, rules)}
    assert {name: each.apy for name, each in found.items() if each} == pytest.approx(
        {"aave-usdc": 4.0, "spark-usdc": 4.8, "aave-usdt": 4.8}
    )
