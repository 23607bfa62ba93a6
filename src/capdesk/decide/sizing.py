"""Signal to position size inside a sleeve: one implementation, two modes (seed 003).

``strategy_first``: the strategy manages its own risk within its capital,
``size = capital x position_size_percent``. ``unified``: the sleeve's own rules size it,
``size = min(capital x max_position_size x risk_multiplier, capital)``. The size is what is
asked for; what is granted is decided by `grants` alone.
"""

from __future__ import annotations

from typing import Literal

from capdesk.model.money import PPM

Sizing = Literal["strategy_first", "unified"]


def position_size(
    mode: Sizing, capital: int, size_ppm: int, max_position_ppm: int = PPM, risk_ppm: int = PPM
) -> int:
    """Micro-units to ask for.

    Parameters
    ----------
    capital
        The sleeve's capital in micro-units.
    size_ppm
        The signal's share of it; mode ``unified`` does not look at it, as in the seed.
    max_position_ppm, risk_ppm
        The sleeve's own rules; mode ``strategy_first`` does not look at them.
    """
    if mode == "strategy_first":
        return capital * size_ppm // PPM
    return min(capital * max_position_ppm * risk_ppm // (PPM * PPM), capital)
