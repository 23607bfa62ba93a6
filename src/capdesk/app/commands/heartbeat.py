"""A desk's heartbeat on a terminal: it runs until it is told to end, and says what it finds."""

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capdesk.app import render
from capdesk.desk import CapitalAllocator
from capdesk.desk.arguments import seconds
from capdesk.model.errors import CapdeskError, InvalidInput
from capdesk.model.money import Amount
from capdesk.supervisor import Hooks, Supervisor

if TYPE_CHECKING:
    from capdesk.model.plans import Plan


async def keep(
    ledger: Path,
    every: str,
    addresses: Sequence[str],
    notices: "Notices",
    plan: "Callable[[], Plan] | None" = None,
    plan_every_seconds: float | None = None,
) -> None:
    """Run the heartbeat until Ctrl-C or a request to terminate; with a plan, plan anew when it is due.

    Raises
    ------
    InvalidInput
        If the time between heartbeats is none.
    """
    every_seconds = seconds(every, "every") / 1e6
    if every_seconds == 0:
        raise InvalidInput(f"every must be above 0 seconds, got {every}")
    if addresses:
        from capdesk.app.notifications import Notifier

        notices.forward = Notifier(addresses)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, ended.set)
    async with CapitalAllocator.open(ledger) as desk:
        in_words()
        supervisor = Supervisor(
            desk,
            notices.hooks(),
            notify=notices.notify,
            plan=plan,
            plan_every_seconds=plan_every_seconds,
            every_seconds=every_seconds,
        )
        notices.begin()
        await supervisor.start()
        await ended.wait()
        await supervisor.stop()
    notices.end()


class Notices:
    """What the supervisor finds, as lines on standard output."""

    def __init__(self, ledger: Path, every: str, *, as_json: bool) -> None:
        self._ledger = ledger
        self._every = every
        self._as_json = as_json
        self._console = render.console()
        self.forward: Callable[[str, str], Awaitable[None]] | None = None

    def hooks(self) -> Hooks:
        """The supervisor's hooks, each of which says what happened."""
        return Hooks(pause=self._paused, resume=self._resumed, recalled=self._recalled, adopted=self._adopted)

    async def notify(self, title: str, text: str) -> None:
        """Say a halt, a breaker or an overdue recall, and send it to whoever was named."""
        self._say("notice", f"{title}: {text}", "red", title=title, text=text)
        if self.forward is not None:
            await self.forward(title, text)

    def begin(self) -> None:
        """Say that the heartbeat runs."""
        where = f"{self._ledger} every {self._every} s"
        self._say("supervising", f"{where}; Ctrl-C ends it", "green", ledger=self._ledger, every=self._every)

    def end(self) -> None:
        """Say that it has ended."""
        self._say("ended", "the desk goes on deciding; nobody reviews its sleeves", "yellow")

    def _paused(self, strategy: str) -> None:
        said = f"{strategy}: its sleeve is under its minimum"
        self._say("paused", said, "yellow", strategy=strategy)

    def _resumed(self, strategy: str, capital: Amount) -> None:
        said = f"{strategy} has {render.money(capital)} again"
        self._say("resumed", said, "green", strategy=strategy, capital=capital)

    def _recalled(self, strategy: str, amount: Amount, deadline: datetime) -> None:
        said = (
            f"{strategy} holds {render.money(amount)} above its budget, "
            f"to be given back by {render.clock_time(deadline)} UTC"
        )
        self._say("recalled", said, "yellow", strategy=strategy, amount=amount, deadline=deadline)

    def _adopted(self, plan: "Plan", version: int) -> None:
        shares = ", ".join(f"{name} {render.percent(weight, 2)}" for name, weight in plan.weights.items())
        said = f"mandate {version} by {plan.strategy}: {shares}"
        self._say("adopted", said, "green", mandate_version=version, weights=dict(plan.weights))

    def _say(self, what: str, sentence: str, colour: str, **figures: object) -> None:
        now = datetime.now(UTC)
        if self._as_json:
            print(json.dumps(render.plain({"time": now, "what": what, **figures})), flush=True)
        else:
            when = render.clock_time(now)
            self._console.print(f"[dim]{when}[/]  [{colour}]{what:<11}[/]  {render.literal(sentence)}")


class _Words(logging.Formatter):
    """Says an expected error in its own words; one that nobody foresaw keeps its traceback."""

    def formatException(self, ei: Any) -> str:
        """Word the error that a record carries."""
        return str(ei[1]) if isinstance(ei[1], CapdeskError) else super().formatException(ei)


def in_words() -> None:
    """Send what the supervisor logs to standard error, a failure in one line."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Words("error: %(message)s"))
    logging.getLogger("capdesk.supervisor").addHandler(handler)
