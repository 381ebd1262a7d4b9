"""What jobs ask, and the answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from hub.core.question import Question
from hub.frontends.api.parts import Hub, Known, Reads
from hub.frontends.facts import PLACES
from shared.api.parts import ID
from shared.api.questions import QuestionList, QuestionShown, Reply
from shared.errors import NotFound
from shared.ids import QuestionId

router = APIRouter(tags=["questions"])
QuestionPath = Annotated[str, Path(pattern=ID)]


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
async def list_questions(caller: Reads, hub: Hub) -> QuestionList:
    """Open questions, the oldest first."""
    questions = await hub.views.open_questions(caller.sees)
    return QuestionList(questions=tuple(shown(question) for question in questions))


@router.post("/questions/{question_id}/answer")
async def answer_question(
    question_id: QuestionPath, answer: Reply, caller: Known, hub: Hub
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
