"""Tables: a bad row is told of and left out, a file that is none is refused."""

from __future__ import annotations

import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from capdesk.model.errors import InvalidInput, MalformedDocument
from capdesk.model.market_rows import Balance, Gas, PoolDay, PoolFacts, Price, Rejected
from capdesk.model.tokens import Token
from capdesk.sources import open_source, read
from capdesk.sources.tables import BalanceTable, GasTable, PoolTable, PriceTable

DAY = dt.date(2026, 2, 16)
ADDRESS = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
POOL: dict[str, Any] = {
    "date": "2026-02-16",
    "pool": "p1",
    "chain": "Ethereum",
    "project": "aave-v3",
    "symbol": "usdc",
    "tvl_usd": "1214480295.25",
    "apy": "2.32143",
    "apy_reward": "",
    "sigma": "0.1618",
    "observations": "1104",
    "outlier": "False",
    "stablecoin": "True",
    "il_risk": "no",
    "exposure": "single",
    "underlying_tokens": f"['{ADDRESS.upper().replace('X', 'x', 1)}']",
}


def csv_file(path: Path, *records: dict[str, Any]) -> Path:
    lines = [",".join(records[0])]
    lines += [",".join(f'"{record.get(name, "")}"' for name in records[0]) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pool_table(tmp_path: Path, *changes: dict[str, Any]) -> PoolTable:
    return PoolTable(csv_file(tmp_path / "pools.csv", *({**POOL, **change} for change in changes)))


def test_a_row_is_a_pool_and_its_day(tmp_path: Path) -> None:
    token = Token("Ethereum", "USDC", ADDRESS, "USD")
    assert read(pool_table(tmp_path, {})).rows == (
        PoolFacts("p1", "Ethereum", "aave-v3", "USDC", (token,)),
        PoolDay("p1", DAY, 1_214_480_295_250_000, 2.32143, sigma=0.1618, observations=1104),
    )


BAD_FIELDS = [
    ({"apy": "1e9"}, "apy", "must lie between -100 and 1,000,000 percent a year"),
    ({"apy": "-101"}, "apy", "must lie between"),
    ({"apy": "nan"}, "apy", "must be a finite number"),
    ({"apy": ""}, "apy", "must be a finite number"),
    ({"apy": "much"}, "apy", "must be a finite number"),
    ({"apy_reward": "1e9"}, "apy_reward", "must lie between"),
    ({"tvl_usd": "-1"}, "tvl_usd", "must not be negative"),
    ({"tvl_usd": "1e20"}, "tvl_usd", "must be at most"),
    ({"sigma": "-0.1"}, "sigma", "must not be negative"),
    ({"observations": "1.5"}, "observations", "must be a whole number"),
    ({"observations": "1e20"}, "observations", "must be a whole number from 0 to 9,223,372,036,854,775,807"),
    ({"date": "yesterday"}, "date", "must be a date"),
    ({"pool": ""}, "pool", "must be a text"),
    ({"chain": " "}, "chain", "nothing must be a text"),
    ({"chain": "a:b"}, "chain", "must not have a colon"),
    ({"symbol": "-", "underlying_tokens": ""}, "symbol", "must name a token"),
    ({"symbol": "US\x1b[31mDC"}, "symbol", r"'US\x1b[31mDC' must be a text"),
    ({"symbol": "X" * 201}, "symbol", "at most 200 printable characters"),
    ({"symbol": "US\u200bDC"}, "symbol", r"'US\u200bDC' must be a text"),
    ({"symbol": "USDC\u3164"}, "symbol", "must be a text"),
    ({"project": "aave\ufe0f-v3"}, "project", "must be a text"),
    ({"chain": "\u0415thereum"}, "chain", r"'\u0415thereum' must be of ASCII characters"),
    ({"chain": "\u017folana"}, "chain", "must be of ASCII characters"),
    ({"underlying_tokens": "0x\x07"}, "underlying_tokens", "must be an address"),
    ({"outlier": "maybe"}, "outlier", "must be true or false"),
    ({"exposure": "double"}, "exposure", "must be single or multi"),
]


@pytest.mark.parametrize(("change", "field", "reason"), BAD_FIELDS, ids=lambda value: str(value)[:40])
def test_a_bad_field_is_told_with_its_row_and_the_other_rows_are_taken(
    tmp_path: Path, change: dict[str, Any], field: str, reason: str
) -> None:
    found = read(pool_table(tmp_path, {}, {"pool": "p2", **change}, {"pool": "p3"}))
    (rejected,) = found.rejected
    assert (rejected.row, rejected.field) == (2, field)
    assert reason in str(rejected)
    assert {row.pool_id for row in found.rows if isinstance(row, PoolFacts)} == {"p1", "p3"}


def test_a_pool_that_comes_twice_on_a_day_is_refused_and_named_with_the_first(tmp_path: Path) -> None:
    found = read(pool_table(tmp_path, {}, {"apy": "9"}, {"date": "2026-02-17"}))
    assert [str(each) for each in found.rejected] == ["row 2, pool: p1 has its 2026-02-16 in row 1 already"]
    assert [row.apy for row in found.rows if isinstance(row, PoolDay)] == [2.32143, 2.32143]


def test_a_row_with_too_many_cells_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "pools.csv", POOL)
    path.write_text(path.read_text(encoding="utf-8").rstrip() + ",one more\n", encoding="utf-8")
    assert [each.field for each in read(PoolTable(path)).rejected] == ["row"]


def test_gzip_and_parquet_say_the_same_as_csv(tmp_path: Path) -> None:
    plain = csv_file(tmp_path / "pools.csv", POOL)
    packed = tmp_path / "pools.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    typed = {
        **POOL,
        "date": DAY,
        "tvl_usd": 1214480295.25,
        "apy": 2.32143,
        "apy_reward": None,
        "sigma": 0.1618,
    }
    typed |= {"observations": 1104, "outlier": False, "stablecoin": True, "underlying_tokens": [ADDRESS]}
    parquet.write_table(pyarrow.Table.from_pylist([typed]), tmp_path / "pools.parquet")
    expected = read(PoolTable(plain))
    assert read(PoolTable(packed)) == expected
    assert read(PoolTable(tmp_path / "pools.parquet")) == expected
    assert expected.rejected == ()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pools.csv", b"", "lacks the column 'date' or 'day': it has none"),
        ("pools.csv", b"date,pool,chain,project,symbol,apy\n", "lacks the column 'tvl_usd' or 'tvlUsd'"),
        ("pools.csv", b"date,pool,chain,project,symbol,apy,tvl_usd,apy\n", "two columns 'apy'"),
        ("pools.csv", b"\xff\xfe\x00date", "is no CSV"),
        ("pools.csv.gz", b"date,pool", "is no CSV"),
        (
            "pools.csv.gz",
            gzip.compress(b"date,pool,chain,project,symbol,apy,tvl_usd\n" * 99)[:-20],
            "is no CSV",
        ),
        ("pools.parquet", b"date,pool", "is no Parquet file"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MalformedDocument, match=said):
        read(PoolTable(path))


def broken(content: bytes, at: int) -> bytes:
    """The content with one byte turned over."""
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


def test_a_file_that_was_damaged_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    plain = csv_file(tmp_path / "pools.csv", *({**POOL, "pool": f"p{each}"} for each in range(20)))
    typed = pyarrow.Table.from_pylist([{**POOL, "pool": f"p{each}"} for each in range(20)])
    parquet.write_table(typed, tmp_path / "whole.parquet")
    contents = {
        "pools.csv.gz": gzip.compress(plain.read_bytes()),
        "pools.parquet": (tmp_path / "whole.parquet").read_bytes(),
    }
    refused = dict.fromkeys(contents, 0)
    for name, content in contents.items():
        for at in range(0, len(content), 7):
            (tmp_path / name).write_bytes(broken(content, at))
            try:
                read(PoolTable(tmp_path / name))
            except MalformedDocument:
                refused[name] += 1
    assert min(refused.values()) > 10


@pytest.mark.parametrize("name", ["pools.csv", "pools.parquet"])
def test_a_file_that_is_not_there_is_no_malformed_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        read(PoolTable(tmp_path / name))


def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"must end in .csv, .csv.gz or .parquet"):
        read(PoolTable(tmp_path / "pools.xlsx"))


def test_balances_are_exact_and_by_address(tmp_path: Path) -> None:
    row = {"date": "2026-02-16", "account": "vault", "chain": "Ethereum", "symbol": "usdc", "pool": ""}
    row |= {"address": ADDRESS, "amount": "1234567890123456789.000000000000000001"}
    other = {**row, "pool": "p1", "amount": "2"}
    found = read(BalanceTable(csv_file(tmp_path / "b.csv", row, other, other, {**row, "amount": "-1"})))
    token = Token("Ethereum", "USDC", ADDRESS, "USD")
    assert found.rows == (
        Balance(DAY, "vault", token, Decimal("1234567890123456789.000000000000000001")),
        Balance(DAY, "vault", token, Decimal(2), "p1"),
    )
    assert [(each.row, each.field) for each in found.rejected] == [(3, "date"), (4, "amount")]


def test_prices_a_row_each(tmp_path: Path) -> None:
    row = {"date": "2026-02-16", "chain": "Ethereum", "symbol": "USDC", "address": ADDRESS, "usd": "0.9998"}
    found = read(PriceTable(csv_file(tmp_path / "p.csv", row, {**row, "date": "2026-02-17", "usd": "0"})))
    assert found.rows == (Price(DAY, Token("Ethereum", "USDC", ADDRESS, "USD"), Decimal("0.9998")),)
    assert found.rejected == (Rejected(2, "usd", "Decimal('0')", "must be above 0"),)


def test_prices_a_column_a_coin_with_empty_cells_left_out(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("date,USDT,UST,ETH\n2026-02-16,1.0001,,2500\n", encoding="utf-8")
    assert read(PriceTable(path)).rows == (
        Price(DAY, Token("", "USDT", None, "USD"), Decimal("1.0001")),
        Price(DAY, Token("", "ETH"), Decimal(2500)),
    )


def test_gas_is_of_the_chain_that_is_named_or_in_the_table(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "g.csv", {"date": "2026-02-16", "gas_gwei": "81.3606"})
    assert read(GasTable(path, chain="Base")).rows == (Gas(DAY, "base", Decimal("81.3606")),)
    path = csv_file(tmp_path / "h.csv", {"date": "2026-02-16", "gas_gwei": "1", "chain": "Gnosis"})
    assert read(GasTable(path)).rows == (Gas(DAY, "gnosis", Decimal(1)),)


@pytest.mark.parametrize("fake", ["U\u017fDC", "USD\u0421", "\uff35\uff33\uff24\uff23"])
def test_a_coin_that_is_called_almost_like_another_is_kept_apart_from_it(tmp_path: Path, fake: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"date,account,chain,symbol,amount\n2026-02-16,v,Ethereum,{fake},9\n", encoding="utf-8")
    (held,) = read(BalanceTable(path)).rows
    assert isinstance(held, Balance)
    assert (held.token.token_id, held.token.peg) == (f"ethereum:{fake}", None)
    path.write_text(f"date,{fake},usdc\n2026-02-16,0.5,1\n", encoding="utf-8")
    first, second = read(PriceTable(path)).rows
    assert isinstance(first, Price)
    assert isinstance(second, Price)
    assert (first.token.token_id, second.token.token_id) == (fake, "USDC")


def test_a_price_under_a_name_that_cannot_be_seen_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date,USDC,USDC\u200b\n2026-02-16,1,0.5\n", encoding="utf-8")
    found = read(PriceTable(path))
    assert found.rows == ()
    assert "cannot be seen" in str(found.rejected[0])


KNOWN = {
    each.token_id: each
    for each in (
        Token("Ethereum", "USDC", "0x" + "a" * 40, "USD", 6),
        Token("Ethereum", "USDC", None, "USD"),
        Token("Arbitrum", "USDC", "0x" + "b" * 40, "USD"),
        Token("Arbitrum", "USDC", "0x" + "c" * 40, "USD"),
        Token("binance", "USDC", None, "USD"),
        Token("Ethereum", "XDAY", "0x" + "d" * 40, "USD"),
    )
}


def test_a_price_without_an_address_is_of_the_one_token_of_that_symbol_on_its_chain(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    rows = ["ethereum,usdc,0.96", "Arbitrum,USDC,1", "Base,USDC,1", "Ethereum,ETH,2500", "binance,USDC,1.01"]
    path.write_text(
        "date,chain,symbol,usd\n" + "".join(f"2026-02-16,{row}\n" for row in rows), encoding="utf-8"
    )
    found = read(open_source("prices", str(path), {}, DAY, known=KNOWN))
    assert [each.token.token_id for each in found.rows if isinstance(each, Price)] == [
        "ethereum:0x" + "a" * 40,
        "binance:USDC",
    ]
    assert [each.row for each in found.rejected] == [2, 3, 4]
    two, none, own = map(str, found.rejected)
    assert f"2 tokens on Arbitrum: arbitrum:0x{'b' * 40}, arbitrum:0x{'c' * 40}; tell the address" in two
    assert "is no token that is known on Base" in none
    assert "a chain's own coin has the address 'native'" in own


@pytest.mark.parametrize(
    ("heading", "row", "said"),
    [
        (
            "chain,symbol,usd",
            "Ethereum,USDC,96",
            "usd: 96 is no price of USDC, which promises to be worth one USD",
        ),
        ("chain,symbol,usd", "Ethereum,XDAY,2.01", "usd: 2.01 is no price of XDAY"),
        ("USDC,EUR", "96,1.18", "USDC: 96 is no price of USDC"),
        (
            "EURC",
            "118",
            "EURC: 118 is no price of EURC, which promises to be worth one EUR: at most 4 dollars",
        ),
        ("USDC,BTC", "0,65000", "must be above 0"),
    ],
)
def test_a_price_far_above_its_peg_is_refused(tmp_path: Path, heading: str, row: str, said: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(f"date,{heading}\n2026-02-16,{row}\n", encoding="utf-8")
    found = read(open_source("prices", str(path), {}, DAY, known=KNOWN))
    assert found.rows == ()
    (rejected,) = found.rejected
    assert rejected.row == 1
    assert said in str(rejected)


def test_figures_of_days_to_come_are_refused_and_those_of_tomorrow_are_not(tmp_path: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    path = tmp_path / "gas.csv"
    days = [today + dt.timedelta(days=number) for number in (0, 1, 400)]
    path.write_text("date,gas_gwei\n" + "".join(f"{day},1\n" for day in days), encoding="utf-8")
    found = read(GasTable(path))
    assert [each.day for each in found.rows if isinstance(each, Gas)] == days[:2]
    (rejected,) = found.rejected
    assert (rejected.row, rejected.field, rejected.given) == (3, "date", str(days[2]))
    assert "is still to come" in rejected.reason


@pytest.mark.parametrize("source", [PoolTable, BalanceTable, PriceTable, GasTable])
def test_a_table_of_a_heading_alone_is_refused(tmp_path: Path, source: Any) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "date,pool,account,chain,project,symbol,amount,tvl_usd,apy,usd,gas_gwei\n", encoding="utf-8"
    )
    with pytest.raises(InvalidInput, match="has a heading and no rows"):
        read(source(path))
