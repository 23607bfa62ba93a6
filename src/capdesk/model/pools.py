"""Pools: what a yield pool is, what is held in one, and how its rate answers to our own deposit.

A pool's token is named as its chain names it ("USDC" or an address); together with the chain
it is one token: ``ethereum:USDC``. The same coin on another chain is another token, and a
bridge lies between them.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Status = Literal["open", "reduce", "freeze", "exit"]
"""What may be done with a pool: anything; take out; nothing; and take out all that can be taken."""


class Emission(Struct, frozen=True, tag="emission"):
    """A fixed sum a year is shared by all depositors: x dollars beside V earn r V / (V + x)."""


class Kinked(Struct, frozen=True, tag="kinked"):
    """A lending pool: suppliers earn what borrowers pay on the share that is lent out.

    With utilisation u the borrowers' rate rises with slope `slope_below` up to the kink and
    `slope_above` beyond it; suppliers earn u times that. Only the ratio of the slopes matters:
    the level is the forecast APY at today's utilisation.

    Attributes
    ----------
    utilisation
        The share that is lent out now, a fraction.
    kink
        The utilisation above which the rate rises steeply, a fraction.
    slope_below, slope_above
        The rise of the borrowers' rate over the range below and above the kink, percent a year.
    """

    utilisation: float
    kink: float = 0.9
    slope_below: float = 4.0
    slope_above: float = 60.0


class Piecewise(Struct, frozen=True, tag="piecewise"):
    """Marginal rates that are known: up to each `deposits` in dollars the next dollar earns `apys`.

    The rates may not rise; beyond the last deposit nothing more can be placed.
    """

    deposits: tuple[float, ...]
    apys: tuple[float, ...]


RateModel = Emission | Kinked | Piecewise


class Pool(Struct, frozen=True):
    """A pool on the day of the decision.

    Attributes
    ----------
    pool_id
        Its name, unique among the pools.
    tokens
        What it takes, by name on its chain; several for a pool of several tokens.
    protocol, chain
        Where it lies; compared without case.
    forecasted_apy
        Percent a year.
    forecasted_tvl
        Dollars in it, with our own deposit.
    group
        Stability: 1 is steady, 3 is not.
    gas_in_usd, gas_out_usd
        What one deposit and one withdrawal cost; None takes the chain's gas (`ChainCosts`).
    shares
        The share of a deposit that is paid in each token, adding up to 1; empty for equal ones.
    status, reason
        Whether money may go in and must come out, and why it is not simply open.
    rate_model
        What our own deposit does to the rate; None: nothing.
    withdrawable_usd
        How much can be taken out now; None: all of it.
    """

    pool_id: str
    tokens: tuple[str, ...]
    protocol: str = ""
    chain: str = ""
    forecasted_apy: float = 0.0
    forecasted_tvl: float = 0.0
    group: int = 1
    gas_in_usd: float | None = None
    gas_out_usd: float | None = None
    shares: tuple[float, ...] = ()
    status: Status = "open"
    reason: str = ""
    rate_model: RateModel | None = None
    withdrawable_usd: float | None = None


class Holding(Struct, frozen=True):
    """What is held in a pool, where more is known of it than its value.

    Attributes
    ----------
    value_usd
        Its value today.
    days_since_move
        Days since the last deposit or withdrawal, for the cool-down; None: long ago.
    pool
        The pool as it was when it was last seen, for a pool that is not among the pools any
        more: such a position must be left.
    """

    value_usd: float
    days_since_move: float | None = None
    pool: Pool | None = None
