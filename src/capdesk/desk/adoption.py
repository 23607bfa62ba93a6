"""From a plan to the rules that carry it out: its weights as the shares of sleeves."""

from __future__ import annotations

import hashlib
import json

from capdesk.config import CapitalConfig
from capdesk.config.fields import percent
from capdesk.model.errors import InvalidInput
from capdesk.model.plans import Plan


def plan_hash(plan: Plan) -> str:
    """SHA-256 of what a plan decides: its strategy, its weights in order, its cash and budget."""
    decided = {
        "strategy": plan.strategy,
        "weights": [[name, f"{weight:f}"] for name, weight in plan.weights.items()],
        "cash": f"{plan.cash:f}",
        "budget": f"{plan.budget:f}",
    }
    return hashlib.sha256(json.dumps(decided, separators=(",", ":")).encode()).hexdigest()


def reason_of(plan: Plan, said: str | None) -> str:
    """What the journal says of an adoption."""
    reason = f"plan {plan_hash(plan)} by {plan.strategy}"
    return reason if said is None else f"{reason}: {said}"


def adopted(config: CapitalConfig, plan: Plan) -> CapitalConfig:
    """The configuration with a plan's weights as the shares of its sleeves.

    Raises
    ------
    InvalidInput
        For weights below 0, and for weights that with the reserve are more than the whole.
    """
    short = [f"{name} {weight:f}" for name, weight in plan.weights.items() if weight < 0]
    if short:
        raise InvalidInput(f"a sleeve's share is 0 or more, the plan has {', '.join(short)}")
    if not plan.weights:
        raise InvalidInput("a plan without names has nothing to adopt")
    invested = sum(weight.micro for weight in plan.weights.values())
    free = 100 - config.reserve_percent
    if invested > free * 10_000:
        raise InvalidInput(
            f"the plan invests {percent(invested)} of the bankroll and the reserve is {config.reserve_percent:f}%: "
            f"plan with a budget of {free / 100:f}, or lower reserve_percent"
        )
    ours = {sleeve.name: sleeve for sleeve in config.sleeves}
    shares = dict.fromkeys(ours, 0) | {name: weight.micro for name, weight in plan.weights.items()}
    given = config.model_dump(include=config.model_fields_set)
    given["sleeves"] = [
        {**(ours[name].model_dump() if name in ours else {"name": name}), "percent": percent(share)}
        for name, share in shares.items()
    ]
    return CapitalConfig(**given)

