"""The desk's transition, in the form that a writer is given it."""

from __future__ import annotations

from capdesk.decide import transition
from capdesk.ledger.writer import Transition

TRANSITION = Transition(transition.decide, transition.evolve, transition.tick, transition.due)
