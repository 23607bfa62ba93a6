"""What our own deposit does to a rate, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from capdesk.decide.pools.rates import pieces, yearly
from capdesk.model.pools import Emission, Kinked, Piecewise, Pool, RateModel

YEAR = 365.0


def earned(
    model: RateModel | None, x: float, *, held: float = 0.0, segments: int = 4, loss: float = 0.0
) -> float:
    """Income in a year of x dollars in a pool of $1M at 5 %, cut so that x is the end of a piece."""
    pool = Pool("p", ("USDC",), forecasted_apy=5.0, forecasted_tvl=1e6, rate_model=model)
    lengths, slopes = pieces(pool, held, max(x, held), 1.0, segments, YEAR, loss)
    return float(lengths @ slopes)


def test_flat_rate_is_continuously_compounded() -> None:
    assert earned(None, 1000) == pytest.approx(1000 * math.log(1.05))


def test_emission_is_shared_with_the_others() -> None:
    assert earned(Emission(), 50_000) == pytest.approx(yearly(5) * 1e6 * 50_000 / 1_050_000)


def test_emission_at_what_is_held_pays_todays_rate() -> None:
    assert earned(Emission(), 100_000, held=100_000) == pytest.approx(yearly(5) * 100_000)


def test_below_the_kink_the_rate_falls_with_the_square_of_the_deposits() -> None:
    assert earned(Kinked(0.8, kink=0.9), 50_000) == pytest.approx(50_000 * yearly(5) / 1.05**2)


def test_above_the_kink_a_deposit_of_a_twentieth_leaves_a_fifth_of_the_rate() -> None:
    left = earned(Kinked(0.93), 50_000, segments=1) / (50_000 * yearly(5))
    assert left == pytest.approx(0.17, abs=0.01)


def test_curve_through_the_kink_never_promises_more_than_the_model() -> None:
    model = Kinked(0.93)
    truth = [earned(model, x, segments=1) for x in (10_000, 30_000, 50_000, 120_000)]
    for x, exactly in zip((10_000, 30_000, 50_000, 120_000), truth, strict=True):
        assert earned(model, x, segments=12) <= exactly + 1e-9


@pytest.mark.parametrize(
    "model", [None, Emission(), Kinked(0.7), Kinked(0.95), Piecewise((1e4, 1e5), (6, 2))]
)
def test_pieces_get_no_steeper(model: RateModel | None) -> None:
    pool = Pool("p", ("USDC",), forecasted_apy=5.0, forecasted_tvl=1e6, rate_model=model)
    lengths, slopes = pieces(pool, 2e4, 9e4, 100, 5, 30, 0.0)
    assert (np.diff(slopes) <= 1e-15).all()
    assert lengths.sum() == pytest.approx(9e4)
    assert 2e4 in np.cumsum(lengths).round(6)


def test_piecewise_pays_each_piece_its_rate() -> None:
    model = Piecewise((1e4, 1e5), (6, 2))
    assert earned(model, 3e4) == pytest.approx(1e4 * yearly(6) + 2e4 * yearly(2))


def test_expected_loss_is_taken_from_every_dollar() -> None:
    assert earned(None, 1000, loss=0.01) == pytest.approx(1000 * (math.log(1.05) - 0.01))
