"""Equity to budgets: how many dollars each strategy's sleeve has today.

``budget = multiplier x min(base x percent, cap)``; a sleeve is disabled when its amount
before the multiplier is under its minimum (seed 002).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from capdesk.model.money import PPM
from capdesk.model.rules import Budget, Sleeve

Idle = Literal["keep", "share"]
Compounding = Literal["full", "half", "fixed"]


def compounding_base(equity: int, contributed: int, compounding: Compounding) -> int:
    """The equity that percentages apply to: all of the profit enters it, half, or none; losses always do.

    Parameters
    ----------
    contributed
        Deposits less withdrawals.
    """
    profit = equity - contributed
    if profit <= 0 or compounding == "full":
        return max(0, equity)
    return max(0, contributed + (profit // 2 if compounding == "half" else 0))


def budgets(
    sleeves: tuple[Sleeve, ...],
    base: int,
    multiplier_of: Callable[[Sleeve], int],
    idle: Idle = "keep",
    paused: frozenset[str] = frozenset(),
) -> tuple[Budget, ...]:
    """The budget of every sleeve.

    Parameters
    ----------
    base
        Micro-units that the percentages apply to.
    multiplier_of
        The market's multiplier for a sleeve, parts per million.
    idle
        ``"share"``: what disabled and capped sleeves leave goes to the others, in the
        proportion of their percentages and within their caps.
    paused
        Sleeves that are disabled whatever their amount is.
    """
    kept = tuple(
        budget(sleeve, base, multiplier_of(sleeve), paused=sleeve.name in paused) for sleeve in sleeves
    )
    if idle == "keep":
        return kept
    before = {each.sleeve: each.before for each in kept}
    enabled = {each.sleeve: each.enabled for each in kept}
    _share_idle(sleeves, enabled, before, sum(each.share for each in kept))
    return tuple(
        _budget(sleeve, each.share, before[sleeve.name], each.multiplier_ppm, enabled=each.enabled)
        for sleeve, each in zip(sleeves, kept, strict=True)
    )


def budget(sleeve: Sleeve, base: int, multiplier_ppm: int, *, paused: bool = False) -> Budget:
    """The budget of one sleeve, without what idle sleeves leave."""
    share = max(0, base) * sleeve.percent_ppm // PPM
    before = share if sleeve.cap is None or share <= sleeve.cap else sleeve.cap
    enabled = before >= sleeve.minimum and not paused
    return _budget(sleeve, share, before if enabled else 0, multiplier_ppm, enabled=enabled)


def _budget(sleeve: Sleeve, share: int, before: int, multiplier_ppm: int, *, enabled: bool) -> Budget:
    return Budget(
        sleeve=sleeve.name,
        share=share,
        before=before,
        amount=before * multiplier_ppm // PPM,
        enabled=enabled,
        capped=enabled and sleeve.cap is not None and before >= sleeve.cap,
        multiplier_ppm=multiplier_ppm,
    )


def _share_idle(
    sleeves: tuple[Sleeve, ...], enabled: dict[str, bool], before: dict[str, int], planned: int
) -> None:
    """Pour what is left over into the sleeves that have room, again until none is left or none has room."""
    while True:
        left = planned - sum(before.values())
        open_ = [
            sleeve
            for sleeve in sleeves
            if enabled[sleeve.name] and (sleeve.cap is None or before[sleeve.name] < sleeve.cap)
        ]
        weight = sum(sleeve.percent_ppm for sleeve in open_)
        if left <= 0 or weight == 0:
            return
        poured = 0
        for sleeve in open_:
            more = min(
                left * sleeve.percent_ppm // weight,
                left if sleeve.cap is None else sleeve.cap - before[sleeve.name],
            )
            before[sleeve.name] += more
            poured += more
        if poured == 0:
            return
