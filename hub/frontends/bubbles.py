"""The thread of a task as bubbles: what its person, the computers and the hub said.

Built from events with the words of `wording` and `history`, so that a thread says what every chat
says. `thread` gathers what is needed; pages and the API only lay out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.core.chat import Author, ChatMessage, Talk
from hub.core.fact import Fact
from hub.core.job import JobCard
from hub.core.question import Question
from hub.core.view import Button, Tone, View
from hub.frontends.entrance import place
from hub.frontends.facts import Facts
from hub.frontends.history import sentence
from hub.frontends.wording import view_of
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    CancelAsked,
    EventBody,
    FilesArrived,
    JobDied,
    JobFailed,
    JobInterrupted,
    JobQueued,
    JobSucceeded,
    MessageSaid,
    QuestionAnswered,
    QuestionAsked,
    RetryAsked,
    TaskCreated,
)
from shared.ids import JobId, QuestionId
from shared.jobs import JobState
from shared.kinds import FileRef
from shared.plain_text import plain, plain_line

DEFAULT = "default"
"""Who answered, when nobody did in time."""
MAY_RETRY = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})


class Side(StrEnum):
    PERSON = "person"
    WORKER = "worker"
    HUB = "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message of a thread; what others wrote is stripped of what acts."""

    key: str
    """Names it within its thread, however it changes."""
    place: int
    """Where in the log it stands."""
    side: Side
    who: str
    """A person as the reader says it ("you on Telegram"), a computer's name; empty for the hub."""
    at: datetime
    text: str
    tone: Tone = Tone.PLAIN
    is_note: bool = False
    """Not said by anybody: what happened meanwhile, in small letters."""
    job_id: JobId | None = None
    question_id: QuestionId | None = None
    """The question it asks."""
    buttons: tuple[Button, ...] = ()
    files: tuple[FileRef, ...] = ()


def bubbles_of(talk: Talk, facts: Facts) -> tuple[Bubble, ...]:
    """Make the bubbles of a part of a thread.

    Args:
        talk: the part.
        facts: about whoever reads: name, zone, and what time it is.
    """
    last_failure = {str(f.payload.get("job_id")): f.hub_seq for f in talk.facts if _is_failure(f)}
    told = [
        bubble
        for fact in talk.facts
        if fact.body is not None
        and (bubble := _bubble(fact, fact.body, talk, facts, last_failure)) is not None
    ]
    said = [_said(message, facts) for message in talk.messages]
    # What was said while the log stood somewhere comes after what stood there.
    return tuple(sorted((*told, *said), key=lambda bubble: (bubble.place, bubble.key)))


def _is_failure(fact: Fact) -> bool:
    return isinstance(fact.body, JobFailed | JobDied | JobInterrupted)


def _bubble(
    fact: Fact, body: EventBody, talk: Talk, facts: Facts, last_failure: Mapping[str, int]
) -> Bubble | None:
    about = _about(fact, body, talk, facts)
    key = f"e{fact.hub_seq}"
    match body:
        case TaskCreated():
            return Bubble(
                key=key, place=fact.hub_seq, side=Side.PERSON, who=_asker(talk, facts),
                at=fact.at, text=plain(talk.task.text),
            )  # fmt: skip
        case MessageSaid():
            return Bubble(
                key=key, place=fact.hub_seq, side=Side.PERSON,
                who=plain_line(facts.whose(body.by)), at=fact.at, text=plain(body.text),
            )  # fmt: skip
        case QuestionAnswered() if body.answer.by != DEFAULT:
            question = talk.questions.get(body.question_id)
            label = question.asking.label_of(body.answer.value) if question else body.answer.value
            return Bubble(
                key=key, place=fact.hub_seq, side=Side.PERSON,
                who=plain_line(facts.whose(body.answer.by)), at=fact.at, text=plain(label),
                job_id=body.job_id,
            )  # fmt: skip
        case JobQueued(reason="new") if talk.cards and body.job_id != talk.cards[0].job_id:
            text = plain_line(f"Asked for: {body.title}")
            return Bubble(
                key=key, place=fact.hub_seq, side=Side.HUB, who="", at=fact.at, text=text,
                is_note=True, job_id=body.job_id,
            )  # fmt: skip
        case JobQueued(reason="new" | "answered") | AnswerGiven() | CancelAsked() | RetryAsked():
            return None
        case _:
            return _told(fact, body, about, key, is_open=_may_retry(fact, talk, last_failure))


def _told(fact: Fact, body: EventBody, about: Facts, key: str, *, is_open: bool) -> Bubble | None:
    """What a computer or the hub told: in the words of every chat, or as a line of the history."""
    view = view_of(body, about)
    job_id = about.job_id
    is_said = isinstance(
        body, QuestionAsked | JobSucceeded | JobDied | JobInterrupted | FilesArrived
    ) or (isinstance(body, JobFailed) and view is not None)
    if isinstance(body, QuestionAsked):
        view = View(text=body.asking.text, tone=Tone.ASKING, question_id=body.question_id)
    if not is_said or view is None:
        text = sentence(body, about)
        return Bubble(
            key=key, place=fact.hub_seq, side=Side.HUB, who="", at=fact.at, text=plain_line(text),
            is_note=True, job_id=job_id,
        )  # fmt: skip
    is_hubs = isinstance(body, JobDied | JobInterrupted)
    return Bubble(
        key=key,
        place=fact.hub_seq,
        side=Side.HUB if is_hubs else Side.WORKER,
        who="" if is_hubs else plain_line(about.name),
        at=fact.at,
        text=plain(view.text),
        tone=view.tone,
        job_id=job_id,
        question_id=view.question_id,
        buttons=tuple(b for b in view.buttons if is_open or not b.says.startswith("/retry")),
        files=body.files if isinstance(body, FilesArrived) else (),
    )


def _about(fact: Fact, body: EventBody, talk: Talk, facts: Facts) -> Facts:
    """What the words about an event need, of what was read with the thread."""
    card = talk.card(str(getattr(body, "job_id", "")))
    question = _question_of(body, talk)
    return Facts(
        now=facts.now,
        job_id=card.job_id if card else None,
        kind=card.kind if card else "",
        title=card.title if card else "",
        machine=_machine(fact, card, talk),
        asking=question.asking if question else None,
        reader=facts.reader,
        zone=facts.zone,
    )


def _question_of(body: EventBody, talk: Talk) -> Question | None:
    if isinstance(body, QuestionAsked | QuestionAnswered | AnswerSuperseded):
        return talk.questions.get(body.question_id)
    return None


def _machine(fact: Fact, card: JobCard | None, talk: Talk) -> str:
    named = next((name for worker, name in talk.machines.items() if worker == fact.device), "")
    if named or card is None:
        return named
    worker_id = card.worker_id or card.job.pinned_to
    return talk.machines.get(worker_id, "") if worker_id else ""


def _may_retry(fact: Fact, talk: Talk, last_failure: Mapping[str, int]) -> bool:
    """Whether the last word on a job that failed can still be followed by another try."""
    job_id = str(fact.payload.get("job_id", ""))
    card = talk.card(job_id)
    is_last = last_failure.get(job_id) == fact.hub_seq
    return card is not None and card.state in MAY_RETRY and is_last


def _asker(talk: Talk, facts: Facts) -> str:
    """Who asked for the task, and where: "you on Telegram"."""
    frontend = talk.task.conversation.partition(":")[0]
    return facts.whose(f"{talk.owner} on {place(frontend)}" if frontend else talk.owner)


def _said(message: ChatMessage, facts: Facts) -> Bubble:
    """What was said in the thread, and no event tells."""
    view = message.view
    is_persons = message.author is Author.PERSON
    return Bubble(
        key=f"m{message.number:012}",
        place=message.hub_seq,
        side=Side.PERSON if is_persons else Side.HUB,
        who=plain_line(facts.whose(message.by)) if is_persons else "",
        at=message.at,
        text=plain(view.text),
        tone=view.tone,
        job_id=view.job_id,
        buttons=view.buttons,
    )
