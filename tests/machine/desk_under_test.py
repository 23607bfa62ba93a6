"""A desk beside its model: each verb goes to both, and the answers and states must agree."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from capdesk import CapitalAllocator, CapitalRecycler, MandateMismatch, RecycleEvent, Verdict
from capdesk.ledger.codec import Row
from capdesk.ledger.tools import check
from capdesk.model import errors
from tests.machine.comparison import (
    check_allocations,
    check_history,
    check_pending,
    check_report,
    check_verdict,
    micros,
    same,
)
from tests.machine.replay import check_explanations, check_replay
from tests.reference_model import SECOND, Decision, Model, Rejected

START = 1_800_000_000 * SECOND
RAM = Path("/dev/shm")
RECYCLER_VERBS = ("queue_recycle",)


class VirtualClock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


def answer_of(verb: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What the model answers; a rejection as a value."""
    try:
        return verb(*given, **named)
    except Rejected as rejected:
        return rejected


class DeskUnderTest(RuleBasedStateMachine):
    """Sends each command to the desk and to the model, and holds the two against each other."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.loop = asyncio.new_event_loop()
        self.skipped_seconds = 0.0
        real_time = self.loop.time
        self.loop.time = lambda: real_time() + self.skipped_seconds  # type: ignore[method-assign]
        self.sent: dict[str, tuple[str, dict[str, Any], Any]] = {}
        self.told: list[tuple[str, Fraction]] = []
        self.hears = True
        self.count = 0
        logging.getLogger("capdesk.recycler").disabled = True

    # Where the ledger rests: MemoryDesk and FileDesk say

    def open_new(self, bankroll: object) -> CapitalAllocator:
        raise NotImplementedError

    def begin(self, config: dict[str, Any], bankroll: object) -> None:
        self.config = config
        self.desk = self.open_new(bankroll)
        self.model = Model(config, bankroll, self.clock.at)
        self.recycler = CapitalRecycler(None, self.desk, self.on_capital_freed)

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    async def on_capital_freed(self, amount: Any, event_id: str) -> None:
        if not self.hears:
            raise RuntimeError("the bot is away")
        self.told.append((event_id, micros(amount)))

    def next_id(self) -> str:
        self.count += 1
        return f"id-{self.count}"

    # Sending one command to both

    def verb(self, name: str) -> Callable[..., Any]:
        return getattr(self.recycler if name in RECYCLER_VERBS else self.desk, name)

    def send(self, name: str, expect: Callable[[], Any], identified: bool = True, **given: Any) -> Any:
        """The desk's answer, or the exception class of the error that both agree on."""
        request_id = self.next_id() if identified else None
        try:
            expected = expect()
        except Rejected as rejected:
            with pytest.raises(getattr(errors, str(rejected))):
                self.run(self.verb(name)(**given, request_id=request_id))
            return None, None
        reply = self.run(self.verb(name)(**given, request_id=request_id))
        if request_id is not None:
            self.sent[request_id] = (name, given, reply)
        return expected, reply

    def request_capital(self, request: dict[str, Any], identified: bool) -> None:
        expected, verdict = self.send(
            "request_allocation", lambda: self.model.request_allocation(**request), identified, **request
        )
        if expected is not None:
            self.check_decision(expected, verdict)

    def check_decision(self, expected: Decision, verdict: Verdict) -> None:
        check_verdict(expected, verdict, self.model.version)
        if verdict.granted:
            assert verdict.amount <= verdict.asked
            for room in verdict.rooms:
                assert room.used + verdict.amount <= room.limit, f"{room.name} was exceeded by a grant"

    def quote_capital(self, request: dict[str, Any]) -> None:
        before = self.desk.get_allocation_report()
        try:
            expected = self.model.quote(**request)
        except Rejected as rejected:
            with pytest.raises(getattr(errors, str(rejected))):
                self.run(self.desk.quote(**request))
            return
        check_verdict(expected, self.run(self.desk.quote(**request)), self.model.version)
        assert self.desk.get_allocation_report() == before

    def request_capital_for_legs(self, legs: list[dict[str, Any]]) -> None:
        expected, verdicts = self.send(
            "request_allocations", lambda: self.model.request_allocations(legs), requests=legs
        )
        if expected is None:
            return
        assert len({verdict.granted for verdict in verdicts}) == 1
        for decision, verdict in zip(expected, verdicts, strict=True):
            assert (verdict.result.value, micros(verdict.amount)) == (decision.result, decision.amount)

    def decided(self, name: str, **given: Any) -> None:
        """A command that is answered with a verdict."""
        expected, verdict = self.send(name, lambda: getattr(self.model, name)(**given), **given)
        if expected is not None:
            assert (verdict.result.value, micros(verdict.amount)) == (expected.result, expected.amount)
            if name == "increase_allocation":
                self.check_decision(expected, verdict)

    def answered(self, name: str, **given: Any) -> None:
        """A command that is answered with a figure."""
        expected, reply = self.send(name, lambda: getattr(self.model, name)(**given), **given)
        if expected is not None:
            assert micros(reply) == expected

    def released(self, **given: Any) -> None:
        # A release that is known by its id can be reversed.
        upcoming = f"id-{self.count + 1}"
        expected, principal = self.send(
            "release_allocation",
            lambda: self.model.release_allocation(**given, request_id=upcoming),
            **given,
        )
        if expected is not None:
            assert micros(principal) == expected

    def withdraw_free_cash(self, left: int) -> None:
        for account in list(self.model.balances):
            amount = min(self.model.free(account), self.model.available - left)
            if amount > 0:
                self.answered("withdraw", amount=f"{float(amount):.6f}", account=account)

    def reversible(self) -> list[str]:
        """Releases and recyclings that both know by the same id."""
        return sorted(it for it in self.model.releases if not it.startswith("forced-"))

    def queued(self, **given: Any) -> None:
        upcoming = f"id-{self.count + 1}"
        expected, event = self.send(
            "queue_recycle", lambda: self.model.queue_recycle(**given, request_id=upcoming), **given
        )
        if expected is not None:
            same(event, expected)

    def forced(self, market: str, strategy: str | None) -> None:
        self.hears = True
        try:
            expected = self.model.force_recycle(market, strategy)
        except Rejected as rejected:
            with pytest.raises(getattr(errors, str(rejected))):
                self.run(self.recycler.force_recycle(market, strategy))
            return
        assert micros(self.run(self.recycler.force_recycle(market, strategy))) == expected

    def recycled(self, hears: bool) -> None:
        self.hears = hears
        expected = self.model.run_due()
        events: list[RecycleEvent] = self.run(self.recycler.run_due())
        assert len(events) == len(expected)
        for event, done in zip(events, expected, strict=True):
            same(event, done)

    def pass_time(self, seconds: int) -> None:
        self.clock.at += seconds * SECOND
        self.model.advance(self.clock.at)
        # The release of a market that holds nothing writes nothing, but what time has brought is written.
        assert self.run(self.desk.release_allocation("nobody")) == 0

    # Several commands that wait at once

    async def together(self, calls: list[Any]) -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=True)

    def request_concurrently(self, requests: list[dict[str, Any]], deposit: bool) -> None:
        calls = [self.desk.request_allocation(**request) for request in requests]
        if deposit:
            calls.insert(1, self.desk.deposit("7.5"))
        answers = self.run(self.together(calls))
        for number, request in enumerate(requests):
            if deposit and number == 1:
                assert micros(answers.pop(1)) == self.model.deposit("7.5")
            answer = answers[number]
            expected = answer_of(self.model.request_allocation, **request)
            if isinstance(expected, Rejected):
                assert isinstance(answer, getattr(errors, str(expected)))
            else:
                self.check_decision(expected, answer)

    def mark_and_deposit(self, holding: tuple[str, str | None], value: object, age: int) -> None:
        market, strategy = holding
        given = {"value": value, "at": self.clock.at - age * SECOND, "strategy": strategy}
        mark = self.desk.mark_allocation(market, **given)
        answers = self.run(self.together([mark, self.desk.deposit(1)]))
        expected = answer_of(self.model.mark_allocation, market, **given)
        if isinstance(expected, Rejected):
            assert isinstance(answers[0], getattr(errors, str(expected)))
        else:
            assert micros(answers[0]) == expected
        assert micros(answers[1]) == self.model.deposit(1)

    # The same id again

    def repeat(self, request_id: str) -> None:
        name, given, reply = self.sent[request_id]
        before = self.desk.get_allocation_report()
        again = self.run(self.verb(name)(**given, request_id=request_id))
        assert again == reply, f"{name}({given}) gave {reply}, then {again}"
        assert self.desk.get_allocation_report() == before

    def conflict(self, request_id: str) -> None:
        before = self.desk.get_allocation_report()
        with pytest.raises(errors.IdConflict):
            self.run(self.desk.deposit("0.123456", request_id=request_id))
        assert self.desk.get_allocation_report() == before

    # After every step

    def check_money(self) -> None:
        state = self.desk.ledger.state
        assert state.deposits - state.withdrawals + state.pnl - state.fees == state.bankroll
        assert sum(state.balances.values()) + state.transit_total == state.bankroll
        report = self.desk.get_allocation_report()
        assert report["total_allocated"] == sum(it["amount"] for it in report["allocations"])
        assert all(it["amount"] > 0 for it in report["allocations"])

    def check_state(self) -> None:
        check_report(self.desk, self.model)
        assert self.desk.mandate_version == self.model.version
        stats = self.recycler.get_daily_stats()
        stats.pop("as_of")
        expected = self.model.daily_stats()
        assert {name: micros(value) for name, value in stats.items()} == expected

    def check_whole_state(self) -> None:
        check_allocations(self.run(self.desk.get_allocations()), self.model)
        check_pending(self.run(self.recycler.get_pending_recycles()), self.model)
        check_history(self.run(self.recycler.get_recycle_history(limit=10_000)), self.model)
        assert micros(self.run(self.desk.get_available())) == max(0, self.model.available)

    def rows(self) -> list[Row]:
        return self.run(self.desk.ledger.ask(lambda writer: list(writer.store.rows(0))))

    def finish(self) -> None:
        """Every callback is told, the replay is exact, and nothing is left behind."""
        try:
            if hasattr(self, "desk"):
                self.recycled(True)
                self.skipped_seconds += 3_600
                self.recycled(True)
                history = self.run(self.recycler.get_recycle_history(limit=10_000))
                freed = {(it.event_id, micros(it.amount)) for it in history if it.amount}
                assert freed == set(self.told), f"not told, or not freed: {freed ^ set(self.told)}"
                self.check_whole_state()
                rows = self.rows()
                check_replay(rows, self.desk.ledger.state)
                check_explanations(rows, lambda market: self.run(self.desk.explain(market)))
        finally:
            self.close()

    def close(self) -> None:
        if hasattr(self, "desk"):
            self.run(self.desk.close())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        logging.getLogger("capdesk.recycler").disabled = False

    def reopen_after_close(self) -> None:
        raise NotImplementedError

    def reopen_after_crash(self) -> None:
        raise NotImplementedError


class MemoryDesk(DeskUnderTest):
    """A ledger in memory, which does not outlive its desk."""

    def open_new(self, bankroll: object) -> CapitalAllocator:
        return CapitalAllocator(self.config, bankroll, clock=self.clock)

    def reopen_after_close(self) -> None:
        self.check_whole_state()

    def reopen_after_crash(self) -> None:
        check_replay(self.rows(), self.desk.ledger.state)


class FileDesk(DeskUnderTest):
    """A SQLite file. A crash leaves what is on disk, write-ahead log included, to another desk."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="capdesk-", dir=RAM if os.access(RAM, os.W_OK) else None))
        self.path = self.home / "desk-0.db"

    def open_new(self, bankroll: object) -> CapitalAllocator:
        return self.run(self._open(CapitalAllocator, self.config, initial_bankroll=bankroll))

    async def _open(self, desk: type[CapitalAllocator], config: Any, **given: Any) -> CapitalAllocator:
        return await desk.open(self.path, config, clock=self.clock, **given)

    async def together(self, calls: list[Any]) -> list[Any]:
        """All of them wait for the writer, which then takes them as one batch."""
        writer_is_free = threading.Event()
        busy = asyncio.ensure_future(self.desk.ledger.ask(lambda _: writer_is_free.wait()))
        waiting = [asyncio.ensure_future(call) for call in calls]
        for _ in range(5):
            await asyncio.sleep(0)
        writer_is_free.set()
        await busy
        return await asyncio.gather(*waiting, return_exceptions=True)

    def _resume(self) -> None:
        # A resumed ledger keeps its own bankroll, whatever is given.
        self.desk = self.run(self._open(CapitalAllocator, None, initial_bankroll=1))
        self.recycler = CapitalRecycler(self.desk.config, self.desk, self.on_capital_freed)
        self.check_state()
        self.check_whole_state()

    def reopen_after_close(self) -> None:
        self.run(self.desk.close())
        other = copy.copy(self.config) | {"max_total_exposure_percent": 77}
        with pytest.raises(MandateMismatch):
            self.run(self._open(CapitalAllocator, other))
        self._resume()

    def reopen_after_crash(self) -> None:
        crashed, before = self.desk, self.path
        self.path = before.with_name(f"desk-{self.next_id()}.db")
        shutil.copy(before, self.path)
        log = before.with_name(before.name + "-wal")
        if log.exists():
            shutil.copy(log, self.path.with_name(self.path.name + "-wal"))
        self.run(crashed.close())
        self._resume()

    def close(self) -> None:
        try:
            super().close()
            if hasattr(self, "desk"):
                report = check(self.path)
                assert report.problems == [], report.problems
        finally:
            shutil.rmtree(self.home)
