"""The seed's report, and the story of a market."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from capdesk import Amount, CapitalAllocator
from tests.desk.conftest import MakeDesk
from tests.desk.support import START, Clock, length, roomy

KEYS = [
    "bankroll",
    "total_allocated",
    "available",
    "utilization_percent",
    "max_total_allowed",
    "headroom",
    "num_allocated_markets",
    "allocations",
]


async def test_the_report_has_the_keys_and_figures_of_the_seed(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    for number in range(6):
        await desk.request_allocation(f"m{number}", 10)
    report = desk.get_allocation_report()
    assert [*report] == [*KEYS, "as_of"]
    assert {key: report[key] for key in KEYS[:-1]} == {
        "bankroll": 200,
        "total_allocated": 60,
        "available": 140,
        "utilization_percent": 30,
        "max_total_allowed": 60,
        "headroom": 0,
        "num_allocated_markets": 6,
    }
    assert f"{report['utilization_percent']:.1f}%" == "30.0%"


async def test_the_report_lists_each_allocation(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(roomy(order_split_count=3))
    await desk.request_allocation("a", 15, "momentum")
    clock.advance(60)
    await desk.request_allocation("b", 30)
    assert desk.get_allocation_report()["allocations"] == [
        {"market_id": "a", "amount": 15, "strategy": "momentum", "timestamp": START, "orders": [15]},
        {
            "market_id": "b",
            "amount": 30,
            "strategy": "sniper",
            "timestamp": START + timedelta(seconds=60),
            "orders": [10, 10, 10],
        },
    ]


async def test_the_report_is_true_of_the_entry_it_names(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk()
    clock.advance(7)
    await desk.request_allocation("a", 5)
    as_of = desk.get_allocation_report()["as_of"]
    assert (as_of.sequence, as_of.time) == (length(desk), START + timedelta(seconds=7))
    assert as_of == (2, START + timedelta(seconds=7))


async def test_the_report_can_be_written_as_json_without_losing_a_digit(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy(), "200.000001")
    await desk.request_allocation("a", "33.333333")
    written = json.loads(json.dumps(desk.get_allocation_report(), default=str))
    assert (written["bankroll"], written["available"]) == ("200.000001", "166.666668")
    assert written["allocations"][0]["amount"] == "33.333333"
    assert Amount(written["utilization_percent"]) == Amount("16.666666")


async def test_the_report_of_an_idle_desk() -> None:
    report = CapitalAllocator(None, 200).get_allocation_report()
    assert (report["allocations"], report["utilization_percent"], report["headroom"]) == ([], 0, 60)


async def test_a_report_follows_what_another_desk_has_done(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with (
        CapitalAllocator.open(path, initial_bankroll=200) as one,
        CapitalAllocator.open(path) as two,
    ):
        await one.request_allocation("m", 5)
        assert [held.market_id for held in await two.get_allocations()] == ["m"]
        assert two.get_allocation_report() == one.get_allocation_report()


async def test_allocations_are_found_by_market_and_by_strategy(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    await desk.request_allocation("a", 5, "sniper")
    await desk.request_allocation("b", 6, "momentum")
    assert [held.market_id for held in await desk.get_allocations("momentum")] == ["b"]
    assert await desk.get_allocations("nobody") == []
    assert await desk.get_allocation("c") is None
    assert await desk.get_allocation("a", "momentum") is None
    held = await desk.get_allocation("a", "sniper")
    assert held is not None
    assert held.amount == 5


async def test_explain_tells_the_story_of_one_market(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk()
    await desk.request_allocation("a", 5, lease_seconds=60, request_id="ask")
    await desk.request_allocation("b", 5)
    await desk.request_allocation("a", 6)
    await desk.request_allocations(
        [{"market_id": "c", "requested_amount": 5}, {"market_id": "a", "requested_amount": 5}]
    )
    clock.advance(60)
    await desk.deposit(1)
    await desk.mark_allocation("a", 4)
    await desk.release_allocation("a", 1, request_id="out")
    await desk.reverse_release("out", reason="disputed")
    story = await desk.explain("a")
    assert [type(entry.command).__name__ for entry in story] == [
        "Request",
        "Request",
        "RequestAll",
        "Expire",
        "Mark",
        "Release",
        "ReverseRelease",
    ]
    assert [entry.sequence for entry in story] == sorted(entry.sequence for entry in story)
    assert (story[0].request_id, story[0].time) == ("ask", START)
    assert [type(entry.command).__name__ for entry in await desk.explain("b")] == ["Request"]
    assert await desk.explain("unknown") == []


async def test_explain_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    async with CapitalAllocator.open(path, initial_bankroll=200) as desk:
        await desk.request_allocation("a", 5)
        before = await desk.explain("a")
    async with CapitalAllocator.open(path) as desk:
        assert await desk.explain("a") == before


async def test_a_release_of_what_holds_nothing_gives_zero_and_books_nothing(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    before = length(desk)
    assert await desk.release_allocation("unknown", 50) == 0
    assert (desk.bankroll, length(desk)) == (200, before)
