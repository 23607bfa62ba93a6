"""The carried table of pools is real, whole, and comes into the records as it is."""

from __future__ import annotations

from pathlib import Path

from capdesk.model.market_rows import PoolDay, PoolFacts
from capdesk.records import Records
from capdesk.records.importing import Written
from capdesk.sources import read
from capdesk.sources.tables import PoolTable
from capdesk.study.pools_demo import pool_table


def test_the_table_has_what_its_source_says() -> None:
    found = read(PoolTable(pool_table()))
    pools = {row.pool_id: row for row in found.rows if isinstance(row, PoolFacts)}
    days = [row for row in found.rows if isinstance(row, PoolDay)]
    assert found.rejected == ()
    assert (len(days), len(pools), len({day.day for day in days})) == (1667, 155, 11)
    assert len({pool.project for pool in pools.values()}) == 13
    assert len({pool.chain for pool in pools.values()}) == 14


def test_it_comes_into_the_records_whole_and_once(tmp_path: Path) -> None:
    rows = read(PoolTable(pool_table())).rows
    with Records(tmp_path / "records.db", create=True) as records:
        assert records.write(rows) == Written(added=1667)
        assert records.write(rows) == Written(unchanged=1667)
        assert records.history() == sorted(
            (row for row in rows if isinstance(row, PoolDay)), key=lambda row: (row.day, row.pool_id)
        )


def test_what_is_called_usdc_is_not_all_usdc_and_euro_coins_have_a_euro_peg(tmp_path: Path) -> None:
    with Records(tmp_path / "records.db", create=True) as records:
        records.write(read(PoolTable(pool_table())).rows)
        tokens = records.tokens()
    called_usdc = [
        name for name, token in tokens.items() if token.symbol == "USDC" and token.chain == "Arbitrum"
    ]
    assert len(called_usdc) == 2
    assert {token.symbol for token in tokens.values() if token.peg == "EUR"} == {"EURC", "EURS"}
