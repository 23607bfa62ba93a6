"""The demonstration of pool allocation: eleven real days of stablecoin lending, and the data for it."""

from importlib import resources
from pathlib import Path


def pool_table() -> Path:
    """The table of pools and their days, as the source `pools` reads it."""
    return Path(str(resources.files("capdesk.study.pools_demo"))) / "data" / "stable_pools_2026-02.csv.gz"
