"""Takes what people want: new tasks, answers, cancels, second chances.

Each is one transaction: the state, its events and the note that makes a repetition harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.core.job import JobCard
from hub.core.placement import Waiting
from hub.core.question import Question
from shared.ids import ConversationId, JobId, PersonId, QuestionId, WorkerId
from shared.jobs import Origin, Priority
from shared.kinds import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks for."""

    person_id: PersonId
    kind: str
    inputs: JsonObject = field(default_factory=dict)
    """Checked against the kind; what is missing becomes a question."""
    text: str = ""
    """What was said; the kind and the title stand in when empty."""
    title: str = ""
    """A few words that name the job in lists; made from kind and inputs when empty."""
    conversation: ConversationId = ConversationId("")
    origin: Origin = Origin.CHAT
    priority: Priority = Priority.DEFAULT
    worker_id: WorkerId | None = None
    worker_name: str = ""
    """Only this worker (by name, any case); empty for any."""
    dedupe: str = ""
    """The sender's own name for this request (an update id, an Idempotency-Key): a second
    request of the same person with it gives the first one's job. Empty: never repeated."""
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The request is durable."""

    card: JobCard
    is_repeat: bool
    """It was here before under the same `dedupe`; nothing new was made."""
    waiting: Waiting | None
    """Why it does not start at once; None when a worker has room."""


class Intake:
    async def request(self, request: Request) -> Receipt:
        """Make a task with one job and queue it.

        Raises:
            BadInput: `kind_unknown`, `inputs_invalid`, `text_too_long`.
            NotFound: `worker_unknown`.
            Conflict: `dedupe_reused`, the same key came with another request.
            LimitReached: `too_many_jobs`.
            Unavailable: `disk_full`, `store_failed`; nothing was taken.
        """
        raise NotImplementedError

    async def answer(
        self, person_id: PersonId, question_id: QuestionId, reply: str, by: str
    ) -> Question:
        """Answer a question: a choice's value, label or number, or free text where welcome.

        Args:
            person_id: whose question it must be.
            question_id: which.
            reply: as typed or tapped.
            by: who, in words: "anna on Telegram".

        Raises:
            NotFound: `question_unknown`.
            Conflict: `question_answered` (naming who was first), `question_closed`.
            BadInput: `answer_unfit`.
        """
        raise NotImplementedError

    async def cancel(self, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
        """Cancel a job. One that a worker holds is `cancelled` only once that worker has stopped.

        Cancelling twice is no error.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `too_late`.
        """
        raise NotImplementedError

    async def retry(self, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
        """Queue a job again that failed, died (a dead letter), or was interrupted.

        Also gives up on an attempt whose worker is offline: it is queued under a new fence.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `job_not_ended`, `job_succeeded`, `job_cancelled`.
        """
        raise NotImplementedError

    async def requeue_dead(self, person_id: PersonId) -> tuple[JobCard, ...]:
        """Queue every dead letter of a person again."""
        raise NotImplementedError
