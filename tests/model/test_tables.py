"""Tables that fork: a working copy shows its writes, and its base does not until they are merged."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from capdesk.model.mandate import Mandate
from capdesk.model.state import MarketUse, Position, State
from capdesk.model.tables import Table


def table(**entries: int) -> Table[str, int]:
    made: Table[str, int] = Table(0)
    for key, value in entries.items():
        made.put(key, value)
    return made


def test_missing_key_reads_as_the_default() -> None:
    assert table()["rain"] == 0
    assert "rain" not in table()


def test_writing_the_default_removes_the_key() -> None:
    made = table(rain=5)
    made.put("rain", 0)
    assert dict(made) == {}


def test_fork_shows_the_base() -> None:
    assert table(rain=5).fork()["rain"] == 5
    assert table().fork()["rain"] == 0


def test_fork_keeps_its_writes_to_itself() -> None:
    base = table(rain=5)
    copy = base.fork()
    copy.put("rain", 7)
    copy.put("sun", 1)
    assert (copy["rain"], copy["sun"]) == (7, 1)
    assert dict(base) == {"rain": 5}


def test_fork_hides_what_it_removed() -> None:
    base = table(rain=5, sun=1)
    copy = base.fork()
    copy.put("rain", 0)
    assert copy["rain"] == 0
    assert dict(copy.entries()) == {"sun": 1}
    assert dict(base.entries()) == {"rain": 5, "sun": 1}


def test_merge_carries_writes_and_removals_into_the_base() -> None:
    base = table(rain=5, sun=1)
    copy = base.fork()
    copy.put("rain", 0)
    copy.put("wind", 2)
    copy.merge()
    assert dict(base) == {"sun": 1, "wind": 2}


def test_fork_of_a_fork_merges_into_the_fork() -> None:
    base = table(rain=5)
    copy = base.fork()
    trial = copy.fork()
    trial.put("rain", 9)
    assert copy["rain"] == 5
    trial.merge()
    assert (copy["rain"], base["rain"]) == (9, 5)


def test_reading_a_fork_leaves_it_empty() -> None:
    copy = table(rain=5).fork()
    assert (copy["rain"], copy["sun"], len(copy)) == (5, 0, 0)


def test_state_that_is_not_merged_changes_nothing() -> None:
    state = State()
    copy = state.fork()
    copy.deposits, copy.mandate = 5, Mandate(total_percent_ppm=1)
    copy.markets["rain"] = MarketUse(5, ("sniper",))
    assert (state.deposits, state.mandate, dict(state.markets)) == (0, Mandate(), {})


def test_merged_state_has_figures_and_tables() -> None:
    state = State()
    copy = state.fork()
    position = Position("rain", "sniper", 5, "main", 1, 0)
    copy.deposits, copy.sequence = 5, 2
    copy.positions["rain", "sniper"] = position
    state.merge(copy)
    assert (state.deposits, state.sequence) == (5, 2)
    assert dict(state.positions) == {("rain", "sniper"): position}


@pytest.mark.parametrize("name", ["positions", "balances", "leases", "pending", "transits", "reversed"])
def test_every_table_of_the_state_is_forked(name: str) -> None:
    state = State()
    copy = state.fork()
    assert getattr(copy, name).base is getattr(state, name)


class ForkingTables(RuleBasedStateMachine):
    """A stack of forks against a stack of plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Table[int, int]] = [Table(0)]
        self.plain: list[dict[int, int]] = [{}]

    @rule(key=st.integers(0, 4), value=st.integers(0, 3))
    def put(self, key: int, value: int) -> None:
        self.tables[-1].put(key, value)
        self.plain[-1][key] = value

    @rule()
    def fork(self) -> None:
        self.tables.append(self.tables[-1].fork())
        self.plain.append(dict(self.plain[-1]))

    @rule()
    @precondition(lambda self: len(self.tables) > 1)
    def merge(self) -> None:
        self.tables.pop().merge()  # type: ignore[attr-defined]
        self.plain[-2:] = self.plain[-1:]

    @rule()
    @precondition(lambda self: len(self.tables) > 1)
    def drop(self) -> None:
        self.tables.pop()
        self.plain.pop()

    @invariant()
    def every_level_reads_alike(self) -> None:
        for forked, plain in zip(self.tables, self.plain, strict=True):
            written = {key: value for key, value in plain.items() if value}
            assert dict(forked.entries()) == written
            assert [forked[key] for key in range(5)] == [plain.get(key, 0) for key in range(5)]


TestForkingTables = ForkingTables.TestCase
