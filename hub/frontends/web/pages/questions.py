"""What waits for a person: questions of their jobs, and who wants to be let in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from hub.core.question import Question
from hub.frontends.facts import Facts
from hub.frontends.web.asked import all_asked, first_answer
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.joining import joining
from hub.frontends.web.render import page
from hub.frontends.web.toast import is_own_path
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from shared.errors import AppError, BadInput, Conflict, NotFound
from shared.ids import QuestionId
from shared.plain_text import plain_line

router = APIRouter()
ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
SHOWN_MAX = 50
"""Questions on one page; the oldest are answered first, then the others come."""
ANSWERED_MAX = 10
TOLD_CHARS_MAX = 120
"""Of an answer, in the word about it."""


@router.get("/inbox")
async def show_inbox(request: Request, visitor: Guest, place: Place) -> Response:
    """Open questions, the oldest first, and what was answered last."""
    opened = await place.services.views.open_questions(visitor.sees)
    lately = await place.services.views.answered_lately(visitor.sees, ANSWERED_MAX)
    answered = await all_asked(place, visitor, [question for question, _ in lately])
    joins = await joining(place, visitor)
    return await page(
        request,
        visitor,
        "inbox.html",
        asked=await all_asked(place, visitor, opened[:SHOWN_MAX]),
        joins=joins,
        waiting=len(opened) + len(joins),
        more=max(0, len(opened) - SHOWN_MAX),
        answered=tuple(zip(answered, (at for _, at in lately), strict=True)),
    )


@router.post("/questions/{question_id}/answer")
async def answer_question(
    question_id: Annotated[str, Path(pattern=ID)], visitor: Guest, place: Place, fields: Fields
) -> Response:
    """Answer, and lead back; who comes second is told who was first."""
    back = fields.get("back", "")
    to = back if is_own_path(back) else "/inbox"
    question = await _question(place, visitor, QuestionId(question_id))
    try:
        answered = await place.services.intake.answer(
            question.person_id, question.question_id, fields.get("reply", ""), visitor.by
        )
    except Conflict:
        return lead(to, await _told_second(place, visitor, question.question_id))
    except BadInput as error:
        return lead(to, f"{error.message} {error.hint}".strip())
    assert answered.answer is not None
    value = plain_line(answered.asking.label_of(answered.answer.value))[:TOLD_CHARS_MAX]
    return lead(to, f"Answered: {value}")


async def _question(place: Setting, visitor: Visitor, question_id: QuestionId) -> Question:
    question = await place.services.views.question(question_id)
    if question is None or visitor.sees not in (None, question.person_id):
        raise NotFound(
            "question_unknown", "There is no such question.", "Questions shows what is asked now."
        )
    return question


async def _told_second(place: Setting, visitor: Visitor, question_id: QuestionId) -> str:
    question = await place.services.views.question(question_id)
    assert question is not None
    facts = Facts(now=place.environment.now(), reader=visitor.person.name)
    return plain_line(first_answer(question, facts))


@router.post("/joins/{join_id}")
async def decide_join(
    join_id: Annotated[str, Path(pattern=ID)], visitor: Guest, place: Place, fields: Fields
) -> Response:
    """Let in or turn away; the first decision counts."""
    back = fields.get("back", "")
    to = back if is_own_path(back) else "/inbox"
    if fields.get("decision") not in ("approve", "reject"):
        raise BadInput("decision_missing", "That says neither yes nor no.", "Use the buttons.")
    try:
        request = await place.services.admissions.decide(
            visitor.person.person_id,
            join_id,
            is_approved=fields["decision"] == "approve",
            by=visitor.by,
        )
    except NotFound:
        raise
    except AppError as error:
        return lead(to, f"{error.message} {error.hint}".strip())
    verb = "was let in" if fields["decision"] == "approve" else "was turned away"
    return lead(to, f"{plain_line(request.name)} {verb}.")
