"""Plans until the person says yes or no, and shows each plan on the way.

The first plan and a plan of the rest go the same way; what was approved becomes the ledger.
"""

from __future__ import annotations

from desktop.core.plan import ledger as ledgers
from desktop.core.plan import telling
from desktop.core.plan.scope import Scope
from desktop.jobs.plan import approving, planner
from desktop.jobs.plan.approving import Word
from desktop.jobs.plan.bench import Bench
from desktop.jobs.plan.state import Change, Stage
from shared.plan import Plan, PlanStage


async def agreed(bench: Bench) -> bool:
    """Make a plan, or another of the rest, until it may be carried out; False when it may not.

    Raises:
        AppError: as `planner.proposed`.
    """
    while True:
        plan = bench.state.now.plan or await planner.proposed(bench)
        bench.state.put(plan=plan, lines=(), tries=0)
        scope = await bench.scope()
        _show(bench, PlanStage.PROPOSED, plan, scope)
        decision = await approving.decided(bench, plan, scope)
        match decision.word:
            case Word.GO:
                _take(bench, plan, scope)
                return True
            case Word.REJECT:
                if bench.state.now.ledger is None:
                    _show(bench, PlanStage.REJECTED, plan, scope)
                return False
            case Word.LOCAL:
                # Which model plans is open again: the one before is perhaps elsewhere.
                bench.state.put(is_local=True, model="", plan=None, rounds=_next(bench))
            case Word.CHANGE:
                change = Change(plan=plan, wish=decision.wish)
                changes = (*bench.state.now.changes, change)
                bench.state.put(changes=changes, plan=None, rounds=_next(bench))


def _next(bench: Bench) -> int:
    return bench.state.now.rounds + 1


def _take(bench: Bench, plan: Plan, scope: Scope) -> None:
    """Open the ledger, or go on in it with the new plan of the rest; both at once on the disk."""
    before = bench.state.now.ledger
    if before is None:
        after, stage = ledgers.begin(plan, scope.budget), PlanStage.APPROVED
    else:
        after, stage = ledgers.replanned(before, plan), PlanStage.REPLANNED
    bench.state.put(
        is_lasting=True,
        ledger=after,
        stage=Stage.RUNNING,
        plan=None,
        changes=(),
        rounds=_next(bench),
        why="",
    )
    _show(bench, stage, after.plan, scope)


def _show(bench: Bench, stage: PlanStage, plan: Plan, scope: Scope) -> None:
    now = bench.state.now
    shown = telling.shown(plan, scope, ledger=now.ledger, model=now.model)
    bench.context.show_plan(stage, shown)
