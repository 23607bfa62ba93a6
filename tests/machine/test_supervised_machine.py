"""Sleeves and supervision in any order, with restarts and crashes, against a slow model in exact fractions.

``CAPDESK_EXAMPLES`` raises the number of examples.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from capdesk import CapitalAllocator, CapitalRecycler, Signal
from capdesk.decide import transition
from capdesk.ledger.invariants import check_in_full
from capdesk.ledger.snapshot import same_state
from capdesk.ledger.tools import check
from capdesk.model.money import Amount
from capdesk.model.state import State
from tests.desks import VirtualClock, as_one_batch, copy_as_after_a_crash, journal
from tests.machine.supervised_worlds import (
    AMOUNTS,
    CHANGES,
    MARKETS,
    RESULTS,
    SLEEVES,
    STRATEGIES,
    WORLDS,
)
from tests.supervised_model import ZERO, Model, down, exact

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings("ignore::capdesk.RulesWarning"),
]


def dollars(value: Any) -> Fraction:
    return Fraction(str(value))


def shown(value: Fraction) -> str:
    return str(Amount.from_micro(int(value * 10**6)))


class SupervisedDesk(RuleBasedStateMachine):
    """Each command goes to the desk and to the model, which must agree after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = VirtualClock()

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def open(self, rules: dict[str, Any], bankroll: str) -> CapitalAllocator:
        return CapitalAllocator(rules, bankroll, clock=self.clock)

    @initialize(world=st.sampled_from(sorted(WORLDS)), bankroll=st.sampled_from(["100", "88.888889", "250"]))
    def found(self, world: str, bankroll: str) -> None:
        rules = WORLDS[world]
        self.desk = self.open(rules, bankroll)
        self.model = Model(rules, exact(bankroll), self.clock.at)
        self.shadow, self.replayed = State(), 0
        if "risk" in rules:
            self.observe("low", 20, False)

    # What strategies do

    @rule(market=MARKETS, amount=AMOUNTS, strategy=STRATEGIES)
    def request(self, market: str, amount: str, strategy: str) -> None:
        in_force = {it.sleeve: dollars(it.amount) for it in self.run(self.desk.get_budgets())}
        quoted = self.run(self.desk.quote(market, amount, strategy))
        verdict = self.run(self.desk.request_allocation(market, amount, strategy))
        assert quoted.outcome == verdict.outcome
        expected = self.model.request(market, exact(amount), strategy)
        assert (verdict.result.value, dollars(verdict.amount)) == expected
        if verdict.granted:
            name = self.model.held[market, strategy].sleeve
            assert name is not None
            assert self.model.used(name) <= in_force[name], "a grant went above its budget"

    @rule(market=MARKETS, strategy=SLEEVES)
    def request_all_there_is(self, market: str, strategy: str) -> None:
        self.request(market, "500", strategy)

    @rule(market=MARKETS, strategy=SLEEVES)
    @precondition(lambda self: not self.model.halted)
    def request_something(self, market: str, strategy: str) -> None:
        self.request(market, "12.345678", strategy)

    @rule(strategy=STRATEGIES, size=st.sampled_from(["0", "0.3", "1"]))
    def size_position(self, strategy: str, size: str) -> None:
        chosen = self.model.sleeve_of(strategy)
        if chosen is not None:
            verdict = self.run(self.desk.size_position(strategy, Signal(strategy, size)))
            assert dollars(verdict.asked) == down(self.model.budget(chosen) * exact(size))

    @rule(pick=st.integers(0, 9), result=RESULTS, share=st.sampled_from([None, 2]))
    @precondition(lambda self: self.model.held)
    def release(self, pick: int, result: str, share: int | None) -> None:
        key, pnl = self.pick(pick), self.percent_of_equity(result)
        part = None if share is None else down(self.model.held[key].cost / share)
        if self.survives(key, pnl):
            given = {"strategy": key[1], "amount": None if part is None else shown(part)}
            self.run(self.desk.release_allocation(key[0], shown(pnl), **given))
            self.model.release(key, pnl, part)

    @rule(pick=st.integers(0, 9), result=RESULTS)
    @precondition(lambda self: self.model.held)
    def recycle(self, pick: int, result: str) -> None:
        key, pnl = self.pick(pick), self.percent_of_equity(result)
        if self.survives(key, pnl):
            recycler = CapitalRecycler(None, self.desk)
            self.run(recycler.queue_recycle(key[0], shown(pnl), delay_seconds=0, strategy=key[1]))
            self.run(recycler.run_due())
            self.model.release(key, pnl)

    @rule(pick=st.integers(0, 9), worth=st.sampled_from(["0.5", "0.97", "1", "1.6"]))
    @precondition(lambda self: self.model.held)
    def mark(self, pick: int, worth: str) -> None:
        key = self.pick(pick)
        value = down(self.model.held[key].cost * exact(worth))
        if self.model.equity - self.model.held[key].gain - self.model.held[key].cost + value > 1:
            self.run(self.desk.mark_allocation(key[0], shown(value), strategy=key[1]))
            self.model.mark(key, value)

    # Money

    @rule(amount=st.sampled_from(["0.000001", "10", "333.333333"]))
    def deposit(self, amount: str) -> None:
        self.run(self.desk.deposit(amount))
        self.model.flow(exact(amount))

    @rule(part=st.sampled_from([2, 3, 50]))
    def withdraw(self, part: int) -> None:
        free = self.model.bankroll - self.model.allocated
        amount = down(min(free, self.model.equity - 1) / part)
        if amount > 0:
            self.run(self.desk.withdraw(shown(amount)))
            self.model.flow(-amount)

    @rule(result=RESULTS)
    def sync_with_wallet(self, result: str) -> None:
        net = self.percent_of_equity(result)
        free = self.model.bankroll - self.model.allocated
        if net and free + net >= 0 and self.model.equity + net > 1:
            self.run(self.desk.sync_with_wallet(shown(free + net)))
            self.model.earn(net)

    # What a supervisor does

    @rule(
        state=st.sampled_from([None, "low", "low", "medium", "high", "extreme"]),
        gas=st.sampled_from([None, 20, 50, 75, 101, 101]),
        breaker=st.sampled_from([False, False, False, True]),
    )
    @precondition(lambda self: self.model.rules.get("risk") is not None)
    def observe(self, state: str | None, gas: int | None, breaker: bool) -> None:
        seen = {"volatility_state": state, "gas_price_gwei": gas, "circuit_breaker_triggered": breaker}
        self.run(self.desk.observe_market(**seen))  # type: ignore[arg-type]
        self.model.observe(seen)

    @rule(state=st.sampled_from(["low", "extreme"]))
    @precondition(lambda self: self.model.rules.get("risk") is not None)
    def observe_and_review(self, state: str) -> None:
        self.observe(state, 60, False)
        self.review()

    @rule()
    def review(self) -> None:
        self.run(self.desk.review())
        self.model.review()

    @rule()
    @precondition(lambda self: self.model.halted)
    def resume(self) -> None:
        self.run(self.desk.resume("looked into it"))
        self.model.resume()

    @rule(change=CHANGES)
    @precondition(lambda self: self.model.rules.get("risk") is not None)
    def change_the_rules(self, change: dict[str, Any]) -> None:
        rules = {**self.model.rules, **change}
        rules["risk"] = {**self.model.rules["risk"], **change.get("risk", {})}
        self.run(self.desk.update_mandate(rules, reason="a new day"))
        self.model.change(rules)

    @rule(sure=st.sampled_from([False, False, True]))
    @precondition(lambda self: not self.model.halted)
    def halt(self, sure: bool) -> None:
        if sure:
            self.run(self.desk.halt("by hand"))
            self.model.halted = True

    @rule()
    @precondition(lambda self: "manual" in self.model.breakers)
    def lift(self) -> None:
        self.run(self.desk.lift_breaker("it was nothing"))
        del self.model.breakers["manual"]

    @rule(sure=st.sampled_from([False, False, True]))
    @precondition(lambda self: "manual" not in self.model.breakers)
    def trip(self, sure: bool) -> None:
        if sure:
            self.run(self.desk.trip_breaker("a rumour"))
            self.model.breakers["manual"] = self.clock.at

    @rule(seconds=st.sampled_from([1, 1, 600, 600, 1_800, 7_201, 90_000]))
    def wait(self, seconds: int) -> None:
        self.clock.forward(seconds)
        self.model.at = self.clock.at

    # What both say

    def pick(self, number: int) -> tuple[str, str]:
        keys = sorted(self.model.held)
        return keys[number % len(keys)]

    def percent_of_equity(self, result: str) -> Fraction:
        return down(self.model.equity * exact(result) / 100)

    def survives(self, key: tuple[str, str], pnl: Fraction) -> bool:
        """Ruin is the subject of other tests: what a unit is worth after it is a matter of taste."""
        gain = max(ZERO, self.model.held[key].gain)
        return self.model.equity - gain + pnl > 1

    @invariant()
    def halted_just_as_the_model_is(self) -> None:
        desk, model = self.desk, self.model
        if model.doubtful:
            model.halted, model.doubtful = desk.halted is not None, False
        assert (desk.halted is not None) == model.halted
        assert abs(dollars(desk.drawdown) - model.drawdown) < Fraction(1, 10**6)

    @invariant()
    def money_and_budgets_are_the_models(self) -> None:
        desk, model = self.desk, self.model
        assert (dollars(desk.bankroll), dollars(desk.equity)) == (model.bankroll, model.equity)
        for rule_, budget in zip(model.rules["sleeves"], self.run(desk.get_budgets()), strict=True):
            found = (budget.enabled, dollars(budget.amount))
            assert found == (model.enabled(rule_), model.budget(rule_)), budget.sleeve
        assert {it.name for it in self.run(desk.get_breakers())} == model.breakers.keys()
        recalls = {it.sleeve: dollars(it.amount) for it in self.run(desk.get_recalls())}
        assert recalls == model.recalls

    @invariant()
    def the_journal_replays_to_the_same_state(self) -> None:
        for entry in self.run(journal(self.desk))[self.replayed :]:
            transition.tick(self.shadow, entry.at)
            assert transition.decide(self.shadow, entry.command, entry.request_id, entry.at) == entry.events
            for event in entry.events:
                transition.evolve(self.shadow, event, entry.sequence, entry.at)
            self.shadow.sequence, self.shadow.at = entry.sequence, entry.at
        self.replayed = self.shadow.sequence
        check_in_full(self.shadow)
        assert same_state(self.shadow, self.desk.ledger.state)

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.run(self.desk.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


class SupervisedInMemory(SupervisedDesk):
    """The machine on a ledger in memory."""


class SupervisedOnSqlite(SupervisedDesk):
    """The machine on a SQLite file, which is closed, or crashes, and is opened again."""

    def __init__(self) -> None:
        super().__init__()
        ram = Path("/dev/shm")
        self.home = Path(tempfile.mkdtemp(dir=ram if ram.is_dir() else None))
        self.files = 0

    def open(self, rules: dict[str, Any], bankroll: str) -> CapitalAllocator:
        self.path = self.home / "desk.db"
        return self.run(
            _opened(CapitalAllocator.open(self.path, rules, initial_bankroll=bankroll, clock=self.clock))
        )

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        old, self.files = self.desk, self.files + 1
        if crash:
            self.path = copy_as_after_a_crash(self.path, self.home / f"desk-{self.files}.db")
        self.run(old.close())
        self.desk = self.run(_opened(CapitalAllocator.open(self.path, clock=self.clock)))

    @rule(pick=st.integers(0, 9), loss=st.sampled_from(["-25", "-9"]))
    @precondition(lambda self: len(self.model.held) > 1)
    def lose_and_regain_in_one_batch(self, pick: int, loss: str) -> None:
        one, other = self.pick(pick), self.pick(pick + 1)
        lost = self.percent_of_equity(loss)
        if self.survives(one, lost) and self.survives(other, lost):
            calls = [
                self.desk.release_allocation(key[0], shown(pnl), strategy=key[1])
                for key, pnl in ((one, lost), (other, -lost))
            ]
            self.run(as_one_batch(self.desk, *calls))
            self.model.release(one, lost)
            doubtful, halted = self.model.doubtful, self.model.halted
            self.model.release(other, -lost)
            self.model.doubtful, self.model.halted = doubtful, halted or self.model.halted

    def teardown(self) -> None:
        try:
            super().teardown()
            if hasattr(self, "path"):
                assert check(self.path).problems == []
        finally:
            shutil.rmtree(self.home)


async def _opened(opening: Any) -> CapitalAllocator:
    return await opening


def _settings(examples: int) -> settings:
    scale = int(os.environ.get("CAPDESK_EXAMPLES", "500")) / 500
    return settings(
        max_examples=max(1, round(examples * scale)),
        stateful_step_count=40,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


class TestSupervisedInMemory(SupervisedInMemory.TestCase):
    settings: ClassVar[settings] = _settings(120)


class TestSupervisedOnSqlite(SupervisedOnSqlite.TestCase):
    settings: ClassVar[settings] = _settings(60)
