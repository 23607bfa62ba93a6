"""Where the money lies: accounts, transfers, withdrawals, and what a wallet says."""

from __future__ import annotations

import pytest

from capdesk import AllocationResult as Result
from capdesk import CapitalAllocator, ConfigError, InsufficientFunds, StaleReading
from tests.desk.conftest import MakeDesk
from tests.desk.support import Clock, length, roomy

TWO = roomy(accounts=["venue", "wallet"])


async def test_the_first_account_takes_what_names_none(make_desk: MakeDesk) -> None:
    desk = await make_desk(TWO)
    assert (await desk.request_allocation("m", 50)).outcome.account == "venue"  # type: ignore[union-attr]
    assert (await desk.request_allocation("n", 50, account="wallet")).result is Result.INSUFFICIENT_CAPITAL
    await desk.deposit(30, "wallet")
    verdict = await desk.request_allocation("n", 50, account="wallet")
    assert (verdict.amount, verdict.bound_by) == (30, "account:wallet")
    held = await desk.get_allocation("n")
    assert held is not None
    assert held.account == "wallet"


async def test_a_transfer_without_transit_arrives_at_once(make_desk: MakeDesk) -> None:
    desk = await make_desk(TWO)
    assert await desk.transfer(80, "venue", "wallet") == 80
    assert (await desk.quote("m", 200, account="wallet")).amount == 80
    assert (await desk.quote("m", 200, account="venue")).amount == 120
    assert (desk.bankroll, await desk.get_available()) == (200, 200)


async def test_money_in_transit_is_in_nobodys_reach(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(TWO)
    await desk.transfer(80, "venue", "wallet", 600)
    assert (desk.bankroll, await desk.get_available()) == (200, 120)
    assert (await desk.quote("m", 200, account="venue")).amount == 120
    assert (await desk.quote("m", 200, account="wallet")).result is Result.INSUFFICIENT_CAPITAL
    clock.advance(599)
    assert not (await desk.quote("m", 200, account="wallet")).granted
    clock.advance(1)
    assert (await desk.request_allocation("m", 200, account="wallet")).amount == 80
    assert await desk.get_available() == 120


async def test_what_is_available_knows_that_a_transfer_has_arrived(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(TWO)
    await desk.transfer(80, "venue", "wallet", 600)
    clock.advance(600)
    assert await desk.get_available() == 200


async def test_only_free_money_is_transferred(make_desk: MakeDesk) -> None:
    desk = await make_desk(TWO)
    await desk.request_allocation("m", 150)
    before = length(desk)
    with pytest.raises(InsufficientFunds, match=r"\$50.01 from venue: \$50.00 is free"):
        await desk.transfer("50.01", "venue", "wallet")
    assert length(desk) == before
    await desk.transfer(50, "venue", "wallet")


async def test_a_withdrawal_takes_free_money_alone(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 150)
    before = length(desk)
    with pytest.raises(InsufficientFunds, match=r"\$50.01 from main: \$50.00 is free, \$150.00 is allocated"):
        await desk.withdraw("50.01")
    assert length(desk) == before
    assert await desk.withdraw(50) == 150
    assert await desk.get_available() == 0


async def test_the_last_dollar_can_be_withdrawn(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    assert await desk.withdraw(200) == 0
    assert (await desk.request_allocation("m", 5)).result is Result.INSUFFICIENT_CAPITAL
    assert await desk.deposit(50) == 50
    assert (await desk.request_allocation("m", 5)).amount == 2.5


async def test_money_in_transit_cannot_be_withdrawn(make_desk: MakeDesk) -> None:
    desk = await make_desk(TWO)
    await desk.transfer(80, "venue", "wallet", 600)
    with pytest.raises(InsufficientFunds):
        await desk.withdraw(121)
    assert await desk.withdraw(120) == 80


async def test_a_wallet_that_holds_more_or_less_is_profit_or_loss(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 50)
    assert await desk.sync_with_wallet(150) == 200
    assert await desk.sync_with_wallet("149.25") == 199.25
    assert desk.drawdown == 0.00375
    assert await desk.sync_with_wallet(160) == 210
    assert (desk.drawdown, await desk.get_available()) == (0, 160)


async def test_a_wallet_read_before_a_grant_is_refused_and_nothing_is_booked(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    believed = await desk.get_cash()
    await desk.request_allocation("m", 50)
    with pytest.raises(StaleReading, match=r"read when .* had \$200.00 free, and now it has \$150.00"):
        await desk.sync_with_wallet(200, expected=believed)
    assert (desk.bankroll, desk.drawdown) == (200, 0)
    assert await desk.sync_with_wallet(149, expected=await desk.get_cash()) == 199


async def test_each_account_is_reconciled_alone(make_desk: MakeDesk) -> None:
    desk = await make_desk(TWO)
    await desk.transfer(80, "venue", "wallet")
    assert await desk.sync_with_wallet(70, "wallet") == 190
    assert (await desk.quote("m", 200, account="venue")).amount == 120
    assert (await desk.quote("m", 200, account="wallet")).amount == 70


async def test_a_new_bankroll_is_booked_as_a_flow(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    assert await desk.update_bankroll(300) == 300
    assert await desk.update_bankroll(150) == 150
    assert (desk.bankroll, desk.drawdown) == (150, 0)
    assert (await desk.request_allocation("m", 50)).amount == 7.5


async def test_the_bankroll_it_has_already_is_no_flow(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    before = length(desk)
    assert await desk.update_bankroll(200) == 200
    assert length(desk) == before


async def test_the_bankroll_cannot_be_set_below_what_is_allocated(make_desk: MakeDesk) -> None:
    desk = await make_desk(roomy())
    await desk.request_allocation("m", 150)
    with pytest.raises(InsufficientFunds, match=r"\$149.99: \$150.00 is allocated"):
        await desk.update_bankroll("149.99")
    assert await desk.update_bankroll(150) == 150


async def test_the_bankroll_cannot_be_set_below_what_is_allocated_elsewhere() -> None:
    desk = CapitalAllocator(TWO, 130)
    await desk.transfer(30, "venue", "wallet")
    await desk.request_allocation("a", 10, account="wallet")
    await desk.request_allocation("b", 20, account="wallet")
    await desk.release_allocation("a", -80)
    assert desk.bankroll == 50
    with pytest.raises(InsufficientFunds, match="allocated"):
        await desk.update_bankroll(10)


async def test_an_account_that_holds_money_stays_in_the_mandate(make_desk: MakeDesk, clock: Clock) -> None:
    desk = await make_desk(TWO)
    await desk.transfer(80, "venue", "wallet", 600)
    with pytest.raises(ConfigError, match="accounts must keep 'wallet'"):
        await desk.update_mandate(roomy(accounts=["venue"]), reason="close the wallet")
    clock.advance(600)
    with pytest.raises(ConfigError, match=r"accounts must keep 'wallet': it holds \$80.00"):
        await desk.update_mandate(roomy(accounts=["venue"]), reason="close the wallet")
    await desk.transfer(80, "wallet", "venue")
    assert await desk.update_mandate(roomy(accounts=["venue"]), reason="close the wallet") == 2


async def test_profit_stays_in_the_account_of_its_allocation(make_desk: MakeDesk) -> None:
    desk = await make_desk(TWO)
    await desk.transfer(80, "venue", "wallet")
    await desk.request_allocation("m", 40, account="wallet")
    await desk.release_allocation("m", 10, fees="0.5")
    assert (await desk.quote("m", 300, account="wallet")).amount == 89.5
    assert (await desk.quote("m", 300, account="venue")).amount == 120


async def test_what_is_freed_and_granted_anew_in_one_batch_may_lie_in_another_account(
    make_desk: MakeDesk, clock: Clock
) -> None:
    desk = await make_desk(roomy(accounts=["venue", "wallet"], on_expiry="free"))
    await desk.transfer(80, "venue", "wallet")
    await desk.request_allocation("m", 50, account="venue", lease_seconds=60)
    clock.advance(60)
    assert (await desk.request_allocation("m", 40, account="wallet")).amount == 40
    assert (await desk.get_cash("venue"), await desk.get_cash("wallet")) == (120, 40)
    assert (await desk.request_allocation("n", 5, account="venue")).amount == 5
