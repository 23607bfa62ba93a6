"""Which pools are in, and every reason why one is out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace

from capdesk.decide.pools.eligibility import EligibilityRules, Names, eligibility
from capdesk.model.lists import Listed, Lists
from capdesk.model.market_rows import PoolDay, PoolFacts
from capdesk.model.tokens import Token

USDC = Token("Ethereum", "USDC", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USD")
FAKE = Token("Ethereum", "USDC", "0x00000000000000000000000000000000000000aa", "USD")
BRIDGED = Token("Avalanche", "USDC.E", "0xa7d7079b0fead91f3e65f86e8915cb59c1a4c664", "USD")
DAI = Token("Ethereum", "DAI", "0x6b175474e89094c44da98b954eedeac495271d0f", "USD")
TODAY = dt.date(2026, 2, 27)


def listed(*names: str, reason: str = "") -> tuple[Listed, ...]:
    return tuple(Listed(name, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), reason) for name in names)


def pool(*tokens: Token, **fields: Any) -> PoolFacts:
    given: dict[str, Any] = {"chain": "Ethereum", "project": "aave-v3", "symbol": "USDC", **fields}
    return PoolFacts("p", tokens=tokens or (USDC,), **given)


def day(tvl_usd: float = 1e6, apy: float = 4.0, **fields: Any) -> PoolDay:
    return PoolDay("p", TODAY, int(tvl_usd * 1e6), apy, **fields)


APPROVED = Lists(approved_tokens=listed(USDC.token_id, DAI.token_id), approved_protocols=listed("Aave-v3"))


def reasons(
    facts: PoolFacts, today: PoolDay | None, lists: Lists = APPROVED, own: int = 0, **rules: Any
) -> tuple[str, ...]:
    return eligibility(facts, today, Names(lists), EligibilityRules(**rules), own).reasons


def test_an_approved_pool_is_in() -> None:
    assert reasons(pool(), day()) == ()


def test_a_coin_of_the_same_name_at_another_address_is_another_coin() -> None:
    (reason,) = reasons(pool(FAKE), day())
    assert reason == f"the token USDC ({FAKE.token_id}) is not approved"
    assert "USDC.E" in reasons(pool(BRIDGED), day())[0]


def test_every_reason_is_told() -> None:
    facts = pool(FAKE, project="ghost", il_risk=True)
    told = reasons(facts, day(tvl_usd=400_000, apy=-1.0, outlier=True))
    assert len(told) == 6


def test_the_blacklist_beats_approval() -> None:
    lists = replace(APPROVED, blacklisted_tokens=listed(DAI.token_id))
    assert reasons(pool(USDC, DAI), day(), lists) == (f"the token DAI ({DAI.token_id}) is blacklisted",)


def test_an_iced_coin_says_why_it_is_on_ice_and_that_nothing_else_is_wrong() -> None:
    lists = replace(APPROVED, icebox_tokens=listed(USDC.token_id, reason="closed at 0.9611 of its peg"))
    told = eligibility(pool(), day(), Names(lists))
    assert told.reasons == ("the token USDC is on ice: closed at 0.9611 of its peg",)
    assert told.iced
    assert not eligibility(pool(project="ghost"), day(), Names(lists)).iced


@pytest.mark.parametrize(
    ("tvl", "own", "is_in"), [(500_000, 0, True), (499_999, 0, False), (600_000, 100_001, False)]
)
def test_the_smallest_tvl_is_that_of_others(tvl: float, own: float, is_in: bool) -> None:
    assert (not reasons(pool(), day(tvl_usd=tvl), own=int(own * 1e6))) is is_in


def test_a_pool_without_a_figure_for_the_day_is_out() -> None:
    (reason,) = reasons(pool(), None)
    assert reason.startswith("it has no figures for the day")


def test_doubtful_figures_are_out_unless_asked() -> None:
    assert reasons(pool(), day(outlier=True)) == ("its source doubts its APY of 4 %",)
    assert reasons(pool(), day(apy=400)) == ("above 100 % is doubtful: its APY of 400 %",)
    assert reasons(pool(), day(apy=400, outlier=True), outliers=True) == ()


def test_impermanent_loss_is_out_unless_asked() -> None:
    assert reasons(pool(il_risk=True), day()) == ("it may lose to its own price moves (impermanent loss)",)
    assert reasons(pool(il_risk=True), day(), impermanent_loss=True) == ()
