"""The parameters of a pool allocation: limits as fractions, costs by chain, losses to expect."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from capdesk.model.pool_parameter_checks import check_parameters

EVERY = "*"
"""Names every token, protocol or chain without a limit of its own."""


class ChainCosts(Struct, frozen=True, forbid_unknown_fields=True):
    """What transactions and conversions cost on a chain.

    Gas in dollars is units x gwei x 10^-9 x price of the native coin.

    Attributes
    ----------
    gas_gwei, native_price_usd
        Forecast gas price, and the price of the coin it is paid in.
    deposit_units, withdraw_units, swap_units
        Gas of one deposit, one withdrawal and one swap.
    conversion_rate
        What a swap costs of the amount that is really converted, a fraction; None: the
        general `conversion_rate`.
    """

    gas_gwei: float = 0.0
    native_price_usd: float = 0.0
    deposit_units: float = 250_000
    withdraw_units: float = 250_000
    swap_units: float = 180_000
    conversion_rate: float | None = None

    def gas_usd(self, units: float) -> float:
        """Dollars for so many units of gas."""
        return units * self.gas_gwei * 1e-9 * self.native_price_usd


class ExpectedLoss(Struct, frozen=True, forbid_unknown_fields=True):
    """What an event would take of a position, and how often it is expected.

    Attributes
    ----------
    hazard_per_year
        Expected events a year.
    loss
        The fraction that is lost in one.
    """

    hazard_per_year: float
    loss: float = 1.0

    @property
    def yearly(self) -> float:
        """The expected loss of a dollar in a year."""
        return self.hazard_per_year * self.loss


class PoolParameters(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an allocation has to obey; limits are fractions of 1, sums are dollars.

    Attributes
    ----------
    tvl_limit_percentage, position_max_pct_pool_tvl
        The most we may be of a pool's TVL without our own deposit; the smaller counts.
    min_pools
        At least so many pools are used, or none; 1 with `profit_optimization`.
    profit_optimization
        Drops `max_alloc_percentage`, and `min_pools` to 1.
    max_alloc_percentage, position_max_pct_total_assets
        The most of all assets in one pool; the smaller counts.
    group1_max_pct, group2_max_pct, group3_max_pct
        The most of all assets in each stability group.
    group_room
        ``strict``, or ``cascade``: room that a riskier group leaves may be used by safer ones.
    conversion_rate
        What a swap costs of the amount that is converted.
    horizon_days
        Yield and expected losses are counted over so many days, costs once.
    cash_apy
        What cash earns, percent a year.
    allow_cash
        Whether money may stay cash; without it everything must be placed.
    minimum_ticket_usd
        The smallest position; a pool counts as used from it on.
    minimum_move_usd
        The smallest deposit or withdrawal; leaving a pool wholly is always a move.
    cool_down_days
        A position is left alone for so long after it was moved.
    max_pools
        The most pools in use; None for no limit.
    token_max_pct, protocol_max_pct, chain_max_pct
        The most of all assets behind each name; ``"*"`` is every name without its own.
    token_groups
        Name -> tokens: a limit or loss by such a name is for all of them together.
    swap_gas_usd, deposit_gas_usd, withdraw_gas_usd
        Gas on chains that are not in `chains`.
    chains
        Costs by chain.
    max_gas_gwei
        Above this gas price nothing is moved on a chain but what must leave a pool.
    bridge_rate, bridge_gas_usd, bridge_days
        A transfer to another chain costs these on top of the dearest swap's, and earns nothing
        for so long.
    protocol_losses, token_losses
        Losses to expect, by name.
    growth_tolerance
        A limit that growth alone has broken by no more than this fraction of itself forces no trade.
    dilution_segments
        Into how many straight pieces a rate that falls with our deposit is cut.
    reallocation_margin
        A new plan replaces the old one when it is better by this fraction of the old yield.
    yesterday_yield_usd
        The cash that is yesterday's yield; None: all cash is.

    Raises
    ------
    InvalidInput
        For a value that cannot be obeyed, with what is allowed.
    """

    tvl_limit_percentage: float = 0.05
    min_pools: int = 4
    profit_optimization: bool = False
    max_alloc_percentage: float = 0.25
    position_max_pct_total_assets: float = 0.25
    position_max_pct_pool_tvl: float = 0.05
    group1_max_pct: float = 0.35
    group2_max_pct: float = 0.35
    group3_max_pct: float = 0.30
    group_room: Literal["strict", "cascade"] = "strict"
    conversion_rate: float = 0.0004
    horizon_days: float = 30.0
    cash_apy: float = 0.0
    allow_cash: bool = True
    minimum_ticket_usd: float = 100.0
    minimum_move_usd: float = 0.0
    cool_down_days: float = 0.0
    max_pools: int | None = None
    token_max_pct: dict[str, float] = {}
    protocol_max_pct: dict[str, float] = {}
    chain_max_pct: dict[str, float] = {}
    token_groups: dict[str, tuple[str, ...]] = {}
    swap_gas_usd: float = 0.0
    deposit_gas_usd: float = 0.0
    withdraw_gas_usd: float = 0.0
    chains: dict[str, ChainCosts] = {}
    max_gas_gwei: float | None = None
    bridge_rate: float = 0.0005
    bridge_gas_usd: float = 0.0
    bridge_days: float = 0.0
    protocol_losses: dict[str, ExpectedLoss] = {}
    token_losses: dict[str, ExpectedLoss] = {}
    growth_tolerance: float = 0.02
    dilution_segments: int = 4
    reallocation_margin: float = 0.0
    yesterday_yield_usd: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be obeyed."""
        check_parameters(self)
