"""``python -m bench [NAME ...]``: measure the claims, print the table. Never judges by time: it always ends with 0."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench.claims import (
    ceiling,
    grants,
    latency,
    one_caller,
    open_allocations,
    opening,
    pools,
    startup,
    volatile,
    weights,
    weights_solvers,
    what_if,
)
from bench.place import Place, circumstances, find_place
from bench.report import show, write_json
from bench.rows import Row

CLAIMS: dict[str, Callable[[Place], list[Row]]] = {
    "grants": grants.measure,
    "one-caller": one_caller.measure,
    "ceiling": ceiling.measure,
    "volatile": volatile.measure,
    "open-allocations": open_allocations.measure,
    "latency": latency.measure,
    "opening": opening.measure,
    "pools": pools.measure,
    "startup": startup.measure,
    "what-if": what_if.measure,
    "weights-min-variance": weights.min_variance,
    "weights-max-sharpe": weights.max_sharpe,
    "weights-risk-parity": weights.risk_parity,
    "weights-hierarchical": weights.hierarchical,
    "weights-tail-risk": weights.tail_risk,
    "weights-solvers": weights_solvers.measure,
}


def main() -> None:
    """Measure what was asked for, or everything."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="capdesk's speed claims, as ratios.")
    parser.add_argument("claims", nargs="*", metavar="NAME", help=f"of {', '.join(CLAIMS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and one million events to open")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file too")
    parser.add_argument("--dir", type=Path, help="where the ledgers lie; a temporary directory on a disk")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.claims if name not in CLAIMS]
    if unknown:
        parser.error(f"no claim is named {', '.join(unknown)}: there are {', '.join(CLAIMS)}")
    console = Console()
    rows: list[Row] = []
    with find_place(chosen.dir, chosen.quick) as place:
        with console.status("measuring") as status:
            for name in chosen.claims or CLAIMS:
                status.update(f"measuring {name}")
                rows += CLAIMS[name](place)
        facts = circumstances(place)
    show(console, rows, facts)
    if chosen.json:
        write_json(chosen.json, rows, facts)


if __name__ == "__main__":
    main()
