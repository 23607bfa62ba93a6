"""How a command ends: its exit code, and the one line in which it says what went wrong."""

import sys
from enum import IntEnum

from capdesk.app import render


class ExitCode(IntEnum):
    """The exit codes of `capdesk`; 1 is left to Python, for a failure that nobody foresaw."""

    DONE = 0
    INVALID_INPUT = 2
    REFUSED = 3
    NO_LEDGER = 4
    CORRUPT = 5
    MANDATE_MISMATCH = 6
    UNAVAILABLE = 7
    ATTENTION = 8
    EQUIVALENT = 9
    DIFFERENT = 10
    INTERRUPTED = 130


class NoSuchLedger(FileNotFoundError):
    """There is no ledger where the command was told to look."""


def exit_code_of(error: Exception) -> ExitCode | None:
    """Find the exit code of an error that is expected, or None for one that is a bug."""
    from capdesk.model import errors

    # From the particular to the general: LedgerError and OSError are bases of others.
    for kinds, code in (
        (
            (errors.UnknownAllocation, errors.InsufficientFunds, errors.StaleReading, errors.UnknownRun),
            ExitCode.REFUSED,
        ),
        ((NoSuchLedger, errors.NotALedger, errors.NewerSchema, errors.NetworkFileSystem), ExitCode.NO_LEDGER),
        ((errors.NotRecords, errors.NewerRecords), ExitCode.NO_LEDGER),
        ((errors.CorruptLedger, errors.InvariantBreach, errors.TamperedRun), ExitCode.CORRUPT),
        ((errors.MandateMismatch,), ExitCode.MANDATE_MISMATCH),
        ((errors.LedgerError, errors.RecordsError), ExitCode.UNAVAILABLE),
        ((errors.SourceUnavailable, errors.DeadlineExceeded, OSError), ExitCode.UNAVAILABLE),
        ((errors.CapdeskError,), ExitCode.INVALID_INPUT),
    ):
        if isinstance(error, kinds):
            return code
    return None


def describe(error: Exception) -> tuple[str, dict[str, object]]:
    """Word an expected error for the command line, and pick the details that its JSON form carries."""
    from capdesk.model import errors

    if isinstance(error, errors.DeadlineExceeded):
        advice = (
            f"no answer in time for request {error.request_id!r}: run the same command again with "
            f"--request-id {error.request_id}; it takes effect once and tells what became of it"
        )
        return advice, {"request_id": error.request_id}
    if isinstance(error, errors.MandateMismatch):
        differences = [
            {"field": name, "ledger": ours, "given": given} for name, ours, given in error.differences
        ]
        advice = (
            f"the configuration is not this ledger's mandate (version {error.version}): {error.summary}. "
            "Weigh the change with 'capdesk mandate diff FILE', make it with 'capdesk mandate update FILE'"
        )
        return advice, {"mandate_version": error.version, "differences": differences}
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}", {}
    return str(error), {}


def report_error(kind: str, message: str, code: ExitCode, *, as_json: bool, **details: object) -> None:
    """Say on standard error what went wrong; with `--json` also as an object on standard output.

    A program that reads standard output with `--json` finds exactly one JSON value there
    whichever way the command went, and the log of a person has its line in both cases.
    """
    indented = message.replace("\n", "\n       ")
    print(f"error: {indented}", file=sys.stderr)
    if as_json:
        render.write_json({"error": kind, "message": message, "exit_code": int(code), **details})
