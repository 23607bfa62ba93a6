"""A configuration read for a command, and what its author may not have meant."""

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capdesk.config import CapitalConfig


def load(file: Path | None) -> "CapitalConfig":
    """Read a configuration file, which the environment's CAPITAL_* variables override; None: those alone.

    What is accepted and may do what nobody meant is said on standard error, a line each.
    """
    from capdesk.config import CapitalConfig
    from capdesk.model.errors import RulesWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RulesWarning)
        config = CapitalConfig.load(file)
    for warning in caught:
        if issubclass(warning.category, RulesWarning):
            print(f"warning: {warning.message}", file=sys.stderr)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return config
