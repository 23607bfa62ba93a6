"""A slow and plain model of the desk in exact fractions, written from what the desk promises.

It keeps no totals: every figure is added up from the open allocations when it is asked for.
Money is a `Fraction` of dollars, time an `int` of microseconds. It shares no code with
`capdesk`, so that a state machine can hold the two against each other.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

SECOND = 10**6
DAY = 86_400 * SECOND
ZERO = Fraction(0)

SEED = {
    "max_exposure_per_market_percent": 5,
    "max_exposure_per_market_absolute": 50,
    "max_total_exposure_percent": 30,
    "min_order_size": 1,
    "order_split_threshold": 20,
    "order_split_count": 3,
    "order_tick": None,
    "recycle_delay_seconds": 5,
    "share_markets": False,
    "on_expiry": "hold",
    "priority_tiers": {},
    "market_profiles": (),
    "groups": {},
    "accounts": ("main",),
    "max_mark_age_seconds": None,
    "day_boundary": "00:00",
}

PRECEDENCE = {
    "available": "insufficient_capital",
    "account": "insufficient_capital",
    "total": "total_limit_exceeded",
    "priority": "total_limit_exceeded",
    "group": "group_limit_exceeded",
    "market_percent": "market_limit_exceeded",
    "market_absolute": "market_limit_exceeded",
}


def exact(value: Any) -> Fraction:
    """The number as it is written; a float is what its repr says."""
    return Fraction(str(value))


def down(value: Fraction) -> Fraction:
    """What is asked and granted is rounded down to a millionth."""
    return Fraction(math.floor(value * 10**6), 10**6)


def half_even(value: Any) -> Fraction:
    """P&L and flows are rounded half-even to a millionth."""
    return Fraction(round(exact(value) * 10**6), 10**6)


class Rejected(Exception):
    """The desk must raise the error of this name, and nothing may change."""


@dataclass(frozen=True)
class Room:
    name: str
    limit: Fraction
    used: Fraction

    @property
    def room(self) -> Fraction:
        return max(ZERO, self.limit - self.used)


@dataclass(frozen=True)
class Decision:
    result: str
    amount: Fraction = ZERO
    bound_by: str | None = None
    rooms: tuple[Room, ...] = ()
    account: str = ""
    group: str | None = None


@dataclass(frozen=True)
class Held:
    """An open allocation; `identity` stays with it through reversals."""

    market: str
    strategy: str
    amount: Fraction
    account: str
    group: str | None
    identity: int
    opened_at: int
    orders: tuple[Fraction, ...] = ()
    lease_until: int | None = None
    held: bool = False
    mark: Fraction | None = None
    marked_at: int = 0


@dataclass(frozen=True)
class Released:
    held: Held
    amount: Fraction
    pnl: Fraction
    fees: Fraction


@dataclass(frozen=True)
class Recycling:
    event_id: str
    market: str
    strategy: str
    amount: Fraction
    pnl: Fraction
    fees: Fraction
    resolved_at: int
    due_at: int
    identity: int | None
    recycled_at: int | None = None


@dataclass
class Model:
    """One bankroll under its rules; every verb is named as the desk's."""

    config: dict[str, Any]
    bankroll_given: Any
    now: int
    version: int = 1
    deposits: Fraction = ZERO
    withdrawals: Fraction = ZERO
    pnl: Fraction = ZERO
    fees: Fraction = ZERO
    balances: dict[str, Fraction] = field(default_factory=dict)
    held: dict[tuple[str, str], Held] = field(default_factory=dict)
    expired: set[tuple[str, str]] = field(default_factory=set)
    transits: list[tuple[int, Fraction, str]] = field(default_factory=list)
    releases: dict[str, Released] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    queue: dict[str, Recycling] = field(default_factory=dict)
    history: list[Recycling] = field(default_factory=list)
    counter: int = 0
    units: Fraction = Fraction(1)
    value_without_units: Fraction = Fraction(1)
    peak: Fraction = Fraction(1)
    unit_value_known: bool = True

    def __post_init__(self) -> None:
        self.rules = {**SEED, **self.config}
        self.deposits = half_even(self.bankroll_given)
        self.units = self.deposits
        self.balances = {self.rules["accounts"][0]: self.deposits}

    # What it holds

    @property
    def bankroll(self) -> Fraction:
        return self.deposits - self.withdrawals + self.pnl - self.fees

    @property
    def allocated(self) -> Fraction:
        return sum((held.amount for held in self.held.values()), ZERO)

    @property
    def in_transit(self) -> Fraction:
        return sum((amount for _, amount, _ in self.transits), ZERO)

    @property
    def available(self) -> Fraction:
        return self.bankroll - self.in_transit - self.allocated

    def free(self, account: str) -> Fraction:
        used = sum((held.amount for held in self.held.values() if held.account == account), ZERO)
        return self.balances.get(account, ZERO) - used

    def equity(self) -> Fraction:
        """The bankroll with open allocations at their marks; a stale mark counts at most as cost."""
        age = self.rules["max_mark_age_seconds"]
        total = self.bankroll
        for held in self.held.values():
            if held.mark is not None:
                stale = age is not None and self.now - held.marked_at > exact(age) * SECOND
                total += min(held.mark, held.amount) - held.amount if stale else held.mark - held.amount
        return total

    def unit_value(self) -> Fraction:
        return self.equity() / self.units if self.units else self.value_without_units

    def drawdown(self) -> Fraction:
        return max(ZERO, 1 - self.unit_value() / self.peak)

    # Asking

    def limit(self, percent: Any, of: Fraction | None = None) -> Fraction:
        return down(max(ZERO, self.equity() if of is None else of) * exact(percent) / 100)

    def rooms(self, market: str, account: str, group: str | None, priority: str) -> tuple[Room, ...]:
        rules = self.rules
        rooms = [Room("available", self.bankroll - self.in_transit, self.allocated)]
        if len(rules["accounts"]) > 1:
            balance = self.balances.get(account, ZERO)
            rooms.append(Room(f"account:{account}", balance, balance - self.free(account)))
        total = self.limit(rules["max_total_exposure_percent"])
        rooms.append(Room("total", total, self.allocated))
        if rules["priority_tiers"]:
            share = rules["priority_tiers"][priority]
            rooms.append(Room(f"priority:{priority}", self.limit(share, total), self.allocated))
        if group in rules["groups"]:
            limits = rules["groups"][group]
            caps = [self.limit(limits["max_percent"])] if limits.get("max_percent") is not None else []
            caps += [exact(limits["max_absolute"])] if limits.get("max_absolute") is not None else []
            used = sum((held.amount for held in self.held.values() if held.group == group), ZERO)
            rooms.append(Room(f"group:{group}", min(caps), used))
        profile = next((it for it in rules["market_profiles"] if fnmatchcase(market, it["pattern"])), {})
        percent = profile.get("max_percent", rules["max_exposure_per_market_percent"])
        absolute = profile.get("max_absolute", rules["max_exposure_per_market_absolute"])
        used = sum((held.amount for held in self.held.values() if held.market == market), ZERO)
        rooms.append(Room("market_percent", self.limit(percent), used))
        if absolute is not None:
            rooms.append(Room("market_absolute", exact(absolute), used))
        return tuple(rooms)

    def group_of(self, market: str) -> str | None:
        for name, group in self.rules["groups"].items():
            if any(fnmatchcase(market, pattern) for pattern in group.get("patterns", ())):
                return name
        return None

    def decide(
        self,
        market: str,
        asked: Fraction,
        strategy: str,
        *,
        min_amount: Fraction = ZERO,
        all_or_none: bool = False,
        group: str | None = None,
        account: str | None = None,
        priority: str = "normal",
        increase: bool = False,
    ) -> Decision:
        """What the desk must answer; nothing is taken."""
        rules, held = self.rules, self.held.get((market, strategy))
        if account is not None and account not in rules["accounts"]:
            raise Rejected("InvalidInput")
        if group is not None and group not in rules["groups"]:
            raise Rejected("InvalidInput")
        account = account or rules["accounts"][0]
        group = group or self.group_of(market)
        if asked < exact(rules["min_order_size"]):
            return Decision("invalid_amount")
        if increase:
            if held is None:
                return Decision("not_allocated")
            account, group = held.account, held.group
        elif held is not None or (not rules["share_markets"] and self.owners(market)):
            return Decision("already_allocated")
        rooms = self.rooms(market, account, group, priority)
        tightest = min(rooms, key=lambda room: room.room)
        granted = min(asked, tightest.room)
        least = asked if all_or_none else max(exact(rules["min_order_size"]), min_amount)
        if granted < least:
            return Decision(PRECEDENCE[tightest.name.partition(":")[0]], ZERO, tightest.name, rooms)
        bound_by = tightest.name if granted < asked else None
        return Decision("success", granted, bound_by, rooms, account, group)

    def owners(self, market: str) -> list[str]:
        return [strategy for name, strategy in self.held if name == market]

    def request_allocation(
        self, market_id: str, requested_amount: Any, strategy: str = "sniper", **options: Any
    ) -> Decision:
        asked = down(exact(requested_amount))
        least = ZERO
        if (given := options.pop("min_amount", None)) is not None:
            least = half_even(given)
            if least <= 0 or least > asked > 0:
                raise Rejected("InvalidInput")
        lease = options.pop("lease_seconds", None)
        decision = self.decide(market_id, asked, strategy, min_amount=least, **options)
        if decision.result == "success":
            until = None if lease is None else self.now + int(exact(lease) * SECOND)
            self._take(market_id, strategy, decision, until)
        return decision

    def _take(self, market: str, strategy: str, decision: Decision, lease_until: int | None) -> None:
        old = self.held.get((market, strategy))
        self.counter += 1
        if old is None:
            new = Held(
                market,
                strategy,
                decision.amount,
                decision.account,
                decision.group,
                identity=self.counter,
                opened_at=self.now,
                orders=self.split(decision.amount),
                lease_until=lease_until,
            )
            self.expired.discard((market, strategy))
        else:
            new = self._resized(old, old.amount + decision.amount, added=decision.amount)
        self.held[market, strategy] = new

    def request_allocations(self, requests: list[dict[str, Any]]) -> list[Decision]:
        """All are granted or none; a leg without `min_amount` must be granted in full."""
        trial, decisions = copy.deepcopy(self), []
        for leg in requests:
            options = {"all_or_none": leg.get("min_amount") is None, **leg}
            decisions.append(trial.request_allocation(**options))
        refused = next((it for it in decisions if it.result != "success"), None)
        if refused is not None:
            return [Decision(refused.result) for _ in requests]
        self.__dict__.update(trial.__dict__)
        return decisions

    def quote(self, *given: Any, **options: Any) -> Decision:
        return copy.deepcopy(self).request_allocation(*given, **options)

    def increase_allocation(self, market_id: str, amount: Any, strategy: str | None = None) -> Decision:
        owners = self.owners(market_id)
        if strategy is None and len(owners) > 1:
            raise Rejected("InvalidInput")
        owner = strategy or (owners[0] if owners else "sniper")
        decision = self.decide(market_id, down(exact(amount)), owner, increase=True)
        if decision.result == "success":
            self._take(market_id, owner, decision, None)
        return decision

    def split(self, amount: Fraction) -> tuple[Fraction, ...]:
        """Equal orders, each rounded down to the tick; the rest in the last."""
        count, tick = self.rules["order_split_count"], exact(self.rules["order_tick"] or "0.000001")
        if amount <= exact(self.rules["order_split_threshold"]) or count < 2:
            return ()
        each = math.floor(amount / count / tick) * tick
        return (*[each] * (count - 1), amount - each * (count - 1)) if each else ()

    def _resized(self, old: Held, amount: Fraction, added: Fraction = ZERO) -> Held:
        """A part keeps its share of the mark, rounded down; what is added counts at cost."""
        mark = old.mark
        if mark is not None:
            mark = mark + added if added else down(mark * amount / old.amount)
        return replace(old, amount=amount, mark=mark, orders=self.split(amount))

    # Holding

    def find(self, market: str, strategy: str | None) -> Held | None:
        if strategy is not None:
            return self.held.get((market, strategy))
        owners = self.owners(market)
        if len(owners) > 1:
            raise Rejected("InvalidInput")
        return self.held[market, owners[0]] if owners else None

    def confirm_allocation(self, market_id: str, filled: Any = None, strategy: str | None = None) -> Decision:
        held = self.find(market_id, strategy)
        if held is None:
            ended = any(market == market_id and strategy in (None, owner) for market, owner in self.expired)
            return Decision("lease_expired" if ended else "not_allocated")
        amount = held.amount if filled is None else half_even(filled)
        if not 0 <= amount <= held.amount:
            raise Rejected("InvalidInput")
        if amount == 0:
            del self.held[held.market, held.strategy]
        else:
            kept = held if amount == held.amount else self._resized(held, amount)
            self.held[held.market, held.strategy] = replace(kept, lease_until=None, held=False)
        self._note_peak()
        return Decision("success", amount)

    def mark_allocation(
        self, market_id: str, value: Any, at: int | None = None, strategy: str | None = None
    ) -> Fraction:
        held = self.find(market_id, strategy)
        if held is None:
            raise Rejected("UnknownAllocation")
        seen = self.now if at is None else at
        if seen > self.now or (held.mark is not None and seen < held.marked_at):
            raise Rejected("InvalidInput")
        self.held[held.market, held.strategy] = replace(held, mark=half_even(value), marked_at=seen)
        self._note_peak()
        return self.equity()

    def release_allocation(
        self,
        market_id: str,
        pnl: Any = 0,
        *,
        amount: Any = None,
        fees: Any = 0,
        strategy: str | None = None,
        request_id: str | None = None,
    ) -> Fraction:
        held = self.find(market_id, strategy)
        if held is None:
            return ZERO
        part = held.amount if amount is None else half_even(amount)
        if not 0 < part <= held.amount:
            raise Rejected("InvalidInput")
        self._give_back(held, part, half_even(pnl), half_even(fees), request_id)
        return part

    def _give_back(
        self, held: Held, part: Fraction, pnl: Fraction, fees: Fraction, release_id: str | None
    ) -> None:
        key = (held.market, held.strategy)
        if part == held.amount:
            del self.held[key]
        else:
            self.held[key] = self._resized(held, held.amount - part)
        self._book(held.account, pnl, fees)
        if release_id is not None:
            self.releases[release_id] = Released(held, part, pnl, fees)

    def reverse_release(self, release_id: str, *, reason: str) -> Fraction:
        was = self.releases.get(release_id)
        if was is None:
            raise Rejected("UnknownAllocation")
        key = (was.held.market, was.held.strategy)
        now_held = self.held.get(key)
        if release_id in self.reversed:
            raise Rejected("InvalidInput")
        if now_held is not None and now_held.identity != was.held.identity:
            raise Rejected("InvalidInput")
        if now_held is None and self.owners(was.held.market) and not self.rules["share_markets"]:
            raise Rejected("InvalidInput")
        if now_held is None:
            group = was.held.group
            self.held[key] = replace(
                was.held,
                group=group if group in self.rules["groups"] else self.group_of(was.held.market) or group,
                amount=was.amount,
                orders=self.split(was.amount),
                lease_until=None,
                held=False,
                mark=None,
                marked_at=0,
            )
        else:
            self.held[key] = self._resized(now_held, now_held.amount + was.amount, added=was.amount)
        self.reversed.add(release_id)
        self._book(was.held.account, -was.pnl, -was.fees)
        return was.amount

    # Flows and P&L

    def _book(self, account: str, pnl: Fraction, fees: Fraction = ZERO) -> None:
        self.pnl += pnl
        self.fees += fees
        self.balances[account] = self.balances.get(account, ZERO) + pnl - fees
        self._note_peak()

    def _note_peak(self) -> None:
        if not self.units:
            # Everything was withdrawn before: a profit that nobody owns leaves the unit value as it was,
            # and what a unit is worth after a loss that nobody owns is not promised.
            self.unit_value_known = self.unit_value_known and self.equity() >= 0
            self.units = max(ZERO, self.equity() / self.value_without_units)
        self.peak = max(self.peak, self.unit_value())

    def _flow(self, account: str, amount: Fraction) -> None:
        """Buy or sell units at their value; after a total loss, at a billionth of the peak."""
        value = self.unit_value()
        if amount > 0:
            self.deposits += amount
        else:
            self.withdrawals -= amount
        self.balances[account] = self.balances.get(account, ZERO) + amount
        if value > 0:
            self.units += amount / value
            self.value_without_units = value
        elif self.equity() > 0:
            self.units = self.equity() / (self.peak / 10**9)

    def _account(self, name: str | None) -> str:
        if name is not None and name not in self.rules["accounts"]:
            raise Rejected("InvalidInput")
        return name or self.rules["accounts"][0]

    def deposit(self, amount: Any, account: str | None = None) -> Fraction:
        self._flow(self._account(account), half_even(amount))
        return self.bankroll

    def withdraw(self, amount: Any, account: str | None = None) -> Fraction:
        where, out = self._account(account), half_even(amount)
        if out > min(self.free(where), self.available):
            raise Rejected("InsufficientFunds")
        self._flow(where, -out)
        return self.bankroll

    def update_bankroll(self, amount: Any) -> Fraction:
        difference = half_even(amount) - self.bankroll
        where = self._account(None)
        if difference < 0 and -difference > min(self.free(where), self.available):
            raise Rejected("InsufficientFunds")
        if difference:
            self._flow(where, difference)
        return self.bankroll

    def sync_with_wallet(self, cash: Any, account: str | None = None) -> Fraction:
        where = self._account(account)
        difference = half_even(cash) - self.free(where)
        if difference:
            self._book(where, difference)
        return self.bankroll

    def transfer(self, amount: Any, source: str, target: str, transit_seconds: Any = 0) -> Fraction:
        self._account(source)
        self._account(target)
        moved = half_even(amount)
        if source == target:
            raise Rejected("InvalidInput")
        if moved > self.free(source):
            raise Rejected("InsufficientFunds")
        self.balances[source] -= moved
        self.transits.append((self.now + int(exact(transit_seconds) * SECOND), moved, target))
        self.advance(self.now)
        return moved

    def update_mandate(self, config: dict[str, Any], *, reason: str) -> int:
        known = self.rules["groups"]
        named = {
            key for key, it in self.held.items() if it.group in known and it.group != self.group_of(it.market)
        }
        self.rules = {**SEED, **config}
        for key, it in self.held.items():
            if key not in named:
                self.held[key] = replace(it, group=self.group_of(it.market) or it.group)
        self.version += 1
        self._note_peak()
        return self.version

    # Recycling

    def queued_for(self, held: Held) -> Recycling | None:
        return next((it for it in self.queue.values() if it.identity == held.identity), None)

    def queue_recycle(
        self,
        market_id: str,
        pnl: Any = 0,
        *,
        fees: Any = 0,
        delay_seconds: Any = None,
        strategy: str | None = None,
        request_id: str,
    ) -> Recycling:
        held = self.find(market_id, strategy)
        gain, costs = half_even(pnl), half_even(fees)
        delay = self.rules["recycle_delay_seconds"] if delay_seconds is None else delay_seconds
        due_at = self.now + int(exact(delay) * SECOND)
        if held is None:
            event = Recycling(request_id, market_id, strategy or "", ZERO, ZERO, ZERO, self.now, due_at, None)
        else:
            queued = self.queued_for(held)
            if queued is not None:
                if (queued.pnl, queued.fees) != (gain, costs):
                    raise Rejected("InvalidInput")
                return queued
            event = Recycling(
                request_id,
                held.market,
                held.strategy,
                held.amount,
                gain,
                costs,
                self.now,
                due_at,
                held.identity,
            )
        self.queue[event.event_id] = event
        return event

    def run_due(self) -> list[Recycling]:
        due = sorted((it.due_at, it.event_id) for it in self.queue.values() if it.due_at <= self.now)
        return [self._recycle(event_id) for _, event_id in due]

    def force_recycle(self, market_id: str, strategy: str | None = None) -> Fraction:
        held = self.find(market_id, strategy)
        queued = None if held is None else self.queued_for(held)
        if queued is None:
            self.counter += 1
            queued = self.queue_recycle(market_id, strategy=strategy, request_id=f"forced-{self.counter}")
        return self._recycle(queued.event_id).amount

    def _recycle(self, event_id: str) -> Recycling:
        event = self.queue.pop(event_id)
        held = self.held.get((event.market, event.strategy))
        amount = pnl = ZERO
        if held is not None and held.identity == event.identity:
            amount, pnl = held.amount, event.pnl
            self._give_back(held, held.amount, event.pnl, event.fees, event_id)
        done = replace(event, amount=amount, pnl=pnl, recycled_at=self.now)
        self.history.append(done)
        return done

    def daily_stats(self) -> dict[str, Any]:
        hours, minutes = map(int, self.rules["day_boundary"].split(":"))
        boundary = (hours * 60 + minutes) * 60 * SECOND

        def day(at: int) -> int:
            return (at - boundary) // DAY

        today = [it for it in self.history if day(it.recycled_at or 0) == day(self.now)]
        waited = sum((it.recycled_at or 0) - it.resolved_at for it in today)
        return {
            "recycles_today": len(today),
            "capital_recycled_today": sum((it.amount for it in today), ZERO),
            "total_pnl_today": sum((it.pnl for it in today), ZERO),
            "avg_recycle_time_seconds": Fraction(waited // len(today), SECOND) if today else ZERO,
            "pending_recycles": len(self.queue),
        }

    # Time

    def advance(self, now: int) -> None:
        """Let leases end and transfers arrive."""
        self.now = now
        for key, held in sorted(self.held.items()):
            if held.lease_until is None or held.held or held.lease_until > now:
                continue
            if self.rules["on_expiry"] == "free":
                del self.held[key]
                self.expired.add(key)
            else:
                self.held[key] = replace(held, held=True)
            self._note_peak()
        for transit in [it for it in self.transits if it[0] <= now]:
            self.transits.remove(transit)
            _, amount, target = transit
            self.balances[target] = self.balances.get(target, ZERO) + amount

    def report(self) -> dict[str, Any]:
        """The figures of seed 001's report."""
        total = self.limit(self.rules["max_total_exposure_percent"])
        bankroll, allocated = self.bankroll, self.allocated
        return {
            "bankroll": bankroll,
            "total_allocated": allocated,
            "available": max(ZERO, self.available),
            "utilization_percent": down(allocated * 100 / bankroll) if bankroll > 0 else ZERO,
            "max_total_allowed": total,
            "headroom": max(ZERO, total - allocated),
            "num_allocated_markets": len({held.market for held in self.held.values()}),
        }
