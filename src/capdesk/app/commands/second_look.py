"""A journal decided again: what it comes to, and the first of the verdicts that flip, or all of them.

What is to be shown waits in a file of its own, so that a long journal takes no more memory
than a short one, however much of it flips.
"""

import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Self

from capdesk.decide.what_if import Flip, Impossible, what_if
from capdesk.model.commands import Request, RequestAll
from capdesk.model.journal import Entry
from capdesk.model.mandate import Mandate
from capdesk.model.requests import AllocationResult

TELL_EVERY = 5_000

Found = Flip | Impossible


@dataclass(slots=True)
class SecondLook:
    """What another mandate would have decided.

    Attributes
    ----------
    entries, requests
        How many entries were read, and how many requests for capital they hold.
    flips, impossible
        Verdicts that flip, and commands that could not have been carried out.
    turns
        How many verdicts turned from what into what; a grant of another amount turns from
        success into success.
    granted_more
        What would have been granted more in all, less where it is negative; micro-units.
    shown
        How many are kept to be shown.
    """

    entries: int = 0
    requests: int = 0
    flips: int = 0
    impossible: int = 0
    turns: Counter[tuple[AllocationResult, AllocationResult]] = field(default_factory=Counter)
    granted_more: int = 0
    shown: int = 0
    _kept: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    @classmethod
    def of(
        cls,
        journal: Iterable[Entry],
        mandate: Mandate,
        undone: Collection[int],
        most: int | None,
        tell: Callable[[int], object],
    ) -> Self:
        """Decide a journal again and keep the first `most` of what flips; None: all of it.

        Parameters
        ----------
        undone
            Numbers of the releases that the journal undoes later.
        tell
            Told from time to time how many entries are done.
        """
        look = cls()
        try:
            for found in what_if(look._count(journal, tell), mandate, undone):
                look._take(found, most)
        except BaseException:
            look._kept.close()
            raise
        tell(look.entries)
        return look

    def _count(self, journal: Iterable[Entry], tell: Callable[[int], object]) -> Iterator[Entry]:
        entries = requests = 0
        for entry in journal:
            entries += 1
            kind = type(entry.command)
            if kind is Request:
                requests += 1
            elif kind is RequestAll:
                requests += len(entry.events)
            if entries % TELL_EVERY == 0:
                tell(entries)
            yield entry
        self.entries, self.requests = entries, requests

    def _take(self, found: Found, most: int | None) -> None:
        if isinstance(found, Flip):
            self.flips += 1
            self.turns[found.was, found.becomes] += 1
            self.granted_more += found.amount - found.was_amount
        else:
            self.impossible += 1
        if most is None or self.shown < most:
            pickle.dump(found, self._kept, pickle.HIGHEST_PROTOCOL)
            self.shown += 1

    def kept(self) -> Iterator[Found]:
        """What is to be shown, in the order of the journal."""
        self._kept.seek(0)
        for _ in range(self.shown):
            yield pickle.load(self._kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()
