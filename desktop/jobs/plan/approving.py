"""Has the person approve a plan, unless it only looks; nobody's silence is a yes.

Plans that only read run at once, and those go no further: what would send words of local files to
a model elsewhere is asked about as well, unless the machine's owner allows it for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from desktop.core.llm.types import Model
from desktop.core.plan import ledger as ledgers
from desktop.core.plan import rules, telling
from desktop.core.plan.leaving import leaving
from desktop.core.plan.scope import Scope
from desktop.jobs.plan.bench import Bench
from shared.capabilities import family_of
from shared.plain_text import plain_line
from shared.plan import Plan, Step
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

ROUNDS_MAX = 5
"""How often a plan may be wanted otherwise."""
OUTSIDE_FAMILIES = frozenset({"llm", "web"})
"""Kinds of these read nothing that lies on the person's machines, unless a file is named."""
CUT = "\n… the list goes on; the plan's page shows all of it."


class Word(StrEnum):
    """What a person says to a plan. Values are those of buttons."""

    GO = "go"
    CHANGE = "change"
    LOCAL = "local"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    word: Word
    wish: str = ""
    """What is to be different, in the person's words."""


async def decided(bench: Bench, plan: Plan, scope: Scope) -> Decision:
    """Find out whether a plan may be carried out."""
    model = await bench.model()
    if not await _has_to_be_asked(bench, plan, scope, model):
        return Decision(Word.GO)
    now = bench.state.now
    may_change, may_leave = now.rounds < ROUNDS_MAX, _may_leave(plan, scope, model)
    answer = await bench.context.ask(
        Asking(
            key=f"approve-{now.rounds}",
            kind=QuestionKind.APPROVAL,
            text=_words(bench, plan, scope, model),
            choices=tuple(_choices(may_leave=may_leave, may_change=may_change)),
            allow_text=may_change,
        )
    )
    if answer not in set(Word):
        return Decision(Word.CHANGE, answer)
    word = Word(answer)
    return Decision(word, await _wish(bench) if word is Word.CHANGE else "")


async def _has_to_be_asked(bench: Bench, plan: Plan, scope: Scope, model: Model) -> bool:
    now = bench.state.now
    if now.changes:
        return True  # who had it changed wants to see what came of that
    if sends_files(bench, plan, scope, model) or _leaving(bench, plan, scope):
        return True
    if now.ledger is not None:
        return ledgers.needs_approval(now.ledger, plan)
    return not rules.is_free_to_run(plan, scope)


def sends_files(bench: Bench, plan: Plan, scope: Scope, model: Model) -> bool:
    """Say whether what stands in local files would go to a model elsewhere, unasked so far."""
    if model.endpoint.is_local or bench.context.may_send_text:
        return False
    ledger = bench.state.now.ledger
    if ledger is not None and any(_reads_files(step, scope) for step in ledger.plan.steps):
        return False  # the person has said yes to that
    return any(_reads_files(step, scope) for step in plan.steps)


def _leaving(bench: Bench, plan: Plan, scope: Scope) -> tuple[Step, ...]:
    ledger = bench.state.now.ledger
    runs = (*ledger.past, *ledger.runs) if ledger is not None else ()
    return leaving(plan, scope, [run.step for run in runs if run.attempts])


def _reads_files(step: Step, scope: Scope) -> bool:
    face = scope.face(step.capability)
    named = face.files if face is not None else ()
    if family_of(step.capability) not in OUTSIDE_FAMILIES:
        return True
    return any(one.name in named or one.name == "file" for one in step.inputs)


def _words(bench: Bench, plan: Plan, scope: Scope, model: Model) -> str:
    lines = []
    if bench.state.now.ledger is not None:
        lines.append(f"The rest has to be done in another way: {plain_line(bench.state.now.why)}")
    if bench.state.now.changes:
        before = bench.state.now.changes[-1].plan
        lines += [f"Changed: {one}" for one in telling.differences(before, plan)]
    if sends_files(bench, plan, scope, model):
        place = model.endpoint.label or model.endpoint.name
        host = urlsplit(model.endpoint.base_url).hostname or ""
        lines.append(f"⚠ What stands in the files it reads goes to {place} ({host}).")
    if gone := _leaving(bench, plan, scope):
        titles = ", ".join(plain_line(step.title) for step in gone)
        lines.append(f"⚠ Words of what it has read may leave this computer with: {titles}")
    lines.append(telling.listing(plan, scope))
    text = "\n".join(lines)
    return text if len(text) <= TEXT_CHARS_MAX else text[: TEXT_CHARS_MAX - len(CUT)] + CUT


def _may_leave(plan: Plan, scope: Scope, model: Model) -> bool:
    """Say whether a model elsewhere may take part: the plan's own, or one that a kind picks."""
    if scope.is_local:
        return False
    faces = {step.capability: scope.face(step.capability) for step in plan.steps}
    picks = (
        face is not None and face.uses_model and (family_of(name) == "code" or scope.where(name))
        for name, face in faces.items()
    )
    return not model.endpoint.is_local or any(picks)


def _choices(*, may_leave: bool, may_change: bool) -> list[Choice]:
    made = [Choice(value=Word.GO, label="Go")]
    if may_change:
        made.append(
            Choice(value=Word.CHANGE, label="Change…", detail="or write what is to be different")
        )
    if may_leave:
        made.append(Choice(value=Word.LOCAL, label="Keep it local", detail="no cloud model"))
    return [*made, Choice(value=Word.REJECT, label="Reject")]


async def _wish(bench: Bench) -> str:
    return await bench.context.ask(
        Asking(
            key=f"change-{bench.state.now.rounds}",
            kind=QuestionKind.CLARIFICATION,
            text="What is to be different?",
            allow_text=True,
        )
    )
