"""The linear relaxation of a node, over the activities that price in, kept warm in HiGHS.

The program has a few dozen rows and the columns of those activities that were ever worth
something at the multipliers of a node; every other activity is priced at every node. Each row
may be broken at a price that no plan would pay, so that the program always has an answer and
its multipliers always say something.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from capdesk.decide.pools import highs
from capdesk.decide.pools.activities import Activities, ranges
from capdesk.decide.pools.lagrangian import FREE, OFF, ON, WHOLE, Lagrangian, Modes, Priced
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import Array, Index, NotSolved, summed

_WORTH = 1e-9
_BREACH_PRICE = 1e4
_BREACH = 1e-6
_BATCH = 60


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """A node's relaxation: its bound, multipliers, and how much of each admitted activity happens.

    Parameters
    ----------
    priced
        The bound at the multipliers, and the parts it is made of.
    members
        (c,) the admitted activities; the next two are theirs.
    amount, share
        (c,) how much happens, and how much of the charge is paid, 0 ... 1.
    worth
        (c,) what the program takes each to be worth.
    value
        The program's own objective.
    possible
        Whether the rows can be kept.
    """

    priced: Priced
    members: Index
    amount: Array
    share: Array
    worth: Array
    value: float
    possible: bool


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """The program in which everything is decided.

    Parameters
    ----------
    members, amount
        (c,) the admitted activities, and how much of each happens.
    value
        The program's own objective.
    possible
        Whether the rows can be kept.
    multipliers
        (m,) of the rows.
    """

    members: Index
    amount: Array
    value: float
    possible: bool
    multipliers: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """The program's columns that belong to activities.

    Parameters
    ----------
    member
        Which of the admitted activities each belongs to.
    lower, upper
        (4, columns) bounds in each mode.
    amount, share
        What a unit of the column adds to its activity's amount and charge.
    """

    member: Index
    lower: Array
    upper: Array
    amount: Array
    share: Array

    @staticmethod
    def joined(parts: list[_Columns]) -> _Columns:
        return _Columns(
            np.concatenate([part.member for part in parts]),
            np.hstack([part.lower for part in parts]),
            np.hstack([part.upper for part in parts]),
            np.concatenate([part.amount for part in parts]),
            np.concatenate([part.share for part in parts]),
        )


def _of(
    member: Index,
    bounds: dict[int, tuple[Array | float, Array | float]],
    amount: Array | float,
    share: Array | float,
) -> _Columns:
    count = len(member)
    lower, upper = np.zeros((4, count)), np.zeros((4, count))
    for mode, (low, high) in bounds.items():
        lower[mode], upper[mode] = low, high
    return _Columns(member, lower, upper, np.broadcast_to(amount, count), np.broadcast_to(share, count))


class Relaxation:
    """The relaxation over the activities that price in."""

    def __init__(self, a: Activities, first: Index) -> None:
        self.a = a
        self.lagrangian = Lagrangian(a)
        self.members = np.zeros(0, dtype=np.intp)
        self._place = np.full(a.size, -1)
        self._columns: _Columns | None = None
        self._batches: list[Index] = []
        self._at = np.zeros(0, dtype=np.int32)
        self._cost = np.zeros(0)
        self._closed = False
        self._breach: Index = np.zeros(0, dtype=np.intp)
        self._breach_price = _BREACH_PRICE * max(1.0, float(a.charge.max(initial=0.0)))
        self._solver = self._program()
        self.admit(first)

    def _program(self) -> highspy.Highs:
        a, solver = self.a, highs.silent()
        for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            solver.setOptionValue(name, 1e-9)
        solver.setOptionValue("presolve", "off")
        rows = len(a.lower)
        matrix = sparse.csc_array(np.hstack([a.plain_rows, np.eye(rows), -np.eye(rows)]))
        self._width = int(matrix.shape[1])
        self._breach = np.arange(a.plain_rows.shape[1], self._width)
        cost = np.concatenate([a.plain_cost, np.full(2 * rows, -self._breach_price)])
        upper = np.concatenate([a.plain_upper, np.full(2 * rows, np.inf)])
        model = highs.program(cost, (np.zeros(self._width), upper), matrix, (a.lower, a.upper))
        solver.passModel(model)
        return solver

    def admit(self, chosen: Index) -> None:
        """Give the program the columns of more activities, all of them free."""
        a, lagrangian = self.a, self.lagrangian
        hull = lagrangian.hull
        member = len(self.members) + np.arange(len(chosen))
        pieces = ranges(a.start[chosen], a.start[chosen + 1])
        owner = np.repeat(np.arange(len(chosen)), a.start[chosen + 1] - a.start[chosen])
        leaving = np.flatnonzero(a.whole[chosen] > 0)
        small = np.flatnonzero(hull.tickets[chosen])
        least, length = a.least[chosen[small]], hull.chord[chosen]
        bounds = {
            mode: (lagrangian.lower[mode, pieces], lagrangian.upper[mode, pieces])
            for mode in (FREE, ON, WHOLE)
        }
        cost = np.concatenate(
            [
                hull.chord_value[chosen] / length,
                a.slope[pieces],
                -a.charge[chosen],
                -hull.rest_charge[chosen],
                np.zeros(len(leaving)),
                hull.ticket_value[chosen[small]],
            ]
        )
        added = [
            _of(member, {FREE: (0.0, length)}, 1.0, 1.0 / length),
            _of(member[owner], bounds, 1.0, 0.0),
            _of(member, {ON: (1.0, 1.0), WHOLE: (1.0, 1.0)}, 0.0, 1.0),
            _of(member, {FREE: (0.0, 1.0)}, 0.0, 1.0),
            _of(member[leaving], {WHOLE: (1.0, 1.0)}, 0.0, 0.0),
            _of(member[small], {FREE: (0.0, 1.0)}, least, 1.0),
        ]
        self._columns = _Columns.joined([*([self._columns] if self._columns else []), *added])
        self._add_columns(cost, np.concatenate([part.upper[FREE] for part in added]), self._matrix(a, chosen))
        self._at = np.concatenate([self._at, np.arange(self._width - len(cost), self._width, dtype=np.int32)])
        self._cost = np.concatenate([self._cost, cost])
        self._place[chosen] = member
        self.members = np.concatenate([self.members, chosen])
        self._batches.append(chosen)

    def _matrix(self, a: Activities, chosen: Index) -> Matrix:
        """The columns of some activities, in the order in which they are admitted."""
        hull = self.lagrangian.hull
        unit, charge, whole = a.unit_rows[:, chosen], a.charge_rows[:, chosen], a.whole_rows[:, chosen]
        left = whole
        if a.fewest >= 0:
            left = sparse.csc_array(hull.left_rows[:, chosen])
        chord = unit + sparse.csc_array((charge + left) * (1.0 / hull.chord[chosen]))
        owner = np.repeat(np.arange(len(chosen)), a.start[chosen + 1] - a.start[chosen])
        leaving = np.flatnonzero(a.whole[chosen] > 0)
        small = np.flatnonzero(hull.tickets[chosen])
        ticket = unit[:, small] * a.least[chosen[small]] + charge[:, small]
        return sparse.csc_array(
            sparse.hstack([chord, unit[:, owner], charge, charge, whole[:, leaving], ticket])
        )

    def _add_columns(self, cost: Array, upper: Array, matrix: Matrix) -> None:
        self._solver.addCols(
            len(cost),
            cost,
            np.zeros(len(cost)),
            upper,
            matrix.nnz,
            matrix.indptr,
            matrix.indices,
            matrix.data,
        )
        self._width += len(cost)

    def extend(self, a: Activities) -> None:
        """Go on with the same problem, which has more rows at its end."""
        old, count = len(self.a.lower), len(a.lower) - len(self.a.lower)
        self.a, self.lagrangian = a, Lagrangian(a)
        tail = slice(old, len(a.lower))
        more = sparse.csr_array(
            sparse.hstack([self._matrix(a, batch).tocsr()[tail] for batch in self._batches])
        )
        where = self._at[more.indices]
        self._solver.addRows(
            count, a.lower[tail], a.upper[tail], more.nnz, more.indptr, where.astype(np.int32), more.data
        )
        slack = sparse.csc_array(
            (np.full(count, -1.0), np.arange(old, old + count), np.arange(count + 1)),
            shape=(old + count, count),
        )
        self._breach = np.concatenate([self._breach, np.arange(self._width, self._width + count)])
        self._add_columns(np.full(count, -self._breach_price), np.full(count, np.inf), slack)

    def solve(self, modes: Modes) -> Relaxed:
        """The relaxation of a node; activities that are worth something are admitted until none is."""
        self._open(modes, FREE)
        while True:
            relaxed = self._relaxed(modes)
            worth = relaxed.priced.free.copy()
            worth[self.members] = 0.0
            wanted = np.flatnonzero(worth > _WORTH)
            if not len(wanted):
                return relaxed
            if len(wanted) > _BATCH:
                wanted = wanted[np.argpartition(-worth[wanted], _BATCH)[:_BATCH]]
            self.admit(wanted)

    def fix(self, modes: Modes) -> Fixed:
        """The program in which nothing is left to decide: what `modes` does not name does not happen."""
        self._open(modes, OFF)
        point, multipliers = self._run()
        columns = self._columns
        assert columns is not None
        amount = summed(columns.member, point[self._at] * columns.amount, len(self.members))
        return Fixed(self.members, amount, self._value(), self._kept(point), multipliers)

    def _relaxed(self, modes: Modes) -> Relaxed:
        point, multipliers = self._run()
        columns, count = self._columns, len(self.members)
        assert columns is not None
        z = point[self._at]
        return Relaxed(
            priced=self.lagrangian.price(multipliers, modes),
            members=self.members,
            amount=summed(columns.member, z * columns.amount, count),
            share=summed(columns.member, z * columns.share, count),
            worth=summed(columns.member, z * self._cost, count),
            value=self._value(),
            possible=self._kept(point),
        )

    def _value(self) -> float:
        return self._solver.getInfo().objective_function_value

    def _kept(self, point: Array) -> bool:
        return bool(point[self._breach].max(initial=0.0) <= _BREACH)

    def _run(self) -> tuple[Array, Array]:
        self._solver.run()
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            self._solver.clearSolver()
            self._solver.run()
            status = self._solver.getModelStatus()
        # An answer that HiGHS is not sure of still gives a bound, and a plan is checked on its own.
        if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnknown):
            raise NotSolved(f"HiGHS ended with {self._solver.modelStatusToString(status)} on a relaxation")
        solution = self._solver.getSolution()
        return np.array(solution.col_value), np.array(solution.row_dual)

    def _open(self, modes: Modes, otherwise: int) -> None:
        """Set the bounds of all columns to what is decided."""
        columns = self._columns
        assert columns is not None
        how = np.full(len(self.members), otherwise)
        if modes:
            how[self._place[list(modes)]] = list(modes.values())
        its = how[columns.member]
        each = np.arange(len(its))
        lower, upper = columns.lower[its, each], columns.upper[its, each]
        where = self._at
        closed = otherwise == OFF
        if closed != self._closed:
            lost = np.flatnonzero(self.a.waste)
            where = np.concatenate([lost.astype(np.int32), where])
            lower = np.concatenate([np.zeros(len(lost)), lower])
            upper = np.concatenate([np.zeros(len(lost)) if closed else self.a.plain_upper[lost], upper])
            self._closed = closed
        self._solver.changeColsBounds(len(where), where, lower, upper)
