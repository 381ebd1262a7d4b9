"""Rounds of work: the agent has a turn, the worker takes what changed, runs the tests, and judges.

The tests as they were are run beside the agent's first turn, in a clone of their own. What is
judged and kept is a fresh clone of the commit, so that nothing counts that would not be delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from desktop.core.code import prompts
from desktop.core.code.acceptance import ROUNDS_MAX, Seen, Verdict, judge
from desktop.core.code.change import Change
from desktop.core.code.findings import FINDINGS_FILE
from desktop.core.code.pr_body import commit_message
from desktop.core.code.prompts import Brief
from desktop.core.code.repository import Scheme
from desktop.jobs.code.agent_turns import Talk, talking
from desktop.jobs.code.bench import Bench
from desktop.jobs.code.delivery import work_of
from desktop.jobs.code.diff import changes_of
from desktop.jobs.code.kept import KeptFacts, facts_of
from desktop.jobs.code.reviewed import found_in, text_of
from desktop.jobs.code.state import Stage
from desktop.jobs.code.tasks import plainly
from desktop.jobs.code.testing import Ran
from shared.errors import Conflict, Unavailable
from shared.kinds.code import SuiteFacts
from shared.questions import Asking, Choice, QuestionKind

NONE = "none"
STOP, AGAIN = "stop", "again"
WISHES_MAX = 20
"""How often a person asks for something else before the job is to be a new one."""
AGENT_STARTS_MAX = 3
LOST_SESSION = "agent_lost_session"
LOST_AGENT = ("agent_died", "agent_protocol", "agent_silent", LOST_SESSION)
"""An agent that is gone: its clone is as it left it, and it may remember what was said."""
REASONS_SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a round came to."""

    change: Change
    """From the branch that it is for."""
    verdict: Verdict
    output: str = ""
    """The end of what the tests printed."""


async def worked(bench: Bench) -> None:
    """Have the agent work until what it did is accepted; that is kept, and in the state.

    Raises:
        Conflict: `work_not_accepted`.
        AppError: as `talking`.
    """
    bench.context.progress("agent works", 0, ROUNDS_MAX)
    with plainly():
        async with asyncio.TaskGroup() as group:
            finding = group.create_task(_command(bench))
            before = group.create_task(_baseline(bench, finding))
            try:
                await _talked(bench, await _brief(bench, finding), before)
            finally:
                before.cancel()


async def _talked(bench: Bench, brief: Brief, before: asyncio.Task[SuiteFacts]) -> None:
    """Go through the rounds; an agent that dies on the way is started again, a few times."""
    for left in reversed(range(AGENT_STARTS_MAX)):
        try:
            async with talking(bench, brief) as (talk, words):
                await _rounds(bench, talk, words, before)
        except Unavailable as error:
            if error.code not in LOST_AGENT or left == 0:
                raise
            bench.state.put(is_session_lost=error.code == LOST_SESSION)
            bench.context.log(f"{error.message} It is started again.")
        else:
            return


async def _brief(bench: Bench, finding: asyncio.Task[str]) -> Brief:
    source = bench.depot.place.source
    return Brief(
        kind=bench.order.kind,
        instructions=bench.order.instructions,
        # A folder's path has the person's name in it, and models may be anywhere.
        repository=source.name if source.scheme is Scheme.FOLDER else source.shown,
        base=bench.start.base,
        test_command=await finding,
        findings_at=str(bench.folder.home / FINDINGS_FILE),
        can_reach=bench.context.code.registries,
    )


async def _rounds(bench: Bench, talk: Talk, words: str, before: asyncio.Task[SuiteFacts]) -> None:
    left = ROUNDS_MAX
    while True:
        await talk.turn(words)
        looked = await _look(bench, await before)
        rounds = bench.state.now.rounds + 1
        bench.context.progress("agent works", min(rounds, ROUNDS_MAX), ROUNDS_MAX)
        if looked.verdict.is_accepted:
            bench.state.put(
                stage=Stage.WORKED, rounds=rounds, notes=looked.verdict.notes, next_prompt=""
            )
            return
        left -= 1
        words = prompts.again(looked.verdict.reasons, looked.output)
        bench.state.put(rounds=rounds, next_prompt=words, is_prompted=False)
        bench.context.log(f"Not accepted: {' '.join(looked.verdict.reasons)}"[:500])
        if left == 0:
            words = prompts.wished(await _helped(bench, looked))
            left = ROUNDS_MAX


async def _helped(bench: Bench, looked: Looked) -> str:
    """Tell the person that it is not done; return what they want tried.

    Raises:
        Conflict: `work_not_accepted`.
    """
    order, now = bench.order, bench.state.now
    told = " ".join(looked.verdict.reasons[:REASONS_SHOWN_MAX])
    failure = Conflict(
        "work_not_accepted",
        f"{order.job} is not done: {told}",
        f"What it did is kept: /diff {order.short} shows it. Order it again, in other words."
        if looked.change.files
        else "Order it again, in other words or with another model.",
    )
    if order.level.rank == 0 or now.wishes >= WISHES_MAX:
        raise failure
    answer = await bench.person.ask(
        Asking(
            key=f"stuck:{now.wishes}:{now.commit[:12]}",
            kind=QuestionKind.CLARIFICATION,
            text=f"{order.job} is not done after {now.rounds} rounds: {told} "
            "Shall it stop, or what is it to try?",
            choices=(
                Choice(value=STOP, label="Stop"),
                Choice(value=AGAIN, label="Try again"),
            ),
            allow_text=True,
            default=STOP,
            more="code.diff" if looked.change.files else "",
        )
    )
    if answer == STOP:
        raise failure
    bench.state.put(wishes=now.wishes + 1)
    reasons = prompts.again(looked.verdict.reasons, looked.output)
    return reasons if answer == AGAIN else f"{answer}\n\n{reasons}"


async def _look(bench: Bench, before: SuiteFacts) -> Looked:
    """See what a turn came to: take, commit, test, judge, keep."""
    if not bench.order.kind.changes:
        return await _look_at_review(bench)
    own = await _committed(bench)
    whole = await bench.depot.whole(bench.start, own)
    ran = await _tested(bench, own) if own.files else Ran(SuiteFacts(), "")
    seen = Seen(files=own.files, before=before, after=ran.facts)
    verdict = judge(bench.order.kind, seen)
    verdict = Verdict(verdict.reasons, (*verdict.notes, *own.notes))
    bench.state.put(commit=own.commit if own.files else "", after=ran.facts, after_of=own.commit)
    if whole.files:
        await asyncio.to_thread(keep, bench, whole)
    return Looked(change=whole, verdict=verdict, output=ran.output)


async def kept_as_it_is(bench: Bench) -> None:
    """Keep what there is of a change that is not accepted, to be looked at and gone on with."""
    if bench.order.kind.changes:
        whole = await bench.depot.whole(bench.start, await _committed(bench))
        if whole.files:
            await asyncio.to_thread(keep, bench, whole)


async def _committed(bench: Bench) -> Change:
    state = bench.state
    if not state.now.moment:
        state.put(moment=int(time.time()))
    nothing = Change(base=bench.start.tip, commit=bench.start.tip)
    return await bench.depot.committed(
        bench.clone,
        bench.start,
        job=bench.context.job_id,
        message=commit_message(work_of(bench, nothing)),
        seconds=state.now.moment,
    )


async def _tested(bench: Bench, change: Change) -> Ran:
    """Run the tests of a commit as it would be delivered."""
    bench.context.progress("tests run", 0, 1)
    async with _checked_out(bench, change.commit, bench.folder.check) as tree:
        command = bench.state.now.test_command or await _found_late(bench, tree)
        ran = await bench.suites.run(command, tree, bench.folder.suite_home)
    bench.context.progress("tests run", 1, 1)
    bench.context.log(f"Tests: {ran.facts.passed} passed, {ran.facts.failed} failed.")
    return ran


async def _found_late(bench: Bench, tree: Path) -> str:
    """Look for tests that were not there before; ask when there are none, once."""
    found = await bench.suites.find(tree, bench.folder.suite_home)
    if not found and not bench.order.kind.is_docs_only:
        answer = await bench.person.ask(
            Asking(
                key="test_command",
                kind=QuestionKind.CLARIFICATION,
                text=f"{bench.order.job} found no tests. How are they run?",
                choices=(Choice(value=NONE, label="There are none"),),
                allow_text=True,
                default=NONE,
            )
        )
        found = "" if answer == NONE else answer
    bench.state.put(test_command=found)
    return found


async def _command(bench: Bench) -> str:
    """Return how the tests are run: as it was said, or as it looks before anybody worked here."""
    now, inputs = bench.state.now, bench.order.inputs
    if now.test_command is None:
        told = inputs.test_command
        if told is None and bench.order.kind.changes:
            told = await bench.suites.find(bench.clone.folder, bench.folder.suite_home)
        bench.state.put(test_command=told or "")
    return bench.state.now.test_command or ""


async def _baseline(bench: Bench, finding: asyncio.Task[str]) -> SuiteFacts:
    """Run the tests as they were, in a clone apart."""
    if bench.state.now.before is not None:
        return bench.state.now.before
    command = await finding
    if not command:
        return SuiteFacts()
    async with _checked_out(bench, bench.start.tip, bench.folder.base) as tree:
        ran = await bench.suites.run(command, tree, bench.folder.base_home)
    bench.state.put(before=ran.facts)
    return ran.facts


@contextlib.asynccontextmanager
async def _checked_out(bench: Bench, commit: str, folder: Path) -> AsyncIterator[Path]:
    await bench.depot.checked_out(commit, folder)
    try:
        yield folder
    finally:
        await asyncio.to_thread(bench.folder.clear, folder)


async def _look_at_review(bench: Bench) -> Looked:
    """Read what a review found; whatever it changed is thrown away with its clone."""
    own = await _committed(bench)
    text = await asyncio.to_thread(text_of, bench.folder.home / FINDINGS_FILE)
    tip = bench.start.tip
    async with _checked_out(bench, tip, bench.folder.check) as tree:
        found = await asyncio.to_thread(found_in, text, bench.state.now.summary, tree)
    verdict = judge(bench.order.kind, Seen(files=own.files, found=found))
    bench.state.put(findings=found.findings)
    return Looked(change=Change(base=tip, commit=tip), verdict=verdict)


def keep(bench: Bench, change: Change) -> None:
    """Keep a change where `code.diff` finds it."""
    now = bench.state.now
    changes_of(bench.context.data_folder).keep(
        KeptFacts(
            job=bench.context.job_id,
            repository=bench.depot.place.source.shown,
            base=now.base,
            branch=now.branch,
            commit=change.commit,
            files=facts_of(change),
            files_total=len(change.files),
            added=change.added,
            removed=change.removed,
            tests_after=now.after,
            is_cut=change.is_diff_cut,
        ),
        change.diff,
    )
