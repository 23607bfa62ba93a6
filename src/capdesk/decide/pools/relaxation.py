"""The linear relaxation of a node, over the activities that price in, kept warm in HiGHS.

The program has a few dozen rows and the columns of those activities that were ever worth
something at the multipliers of a node; every other activity is priced at every node. Each row
may be broken at a price that no plan would pay, so that the program always has an answer and
its multipliers always say something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from capdesk.decide.pools import highs
from capdesk.decide.pools.activities import Activities, ranges
from capdesk.decide.pools.activity_kinds import DEPOSIT
from capdesk.decide.pools.columns import Columns, columns_of
from capdesk.decide.pools.cuts import Cut
from capdesk.decide.pools.hull import hull
from capdesk.decide.pools.lagrangian import FREE, OFF, ON, WHOLE, Lagrangian, Modes, Priced
from capdesk.decide.pools.problem import Array, Index, NotSolved, summed

_WORTH = 1e-9
_BREACH_PRICE = 1e4
_BREACH = 1e-6
_BATCH = 120


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """A node's relaxation: its bound, multipliers, and how much of each admitted activity happens.

    Parameters
    ----------
    priced
        The bound at the multipliers, and the parts it is made of.
    members
        (c,) the admitted activities; the next three are theirs.
    amount, share, worth
        (c,) how much happens, how much of the charge is paid, 0 ... 1, and what the program
        takes each to be worth.
    possible
        Whether the rows can be kept.
    """

    priced: Priced
    members: Index
    amount: Array
    share: Array
    worth: Array
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


class Relaxation:
    """The relaxation over the activities that price in."""

    def __init__(self, a: Activities, first: Index) -> None:
        self.a = a
        self.lagrangian = Lagrangian(a)
        self.members = np.zeros(0, dtype=np.intp)
        self.cuts: list[Cut] = []
        self.hull = hull(a)
        counted = (a.kind == DEPOSIT) & (a.fewest >= 0)
        self._at_most_one = self.hull.bent | counted
        self.place = np.full(a.size, -1)
        self._ready = np.zeros(0, dtype=bool)
        own = len(a.lower)
        self.unit, self.charge, self._whole = (np.zeros((0, own)) for _ in range(3))
        self._row = np.arange(own)
        self._at = np.zeros(0, dtype=np.int32)
        self._columns: Columns | None = None
        self._lower, self._upper = np.zeros(0), np.zeros(0)
        self._closed = False
        self._breach_price = _BREACH_PRICE * max(1.0, float(a.charge.max(initial=0.0)))
        self._solver = self._program()
        self.admit(first)

    def _program(self) -> highspy.Highs:
        a, solver = self.a, highs.silent()
        for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            solver.setOptionValue(name, 1e-9)
        solver.setOptionValue("presolve", "off")
        solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self._solver, self._width, self._height = solver, 0, 0
        self._empty_rows(a.lower, a.upper)
        rows = len(a.lower)
        self._plainly(True)
        both = np.vstack([a.plain_rows.T, np.eye(rows), -np.eye(rows)])
        cost = np.concatenate([a.plain_cost, np.full(2 * rows, -self._breach_price)])
        upper = np.concatenate([a.plain_upper, np.full(2 * rows, np.inf)])
        self._add(cost, upper, both, np.arange(rows))
        self._breach = np.arange(len(a.plain_cost), self._width)
        return solver

    def _plainly(self, plain: bool) -> None:
        """Take the program as it stands, which is fast, or scale it and perturb its costs."""
        self._solver.setOptionValue("simplex_scale_strategy", 0 if plain else 2)
        self._solver.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0 if plain else 1.0)

    def _empty_rows(self, lower: Array, upper: Array) -> None:
        count, none = len(lower), np.zeros(0, dtype=np.int32)
        self._solver.addRows(count, lower, upper, 0, np.zeros(count, np.int32), none, np.zeros(0))
        self._height += count

    def _add(self, cost: Array, upper: Array, uses: Array, row: Index) -> None:
        """Add columns; `uses` (columns, rows) stands in the program's rows `row`."""
        column, place = np.nonzero(uses)
        start = np.searchsorted(column, np.arange(len(cost))).astype(np.int32)
        self._solver.addCols(
            len(cost),
            cost,
            np.zeros(len(cost)),
            upper,
            len(column),
            start,
            row[place].astype(np.int32),
            uses[column, place],
        )
        self._width += len(cost)

    def admit(self, chosen: Index) -> None:
        """Give the program the columns of more activities, all of them free."""
        a, h = self.a, self.hull
        member = len(self.members) + np.arange(len(chosen))
        self.place[chosen] = member
        self.members = np.concatenate([self.members, chosen])
        self._ready = np.concatenate([self._ready, np.zeros(len(chosen), dtype=bool)])
        own = [each[:, chosen].toarray().T for each in (a.unit_rows, a.charge_rows, a.whole_rows)]
        self.unit = np.vstack([self.unit, own[0]])
        self.charge = np.vstack([self.charge, own[1]])
        self._whole = np.vstack([self._whole, own[2]])
        pieces = ranges(a.start[chosen], a.start[chosen + 1])
        of_piece = np.repeat(member, a.start[chosen + 1] - a.start[chosen])
        beyond = h.beyond[pieces]
        points = ranges(h.first_point[chosen], h.first_point[chosen + 1])
        chord = h.chord[chosen]
        self._append(
            columns_of(
                member,
                h.worth[chosen] / chord,
                amount=1.0,
                share=1 / chord,
                whole=np.where(a.whole[chosen] > 0, 1 / chord, 0.0),
                modes={FREE: (0.0, chord)},
            ),
            columns_of(
                of_piece[beyond],
                a.slope[pieces[beyond]],
                amount=1.0,
                modes={FREE: (0.0, a.length[pieces[beyond]])},
            ),
            columns_of(
                self.place[h.point_owner[points]],
                h.point_worth[points],
                amount=h.point_amount[points],
                share=1.0,
                modes={FREE: (0.0, 1.0)},
            ),
            cut=False,
        )

    def _decide(self, chosen: Index) -> None:
        """Give the program the columns with which activities happen that it has admitted."""
        a = self.a
        member = self.place[chosen]
        self._ready[member] = True
        pieces = ranges(a.start[chosen], a.start[chosen + 1])
        of_piece = np.repeat(member, a.start[chosen + 1] - a.start[chosen])
        leaving = np.flatnonzero(a.whole[chosen] > 0)
        length, lower, upper = a.length[pieces], self.lagrangian.lower[pieces], self.lagrangian.upper[pieces]
        happens = {ON: (1.0, 1.0), WHOLE: (1.0, 1.0)}
        self._append(
            columns_of(
                of_piece, a.slope[pieces], amount=1.0, modes={ON: (lower, upper), WHOLE: (length, length)}
            ),
            columns_of(member, -a.charge[chosen], share=1.0, modes=happens),
            columns_of(member[leaving], np.zeros(len(leaving)), whole=1.0, modes={WHOLE: (1.0, 1.0)}),
            cut=True,
        )

    def _append(self, *parts: Columns, cut: bool) -> None:
        """Add columns of admitted activities; points of a bent curve share one row with its chord."""
        a, new = self.a, Columns.joined(parts)
        uses = new.amount[:, None] * self.unit[new.member]
        uses += new.share[:, None] * self.charge[new.member]
        uses += new.whole[:, None] * self._whole[new.member]
        if a.fewest >= 0:
            # Where a part may be withdrawn, the chord may be that part: the pool may stay in use.
            partly = (new.whole > 0) & (new.share > 0) & (a.most[self.members[new.member]] > 0)
            uses[partly, a.fewest] -= (new.whole[:, None] * self._whole[new.member])[partly, a.fewest]
        row = self._row[: len(a.lower)]
        if cut:
            # Only what is decided is added after the cuts that it stands in.
            unit, charge = self.lagrangian.cut_uses(self.members[new.member])
            more = new.amount[:, None] * unit + new.share[:, None] * charge
            uses, row = np.hstack([uses, more]), self._row
        shared = np.flatnonzero(
            self._at_most_one[self.members[new.member]] & (new.share > 0) & (new.upper[:, FREE] > 0)
        )
        if len(shared):
            its, where = np.unique(new.member[shared], return_inverse=True)
            count = len(its)
            self._empty_rows(np.full(count, -np.inf), np.ones(count))
            one = np.zeros((len(new.member), count))
            one[shared, where] = new.share[shared]
            uses = np.hstack([uses, one])
            row = np.concatenate([row, self._height - count + np.arange(count)])
        self._at = np.concatenate([self._at, self._width + np.arange(len(new.cost), dtype=np.int32)])
        self._add(new.cost, new.upper[:, FREE], uses, row)
        self._columns = Columns.joined([*([self._columns] if self._columns else []), new])
        self._lower = np.concatenate([self._lower, np.zeros(len(new.cost))])
        self._upper = np.concatenate([self._upper, new.upper[:, FREE]])

    def extend(self, cuts: Sequence[Cut]) -> None:
        """Go on with the same problem, which has more rows."""
        count, columns = len(cuts), self._columns
        assert columns is not None
        dense = np.zeros((2, len(self.members), count))
        for number, cut in enumerate(cuts):
            for side, (its, values) in zip(dense, (cut.unit, cut.charge), strict=True):
                side[self.place[its], number] = values
        unit, charge = dense[:, columns.member]
        self.cuts += cuts
        self.lagrangian.extend(cuts)
        uses = columns.amount[:, None] * unit + columns.share[:, None] * charge
        row, column = np.nonzero(uses.T)
        start = np.searchsorted(row, np.arange(count)).astype(np.int32)
        upper = np.array([cut.upper for cut in cuts])
        self._solver.addRows(
            count, np.full(count, -np.inf), upper, len(row), start, self._at[column], uses[column, row]
        )
        self._row = np.concatenate([self._row, self._height + np.arange(count)])
        self._height += count
        self._breach = np.concatenate([self._breach, np.arange(self._width, self._width + count)])
        self._add(
            np.full(count, -self._breach_price), np.full(count, np.inf), -np.eye(count), self._row[-count:]
        )

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
        return Fixed(
            self.members,
            amount,
            self._solver.getObjectiveValue(),
            bool(point[self._breach].max(initial=0.0) <= _BREACH),
            multipliers,
        )

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
            worth=summed(columns.member, z * columns.cost, count),
            possible=bool(point[self._breach].max(initial=0.0) <= _BREACH),
        )

    def _run(self) -> tuple[Array, Array]:
        self._solver.run()
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            self._solver.clearSolver()
            self._plainly(False)
            self._solver.run()
            status = self._solver.getModelStatus()
            self._plainly(True)
        # An answer that HiGHS is not sure of still gives a bound, and a plan is checked on its own.
        if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnknown):
            raise NotSolved(f"HiGHS ended with {self._solver.modelStatusToString(status)} on a relaxation")
        solution = self._solver.getSolution()
        return np.array(solution.col_value), np.array(solution.row_dual)[self._row]

    def _open(self, modes: Modes, otherwise: int) -> None:
        """Set the bounds of all columns to what is decided."""
        how = np.full(len(self.members), otherwise)
        if modes:
            decided = np.fromiter(modes.keys(), dtype=np.intp, count=len(modes))
            mode = np.fromiter(modes.values(), dtype=np.intp, count=len(modes))
            known = self.place[decided] >= 0
            decided, mode = decided[known], mode[known]
            how[self.place[decided]] = mode
            new = decided[(mode != OFF) & ~self._ready[self.place[decided]]]
            if len(new):
                self._decide(new)
        columns = self._columns
        assert columns is not None
        its, each = how[columns.member], np.arange(len(columns.member))
        lower, upper = columns.lower[each, its], columns.upper[each, its]
        changed = np.flatnonzero((lower != self._lower) | (upper != self._upper))
        self._lower, self._upper = lower, upper
        where, low, high = self._at[changed], lower[changed], upper[changed]
        closed = otherwise == OFF
        if closed != self._closed:
            lost = np.flatnonzero(self.a.waste)
            where = np.concatenate([lost.astype(np.int32), where])
            low = np.concatenate([np.zeros(len(lost)), low])
            high = np.concatenate([np.zeros(len(lost)) if closed else self.a.plain_upper[lost], high])
            self._closed = closed
        if len(where):
            self._solver.changeColsBounds(len(where), where, low, high)
