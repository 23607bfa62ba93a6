"""capdesk beside `peers.one_commit`, with the same wishes from the same number of callers."""

from __future__ import annotations

from statistics import median

import apsw

from bench.callers import Wishes, ask_all, expect
from bench.desk import BANKROLL, CONFIG, open_desk, pragmas, read_pragmas
from bench.peers.one_commit import OneCommitDesk
from bench.place import Place
from bench.rounds import ratio, take_turns
from bench.rows import Row
from capdesk.model.money import to_micro


async def against_one_commit(place: Place, callers: int, goal: float, rounds: int) -> Row:
    """Grants a second of both; every grant of both is checked afterwards."""
    ours, theirs = Wishes(callers), Wishes(callers)
    path, peer_path = place.file("desk.db"), place.file("peer.db")
    async with open_desk(path) as desk:
        peer = OneCommitDesk(peer_path, CONFIG, BANKROLL)
        try:
            expect(read_pragmas(peer.db), await pragmas(desk), "the pragmas of the peer")

            async def our_turn() -> float:
                wishes = ours.take(max(1_024, 32 * callers))
                return len(wishes) / await ask_all(desk, wishes, callers)

            async def their_turn() -> float:
                wishes = theirs.take(max(1_024, 2 * callers))
                return len(wishes) / await ask_all(peer, wishes, callers)

            rates = await take_turns({"capdesk": our_turn, "peer": their_turn}, rounds)
            report = desk.get_allocation_report()
            expect(report["total_allocated"], ours.total, "dollars granted by capdesk")
            expect(report["num_allocated_markets"], ours.made, "grants by capdesk")
            expect(peer.state.allocated, to_micro(theirs.total), "micro-units granted by the peer")
        finally:
            peer.close()
    for file, wishes in ((path, ours), (peer_path, theirs)):
        expect(_durable(file), (wishes.made + 1, wishes.made + 1), f"entries and request ids in {file.name}")
    return Row(
        task=f"durable grants, {callers} caller{'s' if callers > 1 else ''}",
        against="one commit per request",
        unit="/s",
        capdesk=median(rates["capdesk"]),
        peer=median(rates["peer"]),
        ratio=ratio(rates["capdesk"], rates["peer"]),
        goal=goal,
    )


def _durable(path: object) -> tuple[int, int]:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    counts = db.execute("SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM requests)").get
    db.close()
    return counts
