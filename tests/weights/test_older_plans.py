"""Plans of the first format, whose weights are whole millionths, stay what they are."""

from __future__ import annotations

import json
from pathlib import Path

from capdesk import Amount, Plan, plan_weights
from capdesk.decide.weights.certificate import certify
from capdesk.decide.weights.verification import check

TEXT = (Path(__file__).parent / "plan_in_millionths.json").read_text(encoding="utf-8")


def failing(value: object) -> list[str]:
    return [each.name for each in check(json.dumps(value)) if not each.holds]


def test_it_reads_proves_itself_and_is_written_as_it_was() -> None:
    plan = Plan.from_json(TEXT)
    assert plan.weights == {"a": Amount("0.4"), "b": Amount("0.380952"), "c": Amount("0.219048")}
    assert certify(plan.evidence) == plan.certificate
    assert all(each.holds for each in check(TEXT))
    assert plan.to_json() == TEXT
    assert plan.explain()["b"].startswith("38.0952 %: between its limits")
    assert [(it.limit, it.name) for it in plan.binding] == [("group_min", "g"), ("budget", "")]


def test_its_unit_is_the_millionth_and_that_of_a_new_plan_the_billionth() -> None:
    old = json.loads(TEXT)
    old["weights"].update(b="0.3809525", c="0.2190475")
    assert failing(old) == ["sum"]

    plan = plan_weights(["a", "b", "c"], "equal_weight")
    new = json.loads(plan.to_json())
    assert (json.loads(TEXT)["format"], new["format"]) == ("capdesk-plan/1", "capdesk-plan/2")
    assert not failing(new)
    new["format"] = "capdesk-plan/1"
    assert failing(new) == ["sum"]


def test_a_millionth_may_cost_what_it_costs_where_it_is_the_unit() -> None:
    value = json.loads(TEXT)
    value["weights"].update(a="0.399999", c="0.219049")
    assert failing(value) == []
    value["format"] = "capdesk-plan/2"
    assert failing(value) == ["optimal"]
