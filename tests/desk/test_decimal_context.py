"""A bot's own decimal context, of few digits and other rounding, changes no figure of the desk."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_UP, localcontext

import pytest

from capdesk import CapitalAllocator, CapitalConfig
from capdesk.desk import arguments
from capdesk.model.errors import InvalidInput
from capdesk.model.money import usd
from capdesk.planner import allocate_risk_adjusted_capital
from capdesk.sizing import fraction_ppm
from tests.desk.support import roomy

CALM = {"volatility_state": "low"}


@pytest.fixture(autouse=True)
def few_digits() -> Iterator[None]:
    with localcontext(prec=3, rounding=ROUND_UP):
        yield


async def test_grants_refusals_and_sentences_are_as_ever() -> None:
    desk = CapitalAllocator(roomy(), "1234567.891234")
    granted = await desk.request_allocation("m", "98765.432198")
    assert granted.why == "granted $98,765.43 of $98,765.43 asked for m: every limit has room"
    refused = await desk.request_allocation("m", "98765.432198")
    assert refused.why.startswith("refused $98,765.43 asked for m: it holds $98,765.43 already")
    await desk.release_allocation("m", "-1234.567891")
    assert str(desk.bankroll) == "1233333.323343"
    assert usd(1_234_567_891_234) == "$1,234,567.89"


def test_times_and_rules_keep_their_digits() -> None:
    assert arguments.seconds("12345.678", "lease_seconds") == 12_345_678_000
    assert fraction_ppm("0.123456", "size") == 123_456
    rules = CapitalConfig(max_total_exposure_percent="33.3333", recycle_delay_seconds="12345.678")
    assert CapitalConfig.from_mandate(rules.mandate()).mandate() == rules.mandate()


def test_parts_of_a_total_add_up() -> None:
    parts = allocate_risk_adjusted_capital("1234567.891234", {"a": "0.333333", "b": "0.666667"}, CALM)
    assert str(sum(parts.values())) == "1234567.891234"
    with pytest.raises(InvalidInput, match="add up to 1 at most"):
        allocate_risk_adjusted_capital(1_000, {"a": "0.5001", "b": "0.5001"}, CALM)
