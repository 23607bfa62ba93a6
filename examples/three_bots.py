"""Three bots, each a process of its own, on one ledger.

    python examples/three_bots.py [FILE]

Each asks for capital in the same forty markets, gives most of it back a moment later, and
keeps the rest. Whatever the order in which they come, the limits hold.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import sys
from pathlib import Path

from capdesk import Amount, CapitalAllocator, CapitalConfig

BOTS = ("sniper", "momentum", "cautious")
MARKETS = [f"btc-{number:02d}" for number in range(40)]


async def trade(path: str, name: str) -> None:
    """Ask for capital in every market; give most grants back with a small profit or loss."""
    chance = random.Random(name)
    granted, refused = Amount(0), 0
    async with CapitalAllocator.open(path) as desk:
        for market in MARKETS:
            verdict = await desk.request_allocation(market, chance.randint(2, 12), name)
            granted += verdict.amount
            refused += not verdict.granted
            await asyncio.sleep(chance.uniform(0, 0.02))
            if verdict.granted and chance.random() < 0.8:
                pnl = Amount(chance.randint(-50, 60)) / 100
                await desk.release_allocation(market, pnl, strategy=name)
    print(f"{name:9} was granted ${granted:.2f} and refused {refused} times", flush=True)


def run_bot(path: str, name: str) -> None:
    """A bot's process: it opens the ledger itself, because a connection must not cross a fork."""
    asyncio.run(trade(path, name))


async def found(path: str) -> None:
    """Make the ledger once, before the bots start; they open it without a configuration."""
    async with CapitalAllocator.open(path, CapitalConfig(share_markets=True), initial_bankroll=200):
        pass


async def tell(path: str) -> None:
    """What the bots left behind."""
    async with CapitalAllocator.open(path) as desk:
        report = desk.get_allocation_report()
        print(
            f"bankroll ${report['bankroll']:.2f}, allocated ${report['total_allocated']:.2f} "
            f"of at most ${report['max_total_allowed']:.2f} in {report['num_allocated_markets']} markets"
        )


def main(path: str = "three_bots.db") -> None:
    """Found the ledger, run the bots at once, and report."""
    if Path(path).exists():
        sys.exit(f"{path} exists: name another file, or remove it")
    asyncio.run(found(path))
    spawn = multiprocessing.get_context("spawn")
    bots = [spawn.Process(target=run_bot, args=(path, name)) for name in BOTS]
    for bot in bots:
        bot.start()
    for bot in bots:
        bot.join()
    asyncio.run(tell(path))


if __name__ == "__main__":
    main(*sys.argv[1:2])
