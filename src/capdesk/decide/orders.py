"""How a grant is split into orders."""

from __future__ import annotations

from capdesk.model.mandate import Mandate


def order_sizes(mandate: Mandate, amount: int) -> tuple[int, ...]:
    """Equal orders, rounded down to the venue's tick, and the rest in the last.

    Returns
    -------
    tuple of int
        Micro-units that sum to `amount`; empty when it is one order.
    """
    count = mandate.split_count
    if amount <= mandate.split_threshold or count < 2:
        return ()
    tick = mandate.order_tick or 1
    each = amount // count // tick * tick
    if each == 0:
        return ()
    return (*([each] * (count - 1)), amount - each * (count - 1))
