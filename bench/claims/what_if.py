"""A journal decided again under other rules, as `capdesk what-if` does it: a million decisions.

Processor time of this process, scaled to a million requests; each comes with the release that
followed it, so two million entries are read, decided and folded. Once under the ledger's own
rules, and once under a smaller limit, where every verdict flips and every release is scaled.
"""

from __future__ import annotations

from statistics import median
from time import process_time

from msgspec.structs import replace

from bench.callers import expect
from bench.desk import CONFIG
from bench.long_ledger import long_ledger
from bench.place import Place
from bench.rows import Row
from capdesk.app.commands.second_look import SecondLook
from capdesk.ledger import tools
from capdesk.model.mandate import Mandate

ENTRIES, GOAL_SECONDS, SHOWN = 200_000, 20.0, 20


def measure(place: Place) -> list[Row]:
    """A row for the same rules, and one for rules that flip every verdict."""
    same = CONFIG.mandate()
    smaller = replace(same, market_absolute=12_000_000)
    return [
        _row(place, same, "under the same rules", flips=False),
        _row(place, smaller, "where every verdict flips", flips=True),
    ]


def _row(place: Place, mandate: Mandate, rules: str, *, flips: bool) -> Row:
    path = long_ledger(place.cache, ENTRIES)
    seconds: list[float] = []
    for _ in range(place.rounds(5)):
        began = process_time()
        with SecondLook.of(tools.journal(path), mandate, tools.undone(path), SHOWN, lambda _: None) as look:
            seconds.append((process_time() - began) / look.requests * 1e6)
            expect(look.entries, ENTRIES, "entries decided again")
            expect(look.flips, look.requests if flips else 0, "verdicts that flip")
    return Row(
        task=f"what-if, a million decisions {rules}",
        against="",
        unit="s",
        capdesk=median(seconds),
        peer=None,
        ratio=None,
        goal=GOAL_SECONDS,
        at_most=True,
        note=f"processor time, scaled from {ENTRIES:,} entries; releases included",
    )
