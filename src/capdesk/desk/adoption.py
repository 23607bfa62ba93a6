"""From a plan to the rules that carry it out: its weights as the shares of sleeves."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capdesk.model.errors import InvalidInput
from capdesk.model.mandate import Mandate
from capdesk.model.money import PPM, Amount
from capdesk.model.rules import Sleeve

if TYPE_CHECKING:
    from capdesk.model.plans import Plan

_NAME = re.compile(r"\S{1,128}")
_ADOPTION = re.compile(r"plan [0-9a-f]{64} by ")


def plan_hash(plan: Plan) -> str:
    """SHA-256 of the plan as JSON, which is that of the file that `capdesk weights --save` writes."""
    return hashlib.sha256(plan.to_json().encode()).hexdigest()


def reason_of(plan: Plan, said: str | None) -> str:
    """What the journal says of an adoption."""
    reason = f"plan {plan_hash(plan)} by {plan.strategy}"
    return reason if said is None else f"{reason}: {said}"


def is_adoption(reason: str) -> bool:
    """Whether a mandate's reason is that of an adoption."""
    return _ADOPTION.match(reason) is not None


def adopted(mandate: Mandate, plan: Plan) -> Mandate:
    """The rules with a plan's weights as the shares of the sleeves, in parts per million.

    Raises
    ------
    InvalidInput
        For weights below 0, for weights that with the reserve are more than the whole, and
        for names that no sleeve can have.
    """
    short = [f"{name} {weight:f}" for name, weight in plan.weights.items() if weight < 0]
    if short:
        raise InvalidInput(f"a sleeve's share is 0 or more, the plan has {', '.join(short)}")
    if not plan.weights:
        raise InvalidInput("a plan without names has nothing to adopt")
    unfit = [name for name in plan.weights if not _NAME.fullmatch(name)]
    if unfit:
        raise InvalidInput(
            f"a sleeve's name is 1 to 128 characters without white space, the plan has {', '.join(map(repr, unfit))}"
        )
    from capdesk.decide.weights.coarser import coarser

    free = PPM - mandate.reserve_ppm
    shares = dict(zip(plan.weights, coarser(plan.evidence, PPM), strict=True))
    if (invested := sum(shares.values())) > free:
        from capdesk.config.fields import percent

        raise InvalidInput(
            f"the plan invests {percent(invested)} of the bankroll and the reserve is {percent(mandate.reserve_ppm)}: "
            f"plan with a budget of {Amount.from_micro(free):f}, or lower reserve_percent"
        )
    ours = {sleeve.name: sleeve for sleeve in mandate.sleeves}
    sleeves = tuple(
        replace(ours[name], percent_ppm=share) if name in ours else Sleeve(name, share)
        for name, share in (dict.fromkeys(ours, 0) | shares).items()
    )
    return replace(mandate, sleeves=sleeves)
