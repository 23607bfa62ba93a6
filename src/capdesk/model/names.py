"""What may be the name of a market, strategy, account, group or request, and a pattern of such names."""

from __future__ import annotations

from capdesk.model.errors import InvalidInput

LONGEST_NAME = 256


def name(value: object, what: str) -> str:
    """A market, strategy, account, group or request id.

    Raises
    ------
    InvalidInput
        If it is no text of 1 to 256 printable characters.
    """
    if type(value) is not str:
        if not isinstance(value, str):
            raise InvalidInput(f"{what} must be a text, got {type(value).__name__}")
        value = str.__str__(value)
    if 0 < len(value) <= LONGEST_NAME and value.isprintable() and value[0] != " " != value[-1]:
        return value
    shown = repr(value) if len(value) <= 40 else f"{value[:37]!r}... ({len(value)} characters)"
    raise InvalidInput(
        f"{what} must be 1 to {LONGEST_NAME} printable characters without spaces at its ends, got {shown}"
    )
