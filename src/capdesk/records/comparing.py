"""Two runs side by side: what differs, and whether one is the other computed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

from capdesk.model.runs import Outcome, Run
from capdesk.records.canonical import plain

_KEYS = ("pool_id", "token_id", "name", "day")
_ROUNDING = 1e-9
_FIRST_UNIT = "0.000001"


class Difference(Struct, frozen=True):
    """Where two runs differ; None on a side that has nothing there."""

    where: str
    first: Any
    second: Any


class Sameness(StrEnum):
    """How a run that was computed again compares with the stored one."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    DIFFERENT = "different"


class Replay(Struct, frozen=True):
    """A run computed again.

    Attributes
    ----------
    sameness
        ``identical``: the same to the last digit. ``equivalent``: another answer, and the two
        certificates do not contradict each other, so either is as good as the other is proved
        to be. ``different``: anything else.
    reason
        Why, in words.
    differences
        Between the stored outcome and the new one.
    again
        The new outcome.
    """

    sameness: Sameness
    reason: str
    differences: tuple[Difference, ...]
    again: Outcome


def differences(first: Run, second: Run) -> list[Difference]:
    """Everything in which two runs differ, by where it stands."""
    return list(_walk("", plain(first), plain(second)))


def compare(stored: Outcome, again: Outcome) -> Replay:
    """Judge an outcome that was computed again.

    The solver's name, its bound and its gap are no part of the answer: another build may prove
    the same plan in another way.
    """
    found = tuple(_walk("", plain(_answer(stored)), plain(_answer(again))))
    if not found:
        return Replay(Sameness.IDENTICAL, "the same to the last digit", (), again)
    sameness, reason = _judge(stored, again)
    return Replay(sameness, reason, found, again)


def _answer(outcome: Outcome) -> dict[str, Any]:
    names = ("result", "objective", "decision", "positions", "details")
    return {name: getattr(outcome, name) for name in names}


def _judge(stored: Outcome, again: Outcome) -> tuple[Sameness, str]:
    if _kind(stored.decision) != _kind(again.decision):
        return Sameness.DIFFERENT, (
            f"it was decided to {_kind(stored.decision)!r}, and now to {_kind(again.decision)!r}"
        )
    was, now = _proved(stored), _proved(again)
    if was is None or now is None:
        if _same_in_the_coarser_unit(stored.result, again.result):
            said = "the two count in other units: to the coarser one every weight is the same"
            return Sameness.EQUIVALENT, said
        return Sameness.DIFFERENT, "the answer is another one, and there is no certificate to compare it by"
    slack = _ROUNDING * max(1.0, *map(abs, (*was, *now)))
    said = f"the optimum lies within {was[0]:.9g} to {was[1]:.9g} by the stored certificate"
    if max(was[0], now[0]) <= min(was[1], now[1]) + slack:
        return Sameness.EQUIVALENT, f"{said}, and within {now[0]:.9g} to {now[1]:.9g} by the new one"
    return Sameness.DIFFERENT, f"{said}, but within {now[0]:.9g} to {now[1]:.9g} by the new one"


def _same_in_the_coarser_unit(stored: Any, again: Any) -> bool:
    """Whether weights that are told in two units (by results without one in millionths) are the same ones."""
    if not all(isinstance(each, Mapping) and "weights" in each for each in (stored, again)):
        return False
    units = [Decimal(each.get("unit", _FIRST_UNIT)) for each in (stored, again)]
    was, now = stored["weights"], again["weights"]
    return (
        units[0] != units[1]
        and was.keys() == now.keys()
        and all(abs(Decimal(was[name]) - Decimal(now[name])) < max(units) for name in was)
    )


def _kind(decision: Any) -> Any:
    return decision.get("kind") if isinstance(decision, Mapping) else decision


def _proved(outcome: Outcome) -> tuple[float, float] | None:
    """The interval in which the optimum lies, between what was reached and what cannot be passed."""
    if outcome.objective is None or outcome.bound is None:
        return None
    return min(outcome.objective, outcome.bound), max(outcome.objective, outcome.bound)


def _walk(where: str, first: Any, second: Any) -> Iterator[Difference]:
    if isinstance(first, list) and isinstance(second, list):
        first, second = _by_key(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        for name in sorted({*first, *second}):
            yield from _walk(f"{where}.{name}" if where else name, first.get(name), second.get(name))
    elif first != second:
        yield Difference(where, first, second)


def _by_key(first: list[Any], second: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows by what they are of, where they tell, so that a row more does not make all others differ."""
    keys = [key for key in _KEYS if all(isinstance(row, dict) and key in row for row in first + second)]

    def named(rows: list[Any]) -> dict[str, Any]:
        names = ["/".join(str(row[key]) for key in keys) for row in rows] if keys else []
        if len(set(names)) != len(rows):
            names = [str(index) for index in range(len(rows))]
        return dict(zip(names, rows, strict=True))

    return named(first), named(second)
