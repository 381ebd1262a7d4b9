"""Does a work order: an agent works in a sandbox, the worker tests, shows and delivers.

    order ──▶ may it start? ──▶ clone ──▶ rounds ──▶ decision ──▶ delivery
      questions   human_required            ▲  agent, commit, tests, judge   │ "ask for changes"
                                            └────────────────────────────────┘

Every arrow is in the state file; a job that was stopped goes on behind the last one that is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from desktop.core.code import prompts
from desktop.core.code.agent_profiles import GatewayApi
from desktop.core.code.change import Change
from desktop.core.code.pr_body import title_of
from desktop.jobs.code import approving, rounds
from desktop.jobs.code.approving import Decision
from desktop.jobs.code.asking import Person
from desktop.jobs.code.bench import Bench, bench_of, folders_of
from desktop.jobs.code.depot import git_of, mirrors_of
from desktop.jobs.code.diff import changes_of
from desktop.jobs.code.order import Order, resolve
from desktop.jobs.code.results import output_of
from desktop.jobs.code.state import Stage, StateFile
from desktop.jobs.context import SharedContext
from desktop.jobs.llm.loading import begin_to_load
from shared.errors import AppError, NotAllowed
from shared.kinds.code import CodeInputs, CodeOutput, Level
from shared.plain_text import plain_line
from shared.questions import Asking, Choice, QuestionKind

START, STOP = "start", "stop"
LEFT_OPEN = ("work_not_accepted", "code_budget_used")
"""Ends that a further job may mend: its words are told to the same agent, in the same clone."""
DAY_SECONDS = 86_400.0
MIRRORS_BYTES_MAX = 20 * 1000**3
"""Of all mirrors together; the oldest go first."""


async def run(context: SharedContext, inputs: CodeInputs) -> CodeOutput:
    """Work as ordered; what was done before a stop is not done again.

    Raises:
        AppError: as `resolve`, `bench_of`, `rounds.worked` and `approving.delivered`.
        NotAllowed: `code_not_started`.
    """
    state = StateFile(context.workdir)
    async with Person(context, state) as person:
        order = await resolve(context, inputs, person)
        if order.profile.api is GatewayApi.TURN:
            begin_to_load(order.model.endpoint.format)
        await _may_start(order, state, person)
        async with bench_of(context, order, state, person) as bench:
            output = await _done(bench)
    await sweep(context)
    return output


async def _may_start(order: Order, state: StateFile, person: Person) -> None:
    """Ask before anything is done, where that is wanted.

    Raises:
        NotAllowed: `code_not_started`.
    """
    if order.level is not Level.HUMAN_REQUIRED or state.now.has(Stage.CLONED):
        return
    asking = Asking(
        key="start",
        kind=QuestionKind.APPROVAL,
        text=f"{order.job} wants to start in {plain_line(order.repository)}: "
        f"“{title_of(order.instructions)}”, with {order.profile.title} and "
        f"{order.model.full_name}. May it?",
        choices=(Choice(value=START, label="Start"), Choice(value=STOP, label="Do not start")),
        default=STOP,
    )
    if await person.ask(asking) != START:
        raise NotAllowed("code_not_started", f"{order.job} was not started.", "Order it again.")


async def _done(bench: Bench) -> CodeOutput:
    while True:
        if not bench.state.now.has(Stage.WORKED):
            await _worked(bench)
        if not bench.order.kind.changes:
            bench.state.put(stage=Stage.DELIVERED)
            _leave(bench, tip="")
            return output_of(bench, _nothing(bench), Decision.KEEP)
        change = await bench.depot.between(bench.start.base_commit, bench.state.now.commit)
        decision = await approving.decided(bench, change)
        if isinstance(decision, Decision):
            decision = await approving.delivered(bench, change, decision)
            if decision is Decision.DISCARD:
                changes_of(bench.context.data_folder).drop(bench.context.job_id)
            is_gone = decision is Decision.DISCARD
            _leave(bench, tip="" if is_gone else bench.state.now.commit, forgets=is_gone)
            return output_of(bench, change, decision)
        now = bench.state.now
        words = prompts.wished(decision)
        bench.state.put(
            stage=Stage.CLONED, wishes=now.wishes + 1, next_prompt=words, is_prompted=False
        )


def _nothing(bench: Bench) -> Change:
    return Change(base=bench.start.tip, commit=bench.start.tip)


async def _worked(bench: Bench) -> None:
    """Work; what came to nothing is left for a job that goes on with it.

    Raises:
        AppError: as `rounds.worked`.
    """
    try:
        await rounds.worked(bench)
    except AppError as error:
        if error.code in LEFT_OPEN:
            await rounds.kept_as_it_is(bench)
            _leave(bench, tip=bench.start.tip)
        raise


def _leave(bench: Bench, *, tip: str, forgets: bool = False) -> None:
    """Let the session's next job go on from here.

    `tip` is the commit that it goes on from; without one the clone is made anew. `forgets`: the
    agent shall not go on with its conversation.
    """
    now = bench.state.now
    facts = bench.folder.facts()
    assert facts is not None
    update = {
        "tip": tip,
        "branch": now.branch if tip else "",
        "agent": bench.order.profile.name,
        "agent_session": "" if forgets else now.agent_session,
        "worker": "",
    }
    bench.folder.put(facts.model_copy(update=update))
    folders_of(bench.context).note(bench.context.workspace, bench.folder.path.name)


async def sweep(context: SharedContext) -> None:
    """Remove what nobody needs any more of this and other jobs; what cannot be, stays."""
    keep_days = context.code.keep_days
    # A change can be looked at for a day even where nothing is to be kept.
    days = max(keep_days, 1.0)
    # The work is delivered: a folder that does not go must not make it look as if it were not.
    with contextlib.suppress(OSError, AppError):
        await asyncio.to_thread(folders_of(context).sweep, keep_days)
        await asyncio.to_thread(changes_of(context.data_folder).sweep, days)
        mirrors = mirrors_of(context, git_of(context))
        age = days * DAY_SECONDS
        await mirrors.tidy(now=time.time(), age_seconds=age, bytes_max=MIRRORS_BYTES_MAX)
