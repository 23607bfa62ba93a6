"""Every error the desk raises: what was given, what is allowed, what to change."""

from __future__ import annotations

_SHOWN = 300
"""The most characters of a difference that a message shows."""


class CapdeskError(Exception):
    """Base of all errors of this package."""


class InvalidInput(CapdeskError, ValueError):
    """An argument that cannot be accepted; nothing was written."""


class ConfigError(InvalidInput):
    """A configuration that cannot be obeyed; one line for each problem."""


class RulesWarning(UserWarning):
    """Rules that are accepted, and may do what their author did not mean."""


class NoBankroll(CapdeskError):
    """A run-time verb was called on a desk that was given no bankroll."""

    def __init__(self) -> None:
        super().__init__(
            "this desk has no bankroll: give initial_bankroll=..., or open a ledger with CapitalAllocator.open(path)"
        )


class InfeasibleError(CapdeskError, ValueError):
    """No weights, or no allocation of pools, meet all limits at once.

    Attributes
    ----------
    conflict
        A minimal set of limits that cannot be met together: without any one of them the rest can.
    arithmetic
        Why not, in figures: ``"20 x 4 % = 80 % < 100 %"``.
    relaxations
        ``(limit, value as given, value that would do)`` for each limit that alone could give
        way; the smallest change first.
    """

    def __init__(
        self,
        conflict: tuple[str, ...],
        arithmetic: str,
        relaxations: tuple[tuple[str, str, str], ...],
        *,
        what: str = "no weights meet all limits",
    ) -> None:
        self.conflict = conflict
        self.arithmetic = arithmetic
        self.relaxations = relaxations
        ways = ", or ".join(
            f"{limit} {would_do} instead of {given}" for limit, given, would_do in relaxations
        )
        super().__init__(
            f"{what}: {arithmetic}. In conflict: {', '.join(conflict)}."
            + (f" It would do to have {ways}" if ways else "")
        )


class CertificateError(CapdeskError):
    """An answer could not be proven right, so it is not given."""


class UnknownAllocation(CapdeskError, LookupError):
    """No open allocation or release goes by that name."""


class InsufficientFunds(CapdeskError):
    """A withdrawal or transfer of more than is free."""


class StaleReading(CapdeskError):
    """A wallet was read before capital moved, so it does not say what nobody explained; nothing was booked."""


class MandateMismatch(CapdeskError):
    """A ledger was opened with another configuration than its mandate.

    Attributes
    ----------
    differences
        ``(field, in the ledger, given)`` for every field that differs.
    """

    def __init__(self, differences: list[tuple[str, str, str]], version: int) -> None:
        self.differences = differences
        self.version = version
        super().__init__(
            f"the configuration given is not this ledger's mandate (version {version}): {self.summary}. "
            "Open without a configuration, or change it for all with update_mandate(config, reason=...)"
        )

    @property
    def summary(self) -> str:
        """The differences in a line; of a field that is too long for one, only the name."""
        return "; ".join(
            f"{name}: ledger {ours}, given {given}"
            if len(ours) + len(given) <= _SHOWN
            else f"{name}: not the same"
            for name, ours, given in self.differences
        )


class IdConflict(CapdeskError):
    """A request id was used before for another command."""

    def __init__(self, request_id: str, stored: str, given: str) -> None:
        self.request_id = request_id
        super().__init__(
            f"request_id {request_id!r} belongs to another command: stored {stored}; given {given}. "
            "Use a new id for a new command"
        )


class DeadlineExceeded(CapdeskError, TimeoutError):
    """The answer did not come in time; `get_outcome(request_id)` tells what became of the command.

    Attributes
    ----------
    request_id
        The id to ask by.
    """

    def __init__(self, request_id: str, seconds: float) -> None:
        self.request_id = request_id
        super().__init__(
            f"no answer within {seconds:g} s for request {request_id!r}: "
            "ask get_outcome(request_id) what became of it, or send it again with the same id"
        )


class LedgerError(CapdeskError):
    """The durable record cannot be used as asked."""


class NotALedger(LedgerError):
    """The file is not a capdesk ledger; it was left as it was."""


class CorruptLedger(LedgerError):
    """The file is damaged or its hash chain is broken; it was left as it was."""


class NewerSchema(LedgerError):
    """The file was written by a newer capdesk; it was left as it was."""


class NetworkFileSystem(LedgerError):
    """SQLite's locks and syncs cannot be trusted on this file system."""


class DiskFull(LedgerError):
    """The disk took no more; the command was not carried out and may be sent again."""


class LedgerUnavailable(LedgerError):
    """Reading or writing failed; ask by the request id what became of the command."""


class ForkedLedger(LedgerError):
    """The process was forked after the ledger was opened: the child must open its own."""


class LedgerClosed(LedgerError):
    """The ledger was closed, or has stopped after an error that is named."""


class InvariantBreach(LedgerError):
    """Capital would have been made or lost: the writer stopped before committing."""


class RecordsError(CapdeskError):
    """The planning records cannot be used as asked."""


class NotRecords(RecordsError):
    """The file does not hold planning records; it was left as it was."""


class NewerRecords(RecordsError):
    """The planning records were written by a newer capdesk; they were left as they were."""


class UnknownRun(RecordsError, LookupError):
    """No stored run goes by that number."""


class TamperedRun(RecordsError):
    """A stored run is not what its hash was taken of."""


class SourceUnavailable(CapdeskError):
    """A source did not answer, or answered with an error, each time it was asked."""


class MalformedDocument(InvalidInput):
    """What a source gave is not the document that it should be; nothing of it was taken."""
