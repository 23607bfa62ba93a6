"""How the transactions of a plan for pools look, of the day or of a stored run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from capdesk.app import render
from capdesk.model.money import Amount
from capdesk.model.pool_plans import Transaction

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.model.runs import Run


def stored(run: Run) -> list[Transaction]:
    """The transactions of a stored plan for pools."""
    return [
        msgspec.convert(each, Transaction, strict=False, dec_hook=_amount)
        for each in run.outcome.result["transactions"]
    ]


def transactions(steps: Iterable[Transaction], say: Callable[[str], str]) -> Table:
    """A line for each step, in their order.

    Parameters
    ----------
    say
        Puts what people call pools and tokens for their ids.
    """
    grid = render.table(
        ("", "right"),
        ("", "whole"),
        "what",
        ("amount", "right"),
        ("gas", "right"),
        ("fee", "right"),
        ("pays in", "right"),
    )
    for number, step in enumerate(steps, 1):
        days = step.days_to_break_even
        grid.add_row(
            f"{number}",
            step.verb,
            _what(step, say),
            *(render.money(round(each, 2)) for each in (step.amount, step.gas, step.fee)),
            "" if days is None else f"{days:,.1f} d",
        )
    return grid


def _what(step: Transaction, say: Callable[[str], str]) -> str:
    if step.pool_id:
        return say(step.pool_id)
    gives, takes = (", ".join(say(flow.token) for flow in flows) for flows in (step.gives, step.takes))
    return f"{gives} to {takes}"


def _amount(kind: type, value: Any) -> Any:
    return cast("Any", Amount(value)) if kind is Amount else value
