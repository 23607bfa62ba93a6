"""The usage examples of the capital allocation system's own document, word for word.

Each block stands here as it stands there, in a string that is run; only imports and the
names that an example leaves undefined are supplied.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from decimal import Decimal
from textwrap import indent
from typing import Any

import pytest

from capdesk import AllocationResult, CapitalAllocator, CapitalConfig, CapitalRecycler

CONFIGURATION = """\
config = CapitalConfig(
    max_exposure_per_market_percent=5.0,    # 5% of bankroll per market
    max_exposure_per_market_absolute=50.0,  # Hard cap $50/market
    max_total_exposure_percent=30.0,        # 30% total exposure
    order_split_threshold=20.0,             # Split orders > $20
    order_split_count=3,                    # Into 3 orders
)
"""

ALLOCATOR = """\
allocator = CapitalAllocator(config, initial_bankroll=200.0)

# Request allocation
result, amount = await allocator.request_allocation("market1", 15.0)
if result == AllocationResult.SUCCESS:
    print(f"Allocated ${amount:.2f}")

# Get portfolio state
report = allocator.get_allocation_report()
print(f"Utilization: {report['utilization_percent']:.1f}%")

# Release with P&L
released = await allocator.release_allocation("market1", pnl=0.50)
"""

RECYCLER = """\
async def on_capital_freed(amount):
    print(f"${amount:.2f} freed, available for new allocations")

recycler = CapitalRecycler(
    config,
    allocator,
    on_capital_freed=on_capital_freed
)

await recycler.start()

# Queue market for recycling after resolution
await recycler.queue_recycle("market1", pnl=0.75)

# Later, get statistics
stats = recycler.get_daily_stats()
print(f"Recycled: {stats['recycles_today']} times, "
      f"${stats['capital_recycled_today']:.2f}, "
      f"${stats['total_pnl_today']:+.2f} P&L")

await recycler.stop()
"""

MANUAL_CONTROL = """\
released = await recycler.force_recycle("market1")
"""

REPORT = """\
report = allocator.get_allocation_report()
# Returns:
# {
#     "bankroll": 200.0,
#     "total_allocated": 60.0,
#     "available": 140.0,
#     "utilization_percent": 30.0,
#     "max_total_allowed": 60.0,
#     "headroom": 0.0,
#     "num_allocated_markets": 6,
#     "allocations": [...]
# }
"""

DAILY_STATS = """\
stats = recycler.get_daily_stats()
# Returns:
# {
#     "recycles_today": 15,
#     "capital_recycled_today": 150.0,
#     "total_pnl_today": 4.50,
#     "avg_recycle_time_seconds": 5.2,
#     "pending_recycles": 2
# }
"""

CHECKED_RESULT = """\
result, amount = await allocator.request_allocation("market1", 15.0)
if result != AllocationResult.SUCCESS:
    logger.warning(f"Allocation failed: {result.value}")
"""

WORKFLOW = """\
# 1. Initialize at startup
config = CapitalConfig()
allocator = CapitalAllocator(config, initial_bankroll=balance)
recycler = CapitalRecycler(config, allocator)
await recycler.start()

# 2. When sniper detects opportunity
result, amount = await allocator.request_allocation(
    market_id=market["id"],
    requested_amount=edge_size,
    strategy="sniper"
)
if result == AllocationResult.SUCCESS:
    # Place orders with allocated amount
    execute_trade(market, amount)

# 3. When market resolves
await recycler.queue_recycle(market_id, pnl=profit_loss)

# 4. At shutdown
await recycler.stop()
"""


async def run_example(example: str, **supplied: Any) -> dict[str, Any]:
    """Run a block as the body of a coroutine; the names it leaves behind."""
    public = {it.__name__: it for it in (AllocationResult, CapitalAllocator, CapitalConfig, CapitalRecycler)}
    names: dict[str, Any] = {**public, **supplied}
    exec(f"async def example():\n{indent(example, '    ')}\n    return locals()", names)
    return {**supplied, **await names["example"]()}


async def desk_of_200() -> dict[str, Any]:
    names = await run_example(CONFIGURATION)
    return {**names, "allocator": CapitalAllocator(names["config"], initial_bankroll=200.0)}


async def test_configuration_example_is_the_default() -> None:
    names = await run_example(CONFIGURATION)
    assert names["config"] == CapitalConfig()


async def test_allocator_example_prints_grant_and_utilization(capsys: pytest.CaptureFixture[str]) -> None:
    names = await run_example(ALLOCATOR, **await run_example(CONFIGURATION))
    assert capsys.readouterr().out == "Allocated $10.00\nUtilization: 5.0%\n"
    assert names["released"] == 10
    assert names["allocator"].bankroll == Decimal("200.5")


async def test_recycler_example_runs_before_anything_is_due(capsys: pytest.CaptureFixture[str]) -> None:
    names = await desk_of_200()
    await names["allocator"].request_allocation("market1", 15.0)
    names = await run_example(RECYCLER, **names)
    assert capsys.readouterr().out == "Recycled: 0 times, $0.00, $+0.00 P&L\n"
    assert [it.market_id for it in await names["recycler"].get_pending_recycles()] == ["market1"]


async def test_callback_of_the_recycler_example_says_what_was_freed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = await desk_of_200()
    await names["allocator"].request_allocation("market1", 15.0)
    names = await run_example(RECYCLER, **names)
    capsys.readouterr()
    names = await run_example(MANUAL_CONTROL, **names)
    assert names["released"] == 10
    assert capsys.readouterr().out == "$10.00 freed, available for new allocations\n"
    assert names["allocator"].bankroll == Decimal("200.75")


async def test_report_example_gives_its_figures() -> None:
    names = await desk_of_200()
    for number in range(6):
        await names["allocator"].request_allocation(f"market{number}", 10)
    report = (await run_example(REPORT, **names))["report"]
    written = _figures(REPORT)
    assert {name: float(report[name]) for name in written} == written
    assert [it["market_id"] for it in report["allocations"]] == [f"market{number}" for number in range(6)]


async def test_report_has_the_keys_of_the_example() -> None:
    report = (await run_example(REPORT, **await desk_of_200()))["report"]
    assert set(report) == {*_figures(REPORT), "allocations", "as_of"}


async def test_allocations_in_the_report_have_their_keys() -> None:
    names = await desk_of_200()
    await names["allocator"].request_allocation("market1", 15.0)
    (allocation,) = names["allocator"].get_allocation_report()["allocations"]
    assert set(allocation) == {"market_id", "amount", "strategy", "timestamp", "orders"}
    assert (allocation["strategy"], allocation["orders"]) == ("sniper", [10])


async def test_daily_stats_example_gives_its_keys() -> None:
    names = await desk_of_200()
    names = await run_example(RECYCLER, **names)
    stats = (await run_example(DAILY_STATS, **names))["stats"]
    assert set(stats) == {*_figures(DAILY_STATS), "as_of"}


async def test_checked_result_example_logs_the_lower_case_code(caplog: pytest.LogCaptureFixture) -> None:
    names = await desk_of_200()
    logger = logging.getLogger("bot")
    await run_example(CHECKED_RESULT, logger=logger, **names)
    assert caplog.messages == []
    await run_example(CHECKED_RESULT, logger=logger, **names)
    assert caplog.messages == ["Allocation failed: already_allocated"]


async def test_workflow_example_trades_and_recycles() -> None:
    trades: list[tuple[str, Any]] = []
    names = await run_example(
        WORKFLOW,
        balance=200.0,
        market={"id": "btc-up"},
        market_id="btc-up",
        edge_size=8.5,
        profit_loss=-8.5,
        execute_trade=lambda market, amount: trades.append((market["id"], amount)),
    )
    assert trades == [("btc-up", Decimal("8.5"))]
    assert await names["recycler"].force_recycle("btc-up") == Decimal("8.5")
    assert names["allocator"].bankroll == Decimal("191.5")


async def test_order_splitting_example() -> None:
    allocator = CapitalAllocator(CapitalConfig(), initial_bankroll=1_000)
    await allocator.request_allocation("market1", 30)
    allocation = await allocator.get_allocation("market1")
    assert allocation is not None
    assert allocation.orders == [10, 10, 10]


@pytest.mark.parametrize(
    ("code", "spoil", "market", "amount"),
    [
        ("SUCCESS", None, "market1", 15),
        ("INSUFFICIENT_CAPITAL", "lose", "market1", 15),
        ("MARKET_LIMIT_EXCEEDED", "shrink", "market1", 15),
        ("TOTAL_LIMIT_EXCEEDED", "fill", "market1", 15),
        ("ALREADY_ALLOCATED", "fill", "filled0", 15),
        ("INVALID_AMOUNT", None, "market1", 0),
    ],
)
async def test_every_result_of_the_table(code: str, spoil: str | None, market: str, amount: int) -> None:
    allocator = CapitalAllocator(CapitalConfig(), initial_bankroll=200)
    if spoil == "fill":
        for number in range(6):
            await allocator.request_allocation(f"filled{number}", 10)
    elif spoil == "lose":
        await allocator.request_allocation("lost", 10)
        await allocator.release_allocation("lost", pnl=-200)
    elif spoil == "shrink":
        # Five percent of 19 dollars is less than the smallest order, which the whole portfolio has room for.
        await allocator.update_bankroll(19)
    result, granted = await allocator.request_allocation(market, amount)
    assert result is AllocationResult[code]
    assert (granted > 0) == (code == "SUCCESS")


def test_methods_of_both_components_are_there() -> None:
    for verb in ("request_allocation", "release_allocation", "update_bankroll"):
        assert asyncio.iscoroutinefunction(getattr(CapitalAllocator, verb))
    for verb in ("start", "stop", "queue_recycle", "force_recycle", "get_recycle_history"):
        assert asyncio.iscoroutinefunction(getattr(CapitalRecycler, verb))
    for plain in (CapitalAllocator.get_allocation_report, CapitalRecycler.get_daily_stats):
        assert not asyncio.iscoroutinefunction(plain)


def test_requests_are_a_snipers_by_default() -> None:
    parameters = inspect.signature(CapitalAllocator.request_allocation).parameters
    assert list(parameters)[1:4] == ["market_id", "requested_amount", "strategy"]
    assert parameters["strategy"].default == "sniper"


def test_defaults_of_the_configuration() -> None:
    config = CapitalConfig()
    assert config.max_exposure_per_market_percent == 5
    assert config.max_exposure_per_market_absolute == 50
    assert config.max_total_exposure_percent == 30
    assert config.min_order_size == 1
    assert config.order_split_threshold == 20
    assert config.order_split_count == 3
    assert config.recycle_delay_seconds == 5


async def test_recycle_event_records_what_the_document_lists() -> None:
    allocator = CapitalAllocator(CapitalConfig(), initial_bankroll=200)
    recycler = CapitalRecycler(None, allocator)
    await allocator.request_allocation("market1", 10)
    pending = await recycler.queue_recycle("market1", pnl=0.75)
    assert (pending.market_id, pending.amount, pending.pnl) == ("market1", 10, Decimal("0.75"))
    assert pending.recycled_at is None
    assert pending.is_pending()
    await recycler.force_recycle("market1")
    (done,) = await recycler.get_recycle_history()
    assert done.recycled_at is not None
    assert done.recycled_at >= done.resolved_at
    assert not done.is_pending()


def _figures(example: str) -> dict[str, float]:
    """The figures in the comment of an example."""
    lines = [line.strip("# ,") for line in example.splitlines() if line.startswith("#     ")]
    pairs = [line.split(": ") for line in lines if not line.endswith("[...]")]
    return {name.strip('"'): float(value) for name, value in pairs}
