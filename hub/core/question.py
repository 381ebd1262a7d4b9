"""A question on the hub: open until the first answer by hub order, or until it runs out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.errors import BadInput, Conflict
from shared.ids import ConversationId, JobId, PersonId, QuestionId
from shared.questions import Answer, Asking, Choice, QuestionKind, match


class QuestionState(StrEnum):
    OPEN = "open"
    PARKED = "parked"
    """It ran out without a default; it can still be answered, and its job starts again then."""
    ANSWERED = "answered"
    CLOSED = "closed"
    """Its job ended without an answer."""

    @property
    def is_open(self) -> bool:
        return self in (QuestionState.OPEN, QuestionState.PARKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    question_id: QuestionId
    job_id: JobId
    person_id: PersonId
    conversation: ConversationId
    """Of the job's task."""
    asking: Asking
    is_hubs: bool = False
    """The hub asks (what to do with an interrupted job), not the job's executor."""
    state: QuestionState = QuestionState.OPEN
    asked_at: datetime
    expires_at: datetime | None
    """None: it stays open until somebody answers."""
    answer: Answer | None = None


RETRY = "retry"
MARK_DONE = "done"
GIVE_UP = "give_up"
DEFAULT = "default"
"""Who answered, when nobody did in time."""


def about_interruption(attempt: int, reason: str, touched: tuple[str, ...]) -> Asking:
    """Ask a person what is true of a job whose worker stopped in the middle."""
    text = " ".join((reason, *touched, "What should happen now?")).strip()
    return Asking(
        key=f"interrupted {attempt}",
        kind=QuestionKind.CHOICE,
        text=text[:4000],
        choices=(
            Choice(value=RETRY, label="Run again", detail="from the start"),
            Choice(value=MARK_DONE, label="Mark done", detail="it had its effect"),
            Choice(value=GIVE_UP, label="Give up"),
        ),
    )


def settle(question: Question, reply: str, by: str) -> Question:
    """Answer a question.

    Args:
        question: as stored.
        reply: a choice's value, label or number, or free text where it is welcome.
        by: who, in words.

    Raises:
        Conflict: `question_answered`, naming who was first; `question_closed`.
        BadInput: `answer_unfit`.
    """
    if question.state is QuestionState.ANSWERED:
        assert question.answer is not None
        told = question.asking.label_of(question.answer.value)[:100]
        raise Conflict("question_answered", f"Answered already by {question.answer.by}: {told}.")
    if question.state is QuestionState.CLOSED:
        raise Conflict("question_closed", "The job ended, its question needs no answer any more.")
    value = match(question.asking, reply)
    if value is None:
        raise BadInput(
            "answer_unfit",
            f"'{reply.strip()[:100]}' is none of the answers to this question.",
            "Answer with one of: " + ", ".join(c.label for c in question.asking.choices) + ".",
        )
    return replace(question, state=QuestionState.ANSWERED, answer=Answer(value=value, by=by[:100]))


def run_out(question: Question) -> Question:
    """Nobody answered in time: the default is taken, or the question is parked."""
    assert question.state is QuestionState.OPEN
    default = question.asking.default
    if default is None:
        return replace(question, state=QuestionState.PARKED)
    return replace(question, state=QuestionState.ANSWERED, answer=Answer(value=default, by=DEFAULT))
