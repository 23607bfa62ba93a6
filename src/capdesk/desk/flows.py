"""The desk's verbs for money that comes, goes and moves, and for its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from capdesk.desk import arguments as read
from capdesk.desk.answers import bankroll_after
from capdesk.desk.base import DeskBase
from capdesk.model import commands as c
from capdesk.model.errors import InvalidInput
from capdesk.model.journal import MandateChanged
from capdesk.model.money import Amount, to_micro

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig


class FlowVerbs(DeskBase):
    """Deposits, withdrawals, transfers, reconciliation, and changes of the mandate."""

    async def deposit(
        self,
        amount: object,
        account: str | None = None,
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Book dollars that came in: a flow, no profit. Gives the bankroll that follows."""
        command = c.Deposit(read.positive(amount, "amount"), read.optional_name(account, "account"))
        return bankroll_after(await self._submit(command, request_id, deadline_seconds))

    async def withdraw(
        self,
        amount: object,
        account: str | None = None,
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Book dollars that went out: a flow, no loss. Gives the bankroll that follows.

        Raises
        ------
        InsufficientFunds
            For more than the account has free.
        """
        command = c.Withdraw(read.positive(amount, "amount"), read.optional_name(account, "account"))
        return bankroll_after(await self._submit(command, request_id, deadline_seconds))

    async def update_bankroll(
        self, amount: object, *, request_id: str | None = None, deadline_seconds: float | None = None
    ) -> Amount:
        """Set the bankroll; the difference is booked as a deposit or a withdrawal."""
        command = c.SetBankroll(read.positive(amount, "amount"))
        return bankroll_after(await self._submit(command, request_id, deadline_seconds)) or Amount.from_micro(
            command.amount
        )

    async def sync_with_wallet(
        self,
        cash: object,
        account: str | None = None,
        *,
        expected: object = None,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Compare an account's free cash with what is there; what nobody explained is booked as P&L.

        Parameters
        ----------
        cash
            Dollars in the wallet.
        expected
            What `get_cash` said before the wallet was read. A grant or release between the two
            would pass for a profit or a loss.

        Raises
        ------
        StaleReading
            Where the account no longer has `expected` free; nothing is booked.
        """
        command = c.SyncWallet(
            read.not_negative(cash, "cash"),
            read.optional_name(account, "account"),
            None if expected is None else to_micro(expected, "expected"),
        )
        return bankroll_after(await self._submit(command, request_id, deadline_seconds))

    async def transfer(
        self,
        amount: object,
        source: str,
        target: str,
        transit_seconds: object = 0,
        *,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> Amount:
        """Move free cash between accounts; it is in nobody's reach while in transit."""
        command = c.Transfer(
            read.positive(amount, "amount"),
            read.name(source, "source"),
            read.name(target, "target"),
            read.seconds(transit_seconds, "transit_seconds"),
        )
        await self._submit(command, request_id, deadline_seconds)
        return Amount.from_micro(command.amount)

    async def update_mandate(
        self,
        config: CapitalConfig | Mapping[str, Any],
        *,
        reason: str,
        request_id: str | None = None,
        deadline_seconds: float | None = None,
    ) -> int:
        """Change the rules for every process on this ledger; gives the new version.

        Raises
        ------
        InvalidInput
            For a configuration that has fields of planning alone, which are no rules.
        """
        from capdesk.config import read_config

        rules = read_config(config)
        if rules.plans_only:
            raise InvalidInput(
                f"{', '.join(sorted(rules.model_fields_set))} rule the planner and are no part of the mandate: "
                "give them to the desk or to a Planner, or set their CAPITAL_ variables"
            )
        command = c.UpdateMandate(rules.mandate(), read.name(reason, "reason"))
        entry = await self._submit(command, request_id, deadline_seconds)
        return next(event.version for event in entry.events if isinstance(event, MandateChanged))
