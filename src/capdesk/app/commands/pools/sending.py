"""What of a plan's transactions may be sent when the desk granted less than the plan asked for."""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from capdesk.app import render
from capdesk.model.money import Amount

if TYPE_CHECKING:
    from capdesk.model.runs import StoredRun
    from capdesk.positions import Adopted

NOTHING = Amount(0)


class Sendable(Struct, frozen=True):
    """A transaction of a plan, and how many dollars of it may be sent."""

    verb: str
    pool_id: str
    gives: tuple[str, ...]
    takes: tuple[str, ...]
    amount: Amount
    send: Amount


def sendable(stored: "StoredRun", adopted: "list[Adopted]") -> list[Sendable]:
    """What may be sent: deposits as far as they were granted, and conversions as far as they feed those.

    Withdrawals, and conversions that end as cash, are sent as they are.
    """
    lacking = {each.pool_id: each.asked - each.granted for each in adopted if each.done != "sent"}
    steps: list[dict[str, Any]] = stored.run.outcome.result["transactions"]
    shares: list[Amount] = []
    for place in reversed(range(len(steps))):
        step = steps[place]
        amount = Amount(step["amount"])
        if step["verb"] == "deposit":
            send = max(amount - lacking.get(step["pool_id"], NOTHING), NOTHING)
        elif step["verb"] == "withdraw":
            send = amount
        else:
            send = amount * _fed({flow["token"] for flow in step["takes"]}, steps[place + 1 :], shares)
        shares.insert(0, send / amount)
    return [_sendable(step, share) for step, share in zip(steps, shares, strict=True)]


def _fed(tokens: set[str], later: list[dict[str, Any]], shares: list[Amount]) -> Amount:
    """The share of what later steps take of these tokens that is sent; all of it where none takes any."""
    takers = [
        (Amount(flow["amount"]), share)
        for step, share in zip(later, shares, strict=True)
        for flow in step["gives"]
        if flow["token"] in tokens
    ]
    taken = sum((amount for amount, _ in takers), NOTHING)
    return sum((amount * share for amount, share in takers), NOTHING) / taken if taken else Amount(1)


def _sendable(step: dict[str, Any], share: Amount) -> Sendable:
    gives, takes = (tuple(flow["token"] for flow in step[name]) for name in ("gives", "takes"))
    amount = Amount(step["amount"])
    return Sendable(step["verb"], step["pool_id"], gives, takes, amount, round(amount * share, 6))


def draw(steps: list[Sendable], names: dict[str, str]) -> None:
    """Print each transaction with what of it may be sent; `names` are those of pools and tokens."""
    grid = render.table(("", "right"), ("", "whole"), "what", ("planned", "right"), ("may be sent", "right"))
    for number, each in enumerate(steps, 1):
        gives, takes = (
            ", ".join(names.get(token, token) for token in flow) for flow in (each.gives, each.takes)
        )
        what = names.get(each.pool_id, each.pool_id) if each.pool_id else f"{gives} to {takes}"
        colour = "green" if each.send == each.amount else "yellow" if each.send else "red"
        grid.add_row(
            f"{number}",
            each.verb,
            render.literal(what),
            render.money(round(each.amount, 2)),
            f"[{colour}]{render.money(round(each.send, 2)) if each.send else 'nothing'}[/]",
        )
    render.say(
        "\n[bold]Transactions that may be sent[/], in this order; what the desk did not grant stays cash"
    )
    render.console().print(grid)
