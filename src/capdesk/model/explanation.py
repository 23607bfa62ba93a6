"""What holds a plan's weights: binding limits with their shadow prices, and a reason for each name.

Everything is read from the evidence. The reduced cost of a name is what the objective would
lose if the name were given one unit more against its will: 0 where it lies between its
limits, positive at its minimum, negative at its maximum.
"""

from __future__ import annotations

from msgspec import Struct

from capdesk.model.evidence import Evidence


class Binding(Struct, frozen=True):
    """A limit that holds the weights where they are.

    Attributes
    ----------
    limit
        Which kind: ``max_weight``, ``min_weight``, ``group_max``, ``turnover`` ...
    name
        The name, group or exposure it is about; empty where it is about all.
    value
        The limit, as a fraction.
    shadow_price
        By how much the objective would improve for one unit more of the limit; None where the
        strategy is a rule without an objective.
    """

    limit: str
    name: str
    value: float
    shadow_price: float | None


def bindings(evidence: Evidence) -> tuple[Binding, ...]:
    """The binding limits, dearest first."""
    raise NotImplementedError


def reasons(evidence: Evidence, strategy: str) -> dict[str, str]:
    """Why each name has what it has."""
    raise NotImplementedError
