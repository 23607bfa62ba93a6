"""What a pool allocation answers: positions, transactions in order, the decision, the certificate."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from capdesk.model.money import Amount
from capdesk.model.pool_parameters import PoolParameters

Verb = Literal["withdraw", "convert", "bridge", "deposit"]
Kind = Literal["reallocate", "place_yield", "forced"]


class Flow(Struct, frozen=True):
    """So much of a token, in dollars and in units at its price."""

    token: str
    amount: Amount
    units: float


class Transaction(Struct, frozen=True):
    """One step of carrying a plan out; steps are in an order that can be executed.

    Attributes
    ----------
    verb
        ``withdraw`` from a pool, ``convert`` on a chain, ``bridge`` to another, ``deposit``.
    pool_id
        The pool; empty for a conversion.
    amount
        Dollars that are moved: what the position changes by, or what is converted.
    gives, takes
        What leaves our balances (or the pool) and what arrives, after costs.
    gas, fee
        What the step costs: once, and in proportion.
    days_to_break_even
        Days of the position's yield that pay for the step; None where it does not earn.
    reason
        Why it is done.
    """

    verb: Verb
    pool_id: str
    amount: Amount
    gives: tuple[Flow, ...]
    takes: tuple[Flow, ...]
    gas: Amount
    fee: Amount
    days_to_break_even: float | None
    reason: str


class Costs(Struct, frozen=True):
    """What carrying the plan out costs, in dollars."""

    gas: Amount
    conversion: Amount

    @property
    def total(self) -> Amount:
        """Both."""
        return self.gas + self.conversion


class Position(Struct, frozen=True):
    """One pool in a plan.

    Attributes
    ----------
    before, amount
        Dollars before and after.
    weight
        The fraction of all assets.
    apy, tvl, group
        What the plan went by; `apy` before our own deposit's effect, percent a year.
    yield_usd
        What it earns over the horizon after dilution and expected losses.
    gas, conversion
        What moving it costs; conversions are shared by the pools they feed.
    shadow_price
        What one more dollar of room in the pool would add to the objective.
    stuck
        Dollars that should leave and cannot, with the reason.
    """

    pool_id: str
    protocol: str
    chain: str
    tokens: tuple[str, ...]
    token_amounts: tuple[Amount, ...]
    before: Amount
    amount: Amount
    weight: float
    apy: float
    tvl: float
    group: int
    yield_usd: float
    gas: Amount
    conversion: Amount
    shadow_price: float
    stuck: Amount
    reason: str


class LimitInForce(Struct, frozen=True):
    """A limit that binds, and what one more dollar of it would add to the objective."""

    name: str
    limit: float
    used: float
    shadow_price: float


class PoolLeftOut(Struct, frozen=True):
    """A pool that the plan does not use, and why.

    Attributes
    ----------
    entry_apy
        The APY from which on it would have paid to enter it, at the prices of this plan;
        None where no APY would do.
    reason
        Why nothing may go in; empty where it is a matter of yield.
    """

    pool_id: str
    apy: float
    entry_apy: float | None
    reason: str


class ForcedExit(Struct, frozen=True):
    """A position that may not stay, with its reason, and how much of it cannot leave."""

    pool_id: str
    reason: str
    stuck: Amount


class Breach(Struct, frozen=True):
    """A limit that what was held broke by more than growth may explain.

    Attributes
    ----------
    limit, pool_id
        Its name, and the pool whose own it is; empty for a limit that pools share.
    allowed, held, excess
        What it allows, what lay under it, and the difference: dollars, and pools for `max_pools`.
    stuck
        What of the excess cannot leave; the limit is raised by it.
    reason
        The same in a sentence, with what keeps the stuck part.
    """

    limit: str
    pool_id: str
    allowed: float
    held: float
    excess: float
    stuck: float
    reason: str


class Trim(Struct, frozen=True):
    """A position that became smaller, and the broken limits that it counts in."""

    pool_id: str
    amount: Amount
    limits: tuple[str, ...]
    reason: str


class Decision(Struct, frozen=True):
    """Whether the new plan replaces what is held.

    Attributes
    ----------
    kind
        ``reallocate``; ``place_yield`` (what is held stays but for what its limits ask to
        be taken out, and only yesterday's yield is placed, or waits as cash); ``forced`` (a
        position may not stay, so the new plan is carried out).
    net_new, net_stay
        Yield over the horizon after costs, of the new plan and of staying, in dollars. Both
        keep every limit.
    margin
        By how much the new plan had to be better, in dollars.
    forced
        The positions that may not stay.
    breaches
        The limits that what was held broke.
    trimmed
        The positions that became smaller under them.
    """

    kind: Kind
    reason: str
    net_new: float
    net_stay: float
    margin: float
    forced: tuple[ForcedExit, ...]
    breaches: tuple[Breach, ...]
    trimmed: tuple[Trim, ...]


class PoolCertificate(Struct, frozen=True):
    """How good the plan is, computed apart from the solver.

    Attributes
    ----------
    objective
        Net gain over the horizon, recomputed from the positions, in dollars.
    bound
        What no plan can exceed, recomputed from the multipliers of each leaf of the tree.
    gap
        (bound - objective) / max(1, |objective|).
    worst_violation
        The largest breach of any constraint, in dollars.
    leaves, nodes
        The size of the tree; a certificate without a tree has one leaf.
    proof
        ``tree``: recomputed here; ``solver``: the bound is the solver's word.
    """

    objective: float
    bound: float
    gap: float
    worst_violation: float
    leaves: int
    nodes: int
    proof: Literal["tree", "solver"]


class PoolPlan(Struct, frozen=True):
    """A pool allocation: what to hold, how to get there, and the proof.

    Attributes
    ----------
    allocations
        Pool -> dollars after the transactions; pools with nothing are left out.
    cash
        Dollars that stay cash, and `balances` by token.
    objective, bound, gap
        Net gain over the horizon (yield of pools and cash, less costs), what no plan of the
        same kind can exceed, and the relative distance.
    cash_usd, in_transit_usd
        What cash earns over the horizon, and what money on its way over bridges misses of its
        yield: the objective is the positions' yield and the first, less the costs and the second.
    notes
        What a reader should know: limits that fell, cash that found no place, a fall-back.
    solver
        Which solver, its version, and whether it fell back to the whole MILP.
    """

    allocations: dict[str, Amount]
    cash: Amount
    balances: dict[str, Amount]
    objective: float
    bound: float
    gap: float
    costs: Costs
    cash_usd: float
    in_transit_usd: float
    transactions: tuple[Transaction, ...]
    decision: Decision
    positions: tuple[Position, ...]
    left_out: tuple[PoolLeftOut, ...]
    limits: tuple[LimitInForce, ...]
    certificate: PoolCertificate
    notes: tuple[str, ...]
    solver: str
    parameters: PoolParameters
