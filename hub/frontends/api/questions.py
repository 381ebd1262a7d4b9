"""What jobs ask, and the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from hub.core.question import Question
from hub.frontends.api.jobs import ID
from hub.frontends.api.parts import Body, Hub, Known, Shown
from hub.frontends.facts import PLACES
from shared.errors import NotFound
from shared.ids import QuestionId
from shared.questions import TEXT_CHARS_MAX, Answer, Asking

router = APIRouter(tags=["questions"])


class QuestionShown(Shown):
    question_id: str
    job_id: str
    state: str
    asking: Asking
    asked_at: datetime
    expires_at: datetime | None
    answer: Answer | None


class QuestionList(Shown):
    questions: tuple[QuestionShown, ...]


class Reply(Body):
    reply: str = Field(min_length=1, max_length=TEXT_CHARS_MAX)
    """A choice's value, label or number; free text where the question welcomes it."""


def shown(question: Question) -> QuestionShown:
    return QuestionShown(
        question_id=question.question_id,
        job_id=question.job_id,
        state=question.state,
        asking=question.asking,
        asked_at=question.asked_at,
        expires_at=question.expires_at,
        answer=question.answer,
    )


@router.get("/questions")
async def list_questions(caller: Known, hub: Hub) -> QuestionList:
    """Open questions, the oldest first."""
    questions = await hub.views.open_questions(caller.sees)
    return QuestionList(questions=tuple(shown(question) for question in questions))


@router.post("/questions/{question_id}/answer")
async def answer_question(
    question_id: Annotated[str, Path(pattern=ID)], answer: Reply, caller: Known, hub: Hub
) -> QuestionShown:
    """Answer; the first answer wins."""
    question = await hub.views.question(QuestionId(question_id))
    if question is None or caller.sees not in (None, question.person_id):
        raise NotFound(
            "question_unknown", "There is no such question.", "GET /questions lists them."
        )
    by = f"{caller.person.name} on {PLACES['api']}"
    return shown(
        await hub.intake.answer(question.person_id, question.question_id, answer.reply, by)
    )
