"""The supervisor's heartbeat: what it shows the desk, and whom it tells what follows."""

from __future__ import annotations

from typing import Any

import pytest

from capdesk import Amount, CapitalAllocator, Hooks, Supervisor
from capdesk.model.journal import BreakerTripped, BudgetsPublished, MarketObserved, Recalled, Reconciled
from capdesk.model.requests import moment
from tests.desks import ROOMY, START, VirtualClock, budget, events_of, journal, lose, sleeve

pytestmark = pytest.mark.filterwarnings("ignore::capdesk.RulesWarning")

SLEEVES = [sleeve("maker", 50, minimum=40), sleeve("taker", 50)]


class Heard:
    """Keeps what a supervisor told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def hooks(self) -> Hooks:
        def keep(what: str) -> Any:
            return lambda *arguments: self.calls.append((what, *arguments))

        return Hooks(*(keep(what) for what in ("pause", "resume", "halted", "recalled")))

    def take(self) -> list[tuple[Any, ...]]:
        calls, self.calls = self.calls, []
        return calls


def desk_of(dollars: object = 100, **rules: Any) -> CapitalAllocator:
    return CapitalAllocator({**ROOMY, "sleeves": SLEEVES, **rules}, dollars, clock=VirtualClock())


def forward(desk: CapitalAllocator, seconds: float) -> None:
    clock = desk._clock
    assert isinstance(clock, VirtualClock)
    clock.forward(seconds)


async def test_a_sleeve_that_crosses_its_minimum_is_paused_and_resumed_with_its_capital() -> None:
    desk, heard = desk_of(), Heard()
    supervisor = Supervisor(desk, heard.hooks())
    await supervisor.beat()
    assert heard.take() == []
    await desk.update_bankroll(79)
    await supervisor.beat()
    assert heard.take() == [("pause", "maker")]
    await supervisor.beat()
    assert heard.take() == []
    await desk.update_bankroll(90)
    await supervisor.beat()

    assert heard.take() == [("resume", "maker", Amount(45))]


@pytest.mark.parametrize(("margin", "told"), [(0, 10), (10, 1)])
async def test_a_margin_keeps_a_sleeve_at_its_minimum_from_flapping(margin: int, told: int) -> None:
    desk, heard = desk_of(resume_margin_percent=margin), Heard()
    supervisor = Supervisor(desk, heard.hooks())
    await supervisor.beat()
    for balance in [79, 81] * 5:
        await desk.update_bankroll(balance)
        await supervisor.beat()

    assert len(heard.take()) == told


async def test_with_a_margin_a_sleeve_is_resumed_only_beyond_it() -> None:
    desk, heard = desk_of(resume_margin_percent=10), Heard()
    supervisor = Supervisor(desk, heard.hooks())
    for balance, calls in [
        (79, [("pause", "maker")]),
        ("87.999998", []),
        (88, [("resume", "maker", Amount(44))]),
        (80, []),
        ("79.999998", [("pause", "maker")]),
    ]:
        await desk.update_bankroll(balance)
        await supervisor.beat()
        assert heard.take() == calls, balance


async def test_a_sleeve_whose_cap_is_its_minimum_is_resumed_beyond_the_margin() -> None:
    desk, heard = (
        desk_of(sleeves=[sleeve("maker", 50, cap=40, minimum=40)], resume_margin_percent=10),
        Heard(),
    )
    supervisor = Supervisor(desk, heard.hooks())
    for balance in (79, 87, 88):
        await desk.update_bankroll(balance)
        await supervisor.beat()

    assert heard.take() == [("pause", "maker"), ("resume", "maker", Amount(40))]


async def test_while_a_sleeve_waits_for_its_margin_it_is_disabled() -> None:
    desk = desk_of(resume_margin_percent=10)
    supervisor = Supervisor(desk)
    await desk.update_bankroll(79)
    await supervisor.beat()
    await desk.update_bankroll(87)
    await supervisor.beat()

    assert (await desk.request_allocation("m", 5, "maker")).result == "strategy_disabled"
    assert not (await budget(desk, "maker")).enabled


async def test_coroutine_hooks_are_awaited() -> None:
    desk, told = desk_of(10), []

    async def pause(name: str) -> None:
        told.append(name)

    await Supervisor(desk, Hooks(pause=pause)).beat()
    assert told == ["maker"]


async def test_hooks_that_are_not_given_are_not_missed() -> None:
    desk = desk_of(10, max_drawdown_percent=5, risk={})
    supervisor = Supervisor(desk)
    await supervisor.beat()
    await desk.update_bankroll(100)
    await desk.observe_market("low")
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    await supervisor.beat()
    await supervisor.stop()

    assert desk.halted is not None


async def test_a_halt_is_told_once_and_the_next_one_again() -> None:
    desk, heard = desk_of(max_drawdown_percent=5), Heard()
    supervisor = Supervisor(desk, heard.hooks())
    await lose(desk, 6)
    for _ in range(3):
        await supervisor.beat()
    ((what, reason),) = heard.take()
    assert (what, reason.split(" of ")[0]) == ("halted", "drawdown 6.00%")
    await desk.resume("looked into it")
    await supervisor.beat()
    assert heard.take() == []
    forward(desk, 60)
    await desk.halt("by hand")
    await supervisor.beat()

    assert heard.take() == [("halted", "by hand")]


async def test_a_recall_is_told_with_its_amount_and_deadline() -> None:
    desk, heard = desk_of(recall_seconds=600), Heard()
    supervisor = Supervisor(desk, heard.hooks())
    await desk.request_allocation("m", 50, "taker")
    await lose(desk, 10)
    events = await supervisor.beat()

    assert heard.take() == [("recalled", "taker", Amount(5), moment(START + 600 * 1_000_000))]
    assert Recalled("taker", 5_000_000, START + 600 * 1_000_000) in events
    await supervisor.beat()
    assert heard.take() == []


async def test_the_wallet_is_compared_with_the_books_at_each_beat() -> None:
    desk = desk_of(accounts=("main", "venue"))
    await desk.transfer(30, "main", "venue")
    cash = {"main": 70, "venue": 30}
    supervisor = Supervisor(desk, wallet=lambda: cash)
    await supervisor.beat()
    assert await events_of(desk, Reconciled) == []
    cash["venue"] = 21
    await supervisor.beat()

    (found,) = await events_of(desk, Reconciled)
    assert (found.account, found.amount) == ("venue", -9_000_000)
    assert (await budget(desk, "taker")).amount == Amount("45.5")


async def test_positions_are_marked_at_each_beat_and_equity_follows(caplog: pytest.LogCaptureFixture) -> None:
    desk = desk_of(share_markets=True, max_drawdown_percent=15)
    await desk.request_allocation("m", 20, "taker")
    await desk.request_allocation("n", 20, "maker")
    worth: dict[Any, Any] = {"m": 5, ("n", "maker"): 34, "strange": 9}
    supervisor = Supervisor(desk, wallet=lambda: {"main": 60}, positions=lambda: worth)
    await supervisor.beat()
    assert (desk.equity, desk.drawdown) == (99, Amount("0.01"))
    assert "holds nothing in ['strange']" in caplog.text
    worth["m"], worth["n", "maker"] = 0, 20
    await supervisor.beat()
    assert desk.halted is not None
    assert "drawdown 20.00%" in desk.halted.reason


async def test_positions_that_cannot_be_read_leave_their_marks(caplog: pytest.LogCaptureFixture) -> None:
    desk = desk_of()
    await desk.request_allocation("m", 20, "taker")
    await desk.mark_allocation("m", 25)

    def fails() -> dict[str, Any]:
        raise ConnectionError("no answer")

    await Supervisor(desk, positions=fails).beat()
    assert desk.equity == 105
    assert "mark_positions failed" in caplog.text


async def test_what_is_seen_is_observed_and_budgets_follow_in_the_same_beat() -> None:
    async def look() -> dict[str, Any]:
        return {"volatility_state": "high", "gas_price_gwei": 20}

    desk = desk_of(risk={})
    events = await Supervisor(desk, look=look).beat()

    assert [type(event) for event in events] == [MarketObserved, BudgetsPublished]
    published = events[1]
    assert isinstance(published, BudgetsPublished)
    assert published.reason == "volatility high: x 0.6"
    assert [it.amount for it in published.budgets] == [30_000_000, 30_000_000]


async def test_a_market_that_cannot_be_seen_ages_until_the_gate_closes() -> None:
    looks: list[Any] = [{"volatility_state": "low"}, None, None]
    desk = desk_of(risk={"stale_after_seconds": 90}, breakers={"stale_data": True})
    supervisor = Supervisor(desk, look=lambda: looks.pop(0))
    await supervisor.beat()
    forward(desk, 90)
    await supervisor.beat()
    assert (await budget(desk, "taker")).amount == 50
    forward(desk, 1)
    await supervisor.beat()

    assert [it.name for it in await desk.get_breakers()] == ["stale_data"]
    assert (await budget(desk, "taker")).amount == 0


async def test_a_breaker_that_trips_or_lifts_is_in_the_budgets_of_the_same_heartbeat() -> None:
    desk = desk_of(risk={"stale_after_seconds": 90}, breakers={"stale_data": True})
    looks: list[Any] = [{"volatility_state": "low"}, None, {"volatility_state": "low"}]
    supervisor = Supervisor(desk, look=lambda: looks.pop(0))
    found: list[list[tuple[str, object]]] = []
    for _ in range(3):
        events = await supervisor.beat()
        found.append(
            [
                (type(it).__name__, it.budgets[1].amount if isinstance(it, BudgetsPublished) else "")
                for it in events
                if not isinstance(it, MarketObserved)
            ]
        )
        forward(desk, 91)

    assert found == [
        [("BudgetsPublished", 50_000_000)],
        [("BreakerTripped", ""), ("BudgetsPublished", 0)],
        [("BreakerLifted", ""), ("BudgetsPublished", 50_000_000)],
    ]


async def test_unchanged_budgets_are_published_once() -> None:
    desk = desk_of()
    supervisor = Supervisor(desk)
    for _ in range(3):
        await supervisor.beat()
    await lose(desk, 10)
    await supervisor.beat()
    published = await events_of(desk, BudgetsPublished)

    assert [it.version for it in published] == [1, 2]
    assert [it.budgets[1].amount for it in published] == [50_000_000, 45_000_000]
    assert {it.reason for it in published} == {"equity"}


async def test_a_wild_figure_trips_the_manual_breaker_with_its_score() -> None:
    gas = [20, 21, 19, 20, 22, 21, 20, 19, 21, 20, 20, 900]
    desk = desk_of(risk={})
    supervisor = Supervisor(
        desk, look=lambda: {"volatility_state": "low", "gas_price_gwei": gas.pop(0)}, anomaly_z=3.5
    )
    for _ in range(11):
        forward(desk, 60)
        await supervisor.beat()
    assert await desk.get_breakers() == ()
    forward(desk, 60)
    await supervisor.beat()

    (breaker,) = await desk.get_breakers()
    assert breaker.name == "manual"
    # Median 20, median deviation 1: 0.6745 x 880.
    assert breaker.reason == (
        "gas_price_gwei 900 is 593.6 robust deviations from the median of 11 past states"
    )
    assert (await desk.request_allocation("m", 5, "taker")).amount == 0
    forward(desk, 60)
    gas.append(900)
    await supervisor.beat()
    assert len(await events_of(desk, BreakerTripped)) == 1


async def test_a_wild_volatility_trips_it_too_and_a_calm_history_does_not() -> None:
    figures = [0.4, 0.41, 0.42, 0.39, 0.4, 0.4, 0.41, 0.43, 0.38, 0.4, 0.45, 2.5]
    desk = desk_of(risk={})
    supervisor = Supervisor(desk, look=lambda: {"volatility": figures.pop(0)}, anomaly_z=10)
    for _ in range(11):
        await supervisor.beat()
    assert await desk.get_breakers() == ()
    await supervisor.beat()

    assert [it.name for it in await desk.get_breakers()] == ["manual"]


async def test_anomalies_are_looked_for_only_when_asked() -> None:
    figures = [0.4] * 12 + [2.5]
    desk = desk_of(risk={})
    supervisor = Supervisor(desk, look=lambda: {"volatility": figures.pop(0)})
    for _ in range(13):
        await supervisor.beat()

    assert await desk.get_breakers() == ()


async def test_a_heartbeat_that_finds_nothing_writes_nothing() -> None:
    desk = desk_of()
    supervisor = Supervisor(desk, wallet=lambda: {"main": 100})
    await supervisor.beat()
    before = len(await journal(desk))
    for _ in range(5):
        forward(desk, 60)
        await supervisor.beat()

    assert len(await journal(desk)) == before
