"""Why nothing obeys the limits where all money must be placed: the arithmetic."""

from __future__ import annotations

import numpy as np

from capdesk.decide.pools.building import Desk
from capdesk.model.errors import InfeasibleError


def shortage(desk: Desk) -> InfeasibleError:
    """The error for a problem without a plan; only `allow_cash=False` can make one."""
    p, total = desk.problem, desk.problem.total
    most = p.held + p.room
    rows = p.limits.tocsr()
    placed, seen = 0.0, np.zeros(p.size, dtype=bool)
    parts: list[str] = []
    for row, name in enumerate(p.limit_names):
        if not name.startswith("group") or "riskier" in name:
            continue
        its = rows.indices[rows.indptr[row] : rows.indptr[row + 1]]
        seen[its] = True
        room = min(float(most[its].sum()), float(p.limit_caps[row]))
        placed += room
        parts.append(f"{name}: {len(its)} pools take {room / total:.2%} of all assets")
    rest = float(most[~seen].sum())
    if rest:
        parts.append(f"{int((~seen).sum())} other pools take {rest / total:.2%}")
    placed += rest
    if not placed:
        ticket = desk.parameters.minimum_ticket_usd
        parts = [f"no pool may take ${total:,.2f} or a part of it (the smallest position is ${ticket:,.2f})"]
    if placed < total:
        figures = f"{'; '.join(parts)}; together {placed / total:.2%} < 100 %, and cash is not allowed"
    else:
        figures = f"{'; '.join(parts)}; after costs and tickets the last dollars find no place, and cash is not allowed"
    return InfeasibleError(
        conflict=("allow_cash", *p.limit_names),
        arithmetic=figures,
        relaxations=(("allow_cash", "False", "True"),),
    )
