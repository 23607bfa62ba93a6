"""The whole mixed-integer program, as one matrix: the reference that the exact solver is held to.

Written from the problem's data and not from the exact solver's relaxation, so that an error
in one is not an error in both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import highspy
import numpy as np

from capdesk.decide.pools import highs
from capdesk.decide.pools.matrices import Matrix, sparse
from capdesk.decide.pools.problem import LEAST_LEG, Answer, Array, Index, Infeasible, NotSolved, PoolProblem

GAP = 1e-6


@dataclass(slots=True)
class _Rows:
    """Rows of a matrix in the making."""

    row: list[Index] = field(default_factory=list)
    column: list[Index] = field(default_factory=list)
    value: list[Array] = field(default_factory=list)
    lower: list[Array] = field(default_factory=list)
    upper: list[Array] = field(default_factory=list)
    count: int = 0

    def add(
        self, count: int, terms: list[tuple[Any, Any, Any]], lower: float | Array, upper: float | Array
    ) -> None:
        """Add rows; each term has (row within these rows, column, value), broadcast together."""
        for term in terms:
            row, column, value = np.broadcast_arrays(*term)
            self.row.append(row.ravel() + self.count)
            self.column.append(column.ravel())
            self.value.append(value.ravel().astype(float))
        self.lower.append(np.broadcast_to(lower, count).astype(float))
        self.upper.append(np.broadcast_to(upper, count).astype(float))
        self.count += count

    def matrix(self, columns: int) -> Matrix:
        """All rows as one matrix."""
        where = (np.concatenate(self.row), np.concatenate(self.column))
        return sparse.csc_array((np.concatenate(self.value), where), shape=(self.count, columns))


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """maximise c'z, lower <= z <= upper, row_lower <= A z <= row_upper, z integer where `integer`.

    Sums of money are in units of `unit` dollars; the slices say where each kind of column is.
    """

    cost: Array
    lower: Array
    upper: Array
    integer: np.ndarray
    matrix: Matrix
    row_lower: Array
    row_upper: Array
    unit: float
    columns: dict[str, Index]

    def answer(self, problem: PoolProblem, z: Array, bound: float, solver: str, nodes: int) -> Answer:
        """The flows in dollars of a point z."""
        columns, unit = self.columns, self.unit
        x = np.bincount(problem.piece_pool, z[columns["piece"]], minlength=problem.size) * unit
        change = x - problem.held
        sizes = np.cumsum([len(market.members) for market in problem.markets])[:-1]
        return Answer(
            deposits=np.maximum(change, 0.0),
            withdrawals=np.maximum(-change, 0.0),
            sold=tuple(np.split(z[columns["sold"]] * unit, sizes)) if problem.markets else (),
            bought=tuple(np.split(z[columns["bought"]] * unit, sizes)) if problem.markets else (),
            objective=float(self.cost @ z) * unit,
            bound=bound * unit,
            solver=solver,
            nodes=nodes,
        )


def program(problem: PoolProblem) -> Program:
    """State the problem as one matrix, in units of a thousandth of all assets."""
    unit = problem.total / 1000 or 1.0
    p = problem
    n, members = p.size, sum(len(market.members) for market in p.markets)
    kept = np.flatnonzero(p.held > 0)
    sizes = {
        "piece": len(p.piece_pool),
        "enter": n,
        "deposit": len(kept),
        "withdraw": len(kept),
        "reduce": len(kept),
        "leave": len(kept),
        "cash": len(p.tokens),
        "sold": members,
        "bought": members,
        "sells": members,
        "buys": members,
        "trades": len(p.markets),
        "any": 1,
    }
    columns: dict[str, Index] = {}
    width = 0
    for name, size in sizes.items():
        columns[name] = np.arange(width, width + size)
        width += size
    lower, upper = np.zeros(width), np.full(width, np.inf)
    cost, integer = np.zeros(width), np.zeros(width, dtype=bool)
    for name in ("enter", "reduce", "leave", "sells", "buys", "trades", "any"):
        integer[columns[name]] = True
        upper[columns[name]] = 1.0
    upper[columns["piece"]] = p.piece_length / unit
    upper[columns["enter"]] = p.room > 0
    upper[columns["reduce"]] = p.exit[kept] > 0
    upper[columns["leave"]] = p.leave[kept]
    if not p.allow_cash:
        upper[columns["cash"]] = 0.0
    cost[columns["piece"]] = p.piece_slope
    cost[columns["enter"]] = -p.gas_in / unit
    cost[columns["reduce"]] = -p.gas_out[kept] / unit
    cost[columns["leave"]] = -p.gas_out[kept] / unit
    cost[columns["cash"]] = p.cash_slope
    rows = _Rows()
    _flows(p, rows, columns, kept, unit)
    _balances(p, rows, columns, kept, unit)
    _conversions(p, rows, columns, cost, upper, unit)
    _limits(p, rows, columns, kept, unit)
    return Program(
        cost=cost,
        lower=lower,
        upper=upper,
        integer=integer,
        matrix=rows.matrix(width),
        row_lower=np.concatenate(rows.lower),
        row_upper=np.concatenate(rows.upper),
        unit=unit,
        columns=columns,
    )


def _flows(p: PoolProblem, rows: _Rows, columns: dict[str, Index], kept: Index, unit: float) -> None:
    """Deposits and withdrawals within their bounds where they happen, never both."""
    new = np.flatnonzero(p.held == 0)
    place = np.full(p.size, -1)
    place[new] = np.arange(len(new))
    of_new = np.flatnonzero(place[p.piece_pool] >= 0)
    pieces = (place[p.piece_pool[of_new]], columns["piece"][of_new], 1.0)
    each, enter = np.arange(len(new)), columns["enter"][new]
    rows.add(len(new), [pieces, (each, enter, -p.room[new] / unit)], -np.inf, 0.0)
    rows.add(len(new), [pieces, (each, enter, -p.least_deposit[new] / unit)], 0.0, np.inf)
    each = np.arange(len(kept))
    place[kept] = each
    of_kept = np.flatnonzero(p.held[p.piece_pool] > 0)
    pieces = (place[p.piece_pool[of_kept]], columns["piece"][of_kept], 1.0)
    deposit, withdraw, enter = columns["deposit"], columns["withdraw"], columns["enter"][kept]
    reduce, leave = columns["reduce"], columns["leave"]
    held = p.held[kept] / unit
    rows.add(len(kept), [pieces, (each, deposit, -1.0), (each, withdraw, 1.0)], held, held)
    rows.add(len(kept), [(each, deposit, 1.0), (each, enter, -p.room[kept] / unit)], -np.inf, 0.0)
    rows.add(len(kept), [(each, deposit, 1.0), (each, enter, -p.least_deposit[kept] / unit)], 0.0, np.inf)
    whole = (each, leave, -held)
    rows.add(len(kept), [(each, withdraw, 1.0), (each, reduce, -p.exit[kept] / unit), whole], -np.inf, 0.0)
    rows.add(
        len(kept), [(each, withdraw, 1.0), (each, reduce, -p.least_exit[kept] / unit), whole], 0.0, np.inf
    )
    moves = [(each, enter, 1.0), (each, reduce, 1.0), (each, leave, 1.0)]
    rows.add(len(kept), moves, -np.inf, 1.0)
    forced = np.flatnonzero(p.must[kept])
    each = np.arange(len(forced))
    rows.add(len(forced), [(each, reduce[forced], 1.0), (each, leave[forced], 1.0)], 1.0, np.inf)


def _balances(p: PoolProblem, rows: _Rows, columns: dict[str, Index], kept: Index, unit: float) -> None:
    """What there is of each token stays, but for costs."""
    shares = p.shares.tocoo()
    token, pool = shares.coords
    place = np.full(p.size, -1)
    place[kept] = np.arange(len(kept))
    fresh = sparse.csc_array(p.shares)[:, p.piece_pool].tocoo()
    is_new = p.held[p.piece_pool[fresh.coords[1]]] == 0
    of_kept = place[pool] >= 0
    old = place[pool[of_kept]]
    terms = [
        (np.arange(len(p.tokens)), columns["cash"], 1.0),
        (fresh.coords[0][is_new], columns["piece"][fresh.coords[1][is_new]], fresh.data[is_new]),
        (token, columns["enter"][pool], shares.data * p.gas_in[pool] / unit),
        (token[of_kept], columns["deposit"][old], shares.data[of_kept]),
        (token[of_kept], columns["withdraw"][old], -shares.data[of_kept]),
    ]
    gas = shares.data[of_kept] * p.gas_out[pool[of_kept]] / unit
    terms += [(token[of_kept], columns[name][old], gas) for name in ("reduce", "leave")]
    if p.markets:
        traded = np.concatenate([market.members for market in p.markets])
        terms += [(traded, columns["sold"], 1.0), (traded, columns["bought"], -1.0)]
    rows.add(len(p.tokens), terms, p.cash / unit, p.cash / unit)


def _conversions(
    p: PoolProblem, rows: _Rows, columns: dict[str, Index], cost: Array, upper: Array, unit: float
) -> None:
    """What is bought in a market is what is sold there, less its costs."""
    supply, demand = p.supply() / unit, p.demand() / unit
    start = 0
    for number, market in enumerate(p.markets):
        its = slice(start, start + len(market.members))
        start = its.stop
        each = np.arange(len(market.members))
        sold, bought = columns["sold"][its], columns["bought"][its]
        sells, buys, trades = columns["sells"][its], columns["buys"][its], columns["trades"][number]
        gas = market.gas / unit
        cost[sold] = -market.rate - market.delay
        cost[sells] = cost[buys] = -gas
        cost[trades] = gas
        upper[sold], upper[bought] = supply[market.members], demand[market.members]
        balance = [(0, sold, 1 - market.rate), (0, bought, -1.0)]
        balance += [(0, sells, -gas), (0, buys, -gas), (0, trades, gas)]
        rows.add(1, balance, 0.0, 0.0)
        rows.add(len(each), [(each, sold, 1.0), (each, sells, -upper[sold])], -np.inf, 0.0)
        rows.add(len(each), [(each, bought, 1.0), (each, buys, -upper[bought])], -np.inf, 0.0)
        # Gas is not burnt to be rid of money: a leg moves something, and no token is sold for itself.
        rows.add(len(each), [(each, sells, 1.0), (each, buys, 1.0)], -np.inf, 1.0)
        for flow, legs in ((sold, sells), (bought, buys)):
            rows.add(len(each), [(each, flow, 1.0), (each, legs, -LEAST_LEG / unit)], 0.0, np.inf)
            rows.add(len(each), [(each, legs, 1.0), (each, np.full(len(each), trades), -1.0)], -np.inf, 0.0)
            rows.add(1, [(0, trades, 1.0), (0, legs, -1.0)], -np.inf, 0.0)


def _limits(p: PoolProblem, rows: _Rows, columns: dict[str, Index], kept: Index, unit: float) -> None:
    """Limits that pools share, and how many pools may and must be used."""
    spread = sparse.csc_array(p.limits)[:, p.piece_pool].tocoo()
    rows.add(
        len(p.limit_caps),
        [(spread.coords[0], columns["piece"][spread.coords[1]], spread.data)],
        -np.inf,
        p.limit_caps / unit,
    )
    new = columns["enter"][p.held == 0]
    if p.max_pools is not None:
        terms = [(0, new, 1.0), (0, columns["leave"], -1.0)]
        rows.add(1, terms, -np.inf, p.max_pools - len(kept))
    if p.min_pools < 2:
        return
    some = columns["any"][0]
    counted = p.counts[kept]
    terms = [(0, columns["enter"][~p.counts], 1.0), (0, columns["leave"][counted], -1.0)]
    rows.add(1, [*terms, (0, some, -float(p.min_pools))], -float(counted.sum()), np.inf)
    able = np.flatnonzero(p.room > 0)
    each = np.arange(len(able))
    rows.add(len(able), [(each, columns["enter"][able], 1.0), (each, some, -1.0)], -np.inf, 0.0)
    free = np.flatnonzero(p.leave[kept])
    each = np.arange(len(free))
    rows.add(len(free), [(each, columns["leave"][free], 1.0), (each, some, 1.0)], 1.0, np.inf)
    part = np.flatnonzero(~p.leave[kept] & (p.exit[kept] > 0))
    each = np.arange(len(part))
    most = p.exit[kept][part] / unit
    rows.add(len(part), [(each, columns["withdraw"][part], 1.0), (each, some, most)], most, np.inf)


def solve(problem: PoolProblem, gap: float = GAP) -> Answer:
    """Solve the whole program with HiGHS, to a relative gap.

    Raises
    ------
    Infeasible
        Where no flows obey the limits.
    """
    statement = program(problem)
    solver = highs.silent()
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_abs_gap", 1e-12)
    for name in ("mip_feasibility_tolerance", "primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        solver.setOptionValue(name, 1e-9)
    solver.passModel(_model(statement))
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        raise Infeasible
    if status != highspy.HighsModelStatus.kOptimal:
        raise NotSolved(f"HiGHS ended with {solver.modelStatusToString(status)} on the whole program")
    info = solver.getInfo()
    point = np.array(solver.getSolution().col_value)
    return statement.answer(problem, point, info.mip_dual_bound, highs.version(), int(info.mip_node_count))


def polished(statement: Program, point: Array) -> Array:
    """The best point whose choices are those of another.

    Raises
    ------
    NotSolved
        Where the choices cannot be kept.
    """
    chosen = np.round(point)
    lower = np.where(statement.integer, chosen, statement.lower)
    upper = np.where(statement.integer, chosen, statement.upper)
    none = np.zeros(len(chosen), dtype=bool)
    solver = highs.silent()
    solver.passModel(_model(replace(statement, lower=lower, upper=upper, integer=none)))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NotSolved("choices were found that the sums cannot keep: the scale is too coarse")
    return np.array(solver.getSolution().col_value)


def _model(statement: Program) -> Any:
    return highs.program(
        statement.cost,
        (statement.lower, statement.upper),
        statement.matrix,
        (statement.row_lower, statement.row_upper),
        statement.integer,
    )
