"""A stored run computed again: `replay`, `pools replay`."""

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode


def replay(
    run: options.Run,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Compute a stored run again and compare.

    Exit code 0: identical. 9: equivalent within the certificates, as another
    build or solver may answer. 10: different. 5: the run was changed since it
    was stored.
    """
    from capdesk import runs
    from capdesk.app.commands.pools import difference_view, run_view
    from capdesk.records import Records
    from capdesk.records.comparing import Sameness
    from capdesk.treasury import all_names

    with Records(records) as opened:
        stored = opened.run(run)
        names = all_names(opened)
    found = runs.replay(stored.run)
    if json_output:
        render.write_json(
            {
                "run": stored.number,
                "replay": found.sameness,
                "reason": found.reason,
                "stored": _proof(stored.run.outcome),
                "again": _proof(found.again),
                "differences": run_view.differences_record(found.differences),
            }
        )
    else:
        colour = {"identical": "green", "equivalent": "yellow", "different": "red"}[found.sameness]
        render.say(
            f"[{colour}]{found.sameness}[/]  run {stored.number}, computed again: {render.literal(found.reason)}"
        )
        if found.differences:
            dollars = stored.run.kind == "pools"
            difference_view.draw(found.differences, "stored", "again", names, dollars=dollars)
    return {
        Sameness.IDENTICAL: ExitCode.DONE,
        Sameness.EQUIVALENT: ExitCode.EQUIVALENT,
        Sameness.DIFFERENT: ExitCode.DIFFERENT,
    }[found.sameness]


def _proof(outcome: object) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in ("solver", "objective", "bound", "gap")}
