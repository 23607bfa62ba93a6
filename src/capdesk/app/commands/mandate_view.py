"""How a weighed mandate looks: what would change, and what of the open capital would be above it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from capdesk.app import render

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.app.commands.mandate_preview import Limit, Preview
    from capdesk.model.money import Amount


def record(preview: "Preview") -> dict[str, object]:
    """Give a preview as the JSON object that `mandate diff --json` prints."""
    return {
        "mandate_version": preview.mandate_version,
        "changes": [
            {"field": name, "in_force": ours, "proposed": theirs} for name, ours, theirs in preview.changes
        ],
        "headroom_before": preview.headroom_before,
        "headroom_after": preview.headroom_after,
        "above": [limit_record(limit) for limit in preview.above],
        "limits": [limit_record(limit) for limit in preview.limits],
    }


def limit_record(limit: "Limit") -> dict[str, object]:
    """Give one weighed limit as a JSON object; null is no limit."""
    return {
        "name": limit.name,
        "market_id": limit.market,
        "used": limit.used,
        "before": limit.before,
        "after": limit.after,
        "above": limit.above,
    }


def draw(preview: "Preview") -> None:
    """Print a preview for a person."""
    out = render.console()
    if not preview.changes:
        out.print(f"no difference to mandate {preview.mandate_version}")
        return
    grid = render.table(("setting", "whole"), f"mandate {preview.mandate_version}", "proposed")
    for change in preview.changes:
        for name, ours, theirs in differences(*change):
            grid.add_row(render.literal(name), render.literal(ours), render.literal(theirs))
    out.print(grid)
    out.print(
        f"\nheadroom  {render.money(preview.headroom_before)} before, "
        f"[bold]{render.money(preview.headroom_after)}[/] after"
    )
    if preview.above:
        count = len(preview.above)
        out.print(
            f"\n[yellow]{count} {'limit' if count == 1 else 'limits'} would be exceeded by what is open[/]"
        )
        out.print(above_table(preview))
        out.print(
            "[dim]Nothing is taken by force: what is above its limit gets nothing more until it is below.[/]"
        )
    else:
        out.print("[green]nothing that is open would be above its new limit[/]")


def above_table(preview: "Preview") -> "Table":
    """Tabulate the limits that what is open would exceed, and by how much."""
    grid = render.table(
        "limit", "market", ("in use", "right"), ("before", "right"), ("after", "right"), ("above", "right")
    )
    for limit in preview.above:
        grid.add_row(
            render.literal(limit.name),
            render.literal(limit.market or ""),
            render.money(limit.used),
            shown(limit.before),
            shown(limit.after),
            f"[yellow]{render.money(limit.above)}[/]",
        )
    return grid


def differences(name: str, ours: Any, theirs: Any) -> Iterator[tuple[str, str, str]]:
    """Show what differs in a setting: of a table, or of tables with names, only the parts that do."""
    ours, theirs = by_name(ours), by_name(theirs)
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        yield name, setting(ours), setting(theirs)
        return
    for key in dict.fromkeys((*ours, *theirs)):
        if ours.get(key) != theirs.get(key):
            yield from differences(f"{name}.{key}", ours.get(key), theirs.get(key))


def by_name(value: Any) -> Any:
    """Give a list of tables with names as one table by their names."""
    named = isinstance(value, (tuple, list)) and all(
        isinstance(each, dict) and "name" in each for each in value
    )
    return {each["name"]: each for each in value} if named else value


def setting(value: Any) -> str:
    """Show the value of a setting as people write it: a table in a line, several tables in a line each."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, tuple, list)) and not value:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {part(each)}" for name, each in value.items() if each not in (None, ()))
    if isinstance(value, (tuple, list)) and isinstance(value[0], dict):
        return "\n".join(setting(each) for each in value)
    from capdesk.config import plain

    return plain(value)


def part(value: Any) -> str:
    """Show the value of a part of a table, which stays in its line."""
    shown = setting(value).replace("\n", "; ")
    names = isinstance(value, (tuple, list)) and not any(isinstance(each, dict) for each in value)
    return f"({shown})" if isinstance(value, (dict, tuple, list)) and not names else shown


def shown(limit: "Amount | None") -> str:
    """Show a limit, or a dash where there is none."""
    return "–" if limit is None else render.money(limit)
