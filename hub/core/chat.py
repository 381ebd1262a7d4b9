"""What was said in a conversation that the hub keeps itself, and what a thread of a task tells.

A *conversation* is everything that one person and the hub said to each other on the web. A *thread*
is one task: its events, and what was said about it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.core.fact import Fact
from hub.core.job import JobCard
from hub.core.question import Question
from hub.core.task import Task
from hub.core.view import View
from shared.ids import ConversationId, JobId, QuestionId, TaskId, WorkerId

MESSAGES_KEPT_MAX = 1000
"""Of one conversation; the oldest make room. What jobs told stands in the log of events."""
PAGE_MAX = 200
UNREAD_MAX = 99


class Author(StrEnum):
    PERSON = "person"
    HUB = "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a conversation, as it looks now."""

    number: int
    """Its place: later ones have higher numbers."""
    conversation: ConversationId
    ref: str
    """Names it: the same again takes its place."""
    author: Author
    by: str = ""
    """Of a person's words: who said them, in words: "anna on the web"."""
    view: View
    task_id: TaskId | None = None
    """The thread it was said in."""
    hub_seq: int
    """Where the log stood."""
    at: datetime
    edits: int = 0
    """How often it has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some messages of a conversation, the oldest first."""

    messages: tuple[ChatMessage, ...]
    has_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A part of one task's thread, as it is stored."""

    task: Task
    owner: str
    """The name of the person whose it is."""
    cards: tuple[JobCard, ...]
    """Its jobs in the order they were made; the newest ones, of very many."""
    facts: tuple[Fact, ...]
    """Without the lines of logs; in the hub's order, without gaps."""
    messages: tuple[ChatMessage, ...]
    """Said in this thread, and no event tells them."""
    questions: Mapping[QuestionId, Question]
    """Those that the facts are about, and all that are open."""
    machines: Mapping[WorkerId, str]
    """Names of its owner's computers."""
    has_older: bool
    has_newer: bool = False
    """There is more after this part."""

    def card(self, job_id: JobId | str) -> JobCard | None:
        return next((card for card in self.cards if card.job_id == job_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadLine:
    """A thread as a list of threads shows it."""

    card: JobCard
    """The newest job of its task."""
    last: Fact | None
    """What was told last."""
    questions: Mapping[QuestionId, Question]
    """What that was about, if it was a question."""
    machines: Mapping[WorkerId, str]
    unread: int
    """What was told since it was last read; at most `UNREAD_MAX`."""
    open_questions: int

    @property
    def task_id(self) -> TaskId:
        return self.card.job.task_id
