"""Notifications are really delivered: apprise posts them to a server on this machine."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from capdesk import CapitalAllocator, ConfigError, Supervisor
from capdesk.app.notifications import NotDelivered, Notifier
from tests.desks import ROOMY, VirtualClock, lose, sleeve

pytest.importorskip("apprise")
pytestmark = [
    pytest.mark.filterwarnings("ignore::capdesk.RulesWarning"),
    # apprise asks for a module of the standard library that is on its way out.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


class Receiver:
    """What people read: keeps each message, or answers that it is broken."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.answers.wait(30)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.messages.append((body["title"], body["message"]))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    thread = threading.Thread(target=opened.server.serve_forever, args=(0.01,))
    thread.start()
    yield opened
    opened.answers.set()
    opened.server.shutdown()
    thread.join()
    opened.server.server_close()


def desk_of(**rules: Any) -> CapitalAllocator:
    return CapitalAllocator({**ROOMY, **rules}, 100, clock=VirtualClock())


async def test_a_halt_arrives_with_its_figures(receiver: Receiver) -> None:
    desk = desk_of(max_drawdown_percent=5)
    supervisor = Supervisor(desk, notify=Notifier([receiver.address]))
    await lose(desk, 6)
    await supervisor.beat()
    await supervisor.stop()

    assert receiver.messages == [
        ("capdesk is halted", "drawdown 6.00% of the unit value exceeds the limit of 5.00%")
    ]


async def test_a_breaker_arrives_once_for_each_time_it_trips(receiver: Receiver) -> None:
    desk = desk_of()
    supervisor = Supervisor(desk, notify=Notifier([receiver.address]))
    for _ in range(2):
        await desk.trip_breaker("a rumour")
        await supervisor.beat()
        await supervisor.beat()
        await desk.lift_breaker("it was nothing")
        await supervisor.beat()
        await supervisor.stop()

    assert receiver.messages == [("capdesk: the breaker manual has tripped", "a rumour")] * 2


async def test_an_overdue_recall_arrives(receiver: Receiver) -> None:
    desk = desk_of(sleeves=[sleeve("maker", 50)], recall_seconds=60)
    supervisor = Supervisor(desk, notify=Notifier([receiver.address]))
    await desk.request_allocation("m", 50, "maker")
    await lose(desk, 40)
    await supervisor.beat()
    clock = desk._clock
    assert isinstance(clock, VirtualClock)
    clock.forward(61)
    await supervisor.beat()
    await supervisor.stop()

    ((title, text),) = receiver.messages
    assert title == "capdesk: the recall of maker is overdue"
    assert "$20.00 above its budget" in text


async def test_every_address_is_told(receiver: Receiver) -> None:
    await Notifier([receiver.address, receiver.address])("title", "text")

    assert receiver.messages == [("title", "text")] * 2


async def test_one_that_does_not_take_it_is_an_error_and_the_others_are_told(receiver: Receiver) -> None:
    with pytest.raises(NotDelivered, match="'title' was not delivered to every address"):
        await Notifier(["json://127.0.0.1:1/", receiver.address])("title", "text")

    assert receiver.messages == [("title", "text")]


async def test_one_that_fails_is_logged_and_the_heartbeat_goes_on(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    desk = desk_of(max_drawdown_percent=5)
    supervisor = Supervisor(desk, notify=Notifier([receiver.address]))
    await lose(desk, 6)
    with caplog.at_level(logging.ERROR, "capdesk.supervisor"):
        await supervisor.beat()
        await supervisor.stop()
        await supervisor.beat()

    assert "was not delivered to every address" in caplog.text
    assert [title for title, _ in receiver.messages] == ["capdesk is halted"]


async def test_the_heartbeat_does_not_wait_for_a_slow_address(receiver: Receiver) -> None:
    receiver.answers.clear()
    desk = desk_of(max_drawdown_percent=5)
    supervisor = Supervisor(desk, notify=Notifier([receiver.address]))
    await lose(desk, 6)
    # apprise itself gives up on an address after four seconds.
    async with asyncio.timeout(3):
        await supervisor.beat()
        await desk.trip_breaker("while the first is on its way")
        await supervisor.beat()
    assert receiver.messages == []
    receiver.answers.set()
    await supervisor.stop()

    assert sorted(title for title, _ in receiver.messages) == [
        "capdesk is halted",
        "capdesk: the breaker manual has tripped",
    ]


def test_an_address_that_is_none_is_refused_without_its_secrets() -> None:
    with pytest.raises(ConfigError, match=r"^nonsense://\.\.\. is no address") as caught:
        Notifier(["nonsense://user:secret@somewhere"])
    assert "secret" not in str(caught.value)


def test_without_the_extra_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'capdesk\[notify\]'"):
        Notifier([])


def test_no_event_loop_is_needed_to_name_addresses(receiver: Receiver) -> None:
    notifier = Notifier([receiver.address])
    asyncio.run(notifier("title", "text"))

    assert receiver.messages == [("title", "text")]
