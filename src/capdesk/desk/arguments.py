"""Reading the arguments of the desk's verbs: one clear error before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from msgspec.structs import replace

from capdesk.model.commands import Mark, MarkAll
from capdesk.model.errors import InvalidInput
from capdesk.model.mandate import SECOND
from capdesk.model.money import MICRO, Amount, read_decimal, to_micro, to_micro_down
from capdesk.model.names import name
from capdesk.model.requests import PRIORITIES, Request

LARGEST_COUNT = 10**9
RECYCLING = "recycle:"
LONGEST_TIME = 100 * 366 * 86_400


def optional_name(value: object, what: str) -> str | None:
    """A name, or None."""
    return None if value is None else name(value, what)


def request_id(value: object) -> str:
    """An id that a caller gives to a command.

    Raises
    ------
    InvalidInput
        If it is no name, or looks like the id of a recycling: that one would never be carried out.
    """
    given = name(value, "request_id")
    if given.startswith(RECYCLING):
        raise InvalidInput(f"request_id must not begin with {RECYCLING!r}, as recyclings do, got {given!r}")
    return given


def positive(value: object, what: str) -> int:
    """Micro-units above zero, half-even.

    Raises
    ------
    InvalidInput
        If it is not above zero.
    """
    micro = to_micro(value, what)
    if micro <= 0:
        raise InvalidInput(f"{what} must be above 0, got {value}")
    return micro


def not_negative(value: object, what: str) -> int:
    """Micro-units from zero up, half-even.

    Raises
    ------
    InvalidInput
        If it is below zero.
    """
    micro = to_micro(value, what)
    if micro < 0:
        raise InvalidInput(f"{what} must be 0 or more, got {value}")
    return micro


def seconds(value: object, what: str) -> int:
    """Microseconds of a number of seconds from 0 to a hundred years.

    Raises
    ------
    InvalidInput
        If it is negative or longer.
    """
    number = read_decimal(value, what)
    if not 0 <= number <= LONGEST_TIME:
        raise InvalidInput(f"{what} must be 0 to {LONGEST_TIME} seconds, got {value}")
    return int(Amount(number) * SECOND)


def count(value: object, what: str) -> int:
    """How many of something are wanted, from 0 to 10^9.

    Raises
    ------
    InvalidInput
        For anything that is no such whole number.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT:
        return value
    raise InvalidInput(f"{what} must be a whole number from 0 up to {LARGEST_COUNT}, got {str(value)[:40]}")


def correlation(value: object) -> int:
    """Parts per million of a correlation from -1 to 1.

    Raises
    ------
    InvalidInput
        For anything outside, such as a percentage written as 80.
    """
    parts = to_micro(value, "correlation")
    if not -MICRO <= parts <= MICRO:
        raise InvalidInput(f"correlation must lie between -1 and 1 (0.8 for 80 %), got {value}")
    return parts


def flag(value: object, what: str) -> bool:
    """True or False, and nothing that only looks like it.

    Raises
    ------
    InvalidInput
        For anything else.
    """
    if isinstance(value, bool):
        return value
    raise InvalidInput(f"{what} must be True or False, got {value!r}")


def instant(value: object, what: str) -> int:
    """Microseconds since 1970 of a datetime with a time zone, or of such a number.

    Raises
    ------
    InvalidInput
        For a datetime without a time zone, or anything else.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInput(f"{what} must have a time zone (UTC), got {value}")
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value < 2**62:
            return value
        given = value if abs(value) < 2**63 else f"an integer of {value.bit_length()} bits"
        raise InvalidInput(f"{what} must be microseconds since 1970 from 0 to 2^62, got {given}")
    raise InvalidInput(
        f"{what} must be a datetime with a time zone or microseconds since 1970, got {value!r}"
    )


def request(
    market_id: object,
    requested_amount: object,
    strategy: object,
    *,
    min_amount: object = None,
    all_or_none: object = False,
    group: object = None,
    account: object = None,
    priority: Any = "normal",
    lease_seconds: object = None,
) -> Request:
    """A request in micro-units; what is asked is rounded down.

    Raises
    ------
    InvalidInput
        Naming the argument, what was given and what is allowed.
    """
    asked = to_micro_down(requested_amount, "requested_amount")
    least = 0 if min_amount is None else positive(min_amount, "min_amount")
    if least > asked > 0:
        raise InvalidInput(
            f"min_amount must be at most the requested_amount {requested_amount}, got {min_amount}"
        )
    if priority not in PRIORITIES:
        raise InvalidInput(f"priority must be one of {', '.join(PRIORITIES)}, got {priority!r}")
    lease = None if lease_seconds is None else seconds(lease_seconds, "lease_seconds")
    if lease == 0:
        raise InvalidInput(f"lease_seconds must be above 0, got {lease_seconds}")
    return Request(
        name(market_id, "market_id"),
        asked,
        name(strategy, "strategy"),
        min_amount=least,
        all_or_none=all_or_none is not False and flag(all_or_none, "all_or_none"),
        group=None if group is None else name(group, "group"),
        account=None if account is None else name(account, "account"),
        priority=priority,
        lease=lease,
    )


def increase(market_id: object, amount: object, strategy: object) -> Request:
    """A request for more in an allocation that is open; without a strategy, the market's one holder is meant.

    Raises
    ------
    InvalidInput
        Naming the argument, what was given and what is allowed.
    """
    asked = request(market_id, amount, "holder" if strategy is None else strategy)
    return replace(asked, strategy="" if strategy is None else asked.strategy, increase=True)


def marks(values: object, at: object) -> MarkAll:
    """The marks of one moment, by market or by ``(market, strategy)``.

    Raises
    ------
    InvalidInput
        For no values, or a key that is neither.
    """
    if not isinstance(values, Mapping) or not values:
        raise InvalidInput(
            "values must be a mapping of at least one market, or (market, strategy), to dollars"
        )
    seen = None if at is None else instant(at, "at")
    given: list[Mark] = []
    for place, value in cast("Mapping[object, object]", values).items():
        pair = cast("tuple[object, ...]", place) if isinstance(place, tuple) else (place, None)
        if len(pair) != 2:
            raise InvalidInput(f"values must be by market or by (market, strategy), got {place!r}")
        market, strategy = name(pair[0], "market_id"), optional_name(pair[1], "strategy")
        given.append(Mark(market, not_negative(value, f"the value of {market}"), seen, strategy))
    return MarkAll(tuple(given))


def deadline(value: object) -> float | None:
    """Seconds above 0 to wait for an answer, or None for the usual.

    Raises
    ------
    InvalidInput
        For 0, negative numbers and what is no number.
    """
    if value is None:
        return None
    wait = seconds(value, "deadline_seconds")
    if wait == 0:
        raise InvalidInput(f"deadline_seconds must be above 0, got {value}")
    return wait / SECOND


_LEG_FIELDS = frozenset(
    [
        "market_id",
        "requested_amount",
        "strategy",
        "min_amount",
        "all_or_none",
        "group",
        "account",
        "priority",
        "lease_seconds",
    ]
)


def legs(requests: object) -> tuple[Request, ...]:
    """The requests of one common decision; a leg without `min_amount` is all or none.

    Raises
    ------
    InvalidInput
        For no legs, unknown fields, or a market and strategy named twice.
    """
    given_legs = list(cast("Iterable[object]", requests)) if isinstance(requests, Iterable) else []
    if not given_legs:
        raise InvalidInput(
            "requests must be a list of at least one mapping with market_id and requested_amount"
        )
    read: list[Request] = []
    for number, leg in enumerate(given_legs, 1):
        if not isinstance(leg, Mapping):
            raise InvalidInput(f"request {number} must be a mapping of arguments, got {type(leg).__name__}")
        given: dict[str, Any] = {
            str(key): value for key, value in cast("Mapping[object, object]", leg).items()
        }
        unknown = given.keys() - _LEG_FIELDS
        missing = {"market_id", "requested_amount"} - given.keys()
        if unknown or missing:
            raise InvalidInput(
                f"request {number} must have market_id and requested_amount, and may have "
                f"{', '.join(sorted(_LEG_FIELDS))}; got {', '.join(sorted(given)) or 'nothing'}"
            )
        given.setdefault("strategy", "sniper")
        given.setdefault("all_or_none", given.get("min_amount") is None)
        read.append(
            request(given.pop("market_id"), given.pop("requested_amount"), given.pop("strategy"), **given)
        )
    keys = [(leg.market, leg.strategy) for leg in read]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise InvalidInput(
            f"requests must name each market and strategy once, got {twice[0]} for {twice[1]} twice"
        )
    return tuple(read)
