"""The words of the API's examples: one person, one computer, one model."""

from __future__ import annotations

from collections.abc import Mapping

ANY_ID = "0198f3c2-7a10-7c3e-9d41-5b2f6a7c8d90"
TASK = "0198f3c2-79f4-7b11-8a52-0c1d2e3f4a5b"
JOB = "0198f3c2-7a02-7e55-b0f1-7a8b9c0d1e2f"
WORKER = "0198e1aa-0b3c-7d22-b1c4-9e8f7a6b5c4d"
PERSON = "0198e19f-55d0-7aa0-8c31-1a2b3c4d5e6f"
MOMENT = "2026-11-21T14:02:00Z"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

VALUES: Mapping[str, object] = {
    "task_id": TASK,
    "job_id": JOB,
    "worker_id": WORKER,
    "person_id": PERSON,
    "person_name": "Anna",
    "short": "K7Q2",
    "kind": "ml.train",
    "kinds": ["ml.train", "ml.predict", "files.send"],
    "title": "train sales.csv Revenue",
    "text": "Train on the sales of 2026",
    "state": "succeeded",
    "priority": "default",
    "origin": "api",
    "attempt": 1,
    "number": 1,
    "job_count": 1,
    "inputs": {"file": "sales.csv", "target": "Revenue"},
    "result": {"headline": "Model 'sales' predicts Revenue with R² 0.91.", "files": []},
    "name": "anna-pc",
    "worker_name": "anna-pc",
    "worker": "anna-pc",
    "platform": "Windows 11",
    "app_version": "0.1.0",
    "version": "5f0c9a2e7b1d4c3f8e6a0d9b2c4e6f81",
    "hub_name": "home",
    "hub_url": "https://hub.example.org",
    "url": "/api/v1/artifacts/" + SHA256,
    "sha256": SHA256,
    "size_bytes": 48_213,
    "media_type": "text/csv",
    "file": "sales.csv",
    "hub_seq": 4711,
    "after": 4711,
    "next_after": 4715,
    "device": WORKER,
    "type": "job_succeeded",
    "body": {"job_id": JOB, "attempt": 1, "fence": 1, "running_seconds": 41.2},
    "by": "Anna on the API",
    "reply": "yes",
    "value": "yes",
    "label": "Yes",
    "key": "overwrite",
    "lines": ["reading sales.csv"],
    "code": "BCDF-GHJK",
    "user_code": "BCDF-GHJK",
    "public_key": "3qt0Yw0Qb1p7nqJm3vY1m3l2o8bC6QXy0sXq5vZr8aE",
    "signature": "c2lnbmVkIGJ5IHRoZSBjb21wdXRlcidzIG93biBrZXk",
    "salt": "o2fK1p0Yx3sVbW8mQd5c1Q",
    "token": "dh_worker_0198e1aa-0b3c-7d22-b1c4-9e8f7a6b5c4d_SECRET",
    "words": "amber falcon",
    "status": "ok",
    "slots": 2,
    "free": 1,
    "running": 1,
    "working": 1,
    "workers_online": 1,
    "total": 128,
    "chat_link": "https://t.me/some_bot?start={code}",
    "message": "The file sales.csv is no longer there.",
    "hint": "Choose another file.",
    "description": "Tells our dashboard",
    "Asking.text": "sales-predicted.csv is there already. Overwrite it?",
    "Asking.kind": "choice",
    "QuestionShown.state": "open",
    "Answer.by": "Anna on Telegram",
    "PersonShown.name": "Ben",
    "PersonWithKey.name": "Ben",
    "NewPerson.name": "Ben",
    "PersonWithKey.key": "dh_person_0198e19f-55d0-7aa0-8c31-1a2b3c4d5e6f_SECRET",
    "HealthShown.version": "0.1.0",
    "FrontendShown.name": "telegram",
    "FrontendShown.state": "ok",
    "FrontendShown.error": "",
    "FrontendShown.hint": "",
    "PairingShown.kind": "worker",
    "PairingShown.state": "waiting",
    "PairingShown.frontend": "",
    "PairingShown.account": "",
    "PairingShown.decided_by": "",
    "ArtifactShown.name": "sales-predicted.csv",
    "LogLineShown.text": "reading sales.csv",
    "LogShown.total": 1,
    "StepShown.needs": [],
    "StandingShown.acked_digest": SHA256,
    "Move.worker": "office-pc",
    "NewError.code": "file_gone",
    "ErrorBody.code": "file_gone",
    "Asking.key": "overwrite",
    "AnswerShown.state": "answered",
    "NewWorker.name": "gpu-box",
    "Told.stop": "",
    "JobSpec.answers": {},
    "JobSpec.traceparent": "",
    "WebhookPatch.url": "https://example.org/deskhand",
    "WebhookShown.url": "https://example.org/deskhand",
    "WebhookWithSecret.url": "https://example.org/deskhand",
    "DeliveryShown.state": "delivered",
    "DeliveryShown.status": 204,
    "DeliveryShown.error": "",
    "node": "node-7f3a",
    "instance": "container-7f3a",
    "pool": "asking",
    "delivery": "5b2f6a7c-8d90-4c1e",
    "broker_error": "",
}
ABSENT = frozenset(
    {
        "error",
        "waiting",
        "next_cursor",
        "cursor",
        "question_id",
        "ended_at",
        "reason",
        "default",
        "metrics",
        "retry_after_seconds",
        "failing_since",
        "stopped",
        "session_id",
    }
)
"""Fields in which nothing stands, where nothing may."""


def _problem(status: int, title: str, code: str, detail: str, hint: str) -> dict[str, object]:
    return {
        "type": f"urn:deskhand:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        "errors": [],
    }


PROBLEMS: Mapping[int, dict[str, object]] = {
    told["status"]: told  # type: ignore[misc]
    for told in (
        _problem(
            400, "Bad input", "json_invalid", "The body is no JSON.", "Send application/json."
        ),
        _problem(
            401,
            "Who are you?",
            "key_invalid",
            "This key is wrong or was revoked.",
            "Pair the computer again, or make a new key.",
        ),
        _problem(
            403,
            "Not allowed",
            "key_scope",
            "This key may read, and nothing else.",
            "Use a key with the scope person.",
        ),
        _problem(
            404, "Not found", "job_unknown", "There is no such job.", "/jobs lists the latest."
        ),
        _problem(
            409,
            "Conflict",
            "dedupe_running",
            "The first request under this idempotency key is still being worked on.",
            "Wait a moment, then ask again.",
        ),
        _problem(
            410,
            "Gone",
            "pairing_expired",
            "Nobody said yes in time.",
            "Begin again with a new code.",
        ),
        _problem(
            412,
            "Changed meanwhile",
            "task_changed",
            "The task has changed since it was read.",
            "Read it again and decide anew.",
        ),
        _problem(
            413,
            "Too large",
            "body_too_large",
            "The body is larger than 1024 KiB.",
            "Files stay on your computers: name them instead of sending them.",
        ),
        _problem(
            422,
            "Bad input",
            "kind_unknown",
            "There is no kind of job called 'ml.trian'.",
            "GET /workers tells which kinds your computers run.",
        ),
        _problem(
            428,
            "Say which version",
            "version_missing",
            "This needs the header If-Match.",
            "Read it first, and send its ETag; or send * to change whatever stands there.",
        ),
        _problem(
            429,
            "Limit reached",
            "too_many_jobs",
            "100,000 jobs are waiting already.",
            "Cancel some, or wait until they have run.",
        ),
        _problem(
            503,
            "Unavailable",
            "disk_full",
            "The hub's disk is full.",
            "Its operator has to make room.",
        ),
    )
}
