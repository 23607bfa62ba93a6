"""What people write: percent, dollars and seconds, from TOML, ``CAPITAL_*`` variables or arguments."""

from capdesk.config.capital import CapitalConfig
from capdesk.config.fields import plain
from capdesk.config.parts import BreakersConfig, GroupConfig, MarketProfileConfig, RiskConfig, SleeveConfig
from capdesk.config.planning import PlanningConfig
from capdesk.config.reading import differences, read_config, read_planning

__all__ = [
    "BreakersConfig",
    "CapitalConfig",
    "GroupConfig",
    "MarketProfileConfig",
    "PlanningConfig",
    "RiskConfig",
    "SleeveConfig",
    "differences",
    "plain",
    "read_config",
    "read_planning",
]
