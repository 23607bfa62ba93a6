"""Weights by name over whole billionths: amounts are only made when somebody reads them."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView

import numpy as np
from numpy.typing import NDArray

from capdesk.model.money import Amount

_NOTHING = Amount(0)


class Shares(Mapping[str, Amount]):
    """A read-only mapping of names to amounts.

    Parameters
    ----------
    names
        The n names.
    units
        (n,), billionths, in their order.
    """

    __slots__ = ("_names", "_read", "_units")

    def __init__(self, names: tuple[str, ...], units: NDArray[np.int64]) -> None:
        self._names = names
        self._units = units
        self._read: dict[str, Amount] | None = None

    def __getitem__(self, name: str) -> Amount:
        return self._amounts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def keys(self) -> KeysView[str]:
        """The names in the order given."""
        return self._amounts().keys()

    def values(self) -> ValuesView[Amount]:
        """Their amounts."""
        return self._amounts().values()

    def items(self) -> ItemsView[str, Amount]:
        """Both."""
        return self._amounts().items()

    def __repr__(self) -> str:
        return repr(self._amounts())

    def _amounts(self) -> dict[str, Amount]:
        if self._read is None:
            units = self._units.tolist()
            self._read = {
                name: Amount.from_nano(unit) if unit else _NOTHING
                for name, unit in zip(self._names, units, strict=True)
            }
        return self._read
