"""How the demo's figures are written: signed dollars, curves, times of the day."""

from __future__ import annotations

from datetime import UTC, datetime

from capdesk.app import render
from capdesk.model.money import Amount

BLOCKS = "▁▂▃▄▅▆▇█"


def signed(amount: Amount) -> str:
    """A profit or loss in whole cents, with its sign and colour."""
    return render.signed_money(round(amount, 2))


def sparkline(values: list[Amount], floor: Amount | int | None = None) -> str:
    """Draw values as blocks from the least (or `floor`) to the most."""
    least = min(values) if floor is None else floor
    height = max(values) - least
    if not height:
        return BLOCKS[0] * len(values)
    return "".join(BLOCKS[int((value - least) / height * (len(BLOCKS) - 1))] for value in values)


def clock(at: int) -> str:
    """A moment's time of day, from unix seconds."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
