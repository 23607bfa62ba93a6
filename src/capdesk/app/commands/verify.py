"""Whether a plan is what it says: `verify`."""

from pathlib import Path
from typing import Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode

STATED = "[yellow]?[/]"
SIGNS = {True: "[green]✓[/]", False: "[red]✗[/]"}

PlanFile = Annotated[
    Path,
    typer.Argument(help="A plan as JSON, as `Plan.to_json` writes it.", metavar="FILE", show_default=False),
]


def verify(file: PlanFile, json_output: options.Json = False) -> ExitCode:
    """Check a plan with the standard library alone, in rational arithmetic: sum, limits, bound and gap.

    What no arithmetic can show from the plan alone is marked as taken as stated.
    Exit code 8 means that the plan is not what it says.
    """
    from capdesk.decide.weights.verification import NotAPlan, check
    from capdesk.model.errors import InvalidInput

    try:
        checks = check(file.read_bytes())
    except NotAPlan as error:
        raise InvalidInput(f"{file}: {error}") from error
    holds = all(each.holds for each in checks)
    if json_output:
        told = [
            {"name": each.name, "holds": each.holds, "proven": each.proven, "said": each.said}
            for each in checks
        ]
        render.write_json({"file": file, "holds": holds, "checks": told})
    else:
        for each in checks:
            sign = SIGNS[each.holds] if each.proven or not each.holds else STATED
            render.say(f"{sign} [bold]{each.name}[/] {render.literal(each.said)}")
        stated = [each.name for each in checks if not each.proven]
        but = f"; taken as stated: {', '.join(stated)}" if stated else ""
        render.say(f"the plan is what it says{but}" if holds else "[red]the plan is not what it says[/]")
    return ExitCode.DONE if holds else ExitCode.ATTENTION
