"""A configuration as a file to edit: every setting with its comment, in TOML."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

SETTINGS = {
    "max_exposure_per_market_percent": 'The most one market may have, in percent of equity ("0.5%" for less than one).',
    "max_exposure_per_market_absolute": 'The most one market may have, in dollars ("none" for no cap).',
    "max_total_exposure_percent": "The most all markets together may have, in percent of equity.",
    "min_order_size": "Requests and grants below this are refused, in dollars.",
    "order_split_threshold": "A grant above this is split into several orders, in dollars.",
    "order_split_count": "How many orders a split grant becomes.",
    "order_tick": "The step that the venue takes; split orders are rounded down to it, in dollars.",
    "recycle_delay_seconds": "How long a resolved market's capital waits before it is freed.",
    "share_markets": "Whether several strategies may hold capital in one market, sharing its limits.",
    "on_expiry": 'A lease that ends unconfirmed: "hold" it (its order may be live), or "free" it.',
    "accounts": "Where the money lies; the first takes what names none.",
    "max_mark_age_seconds": "A gain on a mark older than this counts as none.",
    "id_retention_days": "How long request ids are remembered at least.",
    "day_boundary": "When a day begins, in UTC.",
    "owner_silent_seconds": "An allocation is an orphan when its strategy was not heard of for so long.",
    "max_drawdown_percent": 'The kill switch: a drawdown above this percentage halts the desk ("none" for no limit).',
    "reserve_percent": "What no sleeve may have, in percent of the bankroll.",
    "default_sleeve": "Where a strategy without a sleeve draws; without one it is unknown.",
    "idle": 'What a disabled or capped sleeve leaves: "keep" it as cash, or "share" it among the others.',
    "compounding": 'How much of the profit the percentages of the sleeves apply to: "full", "half" or "fixed".',
    "resume_margin_percent": "By how much a paused sleeve must pass its minimum before it is resumed.",
    "recall_seconds": "How long a sleeve has to give back what it holds above its budget.",
    "sizing": 'Who sizes a position: the strategy ("strategy_first"), or its sleeve\'s own rules ("unified").',
    "strategy": "How plans weigh their names; with the four below no part of a ledger's mandate.",
    "risk_free_rate": "What a year without risk pays, as a fraction (0.02 is two percent).",
    "rebalance_threshold": "The deviation of a weight from which it is traded, as a fraction of the total.",
    "max_protocols": "The most names that a plan may hold.",
    "optimization_frequency": "The time between two plans of a supervisor that plans, in seconds.",
    "priority_tiers": "The percentage of the total limit that requests of each priority may fill.",
    "market_profiles": "Limits for markets by their names (* and ?); the first that matches rules.",
    "groups": "One limit for correlated markets together, in percent of equity, dollars, or both.",
    "sleeves": "Each strategy's share of the bankroll, in percent; its cap and its minimum, in dollars.",
    "risk": "The risk gate: what the state of the market makes of the budgets, as fractions.",
    "breakers": "Circuit breakers: each stops grants until its own rule lifts it.",
}
"""Every setting and its comment, in the order of the file: in TOML the tables come last."""

EXAMPLES = {
    "order_tick": "order_tick = 0.01",
    "max_mark_age_seconds": "max_mark_age_seconds = 600",
    "default_sleeve": 'default_sleeve = "arbitrage"',
    "priority_tiers": "[priority_tiers]\ncritical = 100\nhigh = 90\nnormal = 75",
    "market_profiles": '[[market_profiles]]\npattern = "btc-*"\nmax_percent = 2\nmax_absolute = 10',
    "groups": '[groups.bitcoin]\nmax_percent = 10\npatterns = ["btc-*"]',
    "sleeves": (
        '[[sleeves]]\nname = "market_making"\npercent = 78\ncap = 500\nminimum = 50\n\n'
        '[[sleeves]]\nname = "arbitrage"\npercent = 20\ncap = 200\nminimum = 10'
    ),
    "risk": (
        "[risk]\nlow = 1.0\nmedium = 0.8\nhigh = 0.6\nextreme = 0.3\n"
        "gas = [{ above = 100, multiplier = 0.7 }, { above = 50, multiplier = 0.9 }]\nstale_after_seconds = 3600"
    ),
    "breakers": "[breakers]\ndaily_loss_percent = 10\nstale_data = true",
}
"""How a setting that is not set would be written; it stands in the file as a comment."""

BARE_KEY = re.compile("[A-Za-z0-9_-]+")
PERCENTAGES = {
    "priority_tiers": ("critical", "high", "normal"),
    "market_profiles": ("max_percent",),
    "groups": ("max_percent",),
    "sleeves": ("percent",),
    "breakers": ("daily_loss_percent",),
}
"""What is a percentage, in each table."""
WITH_A_DEFAULT = ("stale_after_seconds",)
"""What would not be none if it were left out."""


def toml_of(values: dict[str, Any]) -> str:
    """Write the fields of a configuration as a TOML file that `CapitalConfig.load` reads back as the same."""
    blocks = [
        "# The rules of one bankroll. Weigh a change with 'capdesk mandate diff FILE',\n"
        "# make it with 'capdesk mandate update FILE --reason ...'."
    ]
    for name, comment in ((name, comment) for name, comment in SETTINGS.items() if name in values):
        lines = [f"# {comment}"]
        if name in EXAMPLES and not values[name]:
            lines += [f"# {line}".rstrip() for line in EXAMPLES[name].splitlines()]
        else:
            lines += setting(name, values[name])
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def setting(name: str, value: Any) -> Iterator[str]:
    """Write one setting: a line, or the tables it is made of."""
    if name in ("market_profiles", "sleeves"):
        for number, each in enumerate(value):
            yield from ([""] if number else [])
            yield f"[[{name}]]"
            yield from pairs(name, each)
    elif name in ("priority_tiers", "risk", "breakers"):
        yield f"[{name}]"
        yield from pairs(name, value)
    elif name == "groups":
        for group, limits in value.items():
            yield f"[groups.{group if BARE_KEY.fullmatch(group) else literal(group)}]"
            yield from pairs(name, limits)
    else:
        yield f"{name} = {literal(value, percent=name.endswith('_percent'))}"


def pairs(table: str, values: dict[str, Any]) -> Iterator[str]:
    """Write the lines of a table; what is not set is left out."""
    for name, value in values.items():
        if value is not None or name in WITH_A_DEFAULT:
            yield f"{name} = {literal(value, percent=name in PERCENTAGES.get(table, ()))}"


def literal(value: Any, *, percent: bool = False) -> str:
    """Write a value in TOML; a bare percentage below one would be taken for a mistaken fraction."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        plain = format(Decimal(value), "f")
        return f'"{plain}%"' if percent and 0 < value < 1 else plain
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {literal(each)}" for name, each in value.items()) + " }"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    if value is None:
        return '"none"'
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
