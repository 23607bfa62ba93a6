"""Which pools money may go into, and why not into the others.

A pool is in when nothing speaks against it: its protocol and every one of its tokens are
approved, none is blacklisted or iced, it is large and pays enough, its figure is no
outlier, and it does not lose to its own price moves. Every reason is told, not only the
first. Tokens are looked up by chain and address.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from capdesk.model import letters
from capdesk.model.lists import APPROVED_PROTOCOLS, APPROVED_TOKENS, BLACKLISTED_TOKENS, ICEBOX_TOKENS, Lists
from capdesk.model.market_rows import PoolDay, PoolFacts
from capdesk.model.money import MICRO

OnIce = Literal["exit", "reduce", "freeze"]


class EligibilityRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a pool has to be.

    Attributes
    ----------
    min_tvl_usd
        Dollars of others in it.
    min_apy, max_apy
        Percent a year; what pays more than `max_apy` is an outlier.
    impermanent_loss
        Whether pools that may lose to their own price moves are allowed.
    outliers
        Whether figures that their source doubts are allowed.
    on_ice
        What happens to a position whose coin is iced: it is left (``exit``), may only
        become smaller (``reduce``), or is not touched (``freeze``).
    """

    min_tvl_usd: float = 500_000.0
    min_apy: float = 0.0
    max_apy: float = 100.0
    impermanent_loss: bool = False
    outliers: bool = False
    on_ice: OnIce = "exit"


USUAL = EligibilityRules()


class Eligibility(Struct, frozen=True):
    """Whether money may go into a pool.

    Attributes
    ----------
    reasons
        What speaks against it, one sentence each; empty for a pool that is in.
    iced
        Whether its only faults are iced coins.
    """

    pool_id: str
    reasons: tuple[str, ...]
    iced: bool = False

    @property
    def eligible(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


class Names:
    """The lists as sets, made once for many pools.

    Parameters
    ----------
    fallen
        Tokens that count as iced though they are not on the list: id -> why.
    """

    def __init__(self, lists: Lists, fallen: Mapping[str, str] = MappingProxyType({})) -> None:
        self.approved = lists.names(APPROVED_TOKENS)
        self.blacklisted = lists.names(BLACKLISTED_TOKENS)
        self.protocols = frozenset(letters.lower(name) for name in lists.names(APPROVED_PROTOCOLS))
        listed = {each.name: each.reason for each in getattr(lists, ICEBOX_TOKENS)}
        self.iced: Mapping[str, str] = {**fallen, **listed}


def eligibility(
    facts: PoolFacts,
    day: PoolDay | None,
    names: Names,
    rules: EligibilityRules = USUAL,
    own: int = 0,
) -> Eligibility:
    """Judge one pool.

    Parameters
    ----------
    day
        The pool on the day of the decision; None if it is not told of, or gone.
    own
        Our own deposit in it, dollars in micro-units, which its TVL holds.
    """
    iced = _iced(facts, names)
    others = (*_standing(facts, names), *(_figures(day, rules, own)), *_kind(facts, rules))
    return Eligibility(facts.pool_id, (*others, *iced), iced=bool(iced) and not others)


def _standing(facts: PoolFacts, names: Names) -> list[str]:
    reasons: list[str] = []
    if letters.lower(facts.project) not in names.protocols:
        reasons.append(f"the protocol {facts.project} is not approved")
    for token in facts.tokens:
        if token.token_id in names.blacklisted:
            reasons.append(f"the token {token.symbol} ({token.token_id}) is blacklisted")
        elif token.token_id not in names.approved:
            reasons.append(f"the token {token.symbol} ({token.token_id}) is not approved")
    return reasons


def _iced(facts: PoolFacts, names: Names) -> list[str]:
    return [
        f"the token {token.symbol} is on ice: {names.iced[token.token_id]}"
        for token in facts.tokens
        if token.token_id in names.iced
    ]


def _figures(day: PoolDay | None, rules: EligibilityRules, own: int) -> list[str]:
    if day is None:
        return ["it has no figures for the day: it is gone, or its source was silent"]
    reasons: list[str] = []
    others = (day.tvl - own) / MICRO
    if others < rules.min_tvl_usd:
        reasons.append(f"its TVL without our own deposit is ${others:,.0f}, under ${rules.min_tvl_usd:,.0f}")
    if day.apy < rules.min_apy:
        reasons.append(f"its APY is {day.apy:g} %, under {rules.min_apy:g} %")
    if not rules.outliers and (day.outlier or day.apy > rules.max_apy):
        who = "its source doubts" if day.outlier else f"above {rules.max_apy:g} % is doubtful:"
        reasons.append(f"{who} its APY of {day.apy:g} %")
    return reasons


def _kind(facts: PoolFacts, rules: EligibilityRules) -> list[str]:
    reasons: list[str] = [] if facts.tokens else ["nobody says which tokens it takes"]
    if not facts.stablecoin:
        reasons.append("not all of its tokens are stablecoins")
    if facts.il_risk and not rules.impermanent_loss:
        reasons.append("it may lose to its own price moves (impermanent loss)")
    return reasons
