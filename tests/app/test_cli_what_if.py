"""What other rules would have decided, through the command line."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from capdesk.app.commands.second_look import SecondLook
from capdesk.config import CapitalConfig
from capdesk.ledger import tools
from capdesk.model import commands as c
from capdesk.model.journal import Entry, Founded
from capdesk.model.requests import Granted, Request
from tests.app.command_line import ATTENTION, ask, rules, run

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture(autouse=True)
def narrow(in_an_empty_directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def trade(markets: int) -> None:
    for number in range(markets):
        run("request", f"m{number}", "8")
        run("release", f"m{number}", "--pnl", "-1")


def test_the_same_rules_flip_nothing() -> None:
    trade(3)
    same = run("mandate", "show", "--toml").stdout
    found = ask("what-if", "--config", rules(same))

    assert (found["entries"], found["requests"], found["flips"]) == (7, 3, 0)
    assert found["changes"] == []
    assert "no verdict flips" in run("what-if", "--config", "rules.toml").stdout


def test_each_verdict_that_flips_is_listed_with_why() -> None:
    trade(2)
    found = ask("what-if", "--config", rules("max_exposure_per_market_percent = 2"), code=ATTENTION)

    assert (found["flips"], found["shown"], found["granted_more"]) == (2, 2, "-8.01")
    first = found["changes"][0]
    assert (first["market_id"], first["was_amount"], first["amount"]) == ("m0", "8", "4")
    assert "the limit market_percent is $4.00" in first["why"]
    shown = run("what-if", "--config", "rules.toml").stdout
    assert "sniper in m0  $8.00 → $4.00" in shown
    assert "2 of 2 verdicts flip; -$8.01 granted in all" in shown


def test_the_first_flips_are_shown_and_all_of_them_when_told_to() -> None:
    trade(22)
    words = ("what-if", "--config", rules("max_exposure_per_market_percent = 2"))

    assert (ask(*words, code=ATTENTION)["flips"], len(ask(*words, code=ATTENTION)["changes"])) == (22, 20)
    assert len(ask(*words, "--all", code=ATTENTION)["changes"]) == 22
    assert "--all lists the other 2 too" in run(*words).stdout


def test_nothing_is_written() -> None:
    trade(2)
    before = Path("desk.db").read_bytes(), run("ledger", "export").stdout
    run("what-if", "--config", rules("max_exposure_per_market_percent = 2"), "--all")

    assert (Path("desk.db").read_bytes(), run("ledger", "export").stdout) == before


def test_a_journal_is_read_whole_in_order() -> None:
    trade(2)

    assert [entry.sequence for entry in tools.journal(Path("desk.db"))] == [1, 2, 3, 4, 5]
    assert tools.length(Path("desk.db")) == 5


def test_a_long_journal_takes_no_more_memory_than_a_short_one() -> None:
    def peak(count: int) -> int:
        mandate = CapitalConfig(max_exposure_per_market_percent=2).mandate()
        tracemalloc.start()
        with SecondLook.of(made_up(count), mandate, (), None, lambda _: None) as look:
            assert look.flips == count
            assert sum(1 for _ in look.kept()) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(4000) < 1.5 * peak(1000)


async def test_a_release_that_was_undone_is_undone_as_it_would_have_been() -> None:
    from capdesk import CapitalAllocator

    async with CapitalAllocator.open("desk.db") as desk:
        await desk.request_allocation("btc", 8)
        await desk.release_allocation("btc", -4, request_id="r1")
        await desk.reverse_release("r1", reason="disputed")
        await desk.request_allocation("eth", 8)
    assert tools.undone(Path("desk.db")) == {3}
    found = ask("what-if", "--config", rules("max_exposure_per_market_percent = 2"), code=ATTENTION)

    assert found["impossible"] == 0
    assert [each["amount"] for each in found["changes"]] == ["4", "4"]


def made_up(count: int) -> Any:
    """A journal of grants that come back at once."""
    mandate = CapitalConfig().mandate()
    yield Entry(1, 1, "f", c.Found(mandate, 200_000_000), (Founded(mandate, "main", 200_000_000),))
    for number in range(count):
        ask, sequence = Request("m", 8_000_000, "s"), 2 * number + 2
        yield Entry(sequence, sequence, f"r{number}", ask, (Granted("m", "s", 8_000_000, "main", (), 1),))
        released = c.Released("m", "s", "main", 8_000_000, sequence, sequence)
        yield Entry(sequence + 1, sequence + 1, f"b{number}", c.Release("m", "s"), (released,))
