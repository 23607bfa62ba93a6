"""Money: exact decimals at the edge, integers of 10^-6 inside.

A bankroll is kept in micro-units, integers that fit 63 bits (9.2 x 10^12 whole
units). `Amount` is what people give and get: a `Decimal` that also takes part in
arithmetic with int, float and str, without ever losing a digit.
"""

from __future__ import annotations

from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from math import isfinite
from typing import Any, SupportsIndex

from capdesk.model.errors import InvalidInput

MICRO = 1_000_000
NANO = 1_000_000_000
"""How many units of a weight make 1: a weight is an integer of 10^-9."""
MAX_MICRO = 2**63 - 1
PPM = 1_000_000
LONGEST_NUMBER = 1_000
_PLAIN = 1e9
_SHORT = 120
_PLAIN_WEIGHT = 1e6

_TRAPS = [InvalidOperation, DivisionByZero, Overflow]
_EXACT = Context(prec=2_500, traps=[*_TRAPS, Inexact])
_ROUNDED = Context(prec=50, rounding=ROUND_HALF_EVEN, traps=_TRAPS)

Number = int | float | str | Decimal


def read_decimal(value: object, name: str = "amount") -> Decimal:
    """Read a number exactly; a float through its repr, so that 0.1 is one tenth.

    Raises
    ------
    InvalidInput
        For booleans, NaN, infinities and whatever is not a number.
    """
    if isinstance(value, bool):
        raise InvalidInput(f"{name} must be a number, got the boolean {value}")
    if type(value) is int and value.bit_length() <= _SHORT:
        return Decimal(value)
    if isinstance(value, Decimal):
        number = value
        if number.is_finite() and len(number.as_tuple().digits) > LONGEST_NUMBER:
            raise InvalidInput(f"{name} must have at most {LONGEST_NUMBER} digits")
    elif isinstance(value, float):
        number = Decimal(float.__repr__(value))
    elif isinstance(value, str):
        if len(value) > LONGEST_NUMBER:
            raise InvalidInput(f"{name} must have at most {LONGEST_NUMBER} digits, got {len(value)}")
        try:
            number = _EXACT.create_decimal(value.strip())
        except (InvalidOperation, Inexact):
            raise InvalidInput(f"{name} must be a number, got {value[:40]!r}") from None
    elif isinstance(value, SupportsIndex):
        number = Decimal(_whole(value, name))
    else:
        raise InvalidInput(
            f"{name} must be a number (int, float, str or Decimal), got {type(value).__name__}"
        )
    if not number.is_finite():
        raise InvalidInput(f"{name} must be a finite number, got {value}")
    if number and not -40 <= number.adjusted() <= 40:
        raise InvalidInput(f"{name} must lie between 1e-40 and 1e40 in size, got {value}")
    return number


def _whole(value: SupportsIndex, name: str) -> int:
    try:
        whole = value.__index__()
    except TypeError:
        raise InvalidInput(f"{name} must be one number, got {type(value).__name__}") from None
    if whole.bit_length() > 140:
        raise InvalidInput(
            f"{name} must be at most 1e40 in size, got an integer of {whole.bit_length()} bits"
        )
    return whole


class Amount(Decimal):
    """An exact sum of money.

    ``Amount("0.1") + 0.2 == 0.3`` holds: floats are read through their repr.
    Sums and products are exact; a quotient is rounded half-even to 50 digits, whatever
    the precision of the caller's decimal context is.

    Raises
    ------
    InvalidInput
        For booleans, NaN and infinities.
    """

    __slots__ = ()

    def __new__(cls, value: object = 0) -> Amount:
        return Decimal.__new__(cls, read_decimal(value))

    @classmethod
    def from_micro(cls, micro: int) -> Amount:
        """The amount of `micro` millionths, written without needless zeros."""
        whole, part = divmod(abs(micro), MICRO)
        sign = "-" if micro < 0 else ""
        text = f"{sign}{whole}.{part:06d}".rstrip("0").rstrip(".") if part else f"{sign}{whole}"
        return Decimal.__new__(cls, text)

    @classmethod
    def from_nano(cls, nano: int) -> Amount:
        """The weight of `nano` billionths, written without needless zeros."""
        whole, part = divmod(abs(nano), NANO)
        sign = "-" if nano < 0 else ""
        text = f"{sign}{whole}.{part:09d}".rstrip("0") if part else f"{sign}{whole}"
        return Decimal.__new__(cls, text)

    @property
    def micro(self) -> int:
        """Millionths, half-even."""
        return to_micro(self)

    def __str__(self) -> str:
        return Decimal.__format__(self, "f")

    def __format__(self, spec: str, /) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Decimal.__format__(self, spec or "f")

    def __repr__(self) -> str:
        return f"Amount('{self}')"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Amount, (str(self),))

    def __copy__(self) -> Amount:
        return self

    def __deepcopy__(self, memo: object) -> Amount:
        return self

    def __add__(self, other: Any) -> Amount:
        return _combine(_EXACT.add, self, other)

    def __radd__(self, other: Any) -> Amount:
        return _combine(_EXACT.add, self, other)

    def __sub__(self, other: Any) -> Amount:
        return _combine(_EXACT.subtract, self, other)

    def __rsub__(self, other: Any) -> Amount:
        return _combine(_EXACT.subtract, other, self)

    def __mul__(self, other: Any) -> Amount:
        return _combine(_EXACT.multiply, self, other)

    def __rmul__(self, other: Any) -> Amount:
        return _combine(_EXACT.multiply, self, other)

    def __truediv__(self, other: Any) -> Amount:
        return _combine(_ROUNDED.divide, self, other)

    def __rtruediv__(self, other: Any) -> Amount:
        return _combine(_ROUNDED.divide, other, self)

    def __floordiv__(self, other: Any) -> Amount:
        return _combine(_EXACT.divide_int, self, other)

    def __rfloordiv__(self, other: Any) -> Amount:
        return _combine(_EXACT.divide_int, other, self)

    def __mod__(self, other: Any) -> Amount:
        return _combine(_EXACT.remainder, self, other)

    def __rmod__(self, other: Any) -> Amount:
        return _combine(_EXACT.remainder, other, self)

    def __divmod__(self, other: Any) -> tuple[Amount, Amount]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Amount, Amount]:
        return other // self, other % self

    def __pow__(self, other: Any, modulo: Any = None) -> Amount:
        return _combine(_ROUNDED.power, self, other)

    def __neg__(self) -> Amount:
        return _amount(self.copy_negate()) if self else self

    def __pos__(self) -> Amount:
        return self

    def __abs__(self) -> Amount:
        return _amount(self.copy_abs())

    def normalize(self, context: Context | None = None) -> Amount:
        return _amount(Decimal.normalize(self, context or _EXACT))

    def __round__(self, ndigits: int | None = None) -> Any:
        rounded = self.quantize(Decimal(1).scaleb(-(ndigits or 0)), context=_ROUNDED)
        return int(rounded) if ndigits is None else _amount(rounded)

    def __eq__(self, other: object) -> bool:
        return Decimal.__eq__(self, _comparable(other))

    def __lt__(self, other: Any) -> bool:
        return Decimal.__lt__(self, _comparable(other))

    def __le__(self, other: Any) -> bool:
        return Decimal.__le__(self, _comparable(other))

    def __gt__(self, other: Any) -> bool:
        return Decimal.__gt__(self, _comparable(other))

    def __ge__(self, other: Any) -> bool:
        return Decimal.__ge__(self, _comparable(other))

    __hash__ = Decimal.__hash__


def _comparable(other: Any) -> Any:
    if isinstance(other, float) and isfinite(other):
        return Decimal(float.__repr__(other))
    return other


def _amount(number: Decimal) -> Amount:
    return Decimal.__new__(Amount, number)


def _combine(operation: Any, left: Any, right: Any) -> Any:
    try:
        return _amount(operation(_operand(left), _operand(right)))
    except _NotANumber:
        return NotImplemented
    except Inexact:
        raise InvalidInput(f"{left} and {right} cannot be combined exactly in 2,500 digits") from None
    except (DivisionByZero, InvalidOperation):
        raise ZeroDivisionError(f"{left} divided by {right}") from None


class _NotANumber(Exception):
    pass


def _operand(value: Any) -> Decimal:
    if isinstance(value, Amount):
        return value
    if isinstance(value, int | float | str | Decimal | SupportsIndex):
        return read_decimal(value)
    raise _NotANumber


def to_micro(value: object, name: str = "amount", rounding: str = ROUND_HALF_EVEN) -> int:
    """Millionths of a number of whole units.

    Parameters
    ----------
    value
        A number in whole units (dollars).
    name
        What to call it in an error.
    rounding
        How a finer number is rounded: half-even for P&L and flows.

    Raises
    ------
    InvalidInput
        If it is no finite number, or beyond 9.2 x 10^12.
    """
    if type(value) is float and -_PLAIN < value < _PLAIN and (micro := round(value * MICRO)) / MICRO == value:
        # A double has room for 15 decimal digits: `value` can be the repr of no other number of millionths.
        return micro
    return _in_units(value, name, rounding, MICRO, 6)


def _in_units(value: object, name: str, rounding: str, per_one: int, decimals: int) -> int:
    if type(value) is int and -MAX_MICRO <= value <= MAX_MICRO:
        units = value * per_one
    else:
        number = read_decimal(value, name)
        units = int(number.scaleb(decimals, _EXACT).to_integral_value(rounding, _EXACT))
    if not -MAX_MICRO <= units <= MAX_MICRO:
        raise InvalidInput(f"{name} must be at most {MAX_MICRO // per_one} in size, got {value}")
    return units


def to_micro_down(value: object, name: str = "amount") -> int:
    """Millionths rounded down: for what is asked and what is granted."""
    return to_micro(value, name, ROUND_FLOOR)


def to_nano(value: object, name: str = "weight", rounding: str = ROUND_HALF_EVEN) -> int:
    """Billionths of a number: the unit of weights.

    Parameters
    ----------
    value
        A fraction of the capital.
    name
        What to call it in an error.
    rounding
        How a finer number is rounded.

    Raises
    ------
    InvalidInput
        If it is no finite number, or beyond 9.2 x 10^9.
    """
    if type(value) is float and -_PLAIN_WEIGHT < value < _PLAIN_WEIGHT:
        nano = round(value * NANO)
        if nano / NANO == value:
            return nano
    return _in_units(value, name, rounding, NANO, 9)


def usd(micro: int) -> str:
    """Two decimals for people: ``$1,234.56``; smaller sums are written out."""
    if micro and abs(micro) < 10_000:
        return f"{'-' if micro < 0 else ''}${Amount.from_micro(abs(micro))}"
    cents = Decimal(abs(micro)).scaleb(-6, _ROUNDED).quantize(Decimal("0.01"), context=_ROUNDED)
    return f"{'-' if micro < 0 else ''}${cents:,}"
