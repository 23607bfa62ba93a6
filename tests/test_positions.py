"""Adopted plans of pools: positions are allocations of the desk, whose limits are told and never passed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from capdesk import CapitalAllocator
from capdesk.model.commands import Released
from capdesk.model.errors import InvalidInput
from capdesk.model.money import Amount, to_micro
from capdesk.model.pool_plans import Position
from capdesk.model.runs import StoredRun
from capdesk.positions import Adopted, adopt_positions, positions_of
from capdesk.records import Records
from capdesk.runs.pools import bear_costs, pools_run
from capdesk.treasury_day import situation
from tests.decide.pools import instances
from tests.records.conftest import NOW
from tests.test_treasury_day import CASH, LIMITS
from tests.treasuries import DAY, furnish, prices

WIDE = {
    "max_exposure_per_market_percent": 60,
    "max_exposure_per_market_absolute": 5_000_000,
    "max_total_exposure_percent": 100,
}


def position(before: str, amount: str, gas: str = "0", conversion: str = "0", pool: str = "p") -> Position:
    zero = Amount(0)
    return Position(
        pool, "aave-v3", "Ethereum", ("0xa",), (Amount(amount),), Amount(before), Amount(amount), 0.5, 4.0, 1e8, 1,
        10.0, Amount(gas), Amount(conversion), 0.0, zero, "",
    )  # fmt: skip


async def adopt(desk: CapitalAllocator, plan: str, *positions: Position) -> list[Adopted]:
    return await adopt_positions(desk, positions, plan)


async def test_a_position_opens_grows_and_is_left_with_its_profit_and_its_costs() -> None:
    desk = CapitalAllocator(WIDE, 1_000)
    await adopt(desk, "1" * 64, position("0", "500", gas="2"))
    assert (desk.equity, desk.bankroll) == (998, 998)
    # It earned 10; 100 more go in at 1.
    await adopt(desk, "2" * 64, position("510", "610", gas="1"))
    assert (desk.equity, desk.bankroll) == (1_007, 997)
    held = await desk.get_allocation("p", "pools")
    assert held is not None
    assert (held.amount, held.mark) == (600, 610)
    # A half of 610 comes out, and with it half of the profit.
    await adopt(desk, "3" * 64, position("610", "305", gas="1"))
    assert (desk.equity, desk.bankroll) == (1_006, 1_001)
    # The rest has lost 5.
    (left,) = await adopt(desk, "4" * 64, position("300", "0", gas="1"))
    assert left.done == "released"
    assert (desk.equity, desk.bankroll) == (1_000, 1_000)
    assert await desk.get_allocations() == []


async def test_a_plan_that_is_adopted_again_changes_nothing() -> None:
    desk = CapitalAllocator(WIDE, 1_000)
    moves = (position("0", "500", gas="2"), position("0", "100", pool="q"))
    first = await adopt(desk, "1" * 64, *moves)
    equity = desk.equity
    assert await adopt(desk, "1" * 64, *moves) == first
    assert desk.equity == equity
    moves = (position("510", "200", gas="1"), position("100", "100", pool="q"))
    first = await adopt(desk, "2" * 64, *moves)
    equity = desk.equity
    assert await adopt(desk, "2" * 64, *moves) == first
    assert desk.equity == equity


async def test_what_a_limit_cuts_or_refuses_is_told_with_its_reason() -> None:
    desk = CapitalAllocator(WIDE | {"max_exposure_per_market_absolute": 300}, 1_000)
    cut, whole = await adopt(desk, "1" * 64, position("0", "500", gas="1"), position("0", "200", pool="q"))
    assert (cut.done, cut.asked, cut.granted, cut.value, cut.whole) == ("opened", 501, 300, 299, False)
    assert "market_absolute is $300.00" in cut.why
    assert whole.whole
    assert not whole.why
    await desk.halt("a test")
    kept = position("299", "299"), position("200", "200", pool="q")
    *_, refused = await adopt(desk, "2" * 64, *kept, position("0", "50", pool="r"))
    assert (refused.done, refused.granted, refused.value) == ("refused", 0, 0)
    assert "a test" in refused.why
    less, more = await adopt(desk, "3" * 64, position("299", "400"), position("200", "50", pool="q"))
    assert (more.done, more.value) == ("refused", 299)
    assert (less.done, less.value) == ("released", 50)


async def test_a_plan_from_balances_of_before_is_refused_and_books_nothing() -> None:
    desk = CapitalAllocator(WIDE, 1_000)
    await adopt(desk, "1" * 64, position("0", "500", gas="2"), position("0", "100", pool="q"))
    for stale in ([position("0", "600")], [position("0", "600", pool="r"), position("498", "0")]):
        with pytest.raises(
            InvalidInput, match=r"the desk holds .*USDC aave \(\$100\.00\).* have nothing there"
        ):
            await adopt_positions(desk, stale, "2" * 64, names={"q": "USDC aave"})
    assert (desk.equity, desk.bankroll) == (998, 998)
    assert len(await desk.get_allocations()) == 2
    # Another treasury of the same desk has allocations of its own.
    (opened,) = await adopt_positions(desk, [position("0", "50", pool="r")], "3" * 64, strategy="others")
    assert opened.whole


@pytest.mark.parametrize("limit", [300, 600])
async def test_what_is_sent_although_it_was_cut_counts_once_and_is_asked_for_again(limit: int) -> None:
    desk = CapitalAllocator(WIDE | {"max_exposure_per_market_absolute": 300}, 1_000)
    cut, refused = await adopt(desk, "1" * 64, position("0", "500", gas="1"), position("0", "450", pool="q"))
    assert (cut.granted, refused.granted) == (300, 300)
    # 951 of 1,000 were sent all the same; it earned 5 and 4.
    await desk.update_mandate(WIDE | {"max_exposure_per_market_absolute": limit}, reason="a test")
    moves = position("505", "505"), position("454", "454", pool="q")
    sent = [each for each in await adopt(desk, "2" * 64, *moves) if each.done == "sent"]
    lacking = 0 if limit == 600 else 200 + 150
    assert sum(each.asked - each.granted for each in sent) == lacking
    assert all(each.whole == (limit == 600) for each in sent)
    assert desk.equity == 505 + 454 + 49
    assert await adopt(desk, "2" * 64, *moves) != []
    assert desk.equity == 1_008
    # A day later it has earned 2 more, a part comes out, and the other is left.
    await adopt(desk, "3" * 64, position("506", "256", gas="1"), position("455", "0", pool="q"))
    assert desk.equity == 1_009
    await adopt(desk, "4" * 64, position("257", "0"))
    assert (desk.equity, desk.bankroll) == (1_010, 1_010)


@pytest.mark.parametrize("earned", [3, -3])
async def test_a_position_partly_outside_the_desk_shows_its_losses_as_its_gains(earned: int) -> None:
    desk = CapitalAllocator(WIDE | {"max_exposure_per_market_absolute": 300}, 1_000)
    await adopt(desk, "1" * 64, position("0", "500"))
    # The desk refuses the 200 that were sent all the same, and a day later again.
    await adopt(desk, "2" * 64, position("500", "500"))
    now = str(500 + earned)
    (sent, kept) = await adopt(desk, "3" * 64, position(now, now))
    assert (sent.done, sent.asked - sent.granted, kept.value) == ("sent", 200, 300 + earned)
    assert desk.equity == 1_000 + earned


async def test_a_plan_adopted_again_changes_nothing_where_what_was_sent_has_left() -> None:
    desk = CapitalAllocator(WIDE | {"max_exposure_per_market_absolute": 300}, 1_000)
    await adopt(desk, "1" * 64, position("0", "500"))
    first = await adopt(desk, "2" * 64, position("500", "0"))
    assert [each.done for each in first] == ["sent", "released"]
    assert await desk.get_allocations() == []
    assert await adopt(desk, "2" * 64, position("500", "0")) == first
    assert desk.equity == 1_000


async def test_a_position_that_was_granted_less_than_it_cost_is_left_with_its_pool() -> None:
    limits = WIDE | {"max_exposure_per_market_absolute": 300}
    desk = CapitalAllocator(limits | {"max_total_exposure_percent": 30}, 1_000)
    await adopt(desk, "1" * 64, position("0", "300", pool="q"), position("0", "200", gas="10"))
    # 10 more may be granted, which is less than what the 200 have lost.
    await desk.update_mandate(limits | {"max_total_exposure_percent": 31}, reason="a test")
    await adopt(desk, "2" * 64, position("300", "300", pool="q"), position("190", "0"))
    assert [each.market_id for each in await desk.get_allocations()] == ["q"]
    await adopt(desk, "3" * 64, position("300", "300", pool="q"))
    assert desk.equity == 990


async def test_what_was_cut_and_not_sent_is_not_asked_for() -> None:
    desk = CapitalAllocator(WIDE | {"max_exposure_per_market_absolute": 300}, 1_000)
    await adopt(desk, "1" * 64, position("0", "500", gas="1"))
    (kept,) = await adopt(desk, "2" * 64, position("301", "301"))
    assert (kept.done, kept.value, desk.equity) == ("kept", 301, 1_001)


async def test_releases_come_first_so_that_what_comes_out_can_go_in() -> None:
    desk = CapitalAllocator(WIDE, 1_000)
    await adopt(desk, "1" * 64, position("0", "500"), position("0", "500", pool="q"))
    moved = await adopt(desk, "2" * 64, position("500", "590", gas="10"), position("500", "400", pool="q"))
    assert [(each.pool_id, each.done) for each in moved] == [("q", "released"), ("p", "increased")]
    assert all(each.whole for each in moved)
    assert desk.equity == 990


async def test_conversions_that_feed_no_deposit_are_paid_by_what_was_withdrawn() -> None:
    desk = CapitalAllocator(WIDE, 1_000)
    await adopt(desk, "1" * 64, *(position("0", "300", pool=name) for name in "pqr"))
    moved = (
        position("300", "200", gas="1"),
        position("300", "100", pool="q"),
        position("300", "300", pool="r"),
    )
    positions, elsewhere = bear_costs(moved, Amount("1.000001"))
    assert ([each.conversion for each in positions], elsewhere) == ([0, Amount("0.000001"), 0], 0)
    positions, elsewhere = bear_costs(moved, Amount("4"))
    assert ([each.conversion for each in positions], elsewhere) == ([1, 2, 0], 0)
    await adopt_positions(desk, positions, "2" * 64, elsewhere=elsewhere)
    assert (desk.equity, desk.bankroll) == (996, 996)
    fees = [
        event.fees
        for pool in "pqr"
        for entry in await desk.explain(pool)
        for event in entry.events
        if isinstance(event, Released)
    ]
    assert fees == [2_000_000, 2_000_000]


async def test_conversions_from_cash_to_cash_are_paid_as_a_market_of_their_own() -> None:
    desk = CapitalAllocator(WIDE, 1_000)
    await adopt(desk, "1" * 64, position("0", "500"))
    positions, elsewhere = bear_costs([position("500", "500")], Amount("1.5"))
    for _ in range(2):
        kept, paid = await adopt_positions(desk, positions, "2" * 64, elsewhere=elsewhere)
        assert (kept.done, paid.done, paid.granted, paid.value, paid.whole) == ("kept", "paid", 1.5, 0, True)
        assert (desk.equity, desk.bankroll) == (998.5, 998.5)
    assert await desk.get_allocation("conversions", "pools") is None
    await desk.halt("a test")
    kept, refused = await adopt_positions(desk, positions, "3" * 64, elsewhere=Amount(1))
    assert kept.done == "kept"
    assert (refused.done, refused.whole, desk.equity) == ("refused", False, 998.5)
    assert "a test" in refused.why


@pytest.mark.parametrize("seed", [3, 8, 21, 57, 104, 111, 203, 310])
async def test_the_desk_follows_a_treasury_of_several_chains_to_the_micro_unit(seed: int) -> None:
    pools, held, cash, parameters = instances.small(seed)
    plan, run = pools_run(DAY, pools, held, cash, parameters)
    total = sum(plan.allocations.values(), plan.cash) + plan.costs.total
    desk = CapitalAllocator(
        WIDE | {"max_exposure_per_market_percent": 100, "max_exposure_per_market_absolute": 10**9}, total
    )
    before = [position("0", str(each.before), pool=each.pool_id) for each in plan.positions if each.before]
    await adopt(desk, "0" * 64, *before)
    positions, elsewhere = positions_of(StoredRun(1, NOW, True, "1" * 64, run))
    adopted = await adopt_positions(desk, positions, "1" * 64, elsewhere=elsewhere)
    assert all(each.whole for each in adopted)
    assert desk.equity == total - plan.costs.total
    allocations = await desk.get_allocations("pools")
    assert {each.market_id: each.mark or each.amount for each in allocations} == plan.allocations
    details = run.outcome.details
    assert sum(each.gas + each.conversion_cost for each in details) == to_micro(plan.costs.total)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with furnish(tmp_path / "records.db") as opened:
        opened.write(prices(DAY))
        yield opened


def test_a_stored_run_gives_its_positions_and_the_audit_shows_them_in_the_waterfall(records: Records) -> None:
    plan, run = situation(records, DAY, {}, CASH, LIMITS).plan()
    stored = records.save_run(run)
    assert positions_of(stored) == (plan.positions, 0)

    async def visit() -> None:
        desk = CapitalAllocator(WIDE, 1_000_000)
        await adopt_positions(desk, plan.positions, stored.hash)
        audit = await desk.audit()
        assert desk.equity == 1_000_000 - plan.costs.total
        held = {each.market_id: each.amount for each in await desk.get_allocations("pools")}
        assert held == plan.allocations
        (shown,) = [each for each in audit.steps if each.name == "positions"]
        assert shown.amount == sum(plan.allocations.values())

    asyncio.run(visit())


def test_a_run_that_a_later_one_replaced_is_not_adopted(records: Records) -> None:
    _, run = situation(records, DAY, {}, CASH, LIMITS).plan()
    old = records.save_run(run).number
    records.save_run(run)
    with pytest.raises(InvalidInput, match="is not the latest of 2026-02-16"):
        positions_of(records.run(old))
    stored = records.run("latest")
    with pytest.raises(InvalidInput, match="plans weights, not pools"):
        positions_of(replace(stored, run=replace(stored.run, kind="weights")))
