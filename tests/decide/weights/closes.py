"""Weekly closes of eight coins, and their returns, for tests that want real numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from capdesk.decide.weights.problem import Array

_FILE = Path(__file__).parents[3] / "examples" / "crypto_weekly.csv"

with _FILE.open(encoding="utf-8") as _lines:
    _header, *_rows = csv.reader(_lines)

NAMES: list[str] = _header[1:]
CLOSES: Array = np.array([row[1:] for row in _rows], dtype=float)
RETURNS: Array = CLOSES[1:] / CLOSES[:-1] - 1
