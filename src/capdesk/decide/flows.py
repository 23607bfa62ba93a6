"""Money that comes in, goes out, moves between accounts, or turns out to be different.

Every function here looks at the state and returns the events that follow; none changes it.
"""

from __future__ import annotations

from capdesk.decide.risk.gate import assess, pays_gas
from capdesk.decide.settlement import guard_bankroll
from capdesk.model.commands import Deposit, Found, SetBankroll, SyncWallet, Transfer, UpdateMandate, Withdraw
from capdesk.model.errors import ConfigError, InsufficientFunds, InvalidInput, StaleReading
from capdesk.model.journal import (
    Arrived,
    Departed,
    Event,
    Flowed,
    Founded,
    MandateChanged,
    MarketObserved,
    Reconciled,
)
from capdesk.model.money import usd
from capdesk.model.state import State


def account_of(state: State, name: str | None) -> str:
    """The account of that name; the mandate's first without one.

    Raises
    ------
    InvalidInput
        For an account that the mandate does not have.
    """
    accounts = state.mandate.accounts
    if name is None:
        return accounts[0]
    if name not in accounts:
        raise InvalidInput(f"account must be one of {', '.join(accounts)}, got {name!r}")
    return name


def free_cash(state: State, account: str) -> int:
    """What an account holds and no allocation has; negative after a loss beyond it."""
    return state.balances[account] - state.by_account[account]


def found(state: State, command: Found) -> tuple[Event, ...]:
    """Begin the ledger."""
    if state.founded:
        raise InvalidInput("this ledger has begun already")
    if command.bankroll <= 0:
        raise InvalidInput(f"initial_bankroll must be above 0, got {usd(command.bankroll)}")
    return (Founded(command.mandate, command.mandate.accounts[0], command.bankroll),)


def deposit(state: State, command: Deposit) -> tuple[Event, ...]:
    """Book money that came in."""
    guard_bankroll(state, command.amount)
    return (_flowed(state, account_of(state, command.account), command.amount),)


def _flowed(state: State, account: str, amount: int) -> Flowed:
    return Flowed(account, amount, state.bankroll + amount)


def withdraw(state: State, command: Withdraw) -> tuple[Event, ...]:
    """Book money that went out.

    Raises
    ------
    InsufficientFunds
        For more than the account has free.
    """
    account = account_of(state, command.account)
    free = min(free_cash(state, account), state.bankroll - state.transit_total - state.allocated)
    if command.amount > free:
        raise InsufficientFunds(
            f"cannot withdraw {usd(command.amount)} from {account}: {usd(max(0, free))} is free, "
            f"{usd(state.by_account[account])} is allocated; release something first"
        )
    return (_flowed(state, account, -command.amount),)


def set_bankroll(state: State, command: SetBankroll) -> tuple[Event, ...]:
    """Book the difference to a stated bankroll as a flow of the first account.

    Raises
    ------
    InsufficientFunds
        If the new bankroll is less than what is allocated or in transit.
    """
    difference = command.amount - state.bankroll
    if difference == 0:
        return ()
    account = account_of(state, None)
    free = min(free_cash(state, account), state.bankroll - state.transit_total - state.allocated)
    if difference < 0 and -difference > free:
        raise InsufficientFunds(
            f"the bankroll cannot be set to {usd(command.amount)}: {usd(state.allocated)} is allocated and "
            f"{account} has {usd(max(0, free))} free; release or transfer something first"
        )
    return (_flowed(state, account, difference),)


def sync_wallet(state: State, command: SyncWallet) -> tuple[Event, ...]:
    """Book what an account holds free beyond what the desk believes.

    Raises
    ------
    StaleReading
        Where capital moved since the wallet was read.
    """
    account = account_of(state, command.account)
    free = free_cash(state, account)
    if command.expected is not None and command.expected != free:
        raise StaleReading(
            f"the wallet was read when {account} had {usd(command.expected)} free, and now it has {usd(free)}: "
            "nothing is booked; ask get_cash, read the wallet again and send both"
        )
    difference = command.cash - free
    guard_bankroll(state, difference)
    return (Reconciled(account, difference, state.bankroll + difference),)


def transfer(state: State, command: Transfer, sequence: int, at: int) -> tuple[Event, ...]:
    """Move free cash to another account.

    Raises
    ------
    InsufficientFunds
        For more than the source has free.
    """
    source, target = account_of(state, command.source), account_of(state, command.target)
    if source == target:
        raise InvalidInput(f"source and target must be two accounts, got {source!r} twice")
    if command.amount > free_cash(state, source):
        raise InsufficientFunds(
            f"cannot transfer {usd(command.amount)} from {source}: {usd(max(0, free_cash(state, source)))} is free"
        )
    departed = Departed(sequence, command.amount, source, target, at + command.transit)
    if command.transit == 0:
        return (departed, Arrived(sequence, target, command.amount))
    return (departed,)


def arrive(state: State, at: int) -> tuple[Event, ...]:
    """Transfers that have reached their target."""
    there = sorted(
        (transit.arrives_at, number, transit)
        for number, transit in state.transits.entries()
        if transit is not None and transit.arrives_at <= at
    )
    return tuple(Arrived(number, transit.target, transit.amount) for _, number, transit in there)


def update_mandate(state: State, command: UpdateMandate) -> tuple[Event, ...]:
    """Change the rules; what is open stays open, and the market that was seen last is judged by the new ones.

    Raises
    ------
    ConfigError
        If an account is dropped that still holds money.
    """
    kept = set(command.mandate.accounts)
    underway = {
        name
        for _, transit in state.transits.entries()
        if transit is not None
        for name in (transit.source, transit.target)
    }
    for account, balance in state.balances.entries():
        if account not in kept and (balance or state.by_account[account] or account in underway):
            raise ConfigError(f"accounts must keep {account!r}: it holds {usd(balance)}; transfer it first")
    for account in underway - kept:
        raise ConfigError(f"accounts must keep {account!r}: a transfer to or from it is under way")
    return (
        MandateChanged(command.mandate, state.mandate_version + 1, command.reason),
        *_judged(state, command),
    )


def _judged(state: State, command: UpdateMandate) -> tuple[Event, ...]:
    """What a new risk table makes of the market as it was seen last, at once and without hysteresis."""
    table, gas, seen = command.mandate.risk, pays_gas(command.mandate), state.risk.seen
    if table is None or seen is None or (table, gas) == (state.mandate.risk, pays_gas(state.mandate)):
        return ()
    before = state.risk if table == state.mandate.risk else None
    return (MarketObserved(assess(table, seen, state.risk.observed_at, before, pays_gas=gas)),)
