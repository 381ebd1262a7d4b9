"""What code cannot see of a step is put to the plan's model, or to the person.

The model's word is a judgement of outputs and nothing more: it begins nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from desktop.core.plan import prompt
from desktop.core.plan.binding import text_of
from desktop.core.plan.criteria import Judging
from desktop.core.plan.ledger import StepRun
from desktop.jobs.plan.bench import Bench
from shared.plain_text import plain, plain_line
from shared.questions import Asking, Choice, QuestionKind

SHOWN_CHARS_MAX = 1500
WHY_CHARS_MAX = 300
QUESTION_CHARS_MAX = 200
YES, NO = "yes", "no"


async def fault_of(
    bench: Bench, run: StepRun, number: int, judging: Judging, outputs: Mapping[str, JsonValue]
) -> str:
    """Have somebody judge; return what is wrong in a sentence, nothing when all is well.

    Args:
        bench: of the task.
        run: the step, whose job has ended well.
        number: of the criterion, from 1.
        judging: by whom, and the question.
        outputs: by name.
    """
    if judging.by == "person":
        return await _by_person(bench, run, number, judging.question, outputs)
    return await _by_model(bench, judging.question, outputs)


async def _by_model(bench: Bench, question: str, outputs: Mapping[str, JsonValue]) -> str:
    reply = await bench.calls.say(await bench.model(), prompt.judging(question, outputs))
    if prompt.says_yes(reply):
        return ""
    said = plain_line(reply).strip()[:WHY_CHARS_MAX]
    return f"The model does not say yes to “{plain_line(question)[:QUESTION_CHARS_MAX]}”: {said}"


async def _by_person(
    bench: Bench,
    run: StepRun,
    number: int,
    question: str,
    outputs: Mapping[str, JsonValue],
) -> str:
    text = f"“{run.step.title}” is done: {plain(question).strip()}\n\n{plain(_shown(outputs))}"
    answer = await bench.context.ask(
        Asking(
            key=f"judge-{run.number}-{number}",
            kind=QuestionKind.APPROVAL,
            text=text,
            choices=(
                Choice(value=YES, label="Yes, go on"),
                Choice(value=NO, label="No, not good enough"),
            ),
            allow_text=True,
        )
    )
    if answer == YES:
        return ""
    words = "" if answer == NO else f": {plain_line(answer)[:WHY_CHARS_MAX]}"
    return f"Its person does not take it{words}."


def _shown(outputs: Mapping[str, JsonValue]) -> str:
    told = "\n\n".join(f"{name}:\n{text_of(value)}" for name, value in outputs.items() if value)
    return told if len(told) <= SHOWN_CHARS_MAX else f"{told[: SHOWN_CHARS_MAX - 1]}…"
