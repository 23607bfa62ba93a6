"""A configuration to a mandate and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capdesk.config.fields import dollars, micro, optional_ppm, percent, ppm
from capdesk.config.parts import BreakersConfig, RiskConfig, SleeveConfig
from capdesk.model.mandate import DAY, SECOND, Mandate
from capdesk.model.money import Amount, to_micro, to_micro_down
from capdesk.model.requests import PRIORITIES
from capdesk.model.rules import PriorityTier

if TYPE_CHECKING:
    from capdesk.config.capital import CapitalConfig


def compiled(config: CapitalConfig) -> Mandate:
    """The rules of a configuration in exact integers; percentages are rounded down to a millionth."""
    hours, _, minutes = config.day_boundary.partition(":")
    return Mandate(
        market_percent_ppm=ppm(config.max_exposure_per_market_percent),
        market_absolute=micro(config.max_exposure_per_market_absolute),
        total_percent_ppm=ppm(config.max_total_exposure_percent),
        min_order=to_micro_down(config.min_order_size),
        split_threshold=to_micro_down(config.order_split_threshold),
        split_count=config.order_split_count,
        order_tick=micro(config.order_tick),
        recycle_delay=to_micro_down(config.recycle_delay_seconds),
        share_markets=config.share_markets,
        on_expiry=config.on_expiry,
        tiers=tuple(
            PriorityTier(name, ppm(config.priority_tiers[name]))
            for name in PRIORITIES
            if name in config.priority_tiers
        ),
        profiles=tuple(profile.compiled() for profile in config.market_profiles),
        groups=tuple(group.compiled(name) for name, group in config.groups.items()),
        accounts=config.accounts,
        max_mark_age=micro(config.max_mark_age_seconds),
        id_retention=to_micro(config.id_retention_days * 86_400),
        day_boundary=(int(hours) * 3600 + int(minutes) * 60) * SECOND,
        owner_silent=to_micro_down(config.owner_silent_seconds),
        sleeves=tuple(sleeve.compiled() for sleeve in config.sleeves),
        default_sleeve=config.default_sleeve,
        reserve_ppm=ppm(config.reserve_percent),
        idle=config.idle,
        compounding=config.compounding,
        resume_margin_ppm=ppm(config.resume_margin_percent),
        drawdown_ppm=optional_ppm(config.max_drawdown_percent),
        recall_within=to_micro_down(config.recall_seconds),
        sizing=config.sizing,
        risk=None if config.risk is None else config.risk.compiled(),
        breakers=None if config.breakers is None else config.breakers.compiled(),
    )


def written(mandate: Mandate) -> dict[str, Any]:
    """The fields of the configuration that compiles to a mandate."""
    minutes = mandate.day_boundary // (60 * SECOND)
    return {
        "max_exposure_per_market_percent": percent(mandate.market_percent_ppm),
        "max_exposure_per_market_absolute": dollars(mandate.market_absolute),
        "max_total_exposure_percent": percent(mandate.total_percent_ppm),
        "min_order_size": dollars(mandate.min_order),
        "order_split_threshold": dollars(mandate.split_threshold),
        "order_split_count": mandate.split_count,
        "order_tick": dollars(mandate.order_tick),
        "recycle_delay_seconds": dollars(mandate.recycle_delay),
        "share_markets": mandate.share_markets,
        "on_expiry": mandate.on_expiry,
        "priority_tiers": {tier.name: percent(tier.share_ppm) for tier in mandate.tiers},
        "market_profiles": tuple(
            {
                "pattern": it.pattern,
                "max_percent": percent(it.percent_ppm),
                "max_absolute": dollars(it.absolute),
            }
            for it in mandate.profiles
        ),
        "groups": {
            it.name: {
                "max_percent": percent(it.percent_ppm),
                "max_absolute": dollars(it.absolute),
                "patterns": it.patterns,
            }
            for it in mandate.groups
        },
        "accounts": mandate.accounts,
        "max_mark_age_seconds": dollars(mandate.max_mark_age),
        "id_retention_days": Amount(mandate.id_retention) / DAY,
        "day_boundary": f"{minutes // 60:02d}:{minutes % 60:02d}",
        "owner_silent_seconds": dollars(mandate.owner_silent),
        "sleeves": tuple(SleeveConfig.written(sleeve) for sleeve in mandate.sleeves),
        "default_sleeve": mandate.default_sleeve,
        "reserve_percent": percent(mandate.reserve_ppm),
        "idle": mandate.idle,
        "compounding": mandate.compounding,
        "resume_margin_percent": percent(mandate.resume_margin_ppm),
        "max_drawdown_percent": percent(mandate.drawdown_ppm),
        "recall_seconds": dollars(mandate.recall_within),
        "sizing": mandate.sizing,
        "breakers": None if mandate.breakers is None else BreakersConfig.written(mandate.breakers),
        "risk": None if mandate.risk is None else RiskConfig.written(mandate.risk),
    }
