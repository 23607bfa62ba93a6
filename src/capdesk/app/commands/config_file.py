"""A configuration as a file to edit: every setting with its comment, in TOML."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig

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
    "priority_tiers": "The percentage of the total limit that requests of each priority may fill.",
    "market_profiles": "Limits for markets by their names (* and ?); the first that matches rules.",
    "groups": "One limit for correlated markets together, in percent of equity, dollars, or both.",
}
"""Every setting and its comment, in the order of the file: in TOML the tables come last."""

EXAMPLES = {
    "order_tick": "order_tick = 0.01",
    "max_mark_age_seconds": "max_mark_age_seconds = 600",
    "priority_tiers": "[priority_tiers]\ncritical = 100\nhigh = 90\nnormal = 75",
    "market_profiles": '[[market_profiles]]\npattern = "btc-*"\nmax_percent = 2\nmax_absolute = 10',
    "groups": '[groups.bitcoin]\nmax_percent = 10\npatterns = ["btc-*"]',
}
"""How a setting that is not set would be written; it stands in the file as a comment."""

BARE_KEY = re.compile("[A-Za-z0-9_-]+")
PERCENTAGES = ("max_percent", "critical", "high", "normal")


def toml_of(config: "CapitalConfig") -> str:
    """Write a configuration as a TOML file that `CapitalConfig.load` reads back as the same."""
    values = config.model_dump()
    blocks = [
        "# The rules of one bankroll. Weigh a change with 'capdesk mandate diff FILE',\n"
        "# make it with 'capdesk mandate update FILE --reason ...'."
    ]
    for name, comment in SETTINGS.items():
        lines = [f"# {comment}"]
        if name in EXAMPLES and not values[name]:
            lines += [f"# {line}" for line in EXAMPLES[name].splitlines()]
        else:
            lines += setting(name, values[name])
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def setting(name: str, value: Any) -> Iterator[str]:
    """Write one setting: a line, or the tables it is made of."""
    if name == "priority_tiers":
        yield "[priority_tiers]"
        yield from pairs(value)
    elif name == "market_profiles":
        for profile in value:
            yield "[[market_profiles]]"
            yield from pairs(profile)
    elif name == "groups":
        for group, limits in value.items():
            yield f"[groups.{group if BARE_KEY.fullmatch(group) else literal(group)}]"
            yield from pairs(limits)
    else:
        yield f"{name} = {literal(value, percent=name.endswith('_percent'))}"


def pairs(table: dict[str, Any]) -> Iterator[str]:
    """Write the lines of a table; what is not set is left out."""
    for name, value in table.items():
        if value is not None:
            yield f"{name} = {literal(value, percent=name in PERCENTAGES)}"


def literal(value: Any, *, percent: bool = False) -> str:
    """Write a value in TOML; a bare percentage below one would be taken for a mistaken fraction."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        plain = format(Decimal(value), "f")
        return f'"{plain}%"' if percent and 0 < value < 1 else plain
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    if value is None:
        return '"none"'
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
