"""Who is heard of: an owner that still talks to the desk leaves no orphans."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from capdesk import CapitalAllocator
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, roomy

SIGNS: dict[str, Callable[[CapitalAllocator], Awaitable[Any]]] = {
    "a grant": lambda desk: desk.request_allocation("n", 1, "bot"),
    "a refusal": lambda desk: desk.request_allocation("m", 1, "bot"),
    "a confirmation": lambda desk: desk.confirm_allocation("m"),
    "a mark": lambda desk: desk.mark_allocation("m", 9),
    "an increase": lambda desk: desk.increase_allocation("m", 1),
    "a release of a part": lambda desk: desk.release_allocation("m", amount=1),
}


@pytest.mark.parametrize("sign", SIGNS)
async def test_an_owner_that_gives_a_sign_is_no_silent_one(
    make_desk: MakeDesk, clock: Clock, sign: str
) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 10, "bot")
    clock.advance(3_599)
    await SIGNS[sign](desk)
    clock.advance(3_599)
    assert await desk.get_orphans() == []
    clock.advance(1)
    assert {orphan.market_id for orphan in await desk.get_orphans()} >= {"m"}


async def test_an_owner_that_is_refused_alike_again_and_again_is_no_silent_one(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 10, "bot")
    for _ in range(30):
        clock.advance(240)
        await desk.request_allocation("m", 10, "bot")
    assert await desk.get_orphans() == []


async def test_another_strategy_gives_no_sign_for_it(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 10, "bot")
    clock.advance(3_600)
    await desk.request_allocation("n", 10, "other")
    assert [orphan.market_id for orphan in await desk.get_orphans()] == ["m"]
