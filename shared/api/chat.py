"""What was said: about one task, and between a person and the hub."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.api.parts import Body, Shown
from shared.kinds import FileRef
from shared.questions import TEXT_CHARS_MAX

PLACE = r"^[0-9]{1,16}$"
"""How a cursor into messages is spelled."""


class NewMessage(Body):
    text: str = Field(min_length=1, max_length=TEXT_CHARS_MAX, pattern=r"\S")
    """Plain text: an answer, a command ("/jobs"), or words that are kept."""


class Offer(Shown):
    """Something that can be said with one tap."""

    label: str
    says: str
    """To be sent as a message; empty for what opens a page instead."""
    url: str = ""


class MessageShown(Shown):
    message_id: str
    at: datetime
    author: Literal["person", "worker", "hub"]
    by: str
    """Who says it: "anna on Telegram", the name of a computer; empty for the hub."""
    text: str
    tone: str
    """How it is meant: plain, waiting, running, asking, done, failed."""
    is_note: bool = False
    """Nobody said it: what happened meanwhile."""
    job_id: str | None = None
    question_id: str | None = None
    """What it asks."""
    offers: tuple[Offer, ...] = ()
    files: tuple[FileRef, ...] = ()


class MessagePage(Shown):
    """The oldest first; the next page is the one before this."""

    messages: tuple[MessageShown, ...]
    next_cursor: str | None


class Said(Shown):
    """It was heard; what comes of it follows as messages and events."""

    answers: tuple[MessageShown, ...]
    """What was answered at once; often nothing."""
