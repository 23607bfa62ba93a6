"""Runs in the tables: stored whole or not at all, never changed, checked by their hash when read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError, StatementError

from capdesk.model.errors import InvalidInput, TamperedRun, UnknownRun
from capdesk.model.lists import LIST_NAMES, Lists
from capdesk.model.runs import Detail, Outcome, Position, Run, StoredRun
from capdesk.records.canonical import digest, plain
from capdesk.records.run_tables import AllocationRow, DetailRow, ParametersRow, RunRow

SNAPSHOTS = ("inputs", "metrics", "balances", "prices", "versions")
_UNREADABLE = (ValueError, TypeError, StatementError)
_OF_OUTCOME = ("solver", "objective", "bound", "gap", "decision", "result")


class RunSummary(Struct, frozen=True):
    """A run in a table of runs."""

    number: int
    kind: str
    day: dt.date
    created_at: dt.datetime
    latest: bool
    hash: str
    solver: str
    objective: float | None
    gap: float | None


def save(connection: Connection, run: Run, created_at: dt.datetime) -> StoredRun:
    """Store a run and mark it as the latest of its kind for its day.

    Raises
    ------
    InvalidInput
        If something in it has no form in JSON, or a pool's positions contradict each other.
    """
    run = normal(run)
    _check(run)
    stored = _values(run)
    last = update(RunRow).where(RunRow.kind == run.kind, RunRow.day == run.day, RunRow.latest)
    connection.execute(last.values(latest=False))
    values = {name: stored[name] for name in (*SNAPSHOTS, *_OF_OUTCOME)}
    head = insert(RunRow).values(
        kind=run.kind, day=run.day, created_at=created_at, latest=True, hash=hash_of(run), **values
    )
    number = connection.execute(head.returning(RunRow.run)).scalar_one()
    snapshot = {name: stored["lists"][name] for name in LIST_NAMES}
    connection.execute(insert(ParametersRow).values(run=number, parameters=stored["parameters"], **snapshot))
    for table, rows in ((AllocationRow, run.outcome.positions), (DetailRow, run.outcome.details)):
        if rows:
            connection.execute(insert(table), [{"run": number, **structs.asdict(row)} for row in rows])
    return load(connection, number)


def load(connection: Connection, number: int) -> StoredRun:
    """Read a run.

    Raises
    ------
    UnknownRun
        If there is none of this number.
    TamperedRun
        If it is not what was stored.
    """
    with _readable(number):
        found = _read(connection, number)
    if hash_of(found.run) != found.hash:
        raise TamperedRun(f"run {number} is not what its hash {found.hash[:12]} was taken of: it was changed")
    return found


@contextmanager
def _readable(number: int) -> Iterator[None]:
    """Say of a run that cannot be read that it was changed."""
    try:
        yield
    except DBAPIError:
        raise
    except _UNREADABLE as error:
        # What was written is read without fail: these come of a date, a number or a JSON that was made unreadable.
        raise TamperedRun(f"run {number} cannot be read: it was changed ({error})") from error


def _summary_of() -> Any:
    names = ("run" if name == "number" else name for name in RunSummary.__struct_fields__)
    return select(*(getattr(RunRow, name) for name in names)).order_by(RunRow.run)


def _summarised(connection: Connection, query: Any) -> list[RunSummary]:
    names = RunSummary.__struct_fields__
    return [
        msgspec.convert(dict(zip(names, row, strict=True)), RunSummary) for row in connection.execute(query)
    ]


def _read(connection: Connection, number: int) -> StoredRun:
    query = select(RunRow.__table__, ParametersRow.__table__).join(
        ParametersRow.__table__, ParametersRow.run == RunRow.run
    )
    row = connection.execute(query.where(RunRow.run == number)).mappings().one_or_none()
    if row is None:
        raise UnknownRun(f"there is no run {number}: 'capdesk pools runs' lists those that are there")
    outcome = Outcome(
        **{name: plain(row[name]) for name in _OF_OUTCOME},
        positions=_rows(connection, AllocationRow, Position, number, AllocationRow.name),
        details=_rows(connection, DetailRow, Detail, number, DetailRow.pool_id, DetailRow.token_id),
    )
    lists = msgspec.convert({name: row[name] for name in LIST_NAMES}, Lists)
    run = Run(
        kind=row["kind"],
        day=row["day"],
        outcome=outcome,
        lists=lists,
        parameters=plain(row["parameters"]),
        **{name: plain(row[name]) for name in SNAPSHOTS},
    )
    return StoredRun(number, row["created_at"], row["latest"], row["hash"], run)


def find(connection: Connection, name: str, kind: str | None = None) -> StoredRun:
    """The run that a person means: its number, or ``latest`` for the one made last.

    Raises
    ------
    UnknownRun
        If there is none.
    InvalidInput
        If it is neither.
    """
    if name.isdecimal():
        return load(connection, min(int(name), 2**63 - 1))
    if name != "latest":
        raise InvalidInput(f"a run is called by its number, or 'latest', got {name!r}")
    query = select(RunRow.run).order_by(RunRow.run.desc()).limit(1)
    number = connection.scalar(query if kind is None else query.where(RunRow.kind == kind))
    if number is None:
        raise UnknownRun(f"there is no run{'' if kind is None else f' of kind {kind!r}'} yet")
    return load(connection, number)


def summaries(connection: Connection, kind: str | None = None) -> list[RunSummary]:
    """Every run, or those of one kind, in the order in which they were made.

    Raises
    ------
    TamperedRun
        Naming the first that cannot be read.
    """
    query = _summary_of() if kind is None else _summary_of().where(RunRow.kind == kind)
    try:
        return _summarised(connection, query)
    except _UNREADABLE:
        numbers = connection.scalars(select(RunRow.run).order_by(RunRow.run)).all()
        for number in numbers:
            with _readable(number):
                _summarised(connection, _summary_of().where(RunRow.run == number))
        raise


def normal(run: Run) -> Run:
    """A run as it will be read back: its snapshots in JSON's own types, its rows in order."""
    outcome = run.outcome
    return structs.replace(
        run,
        parameters=plain(run.parameters, "parameters"),
        **{name: plain(getattr(run, name), name) for name in SNAPSHOTS},
        outcome=structs.replace(
            outcome,
            result=plain(outcome.result, "result"),
            decision=plain(outcome.decision, "decision"),
            positions=_sorted(outcome.positions, lambda each: each.name),
            details=_sorted(outcome.details, lambda each: (each.pool_id, each.token_id)),
        ),
    )


def hash_of(run: Run) -> str:
    """SHA-256 of a run as canonical JSON; when it was made is no part of it."""
    return digest(run)


def _values(run: Run) -> dict[str, Any]:
    return {
        "parameters": run.parameters,
        "lists": plain(run.lists),
        **{name: getattr(run, name) for name in SNAPSHOTS},
        **{name: getattr(run.outcome, name) for name in _OF_OUTCOME},
    }


def _check(run: Run) -> None:
    names = [each.name for each in run.outcome.positions]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"a run has one position in {name!r}, got {names.count(name)}")


def _rows(
    connection: Connection, table: type[Any], kind: type[Any], number: int, *order: Any
) -> tuple[Any, ...]:
    columns = (getattr(table, name) for name in kind.__struct_fields__)
    rows = connection.execute(select(*columns).where(table.run == number))
    found: Sequence[Any] = [kind(*row) for row in rows]
    names = [column.key for column in order]
    return _sorted(found, lambda each: tuple(getattr(each, name) for name in names))


def _sorted(rows: Sequence[Any], key: Callable[[Any], Any]) -> tuple[Any, ...]:
    return tuple(sorted(rows, key=key))
