"""What jobs ask, and the answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.api.parts import Body, Shown
from shared.questions import TEXT_CHARS_MAX, Answer, Asking


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
