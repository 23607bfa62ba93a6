"""`Records`: the planning records as one thing to open, ask and tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Self

from capdesk.model.lists import Lists
from capdesk.model.market_rows import Balance, Gas, PoolDay, PoolFacts, Price, Row
from capdesk.model.runs import Run, StoredRun
from capdesk.model.tokens import Token
from capdesk.records import importing, migrate, naming, runs, universe
from capdesk.records.database import Database, Held

NO_ERRORS: Mapping[str, tuple[float | None, float | None]] = {}


def utc_now() -> dt.datetime:
    """The time now, in UTC."""
    return dt.datetime.now(dt.UTC)


class Records:
    """The planning records: the universe of pools, the lists that plans obey, and every run.

    Each verb is one transaction: it is done wholly or not at all. `transaction` makes one of several.

    Parameters
    ----------
    location
        A SQLite file of its own, or ``postgresql://user@host/database`` (extra `postgres`).
    create
        Whether to make the records where there are none.
    clock
        Tells the time now.

    Raises
    ------
    NotRecords
        If there are none and `create` is not set, or the file is another program's.
    NewerRecords
        If a newer capdesk wrote them.
    RecordsError
        If the database cannot be reached, or a migration fails.
    """

    def __init__(
        self,
        location: str | Path,
        *,
        create: bool = False,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._database = Database(location)
        self._where: Database | Held = self._database
        self._clock = clock
        if not create:
            migrate.require_current(self._database)
        migrate.upgrade(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[Records]:
        """Several verbs as one: what is read stays as it is, and all that is written is stored at the end, or nothing.

        Other writers wait for their turn until then; readers see the records as they were before.
        """
        with self._where.writing() as connection:
            inside = copy(self)
            inside._where = Held(connection)
            yield inside

    def write(self, rows: Iterable[Row]) -> importing.Written:
        """Write what a source told; a row that is there already takes the new figures.

        Raises
        ------
        InvalidInput
            For the day of a pool that is not known. Nothing is written.
        """
        with self._where.writing() as connection:
            return importing.write(connection, rows)

    def write_forecasts(
        self,
        day: dt.date,
        forecasts: Mapping[str, tuple[float, int]],
        errors: Mapping[str, tuple[float | None, float | None]] = NO_ERRORS,
    ) -> None:
        """Write beside each pool's day the APY (percent a year) and TVL (micro-units) forecast from it.

        Parameters
        ----------
        errors
            Pool -> how far its forecasts were off so far, and the naive ones, in percentage points.
        """
        with self._where.writing() as connection:
            universe.write_forecasts(connection, day, forecasts, errors)

    def pools(self) -> dict[str, PoolFacts]:
        """Every pool, by its id."""
        with self._where.reading() as connection:
            return universe.pools(connection)

    def tokens(self) -> dict[str, Token]:
        """Every token that was told of, by its id."""
        with self._where.reading() as connection:
            return universe.tokens(connection)

    def history(self, until: dt.date | None = None, since: dt.date | None = None) -> list[PoolDay]:
        """The days of all pools from `since` to `until`, both included, by day and pool."""
        with self._where.reading() as connection:
            return universe.history(connection, until, since)

    def forecasts(self, day: dt.date) -> dict[str, tuple[float, int]]:
        """What was forecast from a day: pool -> APY in percent a year and TVL in micro-units."""
        with self._where.reading() as connection:
            return universe.forecasts(connection, day)

    def forecast_errors(self, day: dt.date) -> dict[str, tuple[float | None, float | None]]:
        """How far the forecasts made on a day had been off so far, and the naive ones, in percentage points."""
        with self._where.reading() as connection:
            return universe.forecast_errors(connection, day)

    def last_day(self) -> dt.date | None:
        """The last day that pools have metrics of."""
        with self._where.reading() as connection:
            return universe.last_day(connection)

    def balances(self, day: dt.date, account: str | None = None) -> list[Balance]:
        """What each account held on its last day up to `day` (`daily_ledger`)."""
        with self._where.reading() as connection:
            return universe.balances(connection, day, account)

    def prices(self, until: dt.date, since: dt.date | None = None) -> list[Price]:
        """Prices from `since` to `until`, by day and token."""
        with self._where.reading() as connection:
            return universe.prices(connection, until, since)

    def gas(self, until: dt.date, since: dt.date | None = None) -> list[Gas]:
        """Gas prices from `since` to `until`, by day and chain."""
        with self._where.reading() as connection:
            return universe.gas(connection, until, since)

    def add(self, which: str, names: Iterable[str], reason: str, at: dt.datetime | None = None) -> list[str]:
        """Put names on a list; gives those that are new on it.

        Parameters
        ----------
        which
            ``approved_tokens``, ``blacklisted_tokens``, ``approved_protocols`` or ``icebox_tokens``.
        names
            Token ids (``ethereum:0xa0b8...``), or protocols.
        at
            Since when; now when left out.
        """
        with self._where.writing() as connection:
            return naming.add(connection, which, names, at or self._clock(), reason)

    def remove(
        self, which: str, names: Iterable[str], reason: str, at: dt.datetime | None = None
    ) -> list[str]:
        """Take names off a list; the history stays. Gives those that were on it."""
        with self._where.writing() as connection:
            return naming.remove(connection, which, names, at or self._clock(), reason)

    def lists(self, at: dt.datetime | None = None) -> Lists:
        """The four lists as they stood at a time; now when left out."""
        with self._where.reading() as connection:
            return naming.as_of(connection, at or self._clock())

    def stays(self, which: str) -> list[naming.Stay]:
        """Every stay on a list: who came when and why, and left when and why."""
        with self._where.reading() as connection:
            return naming.stays(connection, which)

    def save_run(self, run: Run) -> StoredRun:
        """Store a run and mark it as the latest of its kind for its day; nothing is deleted."""
        with self._where.writing() as connection:
            return runs.save(connection, run, self._clock())

    def run(self, name: int | str, kind: str | None = None) -> StoredRun:
        """The run of a number, or the ``latest``.

        Raises
        ------
        UnknownRun
            If there is none.
        TamperedRun
            If it is not what was stored.
        """
        with self._where.reading() as connection:
            return runs.find(connection, str(name), kind)

    def runs(self, kind: str | None = None) -> list[runs.RunSummary]:
        """Every run, or those of one kind, in the order in which they were made."""
        with self._where.reading() as connection:
            return runs.summaries(connection, kind)
