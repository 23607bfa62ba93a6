"""Where the bankroll goes, from the top to the positions: `audit`."""

from typing import TYPE_CHECKING

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from rich.table import Table

    from capdesk.decide.waterfall import Audit, Step
    from capdesk.desk import CapitalAllocator
    from capdesk.model.money import Amount


def audit(
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Follow the money from the bankroll to the positions: each reduction once, with its one cause."""

    async def look(desk: "CapitalAllocator") -> "tuple[Audit, int]":
        return await desk.audit(), desk.mandate_version

    found, version = on_desk(ledger, look)
    if json_output:
        render.write_json(record(found, version))
        return ExitCode.DONE
    out = render.console()
    out.print(
        f"[bold]{render.literal(str(ledger))}[/]  [dim]mandate {version} · entry {found.sequence:,}[/]\n"
    )
    out.print(waterfall(found.steps))
    out.print()
    out.print(metrics(found))
    return ExitCode.DONE


def record(audit: "Audit", mandate_version: int) -> dict[str, object]:
    """Give an audit as the JSON object that `audit --json` prints."""
    return {
        "steps": [{name: getattr(step, name) for name in step.__struct_fields__} for step in audit.steps],
        "capital_utilization": audit.capital_utilization,
        "strategy_performance": audit.strategy_performance,
        "strategy_capital_variance": audit.strategy_capital_variance,
        "mandate_version": mandate_version,
        "sequence": audit.sequence,
    }


def waterfall(steps: "tuple[Step, ...]") -> "Table":
    """Tabulate the steps: each indented by its level, what it took, what it left, and why."""
    grid = render.table(("", "whole"), ("change", "right"), ("leaves", "right"), "why")
    before = None
    for step in steps:
        if step.level == 1 and before is not None:
            grid.add_section()
        heading = step.level == 1 or before is None
        name = f"{'  ' * step.level}{render.literal(step.name or 'all strategies')}"
        grid.add_row(
            f"[bold]{name}[/]" if heading else name,
            change(step.change),
            f"[bold]{render.money(step.amount)}[/]" if heading else render.money(step.amount),
            f"[dim]{render.literal(step.cause)}[/]",
        )
        before = step
    return grid


def change(amount: "Amount") -> str:
    """Show what a step took or added; nothing where it only names an amount."""
    if not amount:
        return ""
    return render.money(amount) if amount < 0 else f"+{render.money(amount)}"


def metrics(audit: "Audit") -> "Table":
    """Lay out the three figures that say whether strategies work with the capital they were given."""
    performance = "\n".join(
        f"{render.literal(name)} {ratio:.2f}" for name, ratio in audit.strategy_performance.items()
    )
    used = render.percent(audit.capital_utilization)
    return render.facts(
        (
            ("capital utilization", f"{used} [dim]sum of positions / total capital[/]"),
            (
                "strategy performance",
                performance + "\n[dim]actual / expected return[/]"
                if performance
                else "[dim]no sleeve names an expected return[/]",
            ),
            (
                "strategy capital variance",
                f"{audit.strategy_capital_variance:,.2f} [dim]dollars squared, of the sleeves' budgets[/]",
            ),
        )
    )
