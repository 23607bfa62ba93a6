"""What is wrong with a value is told by its field, what stands there and what it may be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.wording import worded
from capdesk.treasury import SurveyRules

CASES: list[tuple[type, dict[str, Any], str]] = [
    (PoolParameters, {"min_pools": "x"}, "min_pools must be a whole number, got a text"),
    (PoolParameters, {"max_pools": "x"}, "max_pools must be a whole number or nothing, got a text"),
    (PoolParameters, {"group_room": "loose"}, "group_room must be strict or cascade, got 'loose'"),
    (
        PoolParameters,
        {"chains": {"base": {"gas_gwei": "x"}}},
        "chains[...].gas_gwei must be a number, got a text",
    ),
    (PoolParameters, {"token_max_pct": 3}, "token_max_pct must be a table, got a whole number"),
    (SurveyRules, {"alfa": 1}, "there is no 'alfa'"),
    (SurveyRules, {"ice": {"day": 1}}, "there is no 'day' in ice"),
    (
        SurveyRules,
        {"eligibility": {"on_ice": "sell"}},
        "eligibility.on_ice must be exit, reduce or freeze, got 'sell'",
    ),
]


@pytest.mark.parametrize(("kind", "given", "said"), CASES)
def test_an_error_names_the_field_and_what_it_may_be(kind: type, given: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, kind)
    assert worded(caught.value, kind) == said
