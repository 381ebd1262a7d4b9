"""The operations of a program that fetches work over the API, runs it, and says what came of it.

hub = PullClient("https://hub.example.org", worker_key)
while True:
if (claim := hub.claim_job(NewClaim())) is not None:
result = run(claim.job)
hub.complete_job(claim.job.job_id, NewResult(
attempt=claim.attempt, fence=claim.fence, result=result))
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from shared.api.queue import (
    AnswerShown,
    ClaimShown,
    Heartbeat,
    HeartbeatShown,
    NewClaim,
    NewFailure,
    NewLines,
    NewProgress,
    NewQuestion,
    NewResult,
    Parking,
    QuestionNoted,
    Told,
)
from shared.api.transport import CALL_SECONDS, Transport
from shared.api.workers import WorkerShown

WAIT_SECONDS = CALL_SECONDS + 30.0
"""Some calls are held open until there is something to say."""


class PullClient:
    """One hub's API, with one key."""

    def __init__(self, hub_url: str, key: str = "") -> None:
        self._transport = Transport(hub_url, key)
        self._ask = self._transport.ask

    @property
    def hub_url(self) -> str:
        return self._transport.hub_url

    def get_worker(self, worker_id: str) -> WorkerShown:
        return self._ask(WorkerShown, "GET", f"/workers/{part(worker_id)}")

    def beat_worker(self, worker_id: str, beat: Heartbeat) -> HeartbeatShown:
        path = f"/workers/{part(worker_id)}/heartbeat"
        return self._ask(HeartbeatShown, "POST", path, body=beat)

    def claim_job(self, wanted: NewClaim, *, idempotency_key: str = "") -> ClaimShown | None:
        """Fetch a job; None when there was none in the time that was waited."""
        return self._transport.ask_maybe(
            ClaimShown,
            "POST",
            "/queue/claim",
            body=wanted,
            headers=once(idempotency_key),
            seconds=WAIT_SECONDS,
        )

    def tell_progress(self, job_id: str, told: NewProgress) -> Told:
        return self._ask(Told, "POST", f"/queue/jobs/{part(job_id)}/progress", body=told)

    def log_lines(self, job_id: str, told: NewLines) -> Told:
        return self._ask(Told, "POST", f"/queue/jobs/{part(job_id)}/log", body=told)

    def ask_question(
        self, job_id: str, told: NewQuestion, *, idempotency_key: str = ""
    ) -> QuestionNoted:
        path, headers = f"/queue/jobs/{part(job_id)}/ask", once(idempotency_key)
        return self._ask(QuestionNoted, "POST", path, body=told, headers=headers)

    def get_answer(self, question_id: str, *, wait_seconds: float | None = None) -> AnswerShown:
        query = {"wait_seconds": wait_seconds}
        path = f"/queue/questions/{part(question_id)}"
        return self._ask(AnswerShown, "GET", path, query=query, seconds=WAIT_SECONDS)

    def park_job(self, job_id: str, told: Parking) -> Told:
        return self._ask(Told, "POST", f"/queue/jobs/{part(job_id)}/park", body=told)

    def complete_job(self, job_id: str, told: NewResult) -> Told:
        return self._ask(Told, "POST", f"/queue/jobs/{part(job_id)}/complete", body=told)

    def fail_job(self, job_id: str, told: NewFailure) -> Told:
        return self._ask(Told, "POST", f"/queue/jobs/{part(job_id)}/fail", body=told)


def part(value: str) -> str:
    """Write a value as one part of a path."""
    return quote(value, safe="")


def once(idempotency_key: str) -> Mapping[str, str]:
    return {"Idempotency-Key": idempotency_key} if idempotency_key else {}
