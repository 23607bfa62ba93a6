"""Which programs take part in a plan, and in which version."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from capdesk._version import __version__

SOLVERS = ("numpy", "scipy", "highspy", "ortools", "cvxpy")


def versions() -> dict[str, str]:
    """Versions by name; what is not installed is left out."""
    found = {"capdesk": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in SOLVERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
