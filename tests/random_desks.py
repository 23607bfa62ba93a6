"""Desks with a past: random commands of every kind, played on a fold under rules where every limit binds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from capdesk.model import commands as c
from capdesk.model.journal import Entry
from capdesk.model.money import PPM
from capdesk.model.requests import Request
from capdesk.model.rules import MarketState
from tests.desks import Fold, sleeve

Step = tuple[Callable[[Fold], c.Command | None], int]

WORLD: dict[str, Any] = {
    "max_exposure_per_market_percent": 40,
    "max_exposure_per_market_absolute": 45,
    "max_total_exposure_percent": 90,
    "order_split_count": 1,
    "share_markets": True,
    "on_expiry": "free",
    "accounts": ("main", "venue"),
    "max_drawdown_percent": 45,
    "max_mark_age_seconds": 900,
    "priority_tiers": {"critical": 100, "high": 90, "normal": 80},
    "sleeves": [
        sleeve("maker", 50, cap=60, pays_gas=True, expected_return=10),
        sleeve("taker", 30, minimum=20),
        sleeve("other", 10),
    ],
    "default_sleeve": "other",
    "reserve_percent": 4,
    "risk": {
        "correlation": [{"above": "0.5", "multiplier": "0.8"}],
        "stale_after_seconds": 7200,
    },
    "breakers": {
        "daily_loss_percent": 12,
        "gas_above_gwei": 80,
        "gas_for_seconds": 1800,
        "stale_data": True,
    },
}

WORLDS: dict[str, dict[str, Any]] = {
    "sleeves": WORLD,
    "shared": {**WORLD, "idle": "share", "compounding": "half", "on_expiry": "hold"},
    "market limits": {**WORLD, "risk": {"volatility_acts_on": "market_limits"}, "compounding": "fixed"},
    "target": {**WORLD, "risk": {"mode": "target"}, "resume_margin_percent": 10},
    "no sleeves": {
        **{name: rule for name, rule in WORLD.items() if name not in ("sleeves", "default_sleeve")},
        "reserve_percent": 0,
    },
}

MARKETS = st.sampled_from(["sun", "rain", "wind", "fog"])
STRATEGIES = st.sampled_from(["maker", "taker", "stranger"])
AMOUNTS = st.integers(1, 70 * PPM)
MONEY = st.sampled_from([0, 1, 999_999, 4 * PPM, -PPM // 3, -7 * PPM, -30 * PPM, 40 * PPM])
WAITS = st.sampled_from([0, 0, 1, 60, 901, 3_600, 7_201, 90_000])

requests = st.builds(
    Request,
    market=MARKETS,
    asked=AMOUNTS,
    strategy=STRATEGIES,
    min_amount=st.sampled_from([0, 0, 2 * PPM]),
    all_or_none=st.sampled_from([False, False, True]),
    account=st.sampled_from([None, None, "venue"]),
    priority=st.sampled_from(["normal", "critical"]),
    lease=st.sampled_from([None, 600 * PPM]),
    increase=st.sampled_from([False, False, True]),
)
markets = st.builds(
    MarketState,
    volatility_state=st.sampled_from([None, "low", "medium", "high", "extreme"]),
    volatility_ppm=st.none() | st.integers(0, 2 * PPM),
    gas_price=st.sampled_from([None, 0, 60 * PPM, 200 * PPM]),
    breaker=st.sampled_from([False, False, False, True]),
    correlation_ppm=st.sampled_from([None, 600_000]),
)
plain = st.one_of(
    requests,
    requests,
    st.builds(c.RequestAll, st.lists(requests, min_size=2, max_size=3).map(tuple)),
    st.builds(c.Deposit, AMOUNTS, st.sampled_from([None, "venue"])),
    st.builds(c.Withdraw, AMOUNTS),
    st.builds(c.Transfer, AMOUNTS, st.just("main"), st.just("venue"), st.sampled_from([0, 600 * PPM])),
    st.builds(c.Observe, markets),
    st.just(c.Review()),
)
rare = st.one_of(
    st.builds(c.SyncWallet, st.integers(0, 150 * PPM)),
    st.builds(c.SetBankroll, st.integers(50 * PPM, 150 * PPM)),
    st.builds(c.HaltDesk, st.just("by hand")),
    st.builds(c.Resume, st.just("go on")),
    st.builds(c.TripBreaker, st.just("a rumour")),
    st.builds(c.LiftBreaker, st.just("it was nothing")),
)


def held(pick: int, make: Callable[[str, str], c.Command]) -> Callable[[Fold], c.Command | None]:
    """A command about one of the open allocations."""

    def command(desk: Fold) -> c.Command | None:
        keys = sorted(key for key, position in desk.state.positions.entries() if position is not None)
        return make(*keys[pick % len(keys)]) if keys else None

    return command


def last_release(desk: Fold) -> c.Command | None:
    """The reversal of the latest release."""
    for entry in reversed(desk.entries):
        for event in entry.events:
            if isinstance(event, c.Released):
                return c.ReverseRelease(entry.sequence, event, "disputed")
    return None


def recycling(desk: Fold) -> c.Command | None:
    """The recycling that has waited longest."""
    return next((c.Recycle(name) for name, it in desk.state.pending.entries() if it is not None), None)


@st.composite
def about_an_allocation(draw: st.DrawFn) -> Callable[[Fold], c.Command | None]:
    pick, amount = draw(st.integers(0, 9)), draw(AMOUNTS)
    pnl, fees = draw(MONEY), draw(st.sampled_from([0, PPM // 10]))
    part = draw(st.sampled_from([None, amount]))
    make: Callable[[str, str], c.Command] = draw(
        st.sampled_from(
            [
                lambda market, strategy: c.Release(market, strategy, pnl, fees, part),
                lambda market, strategy: c.Confirm(market, strategy, part),
                lambda market, strategy: c.Mark(market, amount, None, strategy),
                lambda market, strategy: c.QueueRecycle(market, strategy, pnl, fees, 0),
            ]
        )
    )
    return held(pick, make)


commands = st.one_of(
    plain.map(lambda command: lambda desk: command),
    plain.map(lambda command: lambda desk: command),
    about_an_allocation(),
    rare.map(lambda command: lambda desk: command),
    st.sampled_from([last_release, recycling]),
)
steps: st.SearchStrategy[list[Step]] = st.lists(st.tuples(commands, WAITS), min_size=1, max_size=40)


def play(desk: Fold, steps: list[Step]) -> list[Entry]:
    """Carry out what can be carried out; gives the journal."""
    for make, seconds in steps:
        command = make(desk)
        if command is not None:
            desk.tried(command, seconds)
    return desk.entries
