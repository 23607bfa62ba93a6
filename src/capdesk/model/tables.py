"""Tables of the desk's state that fork: a working copy costs what it changes, not what it holds.

A missing key reads as the table's default, and writing the default removes the key. A
fork keeps its own writes over its base until `merge` carries them into the base.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Table(dict[K, V], Generic[K, V]):
    """A dict with a default for what is not there."""

    __slots__ = ("default",)

    def __init__(self, default: V) -> None:
        self.default = default

    def __missing__(self, key: K) -> V:
        return self.default

    def put(self, key: K, value: V) -> None:
        """Set a key, or remove it when the value is the default."""
        if value == self.default:
            self.pop(key, None)
        else:
            self[key] = value

    def any(self) -> bool:
        """Whether anything is there."""
        return bool(self)

    def entries(self) -> Iterator[tuple[K, V]]:
        """All that is there, oldest first."""
        return iter(self.items())

    def fork(self) -> Fork[K, V]:
        """A working copy."""
        return Fork(self)


class Fork(Table[K, V]):
    """Writes over a base table, which stays as it is until they are merged."""

    __slots__ = ("base",)

    def __init__(self, base: Table[K, V]) -> None:
        self.base, self.default = base, base.default

    def __missing__(self, key: K) -> V:
        return self.base.get(key, self.default)

    def get(self, key: K, default: Any = None, /) -> Any:
        """As `fork[key]`: what is nowhere reads as the table's own default."""
        return self[key]

    def any(self) -> bool:
        """Whether anything is there."""
        if not self:
            return self.base.any()
        return next(self.entries(), None) is not None

    def put(self, key: K, value: V) -> None:
        """Set a key; the default stands for its absence."""
        self[key] = value

    def entries(self) -> Iterator[tuple[K, V]]:
        """All that is there: what the base has and this has not changed, then the writes."""
        for key, value in self.base.entries():
            if key not in self:
                yield key, value
        for key, value in self.items():
            if value != self.default:
                yield key, value

    def merge(self) -> None:
        """Carry the writes into the base."""
        base, default = self.base, self.default
        base.update(self)
        if type(base) is Table:
            for key, value in self.items():
                if value == default:
                    del base[key]
