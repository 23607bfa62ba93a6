"""From a file and a command's options to what a plan is asked with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from capdesk.app.commands.options import DEFAULT_CONFIG
from capdesk.app.series import Table, read_table
from capdesk.config import PlanningConfig, read_planning
from capdesk.model.errors import InvalidInput
from capdesk.model.money import read_decimal
from capdesk.model.plans import AllocationStrategy, Plan

if TYPE_CHECKING:
    from capdesk.model.runs import Run

Array = NDArray[np.float64]
MOMENTS = ("mean", "risk_score")


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a file and the options say.

    Attributes
    ----------
    inputs
        The keywords of `plan_weights` but for the limits.
    periods_per_year
        1 for moments, which are of a year.
    """

    file: Path
    table: Table
    names: tuple[str, ...]
    settings: PlanningConfig
    inputs: dict[str, Any]
    periods_per_year: float

    def plan(self, **said: Any) -> Plan:
        """The plan, by the strategy that was named or that of the settings.

        Parameters
        ----------
        **said
            `max_names`, `risk_aversion`, and limits of `capdesk.Constraints`, in fractions.

        Raises
        ------
        InvalidInput, InfeasibleError, CertificateError
            As `plan_weights` does.
        """
        from capdesk.weights import plan_weights

        names, strategy, given = self._asked(**said)
        return plan_weights(names, strategy, **given)

    def run(self, day: date, **said: Any) -> tuple[Plan, Run]:
        """The plan, and the run of a day that can be stored with it; as `plan`."""
        from capdesk.runs.weights import weights_run

        names, strategy, given = self._asked(**said)
        return weights_run(day, names, strategy, **given)

    def _asked(
        self, *, max_names: str | None, risk_aversion: str | None, **limits: Any
    ) -> tuple[list[str], Any, dict[str, Any]]:
        from capdesk.planning import asked

        most = self.settings.max_protocols if max_names is None else whole(max_names, "max_names")
        settings = self.settings.model_copy(update={"max_protocols": most})
        aversion = None if risk_aversion is None else float(read_decimal(risk_aversion, "risk_aversion"))
        inputs = {"risk_aversion": aversion, "periods_per_year": self.periods_per_year, **self.inputs}
        return asked(settings, self.names, limits, None, None, inputs)

    def with_views(self, file: Path) -> Asked:
        """The same with the views and market weights of a TOML file.

        Raises
        ------
        InvalidInput
            For a strategy that has no use for them, or a file that cannot be read.
        """
        from capdesk.app.views_file import read_views

        if self.settings.strategy != AllocationStrategy.BLACK_LITTERMAN:
            raise InvalidInput(
                f"views are for black_litterman, the strategy is {self.settings.strategy}: "
                "give --strategy black_litterman"
            )
        return replace(self, inputs={**self.inputs, **read_views(file, self.periods_per_year)})

    @property
    def returns(self) -> Array | None:
        """The returns of the file, (T, n); None of moments."""
        if self.table.kind == "moments":
            return None
        return np.array([[float(each) for each in self.table.returns_of(name)] for name in self.names]).T


def read(
    file: Path,
    *,
    kind: str | None,
    drop_incomplete: bool,
    only: Sequence[str] | None,
    strategy: str | None,
    risk_free_rate: str | None,
    periods_per_year: str | None,
    estimator: str,
    config: Path | None,
) -> Asked:
    """Read a file with the options that go with it.

    Raises
    ------
    InvalidInput
        For a file, a name or a figure that cannot be read.
    """
    settings = settings_of(config, strategy=strategy, risk_free_rate=risk_free_rate)
    table = read_table(file, kind, only or (), drop_incomplete=drop_incomplete)
    names = table.rows if table.kind == "moments" else table.names
    unknown = [name for name in only or () if name not in names]
    if unknown:
        raise InvalidInput(f"{file} has no name {', '.join(unknown)}; its names are {', '.join(names)}")
    chosen = tuple(name for name in names if not only or name in only)
    if table.kind == "moments":
        return Asked(file, table, chosen, settings, _moments(file, table, chosen), 1.0)
    rows = np.array([[float(each) for each in table.columns[name]] for name in chosen]).T
    per_year = float(
        read_decimal(
            table.periods_per_year if periods_per_year is None else periods_per_year, "periods_per_year"
        )
    )
    return Asked(file, table, chosen, settings, {table.kind: rows, "estimator": estimator}, per_year)


def settings_of(config: Path | None, **said: str | None) -> PlanningConfig:
    """The fields of planning: options, the environment, the file that was named or lies beside the caller.

    Raises
    ------
    ConfigError
        For a value that cannot be obeyed.
    """
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
    return read_planning({name: value for name, value in said.items() if value is not None}, config)


def planner_of(file: Path, max_weight: str | None) -> Callable[[], Plan]:
    """What plans from a file each time it is called, by the strategy of the environment."""

    def plan() -> Plan:
        asked = read(
            file,
            kind=None,
            drop_incomplete=False,
            only=None,
            strategy=None,
            risk_free_rate=None,
            periods_per_year=None,
            estimator="sample",
            config=None,
        )
        return asked.plan(max_names=None, risk_aversion=None, max_weight=max_weight)

    return plan


def whole(text: str, name: str) -> int:
    """A whole number from 1 up.

    Raises
    ------
    InvalidInput
        For anything else.
    """
    if not text.isdigit() or not int(text):
        raise InvalidInput(f"{name} must be a whole number from 1 up, got {text}")
    return int(text)


def _moments(file: Path, table: Table, chosen: Sequence[str]) -> dict[str, Any]:
    places = [table.rows.index(name) for name in chosen]
    given: dict[str, Any] = {}
    for column, keyword in zip(MOMENTS, ("mean", "risk_scores"), strict=True):
        if column in table.columns:
            given[keyword] = np.array([float(table.columns[column][place]) for place in places])
    covariances = [name for name in table.columns if name not in MOMENTS]
    if not covariances:
        return given
    if set(covariances) != set(table.rows):
        raise InvalidInput(
            f"{file}: covariances need a column for each name, its rows are {', '.join(table.rows)} "
            f"and its columns {', '.join(covariances)}"
        )
    given["covariance"] = np.array(
        [[float(table.columns[name][place]) for name in chosen] for place in places]
    )
    return given
