"""Every command of the desk in any order, with crashes, against a slow model in exact fractions.

``CAPDESK_EXAMPLES`` raises the number of examples; each has fifty steps.
"""

from __future__ import annotations

import os
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.machine.desk_under_test import DeskUnderTest, FileDesk, MemoryDesk
from tests.machine.worlds import (
    ACCOUNTS,
    ASKED,
    BANKROLLS,
    GROUPS,
    HOLDINGS,
    MARKETS,
    PARTS,
    PNL,
    PRIORITIES,
    RULES,
    STRATEGIES,
    WORLDS,
)

pytestmark = pytest.mark.timeout(3600)

Holding = tuple[str, str | None]
REQUESTS = st.fixed_dictionaries(
    {"market_id": MARKETS, "requested_amount": ASKED, "strategy": STRATEGIES},
    optional={
        "min_amount": st.sampled_from([1, "2.5", 8]),
        "all_or_none": st.booleans(),
        "group": GROUPS,
        "account": ACCOUNTS,
        "priority": PRIORITIES,
        "lease_seconds": st.sampled_from([60, 600]),
    },
)
LEGS = st.lists(
    st.fixed_dictionaries(
        {"market_id": MARKETS, "requested_amount": ASKED, "strategy": STRATEGIES},
        optional={"min_amount": st.sampled_from([1, "2.5"]), "account": ACCOUNTS},
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda leg: (leg["market_id"], leg["strategy"]),
)


class DeskMachine(DeskUnderTest):
    """The desk's verbs as rules; the model and the comparison are in `desk_under_test`."""

    @initialize(world=st.sampled_from(sorted(WORLDS)), bankroll=BANKROLLS)
    def found(self, world: str, bankroll: object) -> None:
        self.begin(WORLDS[world], bankroll)

    @rule(request=REQUESTS, identified=st.booleans())
    def request(self, request: dict[str, object], identified: bool) -> None:
        self.request_capital(request, identified)

    @rule(
        market=MARKETS,
        amount=ASKED,
        strategy=STRATEGIES,
        where=st.none() | st.tuples(ACCOUNTS, GROUPS),
        lease=st.sampled_from([None, None, 60]),
    )
    def request_plainly(
        self, market: str, amount: object, strategy: str, where: tuple[str, str] | None, lease: int | None
    ) -> None:
        request = {"market_id": market, "requested_amount": amount, "strategy": strategy}
        account, group = where or (None, None)
        self.request_capital({**request, "account": account, "group": group, "lease_seconds": lease}, True)

    @rule(market=MARKETS, amount=ASKED, seconds=st.sampled_from([59, 60, 61]))
    def let_a_lease_end(self, market: str, amount: object, seconds: int) -> None:
        self.request_capital({"market_id": market, "requested_amount": amount, "lease_seconds": 60}, True)
        self.pass_time(seconds)

    @rule(request=REQUESTS)
    def quote(self, request: dict[str, object]) -> None:
        self.quote_capital(request)

    @rule(legs=LEGS)
    def request_legs(self, legs: list[dict[str, object]]) -> None:
        self.request_capital_for_legs(legs)

    @rule(holding=HOLDINGS, amount=ASKED)
    def increase(self, holding: Holding, amount: object) -> None:
        market, strategy = holding
        self.decided("increase_allocation", market_id=market, amount=amount, strategy=strategy)

    @rule(holding=HOLDINGS, filled=st.none() | st.just(0) | PARTS)
    def confirm(self, holding: Holding, filled: object) -> None:
        market, strategy = holding
        self.decided("confirm_allocation", market_id=market, filled=filled, strategy=strategy)

    @rule(holding=HOLDINGS, value=st.just(0) | ASKED | PARTS, age=st.sampled_from([None, None, 0, 30, 90]))
    def mark(self, holding: Holding, value: object, age: int | None) -> None:
        market, strategy = holding
        at = None if age is None else self.clock.at - age * 1_000_000
        self.answered("mark_allocation", market_id=market, value=value, at=at, strategy=strategy)

    @rule(holding=HOLDINGS, value=ASKED)
    def let_a_mark_turn_stale(self, holding: Holding, value: object) -> None:
        market, strategy = holding
        self.answered("mark_allocation", market_id=market, value=value, strategy=strategy)
        self.pass_time(101)

    @rule(holding=HOLDINGS, pnl=PNL, amount=st.none() | PARTS, fees=st.sampled_from([0, "0.07", 1]))
    def release(self, holding: Holding, pnl: object, amount: object, fees: object) -> None:
        market, strategy = holding
        self.released(market_id=market, pnl=pnl, amount=amount, fees=fees, strategy=strategy)

    @rule(data=st.data())
    @precondition(lambda self: self.reversible())
    def reverse(self, data: st.DataObject) -> None:
        release_id = data.draw(st.sampled_from(self.reversible()))
        self.answered("reverse_release", release_id=release_id, reason="disputed")

    @rule(amount=st.sampled_from(["0.000001", 1, "33.333333", 100]), account=st.none() | ACCOUNTS)
    def deposit(self, amount: object, account: str | None) -> None:
        self.answered("deposit", amount=amount, account=account)

    @rule(amount=st.sampled_from(["0.000001", 1, "33.333333", 100]), account=st.none() | ACCOUNTS)
    def withdraw(self, amount: object, account: str | None) -> None:
        self.answered("withdraw", amount=amount, account=account)

    @rule(left=st.sampled_from([0, 5, 20, 60]))
    @precondition(lambda self: self.model.available > 60)
    def withdraw_all_but(self, left: int) -> None:
        self.withdraw_free_cash(left)

    @rule(pnl=PNL)
    @precondition(lambda self: 0 < len(self.model.held) < 4)
    def leave(self, pnl: object) -> None:
        for market, strategy in list(self.model.held):
            self.released(market_id=market, pnl=pnl, strategy=strategy)
        self.withdraw_free_cash(0)

    @rule(change=st.sampled_from([-30, "-0.5", 0, 10, 60]))
    def update_bankroll(self, change: object) -> None:
        amount = float(self.model.bankroll) + float(str(change))
        self.answered("update_bankroll", amount=f"{max(amount, 0.5):.6f}")

    @rule(change=st.sampled_from([-20, "-0.1", 0, 0, "0.3", 15]), account=st.none() | ACCOUNTS)
    def sync_with_wallet(self, change: object, account: str | None) -> None:
        believed = float(self.model.free(account or self.model.rules["accounts"][0]))
        cash = f"{max(0.0, believed + float(str(change))):.6f}"
        self.answered("sync_with_wallet", cash=cash, account=account)

    @rule(
        amount=st.sampled_from([1, 25, 90]),
        out_of=ACCOUNTS,
        into=ACCOUNTS,
        transit=st.sampled_from([0, 60, 900]),
    )
    @precondition(lambda self: len(self.model.rules["accounts"]) > 1)
    def transfer(self, amount: object, out_of: str, into: str, transit: int) -> None:
        self.answered("transfer", amount=amount, source=out_of, target=into, transit_seconds=transit)

    @rule(changes=st.sampled_from(RULES))
    def update_mandate(self, changes: dict[str, object]) -> None:
        self.answered("update_mandate", config={**self.config, **changes}, reason="a new day")

    @rule(
        holding=HOLDINGS,
        pnl=PNL,
        fees=st.sampled_from([0, "0.1"]),
        delay=st.sampled_from([None, 0, 120]),
    )
    def queue_recycle(self, holding: Holding, pnl: object, fees: object, delay: int | None) -> None:
        market, strategy = holding
        self.queued(market_id=market, pnl=pnl, fees=fees, delay_seconds=delay, strategy=strategy)

    @rule(holding=HOLDINGS)
    def force_recycle(self, holding: Holding) -> None:
        self.forced(*holding)

    @rule(hears=st.booleans())
    @precondition(lambda self: self.model.queue)
    def run_due(self, hears: bool) -> None:
        self.recycled(hears)

    @rule(seconds=st.sampled_from([1, 5, 59, 61, 700, 3_601, 90_000]))
    def wait(self, seconds: int) -> None:
        self.pass_time(seconds)

    @rule(requests=st.lists(REQUESTS, min_size=2, max_size=4), deposit=st.booleans())
    def request_at_once(self, requests: list[dict[str, object]], deposit: bool) -> None:
        self.request_concurrently(requests, deposit)

    @rule(holding=HOLDINGS, value=ASKED, age=st.sampled_from([0, 90, 150]))
    def mark_and_deposit_at_once(self, holding: Holding, value: object, age: int) -> None:
        self.mark_and_deposit(holding, value, age)

    @rule(data=st.data())
    @precondition(lambda self: self.sent)
    def send_again(self, data: st.DataObject) -> None:
        self.repeat(data.draw(st.sampled_from(sorted(self.sent))))

    @rule(data=st.data())
    @precondition(lambda self: self.sent)
    def send_another_command_with_a_known_id(self, data: st.DataObject) -> None:
        self.conflict(data.draw(st.sampled_from(sorted(self.sent))))

    @rule()
    def reopen(self) -> None:
        self.reopen_after_close()

    @rule()
    def crash(self) -> None:
        self.reopen_after_crash()

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        self.check_money()

    @invariant()
    def desk_is_what_the_model_says(self) -> None:
        self.check_state()

    def teardown(self) -> None:
        self.finish()


class DeskInMemory(MemoryDesk, DeskMachine):
    """The machine on a ledger in memory."""


class DeskOnSqlite(FileDesk, DeskMachine):
    """The machine on a SQLite file, which is closed, or crashes, and is opened again."""


def _settings(examples: int) -> settings:
    scale = int(os.environ.get("CAPDESK_EXAMPLES", "600")) / 600
    return settings(
        max_examples=max(1, round(examples * scale)),
        stateful_step_count=50,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


class TestDeskInMemory(DeskInMemory.TestCase):
    settings: ClassVar[settings] = _settings(350)


class TestDeskOnSqlite(DeskOnSqlite.TestCase):
    settings: ClassVar[settings] = _settings(250)
