"""Weights by name are a read-only mapping of names to amounts, in the order given, exact to a billionth."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from capdesk.model.money import Amount
from capdesk.model.shares import Shares

SHARES = Shares(("b", "a", "c"), np.array([250_000_000, 1, 0]))


def test_amounts_are_billionths_in_the_order_of_the_names() -> None:
    assert list(SHARES.items()) == [("b", Amount("0.25")), ("a", Amount("0.000000001")), ("c", Amount(0))]
    assert list(SHARES) == list(SHARES.keys()) == ["b", "a", "c"]
    assert sum(SHARES.values()) == Amount("0.250000001")
    assert all(isinstance(weight, Amount) for weight in SHARES.values())
    assert len(SHARES) == 3


def test_it_equals_the_dictionary_it_reads_like() -> None:
    written = {"a": Amount("0.000000001"), "b": Amount("0.25"), "c": Amount(0)}
    assert written == SHARES
    assert dict(SHARES) == written
    assert repr(SHARES) == repr(dict(SHARES))
    assert pickle.loads(pickle.dumps(SHARES)) == written


def test_an_unknown_name_has_no_weight() -> None:
    assert "d" not in SHARES
    assert SHARES.get("d") is None
    with pytest.raises(KeyError, match="d"):
        SHARES["d"]
