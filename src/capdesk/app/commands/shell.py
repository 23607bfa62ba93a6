"""The frame around every command: exit codes instead of tracebacks, one line instead of a box."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from capdesk.app.commands.exits import ExitCode, describe, exit_code_of, report_error

# Typer exports BadParameter alone; what its parser raises are the siblings under this base.
UsageError: Any = typer.BadParameter.__mro__[1]


class AsGiven:
    """Hands a value to its command as it was given."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def coerce(self, value: Any, **_: object) -> Any:
        """Give the value in its kind; what is not set stays None."""
        return None if value is None else self.kind(value)


def take_as_given(params: Sequence[Any]) -> None:
    """Let texts, paths and flags through as they were given.

    Typer reads every value through pydantic, which takes longer to load than all that a ledger
    command needs besides, and the desk reads its arguments itself. Where a release of Typer has
    no such reader, setting one changes nothing.
    """
    for param in params:
        kind = getattr(getattr(param, "type_descriptor", None), "annotation", None)
        if kind in (bool, str, Path):
            param._runtime_param = AsGiven(kind)


class DeskCommand(TyperCommand):
    """A command that returns its exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        take_as_given(self.get_params(ctx))
        return super().parse_args(ctx, args)


class DeskGroup(TyperGroup):
    """The command group that ends the process with the exit code that its command returns."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line up to the command."""
        take_as_given(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a reader that has gone ("| head") wants no more, and that is no failure."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered must not be written when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.DONE
        return code

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; unless embedded (`standalone_mode=False`), exit with its code."""
        words = list(sys.argv[1:] if args is None else args)
        inner = {"complete_var": complete_var, "windows_expand_args": windows_expand_args, **extra}
        if not standalone_mode:
            return super().main(words, prog_name, standalone_mode=False, **inner)
        try:
            code = super().main(words, prog_name, standalone_mode=False, **inner)
        except Exception as error:
            code = end_with(error, as_json="--json" in words)
        sys.exit(int(code or ExitCode.DONE))


def end_with(error: Exception, *, as_json: bool) -> ExitCode:
    """Report an expected error and give its exit code; raise the others again, as they are.

    Raises
    ------
    Exception
        The error itself, where it is a bug: its traceback is what a maintainer needs.
    """
    if isinstance(error, UsageError):
        return end_with_usage(error, as_json=as_json)
    code = exit_code_of(error)
    if code is None:
        raise error
    message, details = describe(error)
    report_error(type(error).__name__, message, code, as_json=as_json, **details)
    return code


def end_with_usage(error: Any, *, as_json: bool) -> ExitCode:
    """Report a command line that cannot be read; a bare `capdesk` has already printed its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return ExitCode.INVALID_INPUT
    said = error.format_message().strip().rstrip(".")
    name = getattr(error, "option_name", "")
    if name[:1] == "-" and name[1:2].isdigit():
        said = f"an amount here cannot be negative, got one that begins with {name}"
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "capdesk"
    message = f"{said[:1].lower()}{said[1:]} (see '{path} --help')"
    report_error("UsageError", message, ExitCode.INVALID_INPUT, as_json=as_json)
    return ExitCode.INVALID_INPUT
