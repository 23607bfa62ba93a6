"""A run is stored whole, says what it was made of, and stays as it was."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import event, text

from capdesk.model.errors import InvalidInput, TamperedRun, UnknownRun
from capdesk.model.lists import Lists
from capdesk.model.runs import Detail, Outcome, Position, Run
from capdesk.records import Records, canonical
from tests.records.conftest import NOW, Clock

DAY = dt.date(2026, 2, 16)
OUTCOME = Outcome(
    result={"allocations": {"pool-1": "100.5"}, "cash": "0.25"},
    solver="exact 1",
    objective=12.5,
    bound=12.500001,
    gap=1e-7,
    decision={"kind": "reallocate", "because": "more by $3"},
    positions=(Position("pool-1", 0.9975, 100_500_000),),
    details=(Detail("pool-1", "ethereum:0x1", 100_500_000, 1.0, 3.1, 5_000_000_000_000, group=1),),
)
RUN = Run(
    "pools",
    DAY,
    OUTCOME,
    inputs={"current": {"pool-1": "50"}},
    parameters={"min_pools": 4, "tvl_limit_percentage": 0.05},
    metrics=[{"pool_id": "pool-1", "apy": 3.1}],
    balances={"USDC": "100"},
    prices={"USDC": "0.9999"},
    versions={"capdesk": "0.1.0"},
)
TABLES = ("runs", "allocation_parameters", "asset_allocations", "asset_allocation_details")


def counts(records: Records) -> list[int]:
    with records._database.reading() as connection:
        return [connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in TABLES]


def test_a_run_comes_back_as_it_was_stored(records: Records) -> None:
    stored = records.save_run(RUN)
    assert stored.run == RUN
    assert (stored.number, stored.created_at, stored.latest) == (1, NOW, True)
    assert records.run(1) == records.run("latest") == stored
    assert counts(records) == [1, 1, 1, 1]


def test_a_new_run_deletes_nothing_and_is_marked_as_the_days_latest(records: Records, clock: Clock) -> None:
    first = records.save_run(RUN)
    other_day = records.save_run(structs.replace(RUN, day=DAY + dt.timedelta(days=1)))
    other_kind = records.save_run(structs.replace(RUN, kind="weights"))
    clock.forward(hours=1)
    second = records.save_run(structs.replace(RUN, prices={"USDC": "0.98"}))
    assert [(run.number, run.latest) for run in records.runs()] == [
        (first.number, False),
        (other_day.number, True),
        (other_kind.number, True),
        (second.number, True),
    ]
    assert records.run(first.number).run == RUN
    assert [run.number for run in records.runs("weights")] == [other_kind.number]
    assert records.run("latest", "weights").number == other_kind.number


def test_the_lists_of_a_run_stay_when_the_lists_change(records: Records, clock: Clock) -> None:
    records.add("approved_tokens", ["ethereum:USDC"], "sound")
    snapshot = records.lists()
    stored = records.save_run(structs.replace(RUN, lists=snapshot))
    clock.forward(hours=1)
    records.remove("approved_tokens", ["ethereum:USDC"], "no longer")
    assert records.lists() == Lists()
    assert records.run(stored.number).run.lists == snapshot


NUMBERS: list[Any] = [
    0.1,
    -0.0,
    1.0,
    1e22,
    1e300,
    5e-324,
    1.7976931348623157e308,
    2**70,
    -3,
    0.30000000000000004,
]


def test_the_hash_is_that_of_the_same_run_on_any_database(records: Records) -> None:
    run = structs.replace(
        RUN, inputs={"numbers": NUMBERS, "é": None, "z": True, "a": [], "text": "\u2028 'x'"}
    )
    stored = records.save_run(run)
    assert stored.hash == canonical.digest(run)
    assert records.run(stored.number).run.inputs["numbers"] == NUMBERS


def test_what_is_read_has_its_names_in_the_order_in_which_it_was_stored(records: Records) -> None:
    names = ["zz", "a", "USDC.E", "b1", "c"]
    stored = records.save_run(structs.replace(RUN, balances=dict.fromkeys(names, 1)))
    assert list(records.run(stored.number).run.balances) == list(stored.run.balances) == sorted(names)


def test_the_hash_is_of_what_was_computed_not_of_when(records: Records, clock: Clock) -> None:
    first = records.save_run(RUN)
    clock.forward(hours=1)
    assert records.save_run(RUN).hash == first.hash
    assert records.save_run(structs.replace(RUN, prices={"USDC": "0.98"})).hash != first.hash


CHANGES = [
    "UPDATE runs SET objective = 13",
    "UPDATE runs SET solver = 'better'",
    "UPDATE allocation_parameters SET parameters = '{}'",
    "UPDATE asset_allocations SET amount = amount + 1",
    "UPDATE asset_allocation_details SET gas = 1",
    "DELETE FROM asset_allocation_details",
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_that_was_changed_by_hand_is_found(records: Records, change: str) -> None:
    stored = records.save_run(RUN)
    with records._database.writing() as connection:
        connection.execute(text(change))
    with pytest.raises(TamperedRun, match=f"run {stored.number} is not what its hash"):
        records.run(stored.number)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET day = 'never'",
        "UPDATE runs SET created_at = 'never'",
        "UPDATE runs SET prices = '{'",
        "UPDATE allocation_parameters SET icebox_tokens = '[1]'",
    ],
)
def test_a_run_that_was_made_unreadable_is_found_too(tmp_path: Path, change: str) -> None:
    with Records(tmp_path / "records.db", create=True) as records:
        number = records.save_run(RUN).number
        with records._database.writing() as connection:
            connection.exec_driver_sql(change)
        with pytest.raises(TamperedRun, match=f"run {number} cannot be read: it was changed"):
            records.run(number)


@pytest.mark.parametrize(
    "change", ["created_at = 'never'", "day = 20260216.5", "objective = 'much'", "hash = x'00'"]
)
def test_a_list_of_runs_names_the_one_that_cannot_be_read(tmp_path: Path, change: str) -> None:
    with Records(tmp_path / "records.db", create=True) as records:
        records.save_run(RUN)
        number = records.save_run(structs.replace(RUN, day=DAY + dt.timedelta(days=1))).number
        records.save_run(structs.replace(RUN, kind="weights"))
        with records._database.writing() as connection:
            connection.exec_driver_sql(f"UPDATE runs SET {change} WHERE run = {number}")
        with pytest.raises(TamperedRun, match=f"run {number} cannot be read: it was changed"):
            records.runs()
        assert [each.number for each in records.runs("weights")] == [number + 1]


@pytest.mark.parametrize("failing", [1, 2, 3, 4, 5])
def test_a_save_that_fails_anywhere_stores_nothing(records: Records, failing: int) -> None:
    records.save_run(RUN)
    before, statements = counts(records), []

    @event.listens_for(records._database.engine, "after_cursor_execute")
    def fail(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE")):
            statements.append(statement)
            if len(statements) == failing:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        records.save_run(RUN)
    assert counts(records) == before
    assert [run.latest for run in records.runs()] == [True]


DYING = """
import os, signal, sys
from sqlalchemy import event
from capdesk.records import Records
from tests.records.test_runs import RUN
records = Records(sys.argv[1])
@event.listens_for(records._database.engine, "after_cursor_execute")
def die(_c, _cursor, statement, *_):
    if statement.startswith("INSERT INTO asset_allocation_details"):
        os.kill(os.getpid(), signal.SIGKILL)
records.save_run(RUN)
"""


def test_a_process_that_is_killed_while_it_stores_a_run_leaves_the_records_as_they_were(
    records: Records, location: Path | str
) -> None:
    records.save_run(RUN)
    program = [sys.executable, "-c", DYING, str(location)]
    done = subprocess.run(program, cwd=Path(__file__).parents[2], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert counts(records) == [1, 1, 1, 1]
    assert [run.latest for run in records.runs()] == [True]
    assert records.save_run(RUN).latest


def test_what_has_no_form_in_json_is_refused_with_its_place(records: Records) -> None:
    with pytest.raises(InvalidInput, match=r"inputs\.a\[1\] must be a finite number"):
        records.save_run(structs.replace(RUN, inputs={"a": [1.0, float("nan")]}))
    with pytest.raises(InvalidInput, match="inputs is a object"):
        records.save_run(structs.replace(RUN, inputs=object()))
    assert counts(records) == [0, 0, 0, 0]


def test_two_positions_in_one_pool_are_refused(records: Records) -> None:
    twice = structs.replace(OUTCOME, positions=(Position("p", 0.5, 1), Position("p", 0.5, 1)))
    with pytest.raises(InvalidInput, match="one position in 'p', got 2"):
        records.save_run(structs.replace(RUN, outcome=twice))


def test_a_run_that_is_not_there_is_an_error(records: Records) -> None:
    for name in ("1", "latest", "9" * 40):
        with pytest.raises(UnknownRun, match="there is no run"):
            records.run(name)
    with pytest.raises(InvalidInput, match="called by its number, or 'latest', got '-1'"):
        records.run(-1)


def test_runs_that_are_stored_at_once_are_all_there_and_one_is_the_latest(
    records: Records, location: Path | str
) -> None:
    failed: list[BaseException] = []

    def store() -> None:
        try:
            with Records(location) as own:
                for _ in range(5):
                    own.save_run(RUN)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [run.latest for run in records.runs()] == [False] * 19 + [True]
