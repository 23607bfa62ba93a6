"""Draws the pictures of the how-to pages from real computation: `python docs/pictures/draw.py`.

The prices are examples/crypto_weekly.csv; the countries are He and Litterman's (1999).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from capdesk import Constraints, Frontier, Plan, frontier, plan_weights
from capdesk.decide.weights import kelly
from capdesk.decide.weights.hierarchical import leaf_order
from capdesk.decide.weights.tail_risk import cvar

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from chart import BLUE, GREEN, GREY, INK, ORANGE, Chart  # noqa: E402

with (HERE.parents[1] / "examples" / "crypto_weekly.csv").open(encoding="utf-8") as lines:
    (_, *COINS), *_rows = csv.reader(lines)
PRICES = np.array([row[1:] for row in _rows], dtype=float)
_SIDES = {"BTC": "right", "LTC": "left", "XMR": "right", "LINK": "below left"}
RETURNS = PRICES[1:] / PRICES[:-1] - 1
MEAN, SIGMA = RETURNS.mean(axis=0), np.cov(RETURNS.T)


def equal_weight() -> str:
    """Caps of their own for two protocols, and what the others get."""
    names = ["scroll", "zksync", "eigenlayer", "layerzero", "base"]
    capped = Constraints(max_weight={"scroll": "0.05", "zksync": "0.12"})
    plain, plan = plan_weights(names, "equal_weight"), plan_weights(names, "equal_weight", constraints=capped)
    return _two_bars(
        "Equal weight: what a cap holds back is shared by the rest",
        names,
        (_weights(plain), "without caps", GREY),
        (_weights(plan), "scroll at most 5 %, zksync 12 %", BLUE),
    )


def risk_parity() -> str:
    """Weights and shares of risk of eight coins."""
    weights = _weights(plan_weights(COINS, "risk_parity", prices=PRICES))
    return _two_bars(
        "Risk parity: different weights, the same share of the risk",
        COINS,
        (weights, "weight", BLUE),
        (weights * (SIGMA @ weights) / (weights @ SIGMA @ weights), "share of the variance", ORANGE),
    )


def min_variance() -> str:
    """The lower left end of the frontier, with and without a cap."""
    chart, traced = _frontier_chart("Minimum variance: the end of the frontier with the least risk")
    chart.dot(
        traced.points[0].volatility,
        traced.points[0].expected_return,
        ORANGE,
        "minimum variance",
        side="below right",
    )
    capped = plan_weights(COINS, "min_variance", prices=PRICES, constraints=Constraints(max_weight="0.2"))
    volatility, mean = _place(capped)
    chart.dot(volatility, mean, GREEN, "each coin at most 20 %", side="right")
    return chart.svg()


def mean_variance() -> str:
    """Where on the frontier a risk aversion leads."""
    chart, _ = _frontier_chart("Mean-variance: the risk aversion chooses the place on the frontier")
    for aversion in (1, 1.5, 2, 4, 16):
        plan = plan_weights(COINS, "mean_variance", prices=PRICES, risk_aversion=aversion)
        chart.dot(*_place(plan), ORANGE, f"{aversion:g}", side="above left")
    return chart.svg()


def max_sharpe() -> str:
    """The line from the risk-free rate that touches the frontier."""
    chart, _ = _frontier_chart("Maximum Sharpe ratio: the steepest line from the risk-free rate")
    rate = 0.0125
    volatility, mean = _place(plan_weights(COINS, "max_sharpe", prices=PRICES, risk_free_rate=rate))
    slope = (mean - rate) / volatility
    chart.line([(0.1, rate + 0.1 * slope), (0.22, rate + 0.22 * slope)], GREY, dashed=True)
    chart.dot(volatility, mean, ORANGE, "maximum Sharpe ratio", side="above left")
    return chart.svg()


def kelly_criterion() -> str:
    """Growth by stake, of a bet won with p = 0.6 at even odds."""
    stakes = np.linspace(0, 0.42, 85)
    chart = Chart("Kelly: growth by stake, winning 60 % at even odds", (0, 0.42), (-0.01, 0.025))
    chart.axis_y([-0.01, 0, 0.01, 0.02], "growth of log wealth a bet")
    chart.axis_x([0, 0.1, 0.2, 0.3, 0.4], "stake, part of the bankroll")
    chart.line([(stake, kelly.binary_growth(0.6, 0.5, stake)) for stake in stakes.tolist()], BLUE)
    full = kelly.binary(0.6, 0.5)
    chart.dot(full, kelly.binary_growth(0.6, 0.5, full), ORANGE, "full Kelly")
    half = full * kelly.HALF
    chart.dot(
        half, kelly.binary_growth(0.6, 0.5, half), GREEN, "half Kelly: 3/4 of the growth", side="below right"
    )
    chart.dot(2 * full, kelly.binary_growth(0.6, 0.5, 2 * full), GREY, "twice Kelly: none left", side="left")
    return chart.svg()


def black_litterman() -> str:
    """He and Litterman's view that Germany beats the rest of Europe by 5 %."""
    names = ["AU", "CA", "FR", "DE", "JP", "UK", "US"]
    market = np.array([1.6, 2.2, 5.2, 5.5, 11.6, 12.4, 61.5]) / 100
    plan = plan_weights(
        names,
        "black_litterman",
        covariance=_he_litterman(),
        market_weights=market,
        risk_aversion=2.5,
        views=[({"DE": 1, "FR": -5.2 / 17.6, "UK": -12.4 / 17.6}, 0.05)],
        constraints=Constraints(long_only=False, fully_invested=False),
    )
    return _two_bars(
        "Black-Litterman: only the names that the view is about move",
        names,
        (market, "the market", GREY),
        (_weights(plan), "Germany beats Europe by 5 %", BLUE),
    )


def min_cvar() -> str:
    """The worst weeks of two plans."""
    safe = RETURNS @ _weights(plan_weights(COINS, "min_variance", prices=PRICES))
    tail = RETURNS @ _weights(plan_weights(COINS, "min_cvar", prices=PRICES))
    chart = Chart("Minimum CVaR: the ten worst weeks of 183", (0, 11), (-0.45, 0.0))
    chart.axis_y([0, -0.1, -0.2, -0.3, -0.4], "return in the week")
    chart.axis_x(range(1, 11), "rank of the week, worst first", "{:.0f}")
    for rank, (ours, theirs) in enumerate(zip(np.sort(tail)[:10], np.sort(safe)[:10], strict=True), start=1):
        chart.bar(rank - 0.2, 0.36, (0.0, float(theirs)), GREY)
        chart.bar(rank + 0.2, 0.36, (0.0, float(ours)), BLUE)
    chart.marks += _low_legend(
        [(GREY, f"minimum variance: {cvar(safe, 0.05):.1%}"), (BLUE, f"minimum CVaR: {cvar(tail, 0.05):.1%}")]
    )
    return chart.svg()


def hierarchical_risk_parity() -> str:
    """Correlations in the order of the tree's leaves, with the weights under them."""
    order = leaf_order(SIGMA)
    weights = _weights(plan_weights(COINS, "hierarchical_risk_parity", prices=PRICES))
    deviations = np.sqrt(np.diag(SIGMA))
    correlations = SIGMA / np.outer(deviations, deviations)
    chart = Chart("Hierarchical risk parity: similar coins side by side", (-1, 12), (-1.4, 8.2))
    for row, first in enumerate(order):
        chart.label(-0.55, 7 - row + 0.4, COINS[first], anchor="end")
        for column, second in enumerate(order):
            shade = round(255 - 200 * max(0.0, float(correlations[first, second]) - 0.3) / 0.7)
            chart.bar(column, 0.96, (7 - row, 7 - row + 0.94), f"rgb({shade},{min(255, shade + 25)},255)")
            chart.label(column, 7 - row + 0.35, f"{correlations[first, second]:.2f}")
        chart.label(9.6, 7 - row + 0.35, f"{weights[first]:.1%}")
    chart.label(3.5, -0.75, "correlation")
    chart.label(9.6, -0.75, "weight")
    return chart.svg()


def efficient_frontier() -> str:
    """The frontier with its knee."""
    chart, traced = _frontier_chart("The efficient frontier and its knee")
    first, last, knee = traced.points[0], traced.points[-1], traced.points[traced.knee_index]
    chart.line([(each.volatility, each.expected_return) for each in (first, last)], GREY, dashed=True)
    chart.dot(
        knee.volatility, knee.expected_return, ORANGE, "knee: furthest from the chord", side="above left"
    )
    return chart.svg()


PICTURES = (
    equal_weight,
    risk_parity,
    min_variance,
    mean_variance,
    max_sharpe,
    kelly_criterion,
    black_litterman,
    min_cvar,
    hierarchical_risk_parity,
    efficient_frontier,
)


def _weights(plan: Plan) -> np.ndarray:
    return np.array([float(weight) for weight in plan.weights.values()])


def _place(plan: Plan) -> tuple[float, float]:
    weights = _weights(plan)
    return float(weights @ SIGMA @ weights) ** 0.5, float(MEAN @ weights)


def _frontier_chart(title: str) -> tuple[Chart, Frontier]:
    traced = frontier(COINS, prices=PRICES, points=40)
    chart = Chart(title, (0.1, 0.22), (0.005, 0.042))
    chart.axis_y([0.01, 0.02, 0.03, 0.04], "mean return a week")
    chart.axis_x([0.10, 0.12, 0.14, 0.16, 0.18, 0.20, 0.22], "volatility a week")
    chart.line([(each.volatility, each.expected_return) for each in traced.points], BLUE)
    for place, coin in enumerate(COINS):
        volatility, mean = float(SIGMA[place, place]) ** 0.5, float(MEAN[place])
        if volatility < 0.22:
            chart.dot(volatility, mean, GREY, coin, side=_SIDES.get(coin, "below right"))
    return chart, traced


def _two_bars(
    title: str, names: list[str], first: tuple[np.ndarray, str, str], second: tuple[np.ndarray, str, str]
) -> str:
    tallest = float(max(first[0].max(), second[0].max()))
    lowest = float(min(first[0].min(), second[0].min(), 0.0))
    chart = Chart(title, (-0.6, len(names) - 0.4), (1.1 * lowest, 1.45 * tallest))
    step = 0.1 if tallest > 0.3 else 0.05
    chart.axis_y([step * tick for tick in range(int(lowest / step), int(tallest / step) + 1)], "")
    for place, name in enumerate(names):
        for offset, (values, _, color) in ((-0.2, first), (0.2, second)):
            chart.bar(place + offset, 0.36, (0.0, float(values[place])), color)
        chart.marks.append(_under(chart, place, name))
    chart.legend([(first[2], first[1]), (second[2], second[1])])
    return chart.svg()


def _under(chart: Chart, place: int, name: str) -> str:
    x, y = chart.at(place, chart.y[0])
    return (
        f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle" fill="{INK}" font-size="12">{name}</text>'
    )


def _low_legend(entries: list[tuple[str, str]]) -> list[str]:
    marks: list[str] = []
    for row, (color, text) in enumerate(entries):
        y = 268 + 18 * row
        marks.append(f'<rect x="440" y="{y - 9}" width="12" height="12" fill="{color}"/>')
        marks.append(f'<text x="458" y="{y + 2}" fill="{INK}" font-size="12">{text}</text>')
    return marks


def _he_litterman() -> np.ndarray:
    volatilities = np.array([16.0, 20.3, 24.8, 27.1, 21.0, 20.0, 18.7]) / 100
    upper = """.488 .478 .515 .439 .512 .491  .664 .655 .310 .608 .779  .861 .355 .783 .668
               .354 .777 .653  .405 .306  .652"""
    correlations = np.eye(7)
    correlations[np.triu_indices(7, 1)] = [float(each) for each in upper.split()]
    correlations = correlations + correlations.T - np.eye(7)
    return correlations * np.outer(volatilities, volatilities)


if __name__ == "__main__":
    for picture in PICTURES:
        (HERE / f"{picture.__name__}.svg").write_text(picture(), encoding="utf-8")
