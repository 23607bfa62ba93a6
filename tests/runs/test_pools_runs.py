"""A pool allocation that was stored is computed again, to the last digit, from what was stored."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from capdesk import runs
from capdesk.model.errors import CapdeskError
from capdesk.model.lists import Listed, Lists
from capdesk.model.money import to_micro
from capdesk.model.pools import Holding, Pool
from capdesk.model.runs import Run
from capdesk.records import Records
from capdesk.records.comparing import Sameness
from capdesk.runs.pools import pools_run
from tests.decide.pools import instances

DAY = dt.date(2026, 2, 16)
NOW = dt.datetime(2026, 2, 16, tzinfo=dt.UTC)
LISTS = Lists(approved_protocols=(Listed("aave", NOW, "audited"),))


def planned(seed: int, **more: Any) -> tuple[Any, Run]:
    """A random treasury's plan; the next seed where one has no plan."""
    while True:
        pools, holdings, cash, parameters = instances.small(seed)
        try:
            return pools_run(DAY, pools, holdings, cash, parameters, lists=LISTS, **more)
        except CapdeskError:
            seed += 100


@pytest.mark.parametrize("seed", range(8))
def test_a_stored_allocation_is_computed_again_to_the_last_digit(location: Path | str, seed: int) -> None:
    _, run = planned(seed)
    with Records(location, create=True) as records:
        number = records.save_run(run).number
    with Records(location) as records:
        stored = records.run(number)
    found = runs.replay(stored.run)
    assert (found.sameness, found.differences) == (Sameness.IDENTICAL, ())
    assert stored.run.lists == LISTS


@pytest.mark.parametrize("seed", range(4))
def test_another_solver_finds_a_plan_that_is_proved_as_good(seed: int) -> None:
    _, run = planned(seed)
    other = structs.replace(run, inputs={**run.inputs, "method": "highs"})
    assert runs.replay(other).sameness in (Sameness.IDENTICAL, Sameness.EQUIVALENT)


def test_other_forecasts_give_another_plan() -> None:
    pools, holdings, cash, parameters = instances.treasury(1, 20, 4)
    _, run = pools_run(DAY, pools, holdings, cash, parameters)
    better = [{**metrics, "forecasted_apy": metrics["forecasted_apy"] * 2} for metrics in run.metrics]
    found = runs.replay(structs.replace(run, metrics=better))
    assert found.sameness == Sameness.DIFFERENT


def test_allocations_and_their_details_add_up_to_the_micro_unit() -> None:
    pools, holdings, cash, parameters = instances.treasury(2, 30, 5)
    plan, run = pools_run(DAY, pools, holdings, cash, parameters)
    assert {each.name: each.amount for each in run.outcome.positions if each.amount} == {
        name: to_micro(amount) for name, amount in plan.allocations.items()
    }
    for position in plan.positions:
        rows = [each for each in run.outcome.details if each.pool_id == position.pool_id]
        assert [row.amount for row in rows] == [to_micro(amount) for amount in position.token_amounts]
        assert sum(row.gas for row in rows) == to_micro(position.gas)
        assert sum(row.conversion_cost for row in rows) == to_micro(position.conversion)
        assert {(row.apy, row.group) for row in rows} == {(position.apy, position.group)}


def test_a_run_carries_what_it_was_made_of() -> None:
    pools = [
        Pool("p", ("USDC",), "aave", "ethereum", 5.0, 1e8),
        Pool("q", ("DAI",), "aave", "ethereum", 1.0, 1e8),
    ]
    gone = Pool("r", ("DAI",), "old", "ethereum", 1.0, 1e6)
    current = {"q": 1000.0, "r": Holding(50.0, 2.0, gone)}
    _, run = pools_run(DAY, pools, current, {"USDC": 5000.0}, prices={"USDC": 0.999, "DAI": 1.001})
    assert [metrics["pool_id"] for metrics in run.metrics] == ["p", "q"]
    assert run.inputs["current_allocations"]["r"]["pool"]["protocol"] == "old"
    assert run.balances == {"USDC": 5000}
    assert run.prices == {"DAI": 1.001, "USDC": 0.999}
    assert run.parameters["min_pools"] == 4
    assert run.outcome.decision["kind"] == "forced"
    assert runs.replay(run).sameness == Sameness.IDENTICAL
