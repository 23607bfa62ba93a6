"""Value at risk and the mean loss beyond it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from capdesk.decide.performance import calculate_efficiency_metrics
from capdesk.decide.performance.tail import tail_of


def test_the_worst_five_of_a_hundred() -> None:
    returns = [-Decimal(loss) / 1000 for loss in range(1, 101)]
    metrics = calculate_efficiency_metrics(returns)

    # 95 returns do not exceed a loss of 9.5 %; the mean of 96 ... 100 is 98.
    assert metrics.value_at_risk == pytest.approx(0.095)
    assert metrics.conditional_value_at_risk == pytest.approx(0.098)
    assert metrics.tail_points == 5


@given(
    st.lists(st.integers(-500, 500), min_size=1, max_size=60),
    st.sampled_from([Decimal("0.05"), Decimal("0.1"), Decimal("0.33"), Decimal("0.5")]),
)
def test_conditional_value_is_rockafellar_and_uryasevs_minimum(permille: list[int], tail: Decimal) -> None:
    returns = np.array(permille) / 1000
    found = tail_of(returns, tail, 0.95)

    def cost(level: float) -> float:
        return level + float(np.maximum(-returns - level, 0).mean()) / float(tail)

    # The cost is piecewise linear with its corners at the losses.
    assert found.conditional == pytest.approx(min(cost(-each) for each in returns), abs=1e-12)
    assert cost(found.value_at_risk) == pytest.approx(found.conditional, abs=1e-12)
    if len(set(permille)) > 2:
        smooth = minimize_scalar(cost, bounds=(-0.6, 0.6), method="bounded", options={"xatol": 1e-10})
        assert found.conditional <= smooth.fun + 1e-9


def test_the_interval_covers_the_true_mean_loss() -> None:
    # Normal returns: CVaR at 5 % is pdf(1.6449) / 0.05 = 2.0627 standard deviations.
    random = np.random.default_rng(7)
    hit = 0
    for _ in range(400):
        interval = tail_of(random.standard_normal(2000), Decimal("0.05"), 0.95).interval
        assert interval is not None
        hit += interval[0] <= 2.0627 <= interval[1]

    assert 0.90 <= hit / 400 <= 0.98


def test_a_tail_of_one_point_has_no_interval() -> None:
    metrics = calculate_efficiency_metrics([0.01, -0.02, 0.03])

    assert metrics.conditional_value_at_risk_interval is None
    assert metrics.tail_points == 1
