"""A plan as JSON and back, with its whole problem: amounts as decimals, floats in hexadecimal, exact.

`capdesk.decide.weights.verification` checks such a text with the standard library alone.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from capdesk.model.errors import InvalidInput
from capdesk.model.evidence import Array, Evidence, Label, Parts
from capdesk.model.money import MICRO, NANO, Amount
from capdesk.model.plans import Certificate, Plan

FORMATS = {"capdesk-plan/1": MICRO, "capdesk-plan/2": NANO}
"""The formats, and how many units of a weight make 1 in each."""
_NONE = "0x0p+0"


def write(plan: Plan) -> str:
    """The plan as one JSON object."""
    evidence = plan.evidence
    return json.dumps(
        {
            "format": next(name for name, per_one in FORMATS.items() if per_one == evidence.per_one),
            "strategy": plan.strategy,
            "budget": str(plan.budget),
            "cash": str(plan.cash),
            "weights": {name: str(weight) for name, weight in plan.weights.items()},
            "certificate": _certificate(plan.certificate),
            "solver": plan.solver,
            "version": plan.version,
            "notes": list(plan.notes),
            "problem": _problem(evidence),
            "proof": {
                "point": _hexes(evidence.point),
                "equality_multipliers": _hexes(evidence.equality_multipliers),
                "inequality_multipliers": _hexes(evidence.inequality_multipliers),
                "slope": float(evidence.slope).hex(),
                "anchor": None if evidence.anchor is None else _hexes(evidence.anchor),
                "anchor_equal": None if evidence.anchor_equal is None else _hexes(evidence.anchor_equal),
                "anchor_most": None if evidence.anchor_most is None else _hexes(evidence.anchor_most),
                "chances": None if evidence.chances is None else _hexes(evidence.chances),
                **_drawdown(evidence),
                "fixed": float(evidence.fixed).hex(),
                "search_bound": float(evidence.search_bound).hex(),
            },
        },
        ensure_ascii=False,
    )


def read(text: str | bytes) -> Plan:
    """A plan from what `write` made.

    Raises
    ------
    InvalidInput
        For a text that is no plan.
    """
    try:
        value = json.loads(text)
        if value["format"] not in FORMATS:
            known = " and ".join(map(repr, FORMATS))
            raise InvalidInput(f"the plan has the format {value['format']!r}: this capdesk reads {known}")
        certificate = dict(value["certificate"])
        certificate["total"] = Amount(certificate["total"])
        return Plan(
            strategy=value["strategy"],
            weights={name: Amount(weight) for name, weight in value["weights"].items()},
            cash=Amount(value["cash"]),
            budget=Amount(value["budget"]),
            certificate=Certificate(**certificate),
            evidence=_evidence(value),
            solver=value["solver"],
            version=value["version"],
            notes=tuple(value["notes"]),
        )
    except json.JSONDecodeError as error:
        raise InvalidInput(f"this is not a plan, because it is no JSON: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"this is not a plan: {type(error).__name__} {error}") from error


def _certificate(certificate: Certificate) -> dict[str, Any]:
    values = {name: getattr(certificate, name) for name in certificate.__struct_fields__}
    return {**values, "total": str(certificate.total)}


def _problem(evidence: Evidence) -> dict[str, Any]:
    return {
        "kind": evidence.kind,
        "covariance": _covariance(evidence),
        "curvature": float(evidence.curvature).hex(),
        "linear": _hexes(evidence.linear),
        "equalities": _rows(*evidence.equalities, evidence.equality_labels),
        "inequalities": _rows(*evidence.inequalities, evidence.inequality_labels),
        "lower": _hexes(evidence.lower),
        "upper": _hexes(evidence.upper),
        "lower_limit": evidence.lower_limit,
        "upper_limit": evidence.upper_limit,
        "parts": {
            "index": evidence.parts.index.tolist(),
            "sign": [int(sign) for sign in evidence.parts.sign],
            "offset": _hexes(evidence.parts.offset),
        },
        "budgets": None if evidence.budgets is None else _hexes(evidence.budgets),
        "scenarios": None if evidence.scenarios is None else [_hexes(row) for row in evidence.scenarios],
        "tail": float(evidence.tail).hex(),
    }


def _drawdown(evidence: Evidence) -> dict[str, str]:
    """The bound on drawdown, where there is one: a plan without it is written as it always was."""
    if not evidence.exponent:
        return {}
    return {
        "exponent": float(evidence.exponent).hex(),
        "drawdown_price": float(evidence.drawdown_price).hex(),
    }


def _covariance(evidence: Evidence) -> dict[str, Any] | None:
    """Of a symmetric matrix the rows up to the diagonal."""
    if evidence.matrix is not None:
        symmetric = np.array_equal(evidence.matrix, evidence.matrix.T)
        rows = (
            evidence.matrix
            if not symmetric
            else [row[: place + 1] for place, row in enumerate(evidence.matrix)]
        )
        return {"matrix": [_hexes(row) for row in rows]}
    if evidence.loadings is None or evidence.specific is None:
        return None
    return {"loadings": [_hexes(row) for row in evidence.loadings], "specific": _hexes(evidence.specific)}


def _rows(matrix: Array, limits: Array, labels: tuple[Label, ...]) -> list[dict[str, Any]]:
    return [
        {
            "limit": label.limit,
            "name": label.name,
            "value": float(label.value).hex(),
            "sign": label.sign,
            "at": np.flatnonzero(row).tolist(),
            "coefficients": _hexes(row[np.flatnonzero(row)]),
            "most": float(most).hex(),
        }
        for row, most, label in zip(matrix, limits, labels, strict=True)
    ]


def _hexes(values: Array) -> list[str]:
    return [value.hex() for value in values.tolist()]


def _floats(values: list[str]) -> Array:
    return np.array([float.fromhex(value) for value in values], dtype=np.float64)


def _evidence(value: dict[str, Any]) -> Evidence:
    problem, proof = value["problem"], value["proof"]
    linear = _floats(problem["linear"])
    covariance: dict[str, Any] = problem["covariance"] or {}
    parts = problem["parts"]
    per_one = FORMATS[value["format"]]
    return Evidence(
        kind=problem["kind"],
        names=tuple(value["weights"]),
        weights=np.array([int(Amount(weight) * per_one) for weight in value["weights"].values()], np.int64),
        per_one=per_one,
        matrix=_matrix(covariance["matrix"]) if "matrix" in covariance else None,
        loadings=np.array([_floats(row) for row in covariance["loadings"]])
        if "loadings" in covariance
        else None,
        specific=_floats(covariance["specific"]) if "specific" in covariance else None,
        curvature=float.fromhex(problem["curvature"]),
        linear=linear,
        equalities=_read_rows(problem["equalities"], len(linear)),
        inequalities=_read_rows(problem["inequalities"], len(linear)),
        lower=_floats(problem["lower"]),
        upper=_floats(problem["upper"]),
        parts=Parts(
            np.array(parts["index"], np.intp), np.array(parts["sign"], np.float64), _floats(parts["offset"])
        ),
        point=_floats(proof["point"]),
        equality_multipliers=_floats(proof["equality_multipliers"]),
        inequality_multipliers=_floats(proof["inequality_multipliers"]),
        slope=float.fromhex(proof["slope"]),
        anchor=_floats_or_none(proof["anchor"]),
        anchor_equal=_floats_or_none(proof["anchor_equal"]),
        anchor_most=_floats_or_none(proof["anchor_most"]),
        budgets=_floats_or_none(problem["budgets"]),
        scenarios=None
        if problem["scenarios"] is None
        else np.array([_floats(row) for row in problem["scenarios"]]),
        tail=float.fromhex(problem["tail"]),
        chances=_floats_or_none(proof["chances"]),
        exponent=float.fromhex(proof.get("exponent", _NONE)),
        drawdown_price=float.fromhex(proof.get("drawdown_price", _NONE)),
        fixed=float.fromhex(proof["fixed"]),
        search_bound=float.fromhex(proof["search_bound"]),
        equality_labels=_labels(problem["equalities"]),
        inequality_labels=_labels(problem["inequalities"]),
        lower_limit=_limit(problem["lower_limit"]),
        upper_limit=_limit(problem["upper_limit"]),
    )


def _floats_or_none(values: list[str] | None) -> Array | None:
    return None if values is None else _floats(values)


def _limit(value: str | list[str]) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(value)


def _matrix(rows: list[list[str]]) -> Array:
    count = len(rows)
    matrix = np.zeros((count, count))
    for place, row in enumerate(rows):
        matrix[place, : len(row)] = _floats(row)
    if count > 1 and len(rows[0]) == 1:
        matrix += np.tril(matrix, -1).T
    return matrix


def _read_rows(rows: list[dict[str, Any]], width: int) -> tuple[Array, Array]:
    matrix = np.zeros((len(rows), width))
    for place, row in enumerate(rows):
        matrix[place, row["at"]] = _floats(row["coefficients"])
    return matrix, _floats([row["most"] for row in rows])


def _labels(rows: list[dict[str, Any]]) -> tuple[Label, ...]:
    return tuple(Label(row["limit"], row["name"], float.fromhex(row["value"]), row["sign"]) for row in rows)
