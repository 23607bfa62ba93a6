"""Names as people write them, and what is told by name: each once, none unknown, none missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from capdesk.model.errors import InvalidInput


def read_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names, once each.

    Raises
    ------
    InvalidInput
        For a single text, names that are no texts or empty, and names that are there twice.
    """
    if isinstance(names, str):
        raise InvalidInput(f"names must be a list of names, got the text {names!r}")
    if not isinstance(names, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"names must be a list of names, got {type(names).__name__}")
    given = tuple(names)
    for name in given:
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"names must be texts that are not empty, got {name!r}")
    if len(set(given)) != len(given):
        twice = sorted({name for name in given if given.count(name) > 1})
        raise InvalidInput(f"names must differ, got {', '.join(map(repr, twice))} more than once")
    return given


def check_known(given: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    """Refuse a name that is not among those planned for.

    Raises
    ------
    InvalidInput
    """
    unknown = [str(name) for name in given if name not in names]
    if unknown:
        raise InvalidInput(f"{what} speaks of {', '.join(unknown)}, which is not among the names")


def order_of(index: Any, names: tuple[str, ...], what: str) -> list[int] | None:
    """Where each name's label is; None for an index that only counts.

    Raises
    ------
    InvalidInput
        For a name without a label, or with two.
    """
    labels: list[Any] = list(index)
    if labels == list(range(len(labels))):
        return None
    places: dict[Any, int] = {label: place for place, label in enumerate(labels)}
    missing = [name for name in names if name not in places]
    if missing:
        raise InvalidInput(f"{what} has no value for {', '.join(missing)}: its index must be the names")
    twice = [name for name in names if labels.count(name) > 1]
    if twice:
        raise InvalidInput(f"{what} has {', '.join(twice)} more than once in its index")
    return [places[name] for name in names]
