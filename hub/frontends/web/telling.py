"""Events as lines that people read: what happened, to what, where, and who did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from hub.core.fact import HUB_DEVICE, Fact
from hub.frontends.entrance import place
from hub.frontends.facts import Facts
from hub.frontends.figures import capital
from hub.frontends.history import sentence
from hub.services.chronicle import Look
from shared.events import AnswerSuperseded, EventBody, QuestionAnswered, RequestRefused
from shared.ids import JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.jobs import Origin

SORTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "jobs": (
        "Tasks and jobs",
        (
            "task_created", "task_requested", "task_changed", "task_purged", "purge_asked",
            "job_queued", "job_granted", "job_started", "job_planned", "job_resumed", "job_parked",
            "job_succeeded", "job_failed", "job_cancelled", "job_interrupted", "job_died",
            "job_cancel_requested", "part_settled",
            "cancel_asked", "retry_asked", "request_refused", "late_result", "schedule_asked",
            "schedule_changed", "schedule_ran", "schedule_missed",
        ),
    ),
    "failures": ("What went wrong", ("job_failed", "job_died", "job_interrupted", "files_missed",
        "worker_lost", "worker_mistrusted", "request_refused", "pairing_paused",
        "schedule_missed")),
    "questions": (
        "Questions and answers",
        (
            "question_asked", "question_answered", "question_parked", "answer_given",
            "answer_superseded", "message_said",
        ),
    ),
    "workers": (
        "Computers",
        (
            "worker_paired", "worker_offers", "worker_lost", "worker_back", "worker_revoked",
            "worker_mistrusted",
            "join_requested", "join_settled", "session_opened", "session_ended",
        ),
    ),
    "people": (
        "People and keys",
        (
            "person_locked", "person_unlocked", "person_admitted", "account_linked",
            "pairing_paused", "key_made", "key_revoked", "webhook_changed", "setting_changed",
            "browser_signed_in", "browser_signed_out", "role_changed",
        ),
    ),
    "files": ("Files", ("files_arrived", "files_missed")),
}  # fmt: skip
"""What activity may be narrowed to: the label, and the types of events."""
_TONES: Mapping[str, tuple[str, str]] = {
    "task_created": ("plain", "plus"),
    "task_requested": ("plain", "plus"),
    "task_purged": ("plain", "cross"),
    "job_queued": ("waiting", "queued"),
    "schedule_changed": ("plain", "schedule"),
    "schedule_ran": ("plain", "schedule"),
    "schedule_missed": ("waiting", "warning"),
    "job_granted": ("running", "granted"),
    "job_cancel_requested": ("plain", "stop"),
    "message_said": ("plain", "chat"),
    "session_opened": ("plain", "sessions"),
    "session_ended": ("plain", "sessions"),
    "files_arrived": ("done", "file"),
    "key_made": ("plain", "key"),
    "key_revoked": ("plain", "key"),
    "webhook_changed": ("plain", "webhook"),
    "account_linked": ("plain", "person"),
    "person_admitted": ("done", "person"),
    "browser_signed_in": ("plain", "person"),
    "browser_signed_out": ("plain", "person"),
    "role_changed": ("plain", "people"),
    "join_settled": ("plain", "pair"),
    "job_succeeded": ("done", "succeeded"),
    "job_failed": ("failed", "failed"),
    "job_died": ("failed", "dead"),
    "job_interrupted": ("asking", "interrupted"),
    "job_started": ("running", "running"),
    "job_cancelled": ("plain", "cancelled"),
    "question_asked": ("asking", "asking"),
    "question_answered": ("done", "check"),
    "worker_paired": ("done", "check"),
    "worker_back": ("done", "check"),
    "worker_lost": ("waiting", "offline"),
    "worker_mistrusted": ("failed", "warning"),
    "worker_revoked": ("plain", "cross"),
    "join_requested": ("asking", "pair"),
    "files_missed": ("failed", "warning"),
    "pairing_paused": ("failed", "warning"),
    "person_locked": ("waiting", "lock"),
}
_ORIGINS = {Origin.LOCAL: "a computer", Origin.CHAT: "a chat", Origin.GROUP: "a group"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event, as people read it."""

    hub_seq: int
    at: datetime
    type: str
    tone: str
    icon: str
    says: str
    subject: str
    """What it is about: the title of a job, or a computer; empty when the sentence says it."""
    href: str
    who: str
    """Who did it; empty when nobody did."""
    where: str
    """Through which frontend, or at which computer."""
    owner: str
    """Whose event it is."""

    @property
    def is_named(self) -> bool:
        """Whether the sentence names what it is about already."""
        is_in = self.says.startswith(self.subject) or self.says.endswith(self.subject)
        return bool(self.href) and is_in


def lines(look: Look, now: datetime, zone: tzinfo | None, reader: str) -> list[Line]:
    """Word what was looked up; events of a newer program are named by their type."""
    return [_line(fact, look, now, zone, reader) for fact in look.facts]


def _line(fact: Fact, look: Look, now: datetime, zone: tzinfo | None, reader: str) -> Line:
    body = fact.body
    named = {name: value for name, value in fact.payload.items() if isinstance(value, str)}
    subject, href = _subject(fact, named, look)
    facts = _facts(fact, named, look, now, zone, reader)
    says = sentence(body, facts) if body is not None else capital(fact.type.replace("_", " "))
    tone, icon = _TONES.get(fact.type, ("plain", "info"))
    who, where = author(fact, body, look)
    return Line(
        hub_seq=fact.hub_seq,
        at=fact.at,
        type=fact.type,
        tone=tone,
        icon=icon,
        says=says,
        subject=subject,
        href=href,
        who=who,
        where=where,
        owner=look.people.get(fact.person_id, ""),
    )


def _subject(fact: Fact, named: Mapping[str, str], look: Look) -> tuple[str, str]:
    if (job := look.about.jobs.get(JobId(named.get("job_id", "")))) is not None:
        return job.title or job.kind, f"/jobs/{named['job_id']}"
    if (task := look.about.tasks.get(TaskId(named.get("task_id", "")))) is not None:
        return task.text, f"/tasks/{named['task_id']}"
    if (worker_id := WorkerId(named.get("worker_id", ""))) in look.machines:
        return look.machines[worker_id], f"/workers/{worker_id}"
    return "", ""


def _facts(
    fact: Fact,
    named: Mapping[str, str],
    look: Look,
    now: datetime,
    zone: tzinfo | None,
    reader: str,
) -> Facts:
    job_id = JobId(named["job_id"]) if "job_id" in named else None
    job = look.about.jobs.get(job_id) if job_id else None
    written_by = WorkerId(named.get("worker_id", "") or fact.device)
    machine = look.machines.get(written_by, "")
    if not machine and job is not None and job.worker_id is not None:
        machine = look.machines.get(job.worker_id, "")
    return Facts(
        now=now,
        job_id=job_id,
        kind=job.kind if job else "",
        title=job.title if job else "",
        machine=machine,
        asking=look.about.questions.get(QuestionId(named.get("question_id", ""))),
        reader=reader,
        zone=zone,
    )


def author(fact: Fact, body: EventBody | None, look: Look) -> tuple[str, str]:
    """Who did something, and through which frontend or at which computer."""
    by = _by(fact, body)
    if by:
        name, _, spoken = by.rpartition(" on ")
        return (name, spoken) if name else (by, "")
    owner = look.people.get(PersonId(fact.person_id), "")
    if fact.device != HUB_DEVICE:
        return owner, look.machines.get(WorkerId(fact.device), "a computer")
    task = look.about.tasks.get(TaskId(str(fact.payload.get("task_id", ""))))
    if fact.type == "task_created" and task is not None:
        frontend = task.conversation.partition(":")[0]
        origin = _ORIGINS.get(task.origin, "the API") if task.origin else ""
        return owner, place(frontend) if frontend else origin
    if fact.type == "browser_signed_in":
        return owner, place("web")
    return "", ""


def _by(fact: Fact, body: EventBody | None) -> str:
    if isinstance(body, QuestionAnswered):
        return "" if body.answer.by == "default" else body.answer.by
    if isinstance(body, AnswerSuperseded):
        return body.by
    if isinstance(body, RequestRefused):
        return ""
    by = fact.payload.get("by", "")
    return by if isinstance(by, str) else ""
