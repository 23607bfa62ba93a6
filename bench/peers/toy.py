"""The volatile toys: seed 001's allocator as its text describes it, in memory only.

An ``asyncio.Lock`` serialises the requests, amounts are floats, nothing is durable, there
are no request ids, and a crash forgets everything. "Total headroom" and "available
capital" need what is allocated: `SummingToy` adds up all open allocations for each
request, `RunningToy` keeps a running total.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import time

from capdesk import AllocationResult


@dataclass(slots=True)
class ToyAllocation:
    """What the seed says an allocation tracks."""

    market_id: str
    amount: float
    strategy: str
    timestamp: float
    orders: list[float] = field(default_factory=list)


class SummingToy:
    """The seed's request flow, step by step."""

    max_exposure_per_market_percent = 5.0
    max_exposure_per_market_absolute = 50.0
    max_total_exposure_percent = 30.0
    order_split_threshold = 20.0
    order_split_count = 3

    def __init__(self, bankroll: float) -> None:
        self.bankroll = bankroll
        self.allocations: dict[str, ToyAllocation] = {}
        self._lock = asyncio.Lock()

    def allocated(self) -> float:
        """What all open allocations hold."""
        return sum(allocation.amount for allocation in self.allocations.values())

    async def request_allocation(
        self, market_id: str, requested_amount: float, strategy: str = "sniper", *, request_id: str = ""
    ) -> tuple[AllocationResult, float]:
        """Ask for capital; the request id is ignored."""
        async with self._lock:
            if requested_amount <= 0:
                return AllocationResult.INVALID_AMOUNT, 0.0
            if market_id in self.allocations:
                return AllocationResult.ALREADY_ALLOCATED, 0.0
            market = min(
                self.bankroll * (self.max_exposure_per_market_percent / 100),
                self.max_exposure_per_market_absolute,
            )
            allocated = self.allocated()
            headroom = self.bankroll * (self.max_total_exposure_percent / 100) - allocated
            available = self.bankroll - allocated
            if available <= 0:
                return AllocationResult.INSUFFICIENT_CAPITAL, 0.0
            if headroom <= 0:
                return AllocationResult.TOTAL_LIMIT_EXCEEDED, 0.0
            if market <= 0:
                return AllocationResult.MARKET_LIMIT_EXCEEDED, 0.0
            amount = min(requested_amount, market, headroom, available)
            orders: list[float] = []
            if amount > self.order_split_threshold:
                size = amount / self.order_split_count
                orders = [size] * (self.order_split_count - 1)
                orders.append(amount - sum(orders))
            self._record(ToyAllocation(market_id, amount, strategy, time(), orders))
            return AllocationResult.SUCCESS, amount

    async def release_allocation(self, market_id: str, pnl: float = 0.0) -> float:
        """Give capital back with its profit or loss."""
        async with self._lock:
            if market_id not in self.allocations:
                return 0.0
            self.bankroll += pnl
            return self._forget(market_id).amount

    def _record(self, allocation: ToyAllocation) -> None:
        self.allocations[allocation.market_id] = allocation

    def _forget(self, market_id: str) -> ToyAllocation:
        return self.allocations.pop(market_id)


class RunningToy(SummingToy):
    """The same with a running total."""

    def __init__(self, bankroll: float) -> None:
        super().__init__(bankroll)
        self._total = 0.0

    def allocated(self) -> float:
        """What all open allocations hold, but for the errors that floats gather."""
        return self._total

    def _record(self, allocation: ToyAllocation) -> None:
        super()._record(allocation)
        self._total += allocation.amount

    def _forget(self, market_id: str) -> ToyAllocation:
        allocation = super()._forget(market_id)
        self._total -= allocation.amount
        return allocation
