"""The invented part of `capdesk demo --crash`: a venue that fails for a while.

The prices and the outcomes stay those of the day; what is invented is that the venue pays
nothing in the hour after its failure, so that whatever it owes then is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """A time in which the venue pays nothing; unix seconds, UTC."""

    begins_at: int
    ends_at: int

    def takes(self, paid_at: int) -> bool:
        """Whether what would be paid at a moment is lost."""
        return self.begins_at <= paid_at < self.ends_at


VENUE_FAILS = Failure(
    int(datetime(2026, 7, 24, 14, 0, tzinfo=UTC).timestamp()),
    int(datetime(2026, 7, 24, 15, 0, tzinfo=UTC).timestamp()),
)
"""In the most volatile hour of the day."""

CRASH_NOTE = (
    f"The crash is invented: from {datetime.fromtimestamp(VENUE_FAILS.begins_at, UTC):%H:%M} to "
    f"{datetime.fromtimestamp(VENUE_FAILS.ends_at, UTC):%H:%M} UTC the venue fails, and every position that it "
    "should pay then is lost, whichever side had won. Prices, outcomes and bots are the same as without it."
)
