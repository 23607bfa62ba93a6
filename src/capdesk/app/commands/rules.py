"""A configuration read for a command, and what its author may not have meant."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig


@contextmanager
def telling_warnings() -> Iterator[None]:
    """Say on standard error, a line each, what is accepted and may do what nobody meant."""
    from capdesk.model.errors import RulesWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RulesWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, RulesWarning):
            print(f"warning: {warning.message}", file=sys.stderr)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def load(file: Path | None) -> "CapitalConfig":
    """Read a configuration file, which the environment's CAPITAL_* variables override; None: those alone."""
    from capdesk.config import CapitalConfig

    with telling_warnings():
        return CapitalConfig.load(file)
