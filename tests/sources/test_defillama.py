"""DefiLlama's documents, from files and from a server that fails as servers do."""

from __future__ import annotations

import datetime as dt
import json
import socket
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from capdesk.model.errors import MalformedDocument, SourceUnavailable
from capdesk.model.market_rows import PoolDay, PoolFacts, Price
from capdesk.model.tokens import Token
from capdesk.sources import defillama, read, web
from tests.http_server import Answer, serving

DAY = dt.date(2026, 2, 16)
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
ENTRY: dict[str, Any] = {
    "chain": "Ethereum",
    "project": "aave-v3",
    "symbol": "USDC",
    "tvlUsd": 1214480295,
    "apyBase": 2.32143,
    "apyReward": None,
    "apy": 2.32143,
    "pool": "aa70268e-4b52-42bf-a116-608b370f9501",
    "stablecoin": True,
    "ilRisk": "no",
    "exposure": "single",
    "mu": 4.94837,
    "sigma": 0.1618,
    "count": 1104,
    "outlier": False,
    "underlyingTokens": [USDC],
    "apyMean30d": 3.27603,
    "predictions": {"predictedClass": "Stable/Up"},
}
quickly = partial(web.get_json, pause_seconds=0.001, timeout_seconds=10)


def document(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": list(entries), **more}


def test_a_pool_and_its_day_come_from_one_entry(tmp_path: Path) -> None:
    path = tmp_path / "pools.json"
    path.write_text(json.dumps(document(ENTRY)), encoding="utf-8")
    assert read(defillama.Pools(path, day=DAY)).rows == (
        PoolFacts(
            ENTRY["pool"], "Ethereum", "aave-v3", "USDC", (Token("Ethereum", "USDC", USDC.lower(), "USD"),)
        ),
        PoolDay(
            ENTRY["pool"],
            DAY,
            1_214_480_295_000_000,
            2.32143,
            apy_base=2.32143,
            apy_30d_avg=3.27603,
            mu=4.94837,
            sigma=0.1618,
            observations=1104,
        ),
    )


def test_the_tokens_of_a_reward_are_those_that_are_told(tmp_path: Path) -> None:
    path = tmp_path / "pools.json"
    path.write_text(json.dumps(document({**ENTRY, "rewardTokens": [USDC, None, "0xAb"]})), encoding="utf-8")
    facts, _ = read(defillama.Pools(path, day=DAY)).rows
    assert isinstance(facts, PoolFacts)
    assert facts.reward_tokens == (f"ethereum:{USDC.lower()}", "ethereum:0xAb")


def test_bad_entries_are_told_with_their_row_and_field_and_left_out(tmp_path: Path) -> None:
    bad = [
        "no object",
        {**ENTRY, "pool": "b", "apy": 1e9},
        {**ENTRY, "pool": "c", "tvlUsd": -1},
        {**ENTRY, "pool": "d", "apy": None},
        {**ENTRY, "pool": "e", "underlyingTokens": 5},
        {**ENTRY, "pool": "f", "underlyingTokens": [None, *ENTRY["underlyingTokens"]]},
        {key: value for key, value in ENTRY.items() if key != "chain"},
        {**ENTRY, "apy": 3},
    ]
    path = tmp_path / "pools.json"
    path.write_text(json.dumps(document(ENTRY, *bad)), encoding="utf-8")
    found = read(defillama.Pools(path, day=DAY))
    assert [(each.row, each.field) for each in found.rejected] == [
        (2, "entry"),
        (3, "apy"),
        (4, "tvlUsd"),
        (5, "apy"),
        (6, "underlyingTokens"),
        (7, "underlyingTokens"),
        (8, "chain"),
        (9, "pool"),
    ]
    assert len(found.rows) == 2


def test_a_number_that_json_does_not_know_is_a_bad_field(tmp_path: Path) -> None:
    path = tmp_path / "pools.json"
    path.write_text(json.dumps(document({**ENTRY, "apy": float("inf")})), encoding="utf-8")
    assert [each.field for each in read(defillama.Pools(path, day=DAY)).rejected] == ["apy"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"status": "error", "data": []}',
        '{"status": "success", "data": {}}',
        "<html>",
        "[" * 100_000,
        "\x00",
    ],
)
def test_a_malformed_document_is_refused_whole(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pools.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MalformedDocument):
        read(defillama.Pools(path, day=DAY))
    with pytest.raises(MalformedDocument):
        read(defillama.Chart(path, pool="p"))


def test_a_chart_is_the_days_of_one_pool(tmp_path: Path) -> None:
    entries = [
        {
            "timestamp": "2022-05-03T00:00:00.000Z",
            "tvlUsd": 10,
            "apy": 1.5,
            "apyBase": 1.5,
            "apyReward": None,
        },
        {"timestamp": "2022-05-04T23:01:12.000Z", "tvlUsd": 11.5, "apy": 1.6},
        {"timestamp": "2022-05-04T00:00:00.000Z", "tvlUsd": 12, "apy": 1.7},
        {"timestamp": 1651536000, "tvlUsd": 12, "apy": 1.7},
        None,
    ]
    path = tmp_path / "chart.json"
    path.write_text(json.dumps(document(*entries)), encoding="utf-8")
    found = read(defillama.Chart(path, pool="p"))
    assert found.rows == (
        PoolDay("p", dt.date(2022, 5, 3), 10_000_000, 1.5, apy_base=1.5),
        PoolDay("p", dt.date(2022, 5, 4), 11_500_000, 1.6),
    )
    assert [(each.row, each.field) for each in found.rejected] == [
        (3, "timestamp"),
        (4, "timestamp"),
        (5, "entry"),
    ]


def test_a_server_that_fails_at_first_is_asked_again() -> None:
    answers: list[Answer] = [
        (503, "busy", {}),
        (429, "later", {"retry-after": "0"}),
        (200, document(ENTRY), {}),
    ]
    with serving(lambda *_: answers.pop(0)) as server:
        found = read(defillama.Pools(server.address, day=DAY, get=quickly))
    assert len(found.rows) == 2
    assert server.asked == ["/pools"] * 3


def test_a_server_that_goes_on_failing_is_unavailable_after_four_attempts() -> None:
    with serving(lambda *_: (500, "broken", {})) as server:
        with pytest.raises(SourceUnavailable, match="did not answer in 4 attempts: HTTP 500"):
            read(defillama.Pools(server.address, day=DAY, get=quickly))
        assert len(server.asked) == 4


def test_a_refusal_is_not_repeated() -> None:
    with serving(lambda *_: (404, "unknown", {})) as server:
        with pytest.raises(SourceUnavailable, match="refused the request: HTTP 404"):
            read(defillama.Chart(server.address, pool="p", get=quickly))
        assert server.asked == ["/chart/p"]


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(SourceUnavailable, match="ConnectError"):
            read(defillama.Pools(address, day=DAY, get=quickly))


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SourceUnavailable, match="in 2 attempts: ReadTimeout"):
            web.get_json(address, attempts=2, pause_seconds=0.001, timeout_seconds=0.2)


def test_an_answer_that_is_no_json_is_malformed() -> None:
    with (
        serving(lambda *_: (200, "<html>", {})) as server,
        pytest.raises(MalformedDocument, match="gave no JSON"),
    ):
        read(defillama.Pools(server.address, day=DAY, get=quickly))


def test_prices_are_those_of_the_days_end_by_token() -> None:
    usdc, unknown = Token("Ethereum", "USDC", USDC.lower()), Token("Base", "X", "0x" + "1" * 40)

    def answer(path: str, _: bytes) -> Answer:
        return 200, {"coins": {f"ethereum:{USDC}": {"price": 0.961, "symbol": "USDC"}}}, {}

    with serving(answer) as server:
        found = read(defillama.Prices(server.address, tokens=[usdc, unknown], day=DAY, get=quickly))
    assert found.rows == (Price(DAY, usdc, Decimal("0.961")),)
    assert [(each.row, each.reason) for each in found.rejected] == [(2, "has no price there")]
    end = int(dt.datetime(2026, 2, 16, 23, 59, 59, tzinfo=dt.UTC).timestamp())
    assert server.asked == [f"/prices/historical/{end}/ethereum:{USDC.lower()},base:{unknown.address}"]
