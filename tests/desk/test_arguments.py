"""Bad input: one clear error that names the argument, the value and what is allowed, before anything is written."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from capdesk import AllocationResult, CapitalAllocator, InvalidInput
from tests.desk.bad_input import (
    ABOVE_ZERO,
    NAMES,
    NAN,
    NO_NAMES,
    NO_NUMBERS,
    NOT_BELOW_ZERO,
    NUMBERS,
    OTHERS,
    Call,
    recycler,
)
from tests.desk.support import length


@pytest.fixture
async def desk() -> CapitalAllocator:
    desk = CapitalAllocator({"accounts": ["main", "other"], "groups": {"btc": {"max_absolute": 50}}}, 200)
    await desk.request_allocation("held", 5)
    return desk


async def assert_refused(desk: CapitalAllocator, call: Call, value: object, *said: str) -> None:
    before, report = length(desk), desk.get_allocation_report()
    with pytest.raises(InvalidInput) as error:
        await call(desk, value)
    message = str(error.value)
    assert [part for part in said if part not in message] == [], message
    assert "\n" not in message
    assert len(message) < 300
    assert length(desk) == before
    assert desk.get_allocation_report() == report


@pytest.mark.parametrize(("value", "shown"), NO_NUMBERS, ids=[shown for _, shown in NO_NUMBERS])
@pytest.mark.parametrize("argument", NUMBERS)
async def test_what_is_no_number_is_refused(
    desk: CapitalAllocator, argument: str, value: object, shown: str
) -> None:
    await assert_refused(desk, NUMBERS[argument], value, argument.partition(" ")[0], "must", shown)


@pytest.mark.parametrize("argument", NOT_BELOW_ZERO)
async def test_a_negative_number_is_refused(desk: CapitalAllocator, argument: str) -> None:
    await assert_refused(desk, NUMBERS[argument], -1, argument.partition(" ")[0], "must", "-1")


@pytest.mark.parametrize("argument", ABOVE_ZERO)
async def test_zero_is_refused(desk: CapitalAllocator, argument: str) -> None:
    await assert_refused(desk, NUMBERS[argument], 0, argument.partition(" ")[0], "must be above 0", "got 0")


@pytest.mark.parametrize("argument", NUMBERS)
async def test_an_integer_too_long_to_print_is_refused(desk: CapitalAllocator, argument: str) -> None:
    await assert_refused(desk, NUMBERS[argument], 10**5_000, argument.partition(" ")[0], "must")


@pytest.mark.parametrize(("value", "shown"), NO_NAMES, ids=[ascii(shown) for _, shown in NO_NAMES])
@pytest.mark.parametrize("argument", NAMES)
async def test_what_is_no_name_is_refused(
    desk: CapitalAllocator, argument: str, value: object, shown: str
) -> None:
    await assert_refused(desk, NAMES[argument], value, argument.partition(" ")[0], "must be", shown)


@pytest.mark.parametrize("case", OTHERS)
async def test_what_is_out_of_place_is_refused(desk: CapitalAllocator, case: str) -> None:
    call, value, said = OTHERS[case]
    await assert_refused(desk, call, value, *said)


@pytest.mark.parametrize("amount", [0, -5, "-0.000001", 0.99])
async def test_an_amount_that_is_too_small_is_a_verdict(desk: CapitalAllocator, amount: object) -> None:
    verdict = await desk.request_allocation("m", amount)
    assert verdict.result is AllocationResult.INVALID_AMOUNT
    assert verdict.amount == 0


@pytest.mark.parametrize(
    ("bankroll", "shown"),
    [(0, "0"), (-5, "-5"), (NAN, "nan"), (True, "True"), ("1e-9", "1e-9"), ("x", "'x'")],
)
def test_a_desk_needs_a_bankroll_above_zero(bankroll: object, shown: str, tmp_path: Path) -> None:
    for make in (
        lambda: CapitalAllocator(None, bankroll),
        lambda: CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=bankroll),
    ):
        with pytest.raises(ValueError, match=rf"^initial_bankroll must be .*{shown}$"):
            make()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("history", [{"since": 10**30}, {"limit": 10**30}])
async def test_a_history_without_bounds_is_read_or_refused(history: dict[str, Any], tmp_path: Path) -> None:
    async with CapitalAllocator.open(tmp_path / "desk.db", initial_bankroll=200) as desk:
        with suppress(InvalidInput):
            assert await recycler(desk).get_recycle_history(**history) == []


@pytest.mark.parametrize("seconds", ["5", Decimal(5), 5])
async def test_a_deadline_is_any_number_of_seconds(seconds: Any, tmp_path: Path) -> None:
    async with CapitalAllocator.open(
        tmp_path / "desk.db", initial_bankroll=200, deadline_seconds=seconds
    ) as desk:
        assert (await desk.request_allocation("a", 5)).granted
        assert (await desk.request_allocation("b", 5, deadline_seconds=seconds)).granted
