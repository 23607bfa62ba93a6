"""What a claim says once it is measured: one row of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured claim.

    Attributes
    ----------
    capdesk, peer
        Medians, in `unit`; a claim that needs no peer has none.
    ratio
        capdesk / peer, the median over the rounds of the run; None without a peer. Where the
        claim is how many times as fast capdesk is, peer / capdesk of the times.
    goal
        What the ratio should reach, or `capdesk` itself where there is no peer.
    at_most
        The goal is an upper bound (times, memory) and not a lower one (rates).
    note
        What a reader should know about this measurement.
    wrong
        capdesk's answer was worse than the peer's, so its speed does not count.
    """

    task: str
    against: str
    unit: str
    capdesk: float
    peer: float | None
    ratio: float | None
    goal: float
    at_most: bool = False
    note: str = ""
    wrong: bool = False

    @property
    def met(self) -> bool:
        """Whether the goal was reached in this run."""
        if self.wrong:
            return False
        reached = self.capdesk if self.ratio is None else self.ratio
        return reached <= self.goal if self.at_most else reached >= self.goal
