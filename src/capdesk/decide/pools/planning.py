"""From pools to a plan: state the problem, solve it, prove it, decide, and write the transactions down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from capdesk.decide.pools import exact, explain, prices
from capdesk.decide.pools.building import Desk, state
from capdesk.decide.pools.certificate import certify
from capdesk.decide.pools.exact import Solved
from capdesk.decide.pools.problem import Array, Infeasible, NotSolved, PoolProblem
from capdesk.decide.pools.reallocation import Prospect, decide
from capdesk.decide.pools.shortage import shortage
from capdesk.decide.pools.staying import Staying, curing, staying, strictest
from capdesk.decide.pools.steps import Carried, carry_out
from capdesk.decide.pools.writing import Written, limits, positions, transactions
from capdesk.model.errors import CertificateError, InfeasibleError
from capdesk.model.money import Amount
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.pool_plans import Costs, Decision, PoolCertificate, PoolPlan
from capdesk.model.pools import Holding, Pool

Solver = Callable[[PoolProblem], Solved]
_TOLERANCE = 0.01


def plan(
    pools: Sequence[Pool],
    holdings: Mapping[str, Holding],
    cash: Mapping[str, float],
    parameters: PoolParameters,
    prices_usd: Mapping[str, float] | None,
    solve: Solver,
) -> PoolPlan:
    """The plan for one day. The input has been checked.

    Raises
    ------
    InfeasibleError
        Where no plan obeys the limits.
    CertificateError
        Where a solver ends without an answer, or the answer's proof does not hold.
    """
    desk = state(pools, holdings, cash, parameters)
    try:
        new, proof = _solve(desk.problem, solve)
    except Infeasible:
        raise _shortage(pools, holdings, cash, parameters) from None
    cure = curing(desk)
    trims = np.zeros(desk.problem.size) if cure is None else _solve(cure, exact.solve)[0].answer.withdrawals
    stay, stayed, stay_proof = _stay(desk, trims)
    idle = stay.idle_income()
    decision = decide(
        desk,
        Prospect(proof.objective, new.answer.withdrawals),
        Prospect(stay_proof.objective + idle, stayed.answer.withdrawals),
        stay_places_all=desk.problem.allow_cash or not stay.problem.allow_cash,
    )
    if decision.kind == "place_yield":
        carried = _with_idle(carry_out(stay.problem, stayed.answer), stay.idle)
        return _write(
            pools,
            replace(desk, problem=stay.problem),
            desk,
            stayed,
            carried,
            stay_proof,
            decision,
            prices_usd,
            idle,
        )
    carried = carry_out(desk.problem, new.answer)
    return _write(pools, desk, desk, new, carried, proof, decision, prices_usd, 0.0)


def _stay(desk: Desk, trims: Array) -> tuple[Staying, Solved, PoolCertificate]:
    """Staying, under as many of the limits as it can obey."""
    *stricter, loosest = strictest(desk, staying(desk, trims))
    for stay in stricter:
        try:
            return stay, *_solve(stay.problem, exact.solve)
        except Infeasible:
            continue
    return loosest, *_solve(loosest.problem, exact.solve)


def _shortage(
    pools: Sequence[Pool],
    holdings: Mapping[str, Holding],
    cash: Mapping[str, float],
    parameters: PoolParameters,
) -> InfeasibleError:
    moved = [each.days_since_move for each in holdings.values() if each.days_since_move is not None]
    return shortage(lambda its: state(pools, holdings, cash, its), parameters, len(pools), moved)


def _solve(problem: PoolProblem, solve: Solver) -> tuple[Solved, PoolCertificate]:
    try:
        solved = solve(problem)
    except NotSolved as error:
        raise CertificateError(str(error)) from None
    return solved, _prove(problem, solved)


def _prove(problem: PoolProblem, solved: Solved) -> PoolCertificate:
    proof = certify(problem, solved)
    if proof.worst_violation > _TOLERANCE + 1e-9 * problem.total:
        raise CertificateError(
            f"{solved.answer.solver}: an answer breaks a constraint by ${proof.worst_violation:,.4f}"
        )
    if proof.gap > 10 * exact.GAP and abs(proof.bound - proof.objective) > _TOLERANCE:
        raise CertificateError(
            f"{solved.answer.solver}: the gap is {proof.gap:.2e}, more than {exact.GAP:.0e}"
        )
    return proof


def _with_idle(carried: Carried, idle: Mapping[int, float]) -> Carried:
    balances = list(carried.balances)
    for token, amount in idle.items():
        balances[token] += round(amount * 1e6)
    return replace(carried, balances=tuple(balances))


def _write(
    pools: Sequence[Pool],
    desk: Desk,
    whole: Desk,
    solved: Solved,
    carried: Carried,
    proof: PoolCertificate,
    decision: Decision,
    prices_usd: Mapping[str, float] | None,
    idle: float,
) -> PoolPlan:
    p = desk.problem
    worth = prices.at(p, solved.answer)
    written = Written(desk, whole.problem.total, carried, worth, prices_usd or {}, decision)
    its = positions(written)
    used = {each.pool_id for each in its}
    spent = [(step.gas, step.fee) for step in carried.steps]
    balances = {
        token: Amount.from_micro(amount)
        for token, amount in zip(p.tokens, carried.balances, strict=True)
        if amount
    }
    return PoolPlan(
        allocations={each.pool_id: each.amount for each in its if each.amount},
        cash=Amount.from_micro(sum(carried.balances)),
        balances=balances,
        objective=proof.objective + idle,
        bound=proof.bound + idle,
        gap=proof.gap,
        costs=Costs(
            Amount.from_micro(sum(gas for gas, _ in spent)), Amount.from_micro(sum(fee for _, fee in spent))
        ),
        cash_usd=sum(carried.balances) / 1e6 * p.cash_slope,
        in_transit_usd=sum(
            market.delay * float(sold.sum())
            for market, sold in zip(p.markets, solved.answer.sold, strict=True)
        ),
        transactions=transactions(written),
        decision=decision,
        positions=its,
        left_out=explain.left_out(pools, desk, worth, used),
        limits=limits(written),
        certificate=proof,
        notes=_notes(whole, carried, solved),
        solver=solved.answer.solver,
        parameters=desk.parameters,
    )


def _notes(desk: Desk, carried: Carried, solved: Solved) -> tuple[str, ...]:
    notes = list(desk.notes)
    if "the whole program" in solved.answer.solver:
        notes.append(f"solved by {solved.answer.solver}")
    cash = sum(carried.balances)
    if cash > desk.problem.total * 1e4:
        p = desk.problem
        held = np.array(carried.positions) / 1e6
        full = [
            name
            for name, used, cap in zip(p.limit_names, p.limits @ held, p.limit_caps, strict=True)
            if used >= cap - 1
        ]
        why = f"in force: {', '.join(full)}" if full else "no pool with room pays for its costs"
        why += _cascading(desk, full, held)
        notes.append(f"{cash / desk.problem.total / 1e6:.2%} of all assets stay cash; {why}")
    return tuple(notes)


def _cascading(desk: Desk, full: Sequence[str], held: np.ndarray) -> str:
    """What would let the money in where a group is full and a riskier one has room to spare."""
    parameters = desk.parameters
    if parameters.group_room == "cascade" or not held.size:
        return ""
    groups = np.array([pool.group for pool in desk.pools])
    for group in (1, 2):
        caps = {each: getattr(parameters, f"group{each}_max_pct") for each in (2, 3) if each > group}
        spare = sum(
            max(cap * desk.problem.total - held[groups == each].sum(), 0.0) for each, cap in caps.items()
        )
        if f"group{group}_max_pct" in full and spare > 1:
            return (
                f'; group_room = "cascade" lets safer pools use the ${spare:,.0f} that riskier groups leave'
            )
    return ""
