"""What pages of conversations show: lines of the list of threads, and messages with the hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.core.chat import Author, ChatMessage, Talk, ThreadLine
from hub.core.task import Task
from hub.core.view import Button, Tone, ViewFile
from hub.frontends.bubbles import Bubble, Side, bubbles_of
from hub.frontends.facts import Facts
from hub.frontends.web.visitor import Setting, Visitor
from shared.ids import JobId, TaskId
from shared.jobs import JobState
from shared.plain_text import plain, plain_line

SAID_CHARS_MAX = 160
"""Of what was said last, in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A thread in the list."""

    task_id: TaskId
    title: str
    state: JobState
    machine: str
    said: str
    """What was said last, with who said it when that was the reader."""
    at: datetime
    unread: int
    open_questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskBubble:
    """A message between a person and the hub."""

    key: str
    ref: str
    at: datetime
    side: Side
    who: str
    text: str
    tone: Tone
    buttons: tuple[Button, ...]
    files: tuple[ViewFile, ...]
    job_id: JobId | None
    is_final: bool
    edits: int


def line_of(visitor: Visitor, line: ThreadLine, now: datetime) -> Line:
    """Say a thread in a line."""
    card = line.card
    is_own = card.job.person_id == visitor.person.person_id
    facts = Facts(now=now, reader=visitor.person.name if is_own else "")
    talk = Talk(
        task=Task(
            task_id=line.task_id,
            person_id=card.job.person_id,
            text=card.text,
            conversation=card.conversation,
            created_at=card.job.created_at,
        ),
        owner=facts.reader,
        cards=(card,),
        facts=(line.last,) if line.last else (),
        messages=(),
        questions=line.questions,
        machines=line.machines,
        has_older=False,
    )
    told = bubbles_of(talk, facts)
    worker_id = card.worker_id or card.job.pinned_to
    return Line(
        task_id=line.task_id,
        title=plain_line(card.title),
        state=card.state,
        machine=plain_line(line.machines.get(worker_id, "")) if worker_id else "",
        said=_said(told[-1]) if told else plain_line(card.text)[:SAID_CHARS_MAX],
        at=line.last.at if line.last else card.updated_at,
        unread=line.unread,
        open_questions=line.open_questions,
    )


def _said(bubble: Bubble) -> str:
    said = next((line for line in bubble.text.splitlines() if line.strip()), "")
    said = f"You: {said}" if bubble.who.startswith("you") else said
    return said if len(said) <= SAID_CHARS_MAX else said[: SAID_CHARS_MAX - 2] + " …"


def desk_bubble(place: Setting, visitor: Visitor, message: ChatMessage) -> DeskBubble:
    """A message as it looks now."""
    view = place.chat.looks(message.conversation, message.ref, message.view)
    is_persons = message.author is Author.PERSON
    facts = Facts(now=place.environment.now(), reader=visitor.person.name)
    return DeskBubble(
        key=f"m{message.number}",
        ref=message.ref,
        at=message.at,
        side=Side.PERSON if is_persons else Side.HUB,
        who=plain_line(facts.whose(message.by)) if is_persons else "",
        text=plain(view.text),
        tone=view.tone,
        buttons=view.buttons,
        files=view.files,
        job_id=view.job_id,
        is_final=view.final,
        edits=message.edits,
    )
