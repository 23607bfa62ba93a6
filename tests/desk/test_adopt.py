"""A plan's weights as the shares of the sleeves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capdesk import Amount, CapitalAllocator, InvalidInput
from capdesk.desk.adoption import plan_hash
from capdesk.model import commands as c
from capdesk.weights import Constraints, plan_weights

NAMES = ["scroll", "zksync", "eigenlayer"]


def plan(scores: dict[str, int], **limits: Any) -> Any:
    return plan_weights(list(scores), "risk_parity", risk_scores=scores, constraints=Constraints(**limits))


def shares(desk: CapitalAllocator) -> dict[str, str]:
    return {sleeve.name: f"{sleeve.percent.normalize():f}" for sleeve in desk.config.sleeves}


async def test_weights_become_the_shares_of_the_sleeves_to_the_last_millionth(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    adopted = plan({"scroll": 1, "zksync": 2, "eigenlayer": 4})
    async with CapitalAllocator.open(path, initial_bankroll=1000) as desk:
        assert await desk.adopt(adopted, reason="the week's plan") == 2
        budgets = {budget.sleeve: budget.amount for budget in await desk.get_budgets()}
    async with CapitalAllocator.open(path) as desk:
        assert shares(desk) == {"scroll": "57.1429", "zksync": "28.5714", "eigenlayer": "14.2857"}

    assert budgets == {
        "scroll": Amount("571.429"),
        "zksync": Amount("285.714"),
        "eigenlayer": Amount("142.857"),
    }
    assert sum(budgets.values()) == 1000


async def test_the_journal_names_the_plan() -> None:
    desk = CapitalAllocator(None, 1000)
    adopted = plan({"scroll": 1, "zksync": 2})
    await desk.adopt(adopted, reason="the week's plan")
    (entry,) = await desk.ledger.entries(lambda store: store.history("update_mandate", 9, 0))

    assert isinstance(entry.command, c.UpdateMandate)
    assert entry.command.reason == f"plan {plan_hash(adopted)} by risk_parity: the week's plan"
    assert len(plan_hash(adopted)) == 64
    assert plan_hash(adopted) != plan_hash(plan({"scroll": 1, "zksync": 3}))


async def test_a_sleeve_keeps_its_cap_and_minimum_and_one_without_a_weight_has_nothing() -> None:
    sleeves = [
        {"name": "scroll", "percent": 60, "cap": 300, "minimum": 20},
        {"name": "old", "percent": 30, "minimum": 5},
    ]
    desk = CapitalAllocator({"sleeves": sleeves, "max_drawdown_percent": None}, 1000)
    await desk.adopt(plan({"zksync": 1, "scroll": 3}))
    by_name = {sleeve.name: sleeve for sleeve in desk.config.sleeves}

    assert shares(desk) == {"scroll": "25", "old": "0", "zksync": "75"}
    assert (by_name["scroll"].cap, by_name["scroll"].minimum) == (300, 20)
    budgets = {budget.sleeve: (budget.amount, budget.enabled) for budget in await desk.get_budgets()}
    assert budgets["scroll"] == (250, True)
    assert budgets["old"] == (0, False)


async def test_the_other_rules_stay_as_they_are() -> None:
    desk = CapitalAllocator(
        {"max_total_exposure_percent": 40, "min_order_size": 2, "strategy": "risk_parity"}, 1000
    )
    before = desk.config
    await desk.adopt(plan({"scroll": 1, "zksync": 1}))
    after = desk.config

    assert {**after.model_dump(), "sleeves": ()} == before.model_dump()


async def test_shares_that_are_in_force_are_not_written_again() -> None:
    desk = CapitalAllocator(None, 1000)
    adopted = plan({"scroll": 1, "zksync": 1})

    assert await desk.adopt(adopted) == 2
    assert await desk.adopt(adopted) == 2
    assert len(await desk.ledger.entries(lambda store: store.history("update_mandate", 9, 0))) == 1


async def test_a_request_id_gives_the_same_adoption_again() -> None:
    desk = CapitalAllocator(None, 1000)
    adopted = plan({"scroll": 1, "zksync": 1})

    assert await desk.adopt(adopted, request_id="monday") == 2
    assert await desk.adopt(adopted, request_id="monday") == 2


async def test_a_plan_that_leaves_no_room_for_the_reserve_is_refused_with_the_arithmetic() -> None:
    desk = CapitalAllocator({"reserve_percent": 10}, 1000)

    with pytest.raises(InvalidInput, match=r"invests 100% .* reserve is 10%: plan with a budget of 0\.9"):
        await desk.adopt(plan({"scroll": 1, "zksync": 1}))
    assert await desk.adopt(plan({"scroll": 1, "zksync": 1}, budget="0.9")) == 2
    assert shares(desk) == {"scroll": "45", "zksync": "45"}


async def test_a_plan_that_no_sleeves_can_carry_out_is_refused() -> None:
    desk = CapitalAllocator(None, 1000)
    hedged = plan_weights(
        ["long", "short"],
        "mean_variance",
        mean=[0.1, -0.1],
        covariance=[[0.04, 0], [0, 0.04]],
        risk_aversion=3,
        constraints=Constraints(long_only=False, gross="1.8"),
    )

    assert hedged.weights["short"] < 0
    with pytest.raises(InvalidInput, match="a sleeve's share is 0 or more, the plan has short"):
        await desk.adopt(hedged)
    with pytest.raises(InvalidInput, match="without white space, the plan has 'two words'"):
        await desk.adopt(plan({"two words": 1, "zksync": 1}))
    assert desk.mandate_version == 1
