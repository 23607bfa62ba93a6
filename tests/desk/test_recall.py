"""Recall: a budget that falls under what is in use is an event, an amount and a deadline; nothing is taken by force."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from capdesk import Amount, CapitalAllocator, Hooks, Supervisor
from capdesk.model.journal import Entry, Event, Recalled
from capdesk.model.money import PPM
from capdesk.model.requests import moment
from tests.desks import ROOMY, START, VirtualClock, budget, events_of, journal, lose, sleeve

HALF_AND_HALF = [sleeve("maker", 50), sleeve("taker", 50)]


def desk_of(**rules: Any) -> CapitalAllocator:
    return CapitalAllocator(
        {**ROOMY, "sleeves": HALF_AND_HALF, "recall_seconds": 600, **rules}, 100, clock=VirtualClock()
    )


def clock_of(desk: CapitalAllocator) -> VirtualClock:
    clock = desk._clock
    assert isinstance(clock, VirtualClock)
    return clock


def recalls(events: tuple[Event, ...]) -> list[Recalled]:
    return [event for event in events if isinstance(event, Recalled)]


async def test_a_budget_under_what_is_in_use_is_recalled_by_an_amount_and_a_time() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    (recalled,) = recalls(await desk.review())

    assert recalled == Recalled("maker", 20 * PPM, START + 600 * PPM)
    (recall,) = await desk.get_recalls()
    assert (recall.amount, recall.worst, recall.overdue) == (20, 20, False)
    assert (recall.since, recall.deadline) == (moment(START), moment(START + 600 * PPM))


async def test_nothing_is_taken_by_force_and_nothing_more_is_granted() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    await desk.review()

    assert [it.amount for it in await desk.get_allocations()] == [50]
    assert (await desk.request_allocation("n", 1, "maker")).result == "sleeve_limit_exceeded"
    # The other sleeve has its own budget, of which the desk's cash is what is left.
    assert (await desk.request_allocation("n", 30, "taker")).amount == 10


async def test_an_unchanged_recall_is_not_told_again() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    await desk.review()

    assert await desk.review() == ()


async def test_the_deadline_stays_while_the_amount_moves_and_the_worst_is_kept() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    for loss in (20, 30, -40):
        await lose(desk, loss)
        await desk.review()
        clock_of(desk).forward(60)

    assert [(it.amount // PPM, it.deadline) for it in await events_of(desk, Recalled)] == [
        (10, START + 600 * PPM),
        (25, START + 600 * PPM),
        (5, START + 600 * PPM),
    ]
    (recall,) = await desk.get_recalls()
    assert (recall.amount, recall.worst, recall.since) == (5, 25, moment(START))


@pytest.mark.parametrize("how", ["released", "recovered", "deposited"])
async def test_a_recall_ends_when_the_sleeve_is_within_its_budget(how: str) -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    await desk.review()
    if how == "released":
        await desk.release_allocation("m", amount=20)
    elif how == "recovered":
        await lose(desk, -40)
    else:
        await desk.deposit(40)
    (ended,) = recalls(await desk.review())

    assert (ended.sleeve, ended.amount) == ("maker", 0)
    assert await desk.get_recalls() == ()


async def test_a_market_state_recalls_what_it_no_longer_allows() -> None:
    desk = desk_of(risk={})
    await desk.observe_market("low")
    await desk.request_allocation("m", 50, "maker")
    await desk.request_allocation("n", 20, "taker")
    await desk.observe_market("extreme")

    # 15 of each sleeve's 50 are left.
    assert [(it.sleeve, it.amount // PPM) for it in recalls(await desk.review())] == [
        ("maker", 35),
        ("taker", 5),
    ]


async def test_a_smaller_share_recalls_what_is_above_it() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await desk.update_mandate(
        {**ROOMY, "sleeves": [sleeve("maker", 30), sleeve("taker", 70)]}, reason="the taker does better"
    )
    (recalled,) = recalls(await desk.review())

    assert (recalled.sleeve, recalled.amount) == ("maker", 20 * PPM)
    # The deadline is the new mandate's hour.
    assert recalled.deadline == START + 3600 * PPM


async def test_a_dropped_sleeve_is_recalled_whole_and_the_recall_ends_with_its_use() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    await desk.review()
    await desk.update_mandate({**ROOMY, "sleeves": [sleeve("taker", 100)]}, reason="the maker retires")
    (recalled,) = recalls(await desk.review())
    assert (recalled.sleeve, recalled.amount) == ("maker", 50 * PPM)
    await desk.release_allocation("m")
    (ended,) = recalls(await desk.review())

    assert (ended.sleeve, ended.amount) == ("maker", 0)


async def test_a_desk_whose_sleeves_are_all_dropped_recalls_nothing() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    await desk.review()
    await desk.update_mandate(ROOMY, reason="one pot")
    await desk.review()

    assert await desk.get_recalls() == ()


async def test_an_overdue_recall_is_notified_once() -> None:
    desk, told = desk_of(), []
    supervisor = Supervisor(desk, notify=lambda title, text: told.append((title, text)))
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    for seconds in (0, 600, 1, 60, 60):
        clock_of(desk).forward(seconds)
        await supervisor.beat()
        await supervisor.stop()
        assert len(told) == (clock_of(desk).at > START + 600 * PPM)

    ((title, text),) = told
    assert title == "capdesk: the recall of maker is overdue"
    assert text.startswith("maker holds $20.00 above its budget since ")


class Bots:
    """Strategies that give back a little at each heartbeat for as long as they are asked to."""

    def __init__(self, desk: CapitalAllocator, pace: int) -> None:
        self.desk, self.pace, self.owed = desk, pace, dict[str, Amount]()

    def recalled(self, name: str, amount: Amount, deadline: object) -> None:
        self.owed[name] = amount

    async def work(self) -> None:
        for name, owed in list(self.owed.items()):
            back = min(owed, Amount(self.pace))
            for held in await self.desk.get_allocations(name):
                part = min(back, held.amount)
                if part > 0:
                    await self.desk.release_allocation(held.market_id, amount=part, strategy=name)
                    back -= part
            self.owed[name] = owed - min(owed, Amount(self.pace))


def spans(entries: list[Entry]) -> list[tuple[str, int, int, int]]:
    """Each recall of a journal: its sleeve, when it began and ended, and its worst overhang."""
    open_: dict[str, tuple[int, int]] = {}
    done = []
    for entry in entries:
        for event in recalls(entry.events):
            began, worst = open_.pop(event.sleeve, (entry.at, 0))
            if event.amount:
                open_[event.sleeve] = (began, max(worst, event.amount))
            else:
                done.append((event.sleeve, began, entry.at, worst))
    assert not open_
    return done


@pytest.mark.parametrize("seed", range(8))
async def test_bots_that_give_back_what_they_are_told_comply_in_time(seed: int) -> None:
    """A day of storms, a heartbeat a minute: time to compliance and the worst overhang, counted apart."""
    random, desk = Random(seed), desk_of(risk={})
    bots = Bots(desk, pace=5)
    supervisor = Supervisor(desk, Hooks(recalled=bots.recalled))
    await desk.observe_market("low")
    overhang: dict[str, int] = {"maker": 0, "taker": 0}
    for minute in range(240):
        if minute % 60 == 0:
            await desk.observe_market(["low", "extreme", "medium", "high"][minute // 60])
        for name in overhang:
            if random.random() < 0.5:
                await desk.request_allocation(f"{name}-{minute}", random.randint(1, 20), name)
        await supervisor.beat()
        for name, most in list(overhang.items()):
            held = sum(it.amount for it in await desk.get_allocations(name))
            over = held.micro - (await budget(desk, name)).amount.micro if held else 0
            overhang[name] = max(most, over)
        await bots.work()
        clock_of(desk).forward(60)
        await desk.observe_market(["low", "extreme", "medium", "high"][minute // 60])
    await supervisor.beat()
    found = spans(await journal(desk))

    assert {name for name, *_ in found} == {"maker", "taker"}
    for name, most in overhang.items():
        assert max(worst for sleeve_, _, _, worst in found if sleeve_ == name) == most
    for _, began, ended, worst in found:
        # 5 dollars a minute, and one heartbeat more to see it.
        assert ended - began <= (worst // (5 * PPM) + 2) * 60 * PPM <= 600 * PPM


async def test_a_bot_that_gives_nothing_back_is_overdue_until_it_does() -> None:
    desk = desk_of()
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    for _ in range(20):
        await desk.review()
        clock_of(desk).forward(60)
    (recall,) = await desk.get_recalls()
    assert recall.overdue
    await desk.release_allocation("m")
    await desk.review()

    ((_, began, ended, worst),) = spans(await journal(desk))
    assert ((ended - began) // PPM, worst) == (1200, 20 * PPM)
