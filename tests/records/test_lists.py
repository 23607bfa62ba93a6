"""The lists keep when and why a name came and went, and can be seen as of any time."""

from __future__ import annotations

import datetime as dt

import pytest

from capdesk.model.errors import InvalidInput
from capdesk.model.lists import LIST_NAMES, Listed, Lists
from capdesk.records import Records
from capdesk.records.naming import Stay
from tests.records.conftest import NOW, Clock

HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize("which", LIST_NAMES)
def test_a_name_is_on_a_list_from_when_it_is_added_until_it_is_removed(records: Records, which: str) -> None:
    records.add(which, ["a"], "looks sound", NOW)
    records.remove(which, ["a"], "audit failed", NOW + 2 * HOUR)
    there = {hours: records.lists(NOW + hours * HOUR).names(which) for hours in (-1, 0, 1, 2, 3)}
    assert there == {-1: set(), 0: {"a"}, 1: {"a"}, 2: set(), 3: set()}
    assert records.stays(which) == [Stay("a", NOW, "looks sound", NOW + 2 * HOUR, "audit failed")]


def test_a_snapshot_has_the_names_in_order_with_since_and_why(records: Records) -> None:
    records.add("approved_protocols", ["euler-v2", "aave-v3"], "reviewed")
    records.add("icebox_tokens", ["ethereum:USDC"], "below its peg", NOW + HOUR)
    assert records.lists(NOW) == Lists(
        approved_protocols=(Listed("aave-v3", NOW, "reviewed"), Listed("euler-v2", NOW, "reviewed"))
    )


def test_adding_twice_is_adding_once(records: Records, clock: Clock) -> None:
    assert records.add("approved_protocols", ["aave-v3", "aave-v3"], "first") == ["aave-v3"]
    clock.forward(hours=1)
    assert records.add("approved_protocols", ["aave-v3", "euler-v2"], "second") == ["euler-v2"]
    assert records.lists().approved_protocols[0] == Listed("aave-v3", NOW, "first")


def test_a_name_may_come_back_and_every_stay_is_kept(records: Records, clock: Clock) -> None:
    for reason in ("first", "second"):
        records.add("icebox_tokens", ["t"], reason)
        clock.forward(hours=1)
        assert records.remove("icebox_tokens", ["t"], "at its peg") == ["t"]
        clock.forward(hours=1)
    assert [stay.added_reason for stay in records.stays("icebox_tokens")] == ["first", "second"]
    assert records.remove("icebox_tokens", ["t"], "again") == []


def test_history_is_not_rewritten(records: Records) -> None:
    records.add("icebox_tokens", ["t"], "iced", NOW)
    with pytest.raises(InvalidInput, match="cannot leave before"):
        records.remove("icebox_tokens", ["t"], "no", NOW - HOUR)
    records.remove("icebox_tokens", ["t"], "at its peg", NOW + HOUR)
    with pytest.raises(InvalidInput, match="cannot come back before"):
        records.add("icebox_tokens", ["u", "t"], "no", NOW)
    assert records.lists(NOW).names("icebox_tokens") == {"t"}


def test_a_name_that_came_later_can_be_put_on_for_the_time_before_again_and_again(records: Records) -> None:
    records.add("icebox_tokens", ["t"], "iced", NOW)
    records.remove("icebox_tokens", ["t"], "at its peg", NOW + HOUR)
    records.add("icebox_tokens", ["t"], "third", NOW + 9 * HOUR)
    for hours, reason in ((7, "second"), (5, "first")):
        assert records.add("icebox_tokens", ["t"], reason, NOW + hours * HOUR) == ["t"]
    assert records.add("icebox_tokens", ["t"], "needless", NOW + 6 * HOUR) == []
    with pytest.raises(InvalidInput, match="cannot come back before"):
        records.add("icebox_tokens", ["t"], "no", NOW + HOUR / 2)
    found = {
        hours: [each.reason for each in records.lists(NOW + hours * HOUR).icebox_tokens]
        for hours in (0, 1, 4, 5, 7, 9, 99)
    }
    assert found == {0: ["iced"], 1: [], 4: [], 5: ["first"], 7: ["second"], 9: ["third"], 99: ["third"]}
    assert [stay.added_reason for stay in records.stays("icebox_tokens")] == [
        "iced",
        "first",
        "second",
        "third",
    ]
    assert records.remove("icebox_tokens", ["t"], "at its peg", NOW + 10 * HOUR) == ["t"]
    assert records.lists(NOW + 10 * HOUR) == Lists()


def test_a_list_that_is_none_and_a_reason_that_is_empty_are_refused(records: Records) -> None:
    with pytest.raises(InvalidInput, match="choose one of approved_tokens"):
        records.add("tokens", ["t"], "why not")
    with pytest.raises(InvalidInput, match="a reason must be told"):
        records.add("approved_tokens", ["t"], " ")


def test_a_token_is_listed_as_it_is_looked_up_however_it_is_written(records: Records) -> None:
    address = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
    names = [f"Ethereum:{address}", f"ethereum:{address.lower()}", "Binance:usdc"]
    assert records.add("blacklisted_tokens", names, "a fake") == [
        f"ethereum:{address.lower()}",
        "binance:USDC",
    ]
    assert records.remove("blacklisted_tokens", names[:1], "it is not") == [f"ethereum:{address.lower()}"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("aave", "put it in a list"),
        ([""], "printable characters"),
        (["a\x00b"], "printable characters"),
        (["ethereum:0x12"], "40 hexadecimal digits"),
    ],
)
def test_a_name_that_no_token_can_have_is_refused(records: Records, names: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        records.add("approved_tokens", names, "why not")


def test_a_time_without_a_zone_is_refused(records: Records) -> None:
    naive = NOW.replace(tzinfo=None)
    for ask in (
        lambda: records.add("icebox_tokens", ["t"], "iced", naive),
        lambda: records.remove("icebox_tokens", ["t"], "back", naive),
        lambda: records.lists(naive),
    ):
        with pytest.raises(InvalidInput, match="a time must tell its zone"):
            ask()
