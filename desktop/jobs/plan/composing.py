"""Writes the answer of a task out of what its steps gave, with sources that are really there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.core.llm.fault import LlmFault
from desktop.core.llm.message import Message
from desktop.core.plan import citing, prompt
from desktop.core.plan.binding import text_of
from desktop.core.plan.citing import Cited
from desktop.core.plan.ledger import StepRun
from desktop.core.plan.telling import duration
from desktop.jobs.plan.bench import Bench, spent_so_far
from desktop.jobs.plan.sources import files_of, sources_of
from desktop.store.transcripts.records import sum_of
from shared.errors import Unavailable
from shared.kinds.plan import HISTORY_CHARS_MAX, PlanOutput, Source, StepFacts
from shared.plain_text import plain, plain_line
from shared.plan import StepState

ANSWER_CHARS_MAX = 24_000
GOAL_CHARS_MAX = 200
HEADLINE_CHARS_MAX = 400
CITE = (
    "Your answer names no source. Write it again, with the number of its source after each "
    "statement, as in [1]."
)


@dataclass(frozen=True, slots=True)
class Answer:
    cited: Cited
    notes: tuple[str, ...] = ()
    """What has to be known about it."""


async def composed(bench: Bench) -> PlanOutput:
    """Write the answer and put the whole result together.

    Raises:
        Postponed: the model is away.
        Unavailable: `plan_not_done`, when no step came to anything.
    """
    now, ledger = bench.state.now, bench.state.ledger
    done, total = len(ledger.in_state(StepState.DONE)), len(ledger.runs)
    if not done:
        raise Unavailable(
            "plan_not_done",
            f"Nothing of the plan could be done. {now.ending}".strip(),
            "Say what is to be done in another way, or mend what failed and ask again.",
        )
    bench.context.progress("writing the answer", done, total)
    with bench.working():
        answer = await _answer(bench)
    return _output(bench, answer)


async def _answer(bench: Bench) -> Answer:
    """Have the model write it; what it cannot write is told as the steps gave it."""
    sources = sources_of(bench.state.ledger, bench.state.now.brought)
    try:
        return await _written(bench, sources)
    except LlmFault as fault:
        final = _final(bench)
        number = next((one.number for one in sources if one.step == final.step.id), 0)
        text = "\n\n".join(text_of(value) for value in final.outputs.values() if value)
        why = f"⚠ The answer could not be written ({fault}); this is what its last step gave."
        return Answer(citing.cited(f"{text[:ANSWER_CHARS_MAX]} [{number}]", sources), (why,))


async def _written(bench: Bench, sources: Sequence[Source]) -> Answer:
    now, model = bench.state.now, await bench.model()
    said = prompt.composing(bench.task, bench.state.ledger, sources, now.ending)
    reply = await bench.calls.say(model, said)
    if _names_none(reply, sources):
        said += (Message("assistant", reply), Message("user", CITE))
        reply = await bench.calls.say(model, said)
    cited = citing.cited(reply[:ANSWER_CHARS_MAX], sources)
    notes = []
    if len(reply) > ANSWER_CHARS_MAX:
        notes.append(f"The answer has {len(reply):,} characters; this is its beginning.")
    if _names_none(reply, sources):
        notes.append("⚠ The model named no sources for what it says.")
    return Answer(cited, tuple(notes))


def _names_none(reply: str, sources: Sequence[Source]) -> bool:
    found = citing.cited(reply, sources)
    return not any(f"[{source.number}]" in found.text for source in found.sources)


def _final(bench: Bench) -> StepRun:
    """Return the step whose outputs are the answer, or the last one that is done."""
    ledger = bench.state.ledger
    done = ledger.in_state(StepState.DONE)
    return next((run for run in done if run.step.id == ledger.plan.final), done[-1])


def _output(bench: Bench, answer: Answer) -> PlanOutput:
    now, ledger, spent = bench.state.now, bench.state.ledger, spent_so_far(bench)
    text = plain(answer.cited.text)
    runs = sorted((*ledger.past, *ledger.runs), key=lambda run: run.number)
    notes = list(answer.notes)
    if now.is_partial:
        notes.insert(0, f"⚠ {now.ending or 'Not all of it could be done.'}")
    if now.is_local:
        notes.append("No model outside this machine and its own network was used.")
    return PlanOutput(
        headline=_headline(bench),
        notes=tuple(notes),
        files=files_of(ledger, now.brought),
        goal=ledger.plan.goal,
        answer=text,
        sources=answer.cited.sources,
        steps=tuple(_facts(run) for run in runs),
        replans=ledger.replans,
        is_partial=now.is_partial,
        is_local=now.is_local,
        model=now.model,
        usage=sum_of([now.usage, bench.calls.usage]),
        cost_usd=spent.cost_usd if spent.is_cost_known else None,
        seconds=now.clock.seconds,
        earlier=_earlier(bench, text),
    )


def _headline(bench: Bench) -> str:
    now, ledger = bench.state.now, bench.state.ledger
    done, total = len(ledger.in_state(StepState.DONE)), len(ledger.runs)
    goal = plain_line(ledger.plan.goal).strip().rstrip(".")[:GOAL_CHARS_MAX]
    count = f"{done} of {total}" if now.is_partial else str(done)
    steps = "step" if total == 1 else "steps"
    told = f"{count} {steps} done in {duration(now.clock.seconds)}: {goal}."
    return told[:HEADLINE_CHARS_MAX]


def _facts(run: StepRun) -> StepFacts:
    return StepFacts(
        id=run.step.id,
        number=run.number + 1,
        title=run.step.title,
        kind=run.step.capability,
        state=run.state,
        headline=run.headline or (run.errors[-1] if run.errors else ""),
        job_id=run.job_id,
    )


def _earlier(bench: Bench, answer: str) -> str:
    """Tell whoever goes on what was asked and answered; the newest is kept when it is too long."""
    told = f"{bench.inputs.earlier}\n\nAsked: {bench.task}\nAnswered: {answer}".strip()
    return told[-HISTORY_CHARS_MAX:]
