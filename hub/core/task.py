"""A task: what a person asked for, in plain words or as a command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ids import ConversationId, PersonId, TaskId

TEXT_CHARS_MAX = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    task_id: TaskId
    person_id: PersonId
    text: str
    conversation: ConversationId
    """Where it was asked, and where its news goes; empty when nowhere."""
    created_at: datetime
