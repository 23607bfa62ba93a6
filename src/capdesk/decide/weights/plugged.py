"""Any estimator of portfolios as a strategy: an object with `fit(X)` and `weights_` (skfolio, scikit-learn)."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np

from capdesk.decide.weights import inputs, rules
from capdesk.decide.weights.asked import Asked
from capdesk.decide.weights.optimum import Found
from capdesk.model.errors import InvalidInput

_WHOLE = 1e-6


def is_estimator(strategy: Any) -> bool:
    """Whether an object can be fitted to returns."""
    return callable(getattr(strategy, "fit", None)) and not isinstance(strategy, type)


def fitted(asked: Asked, strategy: Any) -> Found:
    """Fit an estimator to the returns, and take its weights as a rule that the limits may cut.

    Raises
    ------
    InvalidInput
        Where it has no `weights_` after `fit`, or not one finite number for each name.
    """
    given = asked.option("returns")
    table = asked.returns
    if hasattr(given, "columns"):
        table = nw.from_native(given, eager_only=True).select(*asked.names).to_native()
    strategy.fit(table)
    if not hasattr(strategy, "weights_"):
        raise InvalidInput(f"{type(strategy).__name__} has no weights_ after fit, so it is no strategy")
    weights = inputs.vector(np.asarray(strategy.weights_), asked.names, f"weights_ of {asked.strategy}")
    whole = abs(float(weights.sum()) - 1) <= _WHOLE
    return rules.by_shares(asked.limits, weights) if whole else rules.by_targets(asked.limits, weights)
