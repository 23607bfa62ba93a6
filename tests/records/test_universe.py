"""What sources tell is in the tables, exact, once, and as a whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path

import pytest

from capdesk.model.errors import InvalidInput, RecordsError
from capdesk.model.market_rows import Balance, Gas, PoolDay, PoolFacts, Price
from capdesk.model.tokens import Token
from capdesk.records import Records, importing
from capdesk.records.importing import Written

DAY = dt.date(2026, 2, 16)
USDC = Token("Ethereum", "USDC", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USD")
DAI = Token("Ethereum", "DAI", "0x6b175474e89094c44da98b954eedeac495271d0f", "USD")
POOL = PoolFacts("pool-1", "Ethereum", "aave-v3", "USDC-DAI", (USDC, DAI))


def day(number: int, tvl: int = 10_000_000, apy: float = 3.1) -> PoolDay:
    return PoolDay("pool-1", DAY + dt.timedelta(days=number), tvl, apy, apy_base=apy, sigma=0.1)


def test_a_pool_comes_back_with_its_tokens_in_their_order(records: Records) -> None:
    records.write([POOL, day(0)])
    assert records.pools() == {"pool-1": POOL}
    assert records.tokens() == {USDC.token_id: USDC, DAI.token_id: DAI}


def test_days_come_back_just_as_they_were_told(records: Records) -> None:
    odd = PoolDay("pool-1", DAY, 9_007_199_254_740_993, 0.1 + 0.2, None, 1e-17, observations=3, outlier=True)
    records.write([POOL, odd, day(1), day(2)])
    assert records.history() == [odd, day(1), day(2)]
    assert records.history(until=DAY) == [odd]
    assert records.history(since=DAY + dt.timedelta(days=2)) == [day(2)]
    assert records.last_day() == DAY + dt.timedelta(days=2)


def test_importing_again_changes_nothing_and_corrections_are_counted(records: Records) -> None:
    assert records.write([POOL, day(0), day(1)]) == Written(added=2)
    assert records.write([POOL, day(0), day(1)]) == Written(unchanged=2)
    assert records.write([day(0), day(1, apy=4.0), day(2)]) == Written(added=1, revised=1, unchanged=1)
    assert [each.apy for each in records.history()] == [3.1, 4.0, 3.1]


def test_two_rows_of_one_pool_and_day_are_refused_and_nothing_is_written(records: Records) -> None:
    with pytest.raises(InvalidInput, match="one row for pool_id pool-1, day 2026-02-16, and two were given"):
        records.write([POOL, day(1), day(0), day(0, apy=9)])
    assert records.history() == []
    assert records.pools() == {}


def test_the_day_of_an_unknown_pool_is_refused(records: Records) -> None:
    with pytest.raises(InvalidInput, match="the pool 'pool-1' is not known"):
        records.write([day(0)])


@pytest.mark.parametrize(
    "amount",
    ["0", "0.000000000000000001", "123456789012345678901234567890.123456789012345678", "1e-30", "12e3"],
)
def test_a_balance_keeps_every_digit(records: Records, amount: str) -> None:
    held = Balance(DAY, "vault", USDC, Decimal(amount))
    records.write([held])
    assert records.balances(DAY) == [held]


def test_balances_are_those_of_each_accounts_last_day(records: Records) -> None:
    later = DAY + dt.timedelta(days=3)
    old, new = Balance(DAY, "vault", USDC, Decimal(5)), Balance(later, "vault", DAI, Decimal(7), "pool-1")
    other = Balance(DAY, "exchange", Token("binance", "USDC"), Decimal(2))
    records.write([old, new, other])
    assert records.balances(DAY) == [other, old]
    assert records.balances(later) == [other, new]
    assert records.balances(later, "vault") == [new]
    assert records.balances(DAY - dt.timedelta(days=1)) == []


def test_what_is_in_a_pool_and_in_the_wallet_are_two_balances(records: Records) -> None:
    wallet, pool = Balance(DAY, "vault", USDC, Decimal(1)), Balance(DAY, "vault", USDC, Decimal(2), "pool-1")
    records.write([wallet, pool])
    assert records.balances(DAY) == [wallet, pool]


def test_prices_and_gas_are_exact_and_by_day(records: Records) -> None:
    price, gas = Price(DAY, USDC, Decimal("0.961000000000000001")), Gas(DAY, "ethereum", Decimal("0.0401"))
    records.write([price, gas])
    assert records.prices(DAY) == [price]
    assert records.gas(DAY) == [gas]
    assert records.gas(DAY - dt.timedelta(days=1)) == []
    assert records.prices(DAY, since=DAY + dt.timedelta(days=1)) == []


def test_the_same_price_written_otherwise_is_unchanged(records: Records) -> None:
    records.write([Price(DAY, USDC, Decimal("1.10"))])
    assert records.write([Price(DAY, USDC, Decimal("1.1000"))]) == Written(unchanged=1)


def test_forecasts_stand_beside_the_day_they_were_made_from(records: Records) -> None:
    records.write([POOL, day(0), day(1)])
    records.write_forecasts(DAY, {"pool-1": (3.25, 11_000_000)})
    assert records.forecasts(DAY) == {"pool-1": (3.25, 11_000_000)}
    assert records.forecasts(DAY + dt.timedelta(days=1)) == {}
    assert records.write([day(0)]) == Written(unchanged=1)


def test_a_forecast_of_a_day_without_metrics_is_refused_whole(records: Records) -> None:
    records.write([POOL, day(0)])
    with pytest.raises(InvalidInput, match="'pool-2' has no metrics of 2026-02-16"):
        records.write_forecasts(DAY, {"pool-1": (3.25, 11_000_000), "pool-2": (1.0, 1)})
    assert records.forecasts(DAY) == {}


def test_a_value_beyond_the_column_is_an_error_of_the_records(records: Records) -> None:
    with pytest.raises(RecordsError):
        records.write([POOL, day(0, tvl=2**63)])
    assert records.pools() == {}


def test_records_are_opened_and_read_while_another_writes(records: Records, location: Path | str) -> None:
    records.write([POOL, day(0)])
    with records._database.writing() as connection:
        importing.write(connection, [day(1)])
        with Records(location) as other:
            assert other.history() == [day(0)]
    assert records.history() == [day(0), day(1)]


def test_imports_that_run_at_once_wait_for_each_other(records: Records, location: Path | str) -> None:
    def bring(first: int) -> int:
        with Records(location) as own:
            return sum(own.write([POOL, day(first + number)]).added for number in range(8))

    with ThreadPoolExecutor(4) as threads:
        added = list(threads.map(bring, (100, 200, 300, 400)))
    assert added == [8] * 4
    assert len(records.history()) == 4 * 8


UNREADABLE = {
    "a price": (
        "UPDATE token_prices SET usd = 'much'",
        lambda records: records.prices(DAY),
        "'much' is no number",
    ),
    "a day": ("UPDATE pool_daily_metrics SET day = 'never'", lambda records: records.history(), "never"),
}


@pytest.mark.parametrize(("change", "ask", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_cell_that_was_made_unreadable_is_one_clear_error(
    tmp_path: Path, change: str, ask: Callable[[Records], object], said: str
) -> None:
    with Records(tmp_path / "records.db", create=True) as records:
        records.write([POOL, day(0), Price(DAY, USDC, Decimal("0.99"))])
        with records._database.writing() as connection:
            connection.exec_driver_sql(change)
        for within in (nullcontext(records), records.transaction()):
            with within as opened, pytest.raises(RecordsError, match=f"so they were changed: .*{said}"):
                ask(opened)
