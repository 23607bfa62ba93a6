"""Files of series and moments: what they are taken for, and which are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from capdesk import InvalidInput
from capdesk.app.series import Table, read_table


def read(tmp_path: Path, text: str, kind: str | None = None) -> Table:
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, kind)


def test_positive_values_are_prices_and_give_exact_returns(tmp_path: Path) -> None:
    table = read(tmp_path, "date,a,b\n2026-01-01,2,10\n2026-01-02,2.5,9\n2026-01-03,2,9.9\n")

    assert (table.kind, table.names) == ("prices", ("a", "b"))
    assert table.returns_of("a") == [Decimal("0.25"), Decimal("-0.2")]
    assert table.dates == (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3))


def test_values_that_are_not_all_positive_are_returns(tmp_path: Path) -> None:
    table = read(tmp_path, "a\n0.01\n-0.02\n0\n")

    assert (table.kind, table.dates) == ("returns", ())
    assert table.returns_of("a") == [Decimal("0.01"), Decimal("-0.02"), Decimal(0)]
    assert read(tmp_path, "a\n0.01\n0.02\n", "returns").kind == "returns"


def test_a_column_called_name_makes_moments(tmp_path: Path) -> None:
    table = read(tmp_path, "name,mean,a,b\na,0.1,0.04,0.01\nb,0.2,0.01,0.09\n")

    assert (table.kind, table.rows, table.names) == ("moments", ("a", "b"), ("mean", "a", "b"))
    assert table.columns["b"] == (Decimal("0.01"), Decimal("0.09"))


@pytest.mark.parametrize(
    ("step", "count"),
    [
        (timedelta(hours=8), 365),
        (timedelta(days=1), 365),
        (timedelta(days=7), 52),
        (timedelta(days=30), 12),
        (timedelta(days=91), 4),
        (timedelta(days=365), 1),
    ],
)
def test_periods_of_a_year_follow_from_the_dates(tmp_path: Path, step: timedelta, count: int) -> None:
    moments = [datetime(2020, 1, 1) + step * row for row in range(5)]  # noqa: DTZ001
    table = read(tmp_path, "date,a\n" + "".join(f"{moment.isoformat()},1\n" for moment in moments))

    assert table.periods_per_year == count


def test_lines_with_an_empty_cell_are_refused_and_left_out_only_when_asked(tmp_path: Path) -> None:
    text = "date,a,b\n2026-01-01,2,\n2026-01-02,2.5,9\n2026-01-03,2, \n2026-01-04,2,9.9\n"
    with pytest.raises(InvalidInput, match="line 2, b is empty, and 2 of 4 lines have an empty cell: fill"):
        read(tmp_path, text)
    table = read_table(tmp_path / "file.csv", drop_incomplete=True)

    assert table.columns == {"a": (Decimal("2.5"), Decimal(2)), "b": (Decimal(9), Decimal("9.9"))}
    assert table.dates == (date(2026, 1, 2), date(2026, 1, 4))
    assert table.dropped == 2
    whole = read_table(tmp_path / "file.csv", only=["a"])
    assert (len(whole.dates), whole.dropped) == (4, 0)


def test_no_line_may_be_left_without_an_empty_cell(tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_text("a,b\n1,\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="every line has an empty cell"):
        read_table(tmp_path / "file.csv", drop_incomplete=True)


def test_times_without_a_zone_are_utc(tmp_path: Path) -> None:
    table = read(tmp_path, "at,a\n2026-01-01T08:00,1\n2026-01-01T18:00+02:00,2\n")

    assert table.dates == (datetime(2026, 1, 1, 8, tzinfo=UTC), datetime(2026, 1, 1, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("a\n", None, "a line of names and then lines of numbers, it has 1 in all"),
        ("a,b\n1\n", None, "line 2 has 1 cells, the names are 2"),
        ("date,a\n2026-01-01,1\n2026-01-02,\n", None, "line 3, a is empty, and 1 of 2 lines have"),
        ("date,a\n2026-01-01,nan\n", None, "line 2, a: a number is needed, got nan"),
        ("date,a\nmonday,1\n", None, "line 2 begins with 'monday', which is no date"),
        ("date,a\n2026-01-02,1\n2026-01-01,1\n", None, "the dates of date must rise"),
        ("date,a,a\n2026-01-02,1,2\n", None, "more than one column a"),
        ("a\n1\n0\n", "prices", "prices are above 0, got a 0"),
        ("name,a\nx,1\nx,2\n", None, "each name has one line, got x, x"),
        ("a\n1\n", "yields", "kind must be one of prices, returns, moments, got 'yields'"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line_and_column(
    tmp_path: Path, text: str, kind: str | None, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, text, kind)
