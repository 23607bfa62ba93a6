"""The hull of an activity loses nothing: at any price its best mix is the best amount of the curve itself."""

from __future__ import annotations

import numpy as np
import pytest

from capdesk.decide.pools import building
from capdesk.decide.pools.activities import activities
from capdesk.decide.pools.hull import hull
from tests.decide.pools import instances


@pytest.mark.parametrize("seed", range(4))
def test_the_best_mix_of_the_hull_is_the_best_amount_at_every_price(seed: int) -> None:
    a = activities(building.state(*instances.treasury(seed, 40, 8, emission=0.8)).problem, count=False)
    h = hull(a)
    assert h.bent.sum() > 5
    for each in np.flatnonzero((a.most > 0) & (a.whole == 0)).tolist():
        pieces = slice(a.start[each], a.start[each + 1])
        points = slice(h.first_point[each], h.first_point[each + 1])
        slope, length, beyond = a.slope[pieces], a.length[pieces], h.beyond[pieces]
        assert (h.point_owner[points] == each).all()
        amounts = np.unique(
            [a.least[each], *np.linspace(a.least[each], a.most[each], 23), *np.cumsum(length)]
        )
        amounts = amounts[amounts >= a.least[each] * (1 - 1e-12)]
        worth = a.worth(np.full(len(amounts), each), amounts)
        for price in np.linspace(slope.min() - 0.1, slope.max() + 0.1, 41):
            chord = h.worth[each] - price * h.chord[each]
            more = np.maximum(slope[beyond] - price, 0.0) @ length[beyond]
            mixed = [0.0, chord + more, *(h.point_worth[points] - price * h.point_amount[points])]
            assert max(mixed) == pytest.approx(max(0.0, (worth - price * amounts).max()), abs=1e-9)
