"""Target weights from a file, and their adoption by a desk: `weights`, `adopt`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.rules import telling_warnings
from capdesk.app.commands.session import on_desk

if TYPE_CHECKING:
    from capdesk.app.planning_file import Asked
    from capdesk.desk import CapitalAllocator
    from capdesk.model.plans import Plan


def weights(
    file: options.TableFile,
    strategy: options.PlanStrategy = None,
    only: options.Only = None,
    max_weight: options.MaxWeight = None,
    min_weight: Annotated[
        str | None, typer.Option(help="The smallest weight, as a fraction.", metavar="FRACTION")
    ] = None,
    max_names: Annotated[
        str | None,
        typer.Option(help="The most names held.", metavar="COUNT", show_default="CAPITAL_MAX_PROTOCOLS, 10"),
    ] = None,
    no_cash: Annotated[
        bool, typer.Option("--no-cash", help="Refuse limits that do not let all of it be invested.")
    ] = False,
    risk_aversion: Annotated[
        str | None,
        typer.Option(help="The factor of half the variance in a utility.", metavar="FACTOR"),
    ] = None,
    views: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file of [market_weights] and [[view]]s, for black_litterman.", metavar="VIEWS"
        ),
    ] = None,
    risk_free_rate: options.RiskFreeRate = None,
    kind: options.Kind = None,
    drop_incomplete: options.DropIncomplete = False,
    periods_per_year: options.PeriodsPerYear = None,
    estimator: options.Estimator = "sample",
    explain: Annotated[bool, typer.Option("--explain", help="Say why each name has what it has.")] = False,
    save: Annotated[
        Path | None,
        typer.Option(help="Write the plan to this file, for 'capdesk verify' and 'adopt'.", metavar="PLAN"),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="Store the plan as a run in these planning records, for 'capdesk replay'.", metavar="FILE"
        ),
    ] = None,
    config: options.PlanningFile = None,
    json_output: options.Json = False,
) -> ExitCode:
    """Decide which share each name should have, with the proof that no other weights are better.

    FILE holds prices or returns (dates, then a column for each name), or
    moments: a first column "name", then "mean", "risk_score" or a column of
    covariances for each name.
    """
    from capdesk.app import plan_view, planning_file, saving

    asked = planning_file.read(
        file,
        kind=kind,
        drop_incomplete=drop_incomplete,
        only=only,
        strategy=strategy,
        risk_free_rate=risk_free_rate,
        periods_per_year=periods_per_year,
        estimator=estimator,
        config=config,
    )
    if views is not None:
        asked = asked.with_views(views)
    said = {
        "max_weight": max_weight,
        "min_weight": min_weight,
        "max_names": max_names,
        "allow_cash": not no_cash,
        "risk_aversion": risk_aversion,
    }
    with telling_warnings():
        plan, run = (asked.plan(**said), None) if store is None else stored(asked, store, said)
    done = None if save is None else saving.save(save, plan.to_json())
    if json_output:
        render.write_json({**plan_view.record(plan, asked), "run": run})
        return ExitCode.DONE
    plan_view.draw(plan, asked, explain=explain)
    if done is not None:
        render.say(f"\n[green]{done}[/]  {render.literal(str(save))}")
    if run is not None:
        again = f"capdesk replay {run} --records {store}"
        render.say(f"\n[green]stored[/]  run {run}: {render.literal(again)} computes it again")
    return ExitCode.DONE


def stored(asked: "Asked", records: str, said: dict[str, Any]) -> "tuple[Plan, int]":
    """Plan, and store the plan as a run of today; gives its number."""
    from capdesk.records import Records

    with Records(records, create=True) as opened:
        plan, run = asked.run(datetime.now(UTC).date(), **said)
        return plan, opened.save_run(run).number


def adopt(
    plan_file: Annotated[
        Path,
        typer.Argument(
            help="A plan that 'capdesk weights --save' wrote.", metavar="PLAN", show_default=False
        ),
    ],
    reason: Annotated[str | None, typer.Option(help="Why; it stands in the journal.", metavar="TEXT")] = None,
    request_id: options.RequestId = None,
    ledger: options.Ledger = options.DEFAULT_LEDGER,
    json_output: options.Json = False,
) -> ExitCode:
    """Make a plan's weights the shares of the desk's sleeves, for every process on this ledger."""
    from capdesk.model.plans import Plan

    plan = Plan.from_json(plan_file.read_bytes())

    async def change(desk: "CapitalAllocator") -> "tuple[bool, int, list[str]]":
        before = desk.mandate_version
        version = await desk.adopt(plan, reason=reason, request_id=request_id)
        left_out = [sleeve.name for sleeve in desk.config.sleeves if sleeve.name not in plan.weights]
        return version != before, version, left_out

    changed, version, left_out = on_desk(ledger, change)
    report(plan, changed, version, left_out, as_json=json_output)
    return ExitCode.DONE


def report(plan: "Plan", changed: bool, version: int, left_out: list[str], *, as_json: bool) -> None:
    """Say what an adoption changed, and which sleeves the plan leaves without a share."""
    from capdesk.desk.adoption import plan_hash

    if as_json:
        render.write_json(
            {
                "changed": changed,
                "mandate_version": version,
                "plan": plan_hash(plan),
                "weights": dict(plan.weights),
                "left_out": left_out,
            }
        )
    elif changed:
        shares = ", ".join(f"{name} {render.percent(weight, 2)}" for name, weight in plan.weights.items())
        render.say(f"[green]adopted[/]  mandate {version} is in force: {render.literal(shares)}")
        if left_out:
            names = render.literal(", ".join(left_out))
            render.say(f"[yellow]left out[/]  {names}: no part of the plan, so 0 % from now on")
    else:
        render.say(f"these are the shares of mandate {version} already; nothing was written")
