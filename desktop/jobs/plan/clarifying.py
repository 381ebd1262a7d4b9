"""Asks the person what the model has to know before it can plan: once, three questions at most."""

from __future__ import annotations

from desktop.jobs.context import SharedContext
from desktop.jobs.plan.state import Said
from shared.plain_text import plain, plain_line
from shared.plan import Clarify, ClarifyQuestion
from shared.questions import Asking, Choice, QuestionKind

CHOICE_CHARS_MAX = 200


async def clarified(context: SharedContext, clarify: Clarify) -> tuple[Said, ...]:
    """Put the questions, one after the other; a later attempt gets the answers that were given."""
    said = []
    for number, question in enumerate(clarify.questions, start=1):
        asking = _asking(question, number, len(clarify.questions), clarify.why)
        answer = await context.ask(asking)
        said.append(Said(question=asking.text, answer=answer))
    return tuple(said)


def _asking(question: ClarifyQuestion, number: int, count: int, why: str) -> Asking:
    """Make a Question of what a model wants to know; its words are shown, and nothing else."""
    labels = dict.fromkeys(filter(None, (_label(choice) for choice in question.choices)))
    text = plain(question.text).strip() or "What exactly is to be done?"
    if number == 1 and why.strip() and count > 1:
        text = f"{plain_line(why).strip()}\n{text}"
    default = _label(question.default) if question.default else ""
    return Asking(
        key=f"clarify-{number}",
        kind=QuestionKind.CLARIFICATION,
        text=text,
        choices=tuple(Choice(value=label, label=label) for label in labels),
        allow_text=True,
        default=default or None,
    )


def _label(text: str) -> str:
    return plain_line(text).strip()[:CHOICE_CHARS_MAX]
