"""The universe on a day: `pools eligible`, `pools forecast`."""

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from capdesk.app import render
from capdesk.app.commands import options
from capdesk.app.commands.exits import ExitCode
from capdesk.app.commands.pools.choices import Day, read_day

if TYPE_CHECKING:
    from capdesk.records import Records
    from capdesk.treasury import Surveyed

All = Annotated[bool, typer.Option("--all", help="Show every pool, not only the largest.")]
MOST_SHOWN = 25


def eligible(
    day: Day = None,
    every: All = False,
    min_tvl: Annotated[float, typer.Option(help="Dollars of others in a pool.")] = 500_000.0,
    min_apy: Annotated[float, typer.Option(help="Percent a year.")] = 0.0,
    impermanent_loss: Annotated[
        bool, typer.Option("--impermanent-loss", help="Allow pools that may lose to their own price moves.")
    ] = False,
    outliers: Annotated[bool, typer.Option("--outliers", help="Allow figures that are doubted.")] = False,
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Say of each pool whether money may go in, and every reason why not."""
    from capdesk.decide.pools.eligibility import EligibilityRules
    from capdesk.records import Records
    from capdesk.treasury import SurveyRules, survey

    rules = SurveyRules(
        eligibility=EligibilityRules(
            min_tvl_usd=min_tvl, min_apy=min_apy, impermanent_loss=impermanent_loss, outliers=outliers
        )
    )
    with Records(records) as opened:
        when = read_day(opened, day)
        surveyed = survey(opened, when, rules)
        hint = _why_none(opened, when, surveyed)
    if json_output:
        pools = [_judged(each) for each in by_size(surveyed)]
        render.write_json({"day": when.isoformat(), "pools": pools})
    else:
        _draw_judged(when, surveyed, hint, every=every)
    return ExitCode.DONE


def forecast(
    day: Day = None,
    every: All = False,
    alpha: Annotated[float, typer.Option(help="The weight of the newest day, a fraction.")] = 0.5,
    haircut: Annotated[
        float, typer.Option(help="The fraction of a pool's reward that is not counted.")
    ] = 0.0,
    model: Annotated[
        str,
        typer.Option(
            help="How it is forecast; others than weighted are statsforecast's.",
            metavar="weighted|ets|theta|arima",
        ),
    ] = "weighted",
    records: options.Records = options.DEFAULT_RECORDS,
    json_output: options.Json = False,
) -> ExitCode:
    """Forecast APY and TVL of each pool, beside its error so far and that of the last value; keep them."""
    from capdesk.records import Records
    from capdesk.treasury import SurveyRules, survey, write_forecasts

    with Records(records) as opened:
        when = read_day(opened, day)
        surveyed = survey(opened, when, SurveyRules(alpha=alpha, haircuts={"*": haircut}, model=model))
        write_forecasts(opened, when, surveyed)
    if json_output:
        pools = [_forecast(each) for each in by_size(surveyed) if each.forecast]
        render.write_json({"day": when.isoformat(), "pools": pools})
    else:
        _draw_forecasts(when, surveyed, every=every)
    return ExitCode.DONE


def by_size(surveyed: "list[Surveyed]") -> "list[Surveyed]":
    """The pools, those with the most in them first."""
    return sorted(surveyed, key=lambda each: (-(each.day.tvl if each.day else 0), each.facts.pool_id))


def _judged(each: "Surveyed") -> dict[str, object]:
    steady = each.stability
    return {
        "pool_id": each.facts.pool_id,
        "chain": each.facts.chain,
        "protocol": each.facts.project,
        "symbol": each.facts.symbol,
        "eligible": each.eligibility.eligible,
        "reasons": each.eligibility.reasons,
        "group": None if steady is None else steady.group,
        "one_day_change": None if steady is None else steady.one_day,
        "week_deviation": None if steady is None else steady.week,
        "month_deviation": None if steady is None else steady.month,
        "from_source": () if steady is None else steady.from_source,
    }


def _forecast(each: "Surveyed") -> dict[str, object]:
    known, day = each.forecast, each.day
    assert known is not None
    assert day is not None
    return {
        "pool_id": known.pool_id,
        "apy": day.apy,
        "forecasted_apy": known.apy,
        "base": known.base,
        "reward": known.reward,
        "haircut": known.haircut,
        "forecasted_tvl": known.tvl / 1e6,
        "error": known.error,
        "naive_error": known.naive_error,
    }


def _name(each: "Surveyed") -> str:
    facts = each.facts
    return render.literal(f"{facts.symbol} {facts.project} {facts.chain}")


def _reasons(each: "Surveyed") -> list[str]:
    """The reasons for people, who know a coin by its symbol."""
    reasons = list(each.eligibility.reasons)
    for token in each.facts.tokens:
        reasons = [reason.replace(f" ({token.token_id})", "") for reason in reasons]
    return reasons


def _why_none(records: "Records", day: dt.date, surveyed: "list[Surveyed]") -> str:
    """Why no pool at all is in, where one reason holds for all; else nothing."""
    from capdesk.treasury_prices import end_of

    if any(each.eligibility.eligible for each in surveyed):
        return ""
    if all(each.day is None for each in surveyed):
        return f"the records have no figures of {day}; their last are of {records.last_day()}"
    then, now = records.lists(end_of(day)), records.lists()
    for what in ("tokens", "protocols"):
        which = f"approved_{what}"
        if then.names(which):
            continue
        if not now.names(which):
            return "'capdesk pools approve' says which tokens and protocols may be used; none may at first"
        first = min(each.since for each in getattr(now, which))
        kept = f"a list counts from when it was kept, {first:%Y-%m-%d} here"
        return f"no {what} were approved by the end of {day}: {kept}"
    return ""


def _draw_judged(day: dt.date, surveyed: "list[Surveyed]", hint: str, *, every: bool) -> None:
    inside = [each for each in surveyed if each.eligibility.eligible]
    groups = Counter(each.stability.group for each in inside if each.stability)
    steady = ", ".join(f"{groups[number]} in group {number}" for number in (1, 2, 3))
    render.say(f"[bold]{len(inside)} of {len(surveyed)} pools are in[/] on {day}: {steady}")
    if hint:
        render.say(render.literal(hint))
    if all(each.day is None for each in surveyed):
        return
    grid = render.table("pool", ("TVL", "right"), ("APY", "right"), ("group", "right"), "out because")
    shown = by_size(surveyed) if every else by_size(surveyed)[:MOST_SHOWN]
    for each in shown:
        day_, steady_ = each.day, each.stability
        borrowed = "*" if steady_ and steady_.from_source else ""
        grid.add_row(
            _name(each),
            "" if day_ is None else f"${day_.tvl / 1e12:,.1f}M",
            "" if day_ is None else f"{day_.apy:,.2f} %",
            "" if steady_ is None else f"{steady_.group}{borrowed}",
            "\n".join(map(render.literal, _reasons(each))) or "[green]in[/]",
        )
    render.console().print(grid)
    if any(each.stability and each.stability.from_source for each in shown):
        render.say("[dim]* from the source's own deviation and mean: the history here is too short[/]")
    _say_rest(len(surveyed) - len(shown))


def _draw_forecasts(day: dt.date, surveyed: "list[Surveyed]", *, every: bool) -> None:
    known = [each for each in by_size(surveyed) if each.forecast]
    grid = render.table(
        "pool",
        ("TVL", "right"),
        ("APY", "right"),
        ("forecast", "right"),
        ("error", "right"),
        ("naive", "right"),
    )
    shown = known if every else known[:MOST_SHOWN]
    for each in shown:
        told, today = each.forecast, each.day
        assert told is not None
        assert today is not None
        errors = ["" if error is None else f"{error:.3f} pp" for error in (told.error, told.naive_error)]
        rates = (f"{today.apy:,.2f} %", f"{told.apy:,.2f} %")
        grid.add_row(_name(each), f"${told.tvl / 1e12:,.1f}M", *rates, *errors)
    render.say(f"[bold]{len(known)} pools have a forecast[/] from {day}; it is kept beside their figures")
    render.console().print(grid)
    pairs = [
        (each.forecast.error, each.forecast.naive_error)
        for each in known
        if each.forecast and each.forecast.error is not None and each.forecast.naive_error is not None
    ]
    if pairs:
        ours, theirs = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        render.say(
            f"mean error of the next day's APY so far, in percentage points (pp): {ours:.4f}; "
            f"naive, the last value for the next: {theirs:.4f}"
        )
    _say_rest(len(known) - len(shown))


def _say_rest(left: int) -> None:
    if left > 0:
        render.say(f"[dim]and {left} smaller ones: --all shows them[/]")
