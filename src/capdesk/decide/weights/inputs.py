"""What a strategy decides on, read from whatever table it is given in: pandas, polars, NumPy, mappings.

Columns are matched by name; an array without names has its columns in the order of the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import narwhals as nw
import numpy as np

from capdesk.decide.weights import estimators, repair
from capdesk.decide.weights.problem import Array, Covariance
from capdesk.decide.weights.reading_names import check_known, order_of
from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal

FULLY_CHECKED = 1_000
_SYMMETRIC = 1e-8
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Moments and what they came from; None for what was not given."""

    names: tuple[str, ...]
    mean: Array | None
    covariance: Covariance | None
    returns: Array | None
    risk_scores: Array | None


def vector(given: Any, names: tuple[str, ...], what: str) -> Array:
    """A number for every name, (n,).

    Raises
    ------
    InvalidInput
        For a name that is missing or unknown, another length, or a value that is not finite.
    """
    if isinstance(given, Mapping):
        values = cast("Mapping[str, Any]", given)
        check_known(values, names, what)
        missing = [name for name in names if name not in values]
        if missing:
            raise InvalidInput(f"{what} has no value for {', '.join(missing)}")
        array = np.array([float(read_decimal(values[name], f"{what} of {name}")) for name in names])
    else:
        array = _labelled(given, names, what) if _is_pandas(given) else _floats(given, what)
    if array.shape != (len(names),):
        raise InvalidInput(
            f"{what} has shape {array.shape}: it must have one number for each of {len(names)} names"
        )
    if not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InvalidInput(f"{what} must be finite: {names[place]} has {array[place]}")
    return array


def table(given: Any, names: tuple[str, ...], what: str) -> Array:
    """A table with a column for every name, (T, n).

    Raises
    ------
    InvalidInput
        For a name without a column, another number of columns, or a value that is not finite.
    """
    if isinstance(given, np.ndarray | list | tuple):
        array = _floats(given, what)
    else:
        frame = _frame(given, what)
        columns = frozenset(frame.columns)
        missing = [name for name in names if name not in columns]
        if missing:
            raise InvalidInput(f"{what} has no column for {', '.join(missing)}")
        array = _floats(frame.select(*names).to_numpy(), what)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise InvalidInput(f"{what} has shape {array.shape}: it must be (rows, {len(names)} names)")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise InvalidInput(f"{what} must be finite: {names[column]} has {array[row, column]} in row {row}")
    return array


def returns(given: Any, names: tuple[str, ...]) -> Array:
    """Returns of periods as fractions, (T, n).

    Raises
    ------
    InvalidInput
        As `table` does; and for what can only be prices: nothing below 0, and half of it above 100 %.
    """
    array = table(given, names, "returns")
    if len(array) > 1 and array.min() > 0 and (middle := float(np.median(array))) >= 1:
        raise InvalidInput(
            f"returns must be fractions of a period (0.01 is 1 %), and half of these are above {middle:g} "
            "with none below 0: if they are prices, give prices=..."
        )
    return array


def covariance_matrix(given: Any, names: tuple[str, ...], *, mend: bool = False) -> Covariance:
    """A covariance matrix (n, n), checked.

    Notes
    -----
    Up to 1,000 names every eigenvalue is shown to be 0 or more. Above that the check would take
    longer than the plan: finiteness, symmetry and the variances are looked at alone.

    Raises
    ------
    InvalidInput
        As `repair.checked` does.
    """
    if isinstance(given, Covariance):
        return given
    matrix = (
        _floats(given, "covariance")
        if isinstance(given, np.ndarray | list | tuple)
        else _square(given, names)
    )
    if len(names) > FULLY_CHECKED and not mend and matrix.shape == (len(names), len(names)):
        _probe(matrix, names)
        return Covariance(matrix=matrix)
    return Covariance(matrix=repair.checked(matrix, names, repair=mend))


def factor_covariance(given: Any, names: tuple[str, ...]) -> Covariance:
    """``(loadings, specific)`` or ``(loadings, covariance of the factors, specific)`` as a covariance.

    Raises
    ------
    InvalidInput
        For shapes that do not fit, values that are not finite, specific variances below 0, or a
        name without any variance.
    """
    if not isinstance(given, tuple | list) or len(cast("tuple[Any, ...]", given)) not in (2, 3):
        raise InvalidInput("factors must be (loadings, specific) or (loadings, factor_covariance, specific)")
    pieces = cast("tuple[Any, ...]", given)
    loadings, specific = _floats(pieces[0], "loadings"), vector(pieces[-1], names, "specific variances")
    if loadings.ndim != 2 or len(loadings) != len(names):
        raise InvalidInput(f"loadings has shape {loadings.shape}: it must be ({len(names)}, factors)")
    if not np.isfinite(loadings).all():
        raise InvalidInput(
            f"loadings must be finite: {names[int(np.argwhere(~np.isfinite(loadings))[0][0])]} is not"
        )
    if (specific < 0).any():
        raise InvalidInput(f"specific variances must be 0 or more, got {specific.min():g}")
    if len(pieces) == 3:
        labels = tuple(f"factor {place + 1}" for place in range(loadings.shape[1]))
        between = repair.checked(_floats(pieces[1], "factor_covariance"), labels)
        values, vectors = np.linalg.eigh(between)
        loadings = loadings @ (vectors * np.sqrt(np.maximum(values, 0.0)))
    covariance = Covariance(loadings=np.ascontiguousarray(loadings), specific=specific)
    _require_variance(covariance.diagonal(), names)
    return covariance


def estimate(
    returns: Array, names: tuple[str, ...], estimator: str, half_life: float | None, factor_count: int | None
) -> Covariance:
    """The covariance of returns."""
    method = cast("estimators.Estimator", estimator)
    return estimators.covariance_of(returns, names, method, half_life=half_life, factors=factor_count)


def _require_variance(variances: Array, names: tuple[str, ...]) -> None:
    without = [names[int(place)] for place in np.flatnonzero(variances <= 0)]
    if without:
        raise InvalidInput(
            f"variances must be positive: {', '.join(without)} has none. Hold such a name as cash, or leave it out"
        )


def _probe(matrix: Array, names: tuple[str, ...]) -> None:
    """Find what is not finite, not symmetric or without variance in one pass over a large matrix."""
    probe = np.cos(np.arange(len(names)) ** 2)
    down, across = np.zeros(len(names)), np.empty(len(names))
    for first in range(0, len(names), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        down += probe[part] @ matrix[part]
        across[part] = matrix[part] @ probe
    if not np.isfinite(down).all():
        raise InvalidInput(
            f"the covariance must be finite: {names[int(np.flatnonzero(~np.isfinite(down))[0])]} is not"
        )
    _require_variance(np.diagonal(matrix), names)
    apart = np.abs(down - across)
    if apart.max() > _SYMMETRIC * max(float(np.abs(across).max()), 1e-300):
        raise InvalidInput(f"the covariance must be symmetric: {names[int(apart.argmax())]} is not")


def _floats(given: Any, what: str) -> Array:
    if type(given) is np.ndarray and given.dtype == np.float64:
        return given
    if np.iscomplexobj(given):
        raise InvalidInput(f"{what} must be real numbers, got complex ones")
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} must be numbers: {error}") from None


def _frame(given: Any, what: str) -> Any:
    try:
        return nw.from_native(given, eager_only=True)
    except nw.exceptions.DuplicateError as error:
        raise InvalidInput(f"{what} must have a column once: {error}") from None
    except TypeError:
        raise InvalidInput(
            f"{what} must be a pandas or polars table or an array, got {type(given).__name__}"
        ) from None


def _is_pandas(given: Any) -> bool:
    return hasattr(given, "index") and hasattr(given, "to_numpy")


def _labelled(given: Any, names: tuple[str, ...], what: str) -> Array:
    """A pandas series: by its labels, or in the order of the names where it only counts them."""
    values, order = _floats(given.to_numpy(), what), order_of(given.index, names, what)
    return values if order is None else values[order]


def _square(given: Any, names: tuple[str, ...]) -> Array:
    matrix = table(given, names, "covariance")
    order = order_of(given.index, names, "covariance") if _is_pandas(given) else None
    return matrix if order is None else matrix[order]
