"""Every operation of a hub's REST API as a method, named as in its OpenAPI document.

    hub = Client("http://127.0.0.1:8700", key)
    job = hub.create_task(NewTask(kind="ml.models"))
    for event in hub.follow_events(types=["job_succeeded"]):
        ...

What goes wrong is an AppError with the hub's own code and words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from shared.api.chat import MessagePage, NewMessage, Said
from shared.api.dead_letters import DeadLetterShown, PurgedShown
from shared.api.events import EventPage, EventShown
from shared.api.fleet_client import FleetClient
from shared.api.jobs import ArtifactList, History, JobPage, JobShown, LogQuery, LogShown, Move
from shared.api.keys import KeyList, KeyRotation, KeyTold, NewKey
from shared.api.pairings import (
    InvitationShown,
    NewInvitation,
    NewPairing,
    PairedShown,
    PairingList,
    PairingNoted,
    PairingShown,
    TokenRequest,
)
from shared.api.parts import PAGE_DEFAULT
from shared.api.people import NewPerson, PersonList, PersonShown, PersonWithKey
from shared.api.pull_client import PullClient, once, part
from shared.api.questions import QuestionList, QuestionShown, Reply
from shared.api.queue import QueueShown
from shared.api.schedules import NewSchedule, SchedulePage, ScheduleRunShown, ScheduleShown
from shared.api.sessions import NewSession, SessionPage, SessionShown
from shared.api.sign_ins import NewSignInLink, SignInLinkShown
from shared.api.standing import StandingShown
from shared.api.status import HealthShown, StatusShown
from shared.api.tasks import (
    NewFollowUp,
    NewTask,
    PlanShown,
    TaskPage,
    TaskPatch,
    TaskQuery,
    TaskShown,
    TaskWithJobs,
)
from shared.api.transport import CALL_SECONDS, Query
from shared.api.webhooks import (
    DeliveryPage,
    DeliveryShown,
    DeliveryState,
    NewWebhook,
    SecretRotation,
    WebhookPage,
    WebhookPatch,
    WebhookShown,
    WebhookWithSecret,
)
from shared.api.workers import NewWorker, WorkerList, WorkerShown, WorkerTold
from shared.jobs import JobState

STREAM_SECONDS = 60.0
"""A stream that is silent for longer has lost its hub, which says something every 15 s."""
ANY_VERSION = "*"
TOKEN_SECONDS = 30.0
"""The hub holds a question for a token open for 20 s."""


class Client(PullClient, FleetClient):
    """One hub's API, with one key: what people may do, workers that fetch work, and the fleet."""

    # How the hub is.

    def get_health(self) -> HealthShown:
        return self._ask(HealthShown, "GET", "/health")

    def get_status(self) -> StatusShown:
        return self._ask(StatusShown, "GET", "/status")

    # Tasks and jobs.

    def create_task(self, new: NewTask, *, idempotency_key: str = "") -> TaskShown:
        return self._ask(TaskShown, "POST", "/tasks", body=new, headers=once(idempotency_key))

    def list_tasks(self, wanted: TaskQuery | None = None) -> TaskPage:
        return self._ask(TaskPage, "GET", "/tasks", query=_query(wanted))

    def get_task(self, task_id: str) -> TaskWithJobs:
        return self._ask(TaskWithJobs, "GET", f"/tasks/{part(task_id)}")

    def update_task(
        self, task_id: str, patch: TaskPatch, *, version: str = ANY_VERSION
    ) -> TaskWithJobs:
        """Change a task; `version` is its own when the change is for what was read."""
        path, headers = f"/tasks/{part(task_id)}", _if_match(version)
        return self._ask(TaskWithJobs, "PATCH", path, body=patch, headers=headers)

    def purge_task(self, task_id: str) -> None:
        self._transport.do("DELETE", f"/tasks/{part(task_id)}")

    def create_job(self, task_id: str, new: NewFollowUp, *, idempotency_key: str = "") -> JobShown:
        path = f"/tasks/{part(task_id)}/jobs"
        return self._ask(JobShown, "POST", path, body=new, headers=once(idempotency_key))

    def get_plan(self, task_id: str) -> PlanShown:
        return self._ask(PlanShown, "GET", f"/tasks/{part(task_id)}/plan")

    def list_jobs(
        self,
        *,
        state: Sequence[JobState] = (),
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> JobPage:
        query = {"state": state, "limit": limit, "cursor": cursor}
        return self._ask(JobPage, "GET", "/jobs", query=query)

    def get_job(self, job_id: str) -> JobShown:
        return self._ask(JobShown, "GET", f"/jobs/{part(job_id)}")

    def get_job_events(self, job_id: str) -> History:
        return self._ask(History, "GET", f"/jobs/{part(job_id)}/events")

    def cancel_job(self, job_id: str) -> JobShown:
        return self._ask(JobShown, "POST", f"/jobs/{part(job_id)}/cancel")

    def retry_job(self, job_id: str) -> JobShown:
        return self._ask(JobShown, "POST", f"/jobs/{part(job_id)}/retry")

    def move_job(self, job_id: str, move: Move) -> JobShown:
        return self._ask(JobShown, "POST", f"/jobs/{part(job_id)}/move", body=move)

    def get_job_log(self, job_id: str, wanted: LogQuery | None = None) -> LogShown:
        return self._ask(LogShown, "GET", f"/jobs/{part(job_id)}/log", query=_query(wanted))

    def list_job_artifacts(self, job_id: str) -> ArtifactList:
        return self._ask(ArtifactList, "GET", f"/jobs/{part(job_id)}/artifacts")

    def get_artifact(self, sha256: str, folder: Path) -> Path:
        """Save a file's content in a folder; nothing there is overwritten."""
        return self._transport.save(f"/artifacts/{part(sha256)}", folder, sha256)

    # Dead letters.

    def get_queue(self) -> QueueShown:
        return self._ask(QueueShown, "GET", "/queue")

    def enqueue_job(self, new: NewTask, *, idempotency_key: str = "") -> TaskShown:
        headers = once(idempotency_key)
        return self._ask(TaskShown, "POST", "/queue/jobs", body=new, headers=headers)

    def list_dead_letters(
        self,
        *,
        kind: str = "",
        worker: str = "",
        fleet: bool = False,
        since: datetime | None = None,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> JobPage:
        query = {
            "kind": kind,
            "worker": worker,
            "fleet": fleet,
            "since": since.isoformat() if since else None,
            "limit": limit,
            "cursor": cursor,
        }
        return self._ask(JobPage, "GET", "/dead-letters", query=query)

    def get_dead_letter(self, job_id: str) -> DeadLetterShown:
        return self._ask(DeadLetterShown, "GET", f"/dead-letters/{part(job_id)}")

    def requeue_dead_letters(self) -> JobPage:
        return self._ask(JobPage, "POST", "/dead-letters/requeue")

    def purge_dead_letters(self) -> PurgedShown:
        return self._ask(PurgedShown, "POST", "/dead-letters/purge")

    def requeue_dead_letter(self, job_id: str) -> JobShown:
        return self._ask(JobShown, "POST", f"/dead-letters/{part(job_id)}/requeue")

    def undo_requeue(self, job_id: str) -> JobShown:
        return self._ask(JobShown, "POST", f"/dead-letters/{part(job_id)}/undo")

    def purge_dead_letter(self, job_id: str) -> None:
        self._transport.do("DELETE", f"/dead-letters/{part(job_id)}")

    # Events.

    def list_events(
        self,
        *,
        types: Sequence[str] = (),
        after: int | None = None,
        limit: int = PAGE_DEFAULT,
        wait_seconds: float = 0.0,
    ) -> EventPage:
        query = {"types": types, "after": after, "limit": limit, "wait_seconds": wait_seconds}
        seconds = CALL_SECONDS + wait_seconds
        return self._ask(EventPage, "GET", "/events", query=query, seconds=seconds)

    def follow_events(
        self, *, types: Sequence[str] = (), after: int | None = None
    ) -> Iterator[EventShown]:
        """Read events as they happen, until the hub stops; go on after the last `hub_seq`."""
        lines = self._transport.lines(
            "/events",
            query={"types": types, "after": after},
            headers={"Accept": "text/event-stream"},
            seconds=STREAM_SECONDS,
        )
        has_place = False
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "data" and has_place and value != "{}":
                yield EventShown.model_validate_json(value)
            has_place = bool(line) and (has_place or name == "id")

    # Files and questions.

    def get_file(self, name: str, folder: Path) -> Path:
        """Save a file that waits for its person in a folder; nothing there is overwritten."""
        return self._transport.save(f"/files/{part(name)}", folder, name)

    def list_questions(self) -> QuestionList:
        return self._ask(QuestionList, "GET", "/questions")

    def answer_question(self, question_id: str, answer: Reply) -> QuestionShown:
        path = f"/questions/{part(question_id)}/answer"
        return self._ask(QuestionShown, "POST", path, body=answer)

    def list_task_messages(
        self, task_id: str, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> MessagePage:
        path, query = f"/tasks/{part(task_id)}/messages", {"limit": limit, "cursor": cursor}
        return self._ask(MessagePage, "GET", path, query=query)

    def create_task_message(
        self, task_id: str, new: NewMessage, *, idempotency_key: str = ""
    ) -> Said:
        path, headers = f"/tasks/{part(task_id)}/messages", once(idempotency_key)
        return self._ask(Said, "POST", path, body=new, headers=headers)

    def list_chat_messages(
        self, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> MessagePage:
        query = {"limit": limit, "cursor": cursor}
        return self._ask(MessagePage, "GET", "/chat/messages", query=query)

    def create_chat_message(self, new: NewMessage, *, idempotency_key: str = "") -> Said:
        headers = once(idempotency_key)
        return self._ask(Said, "POST", "/chat/messages", body=new, headers=headers)

    # Sessions.

    def create_session(self, new: NewSession, *, idempotency_key: str = "") -> SessionShown:
        headers = once(idempotency_key)
        return self._ask(SessionShown, "POST", "/sessions", body=new, headers=headers)

    def list_sessions(
        self,
        *,
        is_open: bool | None = None,
        task_id: str | None = None,
        worker_id: str | None = None,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> SessionPage:
        query = {
            "is_open": is_open,
            "task_id": task_id,
            "worker_id": worker_id,
            "limit": limit,
            "cursor": cursor,
        }
        return self._ask(SessionPage, "GET", "/sessions", query=query)

    def get_session(self, session_id: str) -> SessionShown:
        return self._ask(SessionShown, "GET", f"/sessions/{part(session_id)}")

    def renew_session(self, session_id: str) -> SessionShown:
        return self._ask(SessionShown, "POST", f"/sessions/{part(session_id)}/heartbeat")

    def terminate_session(self, session_id: str) -> SessionShown:
        return self._ask(SessionShown, "POST", f"/sessions/{part(session_id)}/terminate")

    # Schedules.

    def create_schedule(self, new: NewSchedule, *, idempotency_key: str = "") -> ScheduleShown:
        headers = once(idempotency_key)
        return self._ask(ScheduleShown, "POST", "/schedules", body=new, headers=headers)

    def list_schedules(
        self, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> SchedulePage:
        query = {"limit": limit, "cursor": cursor}
        return self._ask(SchedulePage, "GET", "/schedules", query=query)

    def get_schedule(self, schedule_id: str) -> ScheduleShown:
        return self._ask(ScheduleShown, "GET", f"/schedules/{part(schedule_id)}")

    def pause_schedule(self, schedule_id: str) -> ScheduleShown:
        return self._ask(ScheduleShown, "POST", f"/schedules/{part(schedule_id)}/pause")

    def resume_schedule(self, schedule_id: str) -> ScheduleShown:
        return self._ask(ScheduleShown, "POST", f"/schedules/{part(schedule_id)}/resume")

    def run_schedule(self, schedule_id: str, *, idempotency_key: str = "") -> ScheduleRunShown:
        path, headers = f"/schedules/{part(schedule_id)}/run", once(idempotency_key)
        return self._ask(ScheduleRunShown, "POST", path, headers=headers)

    def delete_schedule(self, schedule_id: str) -> None:
        self._transport.do("DELETE", f"/schedules/{part(schedule_id)}")

    # Keys of programs, and where events are told.

    def list_keys(self) -> KeyList:
        return self._ask(KeyList, "GET", "/keys")

    def create_key(self, new: NewKey, *, idempotency_key: str = "") -> KeyTold:
        return self._ask(KeyTold, "POST", "/keys", body=new, headers=once(idempotency_key))

    def rotate_key(
        self, key_id: str, rotation: KeyRotation, *, idempotency_key: str = ""
    ) -> KeyTold:
        path, headers = f"/keys/{part(key_id)}/rotate", once(idempotency_key)
        return self._ask(KeyTold, "POST", path, body=rotation, headers=headers)

    def revoke_key(self, key_id: str) -> None:
        self._transport.do("DELETE", f"/keys/{part(key_id)}")

    def create_webhook(self, new: NewWebhook, *, idempotency_key: str = "") -> WebhookWithSecret:
        headers = once(idempotency_key)
        return self._ask(WebhookWithSecret, "POST", "/webhooks", body=new, headers=headers)

    def list_webhooks(self, *, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> WebhookPage:
        query = {"limit": limit, "cursor": cursor}
        return self._ask(WebhookPage, "GET", "/webhooks", query=query)

    def get_webhook(self, webhook_id: str) -> WebhookShown:
        return self._ask(WebhookShown, "GET", f"/webhooks/{part(webhook_id)}")

    def update_webhook(
        self, webhook_id: str, patch: WebhookPatch, *, version: str = ANY_VERSION
    ) -> WebhookShown:
        """Change a webhook; `version` is its own when the change is for what was read."""
        path, headers = f"/webhooks/{part(webhook_id)}", _if_match(version)
        return self._ask(WebhookShown, "PATCH", path, body=patch, headers=headers)

    def delete_webhook(self, webhook_id: str) -> None:
        self._transport.do("DELETE", f"/webhooks/{part(webhook_id)}")

    def rotate_webhook_secret(
        self, webhook_id: str, rotation: SecretRotation, *, idempotency_key: str = ""
    ) -> WebhookWithSecret:
        path, headers = f"/webhooks/{part(webhook_id)}/secret", once(idempotency_key)
        return self._ask(WebhookWithSecret, "POST", path, body=rotation, headers=headers)

    def test_webhook(self, webhook_id: str) -> DeliveryShown:
        return self._ask(DeliveryShown, "POST", f"/webhooks/{part(webhook_id)}/test")

    def list_deliveries(
        self,
        webhook_id: str,
        *,
        state: Sequence[DeliveryState] = (),
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> DeliveryPage:
        query = {"state": state, "limit": limit, "cursor": cursor}
        path = f"/webhooks/{part(webhook_id)}/deliveries"
        return self._ask(DeliveryPage, "GET", path, query=query)

    def get_delivery(self, webhook_id: str, delivery_id: str) -> DeliveryShown:
        path = f"/webhooks/{part(webhook_id)}/deliveries/{part(delivery_id)}"
        return self._ask(DeliveryShown, "GET", path)

    def redeliver(self, webhook_id: str, delivery_id: str) -> DeliveryShown:
        path = f"/webhooks/{part(webhook_id)}/deliveries/{part(delivery_id)}/redeliver"
        return self._ask(DeliveryShown, "POST", path)

    # Computers, and who comes in.

    def list_workers(self) -> WorkerList:
        return self._ask(WorkerList, "GET", "/workers")

    def register_worker(self, new: NewWorker, *, idempotency_key: str = "") -> WorkerTold:
        headers = once(idempotency_key)
        return self._ask(WorkerTold, "POST", "/workers", body=new, headers=headers)

    def drain_worker(self, worker_id: str) -> WorkerShown:
        return self._ask(WorkerShown, "POST", f"/workers/{part(worker_id)}/drain")

    def pause_worker(self, worker_id: str) -> WorkerShown:
        return self._ask(WorkerShown, "POST", f"/workers/{part(worker_id)}/pause")

    def resume_worker(self, worker_id: str) -> WorkerShown:
        return self._ask(WorkerShown, "POST", f"/workers/{part(worker_id)}/resume")

    def revoke_worker(self, worker_id: str) -> None:
        self._transport.do("DELETE", f"/workers/{part(worker_id)}")

    def get_standing(self, epoch: int) -> StandingShown:
        return self._ask(StandingShown, "GET", "/worker/standing", query={"epoch": epoch})

    def create_invitation(self, new: NewInvitation) -> InvitationShown:
        return self._ask(InvitationShown, "POST", "/invitations", body=new)

    def create_sign_in_link(self, new: NewSignInLink) -> SignInLinkShown:
        return self._ask(SignInLinkShown, "POST", "/sign-in-links", body=new)

    def create_pairing(self, new: NewPairing) -> PairingNoted:
        return self._ask(PairingNoted, "POST", "/pairings", body=new)

    def create_token(self, pairing_id: str, wanted: TokenRequest) -> PairedShown:
        path = f"/pairings/{part(pairing_id)}/token"
        return self._ask(PairedShown, "POST", path, body=wanted, seconds=TOKEN_SECONDS)

    def list_pairings(self) -> PairingList:
        return self._ask(PairingList, "GET", "/pairings")

    def approve_pairing(self, pairing_id: str) -> PairingShown:
        return self._ask(PairingShown, "POST", f"/pairings/{part(pairing_id)}/approve")

    def reject_pairing(self, pairing_id: str) -> PairingShown:
        return self._ask(PairingShown, "POST", f"/pairings/{part(pairing_id)}/reject")

    def list_people(self) -> PersonList:
        return self._ask(PersonList, "GET", "/people")

    def create_person(self, new: NewPerson) -> PersonWithKey:
        return self._ask(PersonWithKey, "POST", "/people", body=new)

    def unlock_person(self, person_id: str) -> PersonShown:
        return self._ask(PersonShown, "POST", f"/people/{part(person_id)}/unlock")

    def unlock_own(self) -> PersonShown:
        return self._ask(PersonShown, "POST", "/unlock")


def _if_match(version: str) -> dict[str, str]:
    return {"If-Match": version if version == ANY_VERSION else f'"{version}"'}


def _query(wanted: BaseModel | None) -> Query:
    return wanted.model_dump(mode="json", exclude_unset=True) if wanted else {}
