"""What is asked for: checked, named, and given its place, in steps of the intake's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic_core import PydanticSerializationError, to_json

from hub.core.answer import reused
from hub.core.job import JobCard
from hub.core.task import TEXT_CHARS_MAX
from hub.store import jobs, workers
from hub.store.ledger import Entry
from shared.errors import BadInput, Conflict, NotFound
from shared.ids import (
    SHORT_LENGTH,
    ConversationId,
    JobId,
    PersonId,
    SessionId,
    TaskId,
    WorkerId,
    is_uuid,
)
from shared.jobs import Origin, Priority
from shared.kinds import JsonObject, Kind, parse_inputs
from shared.kinds.catalogue import kind_named
from shared.kinds.naming import FILE_OF_JOB

DEDUPE_CHARS_MAX = 200
TRAINING, RUN, DIFF = "ml.train", "llm.run", "code.diff"
FOLLOWS = {
    **dict.fromkeys(("ml.predict", "ml.models", "ml.model", "files.send", "files.head"), TRAINING),
    **dict.fromkeys(("llm.runs", "llm.stats", "llm.transcript"), RUN),
}
"""Kinds that go where the training (the run of probes) of their task ran, or else the
conversation's last one: a model and transcripts live there also when the session is long over."""
NOWHERE = ConversationId("")


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
    conversation: ConversationId = NOWHERE
    origin: Origin = Origin.CHAT
    priority: Priority = Priority.DEFAULT
    worker_id: WorkerId | None = None
    worker_name: str = ""
    """Only this worker (by name, any case); empty for any."""
    dedupe: str = ""
    """The sender's own name for this request (an update id, an Idempotency-Key): a second
    request of the same person with it gives the first one's job. Empty: never repeated."""
    traceparent: str = ""
    task_id: TaskId | None = None
    """A task of the person's that this goes on with: the job joins it, and runs in its session
    (same worker, same folder) while there is one that takes something new. None for a new one."""
    session_id: SessionId | None = None
    """Exactly this session; it is an error when it is over."""
    job_id: JobId | None = None
    """Made by the computer that asks; None for a new one."""
    has_own_ids: bool = False
    """The ids were made by the computer that asks: a task that is not known is a new one."""


def checked_inputs(kind: Kind, request: Request) -> JsonObject:
    if len(request.text) > TEXT_CHARS_MAX:
        raise BadInput(
            "text_too_long",
            f"The text has {len(request.text):,} characters, {TEXT_CHARS_MAX:,} are allowed.",
            "Put the long part into a file.",
        )
    if len(request.dedupe) > DEDUPE_CHARS_MAX:
        raise BadInput(
            "dedupe_too_long", f"An idempotency key has at most {DEDUPE_CHARS_MAX} characters."
        )
    # Only what was said travels: the defaults are the worker's to fill in.
    told: JsonObject = parse_inputs(kind, request.inputs).model_dump(
        mode="json", exclude_unset=True
    )
    try:
        to_json(told)
    except PydanticSerializationError:
        # Half a character: JSON can write one, neither a store nor a screen can.
        raise BadInput(
            "inputs_invalid",
            f"{kind.name} cannot take these inputs: they hold what is no text.",
            "Write them as UTF-8.",
        ) from None
    return told


def digest_of(request: Request) -> str:
    """Tell whether two requests ask for the same thing."""
    told = [request.kind, request.inputs, request.worker_id, request.worker_name.casefold()]
    if request.task_id is not None or request.session_id is not None:
        told += [request.task_id, request.session_id]
    if request.origin is Origin.API:
        # There, whatever is in the body counts.
        told += [request.text, request.title, request.priority]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def repeated(entry: Entry, known: tuple[JobId, str], digest: str) -> JobCard:
    job_id, first = known
    if first != digest:
        raise reused()
    card = jobs.card(entry.connection, job_id)
    assert card is not None
    return card


def worker_for(entry: Entry, request: Request) -> WorkerId | None:
    """Find which worker must run a job; None when any may."""
    if request.worker_id is None and not request.worker_name:
        return _home(entry, request)
    return worker_named(entry, request.person_id, request.worker_id or request.worker_name)


def check_offered(entry: Entry, person_id: PersonId, name: str, kinds: Mapping[str, Kind]) -> None:
    """See that a kind that is not the hub's own is offered by one of the person's computers.

    Raises:
        BadInput: `kind_unknown`.
    """
    if name in kinds:
        return
    for worker in workers.of_person(entry.connection, person_id):
        if any(capability.kind == name for capability in worker.capabilities):
            return
    kind_named(name, kinds)


def worker_named(entry: Entry, person_id: PersonId, name: str) -> WorkerId:
    """Find a worker by its id, or by its name in any case.

    Raises:
        NotFound: `worker_unknown`.
    """
    for worker in workers.of_person(entry.connection, person_id):
        if worker.worker_id == name or worker.name.casefold() == name.casefold():
            return worker.worker_id
    raise NotFound(
        "worker_unknown",
        f"You have no computer called '{name[:100]}'.",
        "/workers lists them.",
    )


def with_writer(entry: Entry, request: Request) -> Request:
    """Send a request about what a job wrote to the worker that ran that job."""
    found = FILE_OF_JOB.fullmatch(str(request.inputs.get("file", "")))
    if found is None:
        return request
    if found["short"]:
        card = jobs.named(entry.connection, request.person_id, found["short"].upper())
    else:
        card = jobs.card(entry.connection, JobId(found["full"]))
    if card is None or card.job.person_id != request.person_id or card.worker_id is None:
        raise job_unknown()
    inputs: JsonObject = {**request.inputs, "file": f"#{card.job_id}"}
    is_free = request.worker_id is None and not request.worker_name
    return replace(
        request, inputs=inputs, worker_id=card.worker_id if is_free else request.worker_id
    )


def with_change(entry: Entry, request: Request) -> Request:
    """Ask for the change of a job where that job ran, or runs.

    Raises:
        NotFound: `job_unknown`.
    """
    if request.kind != DIFF:
        return request
    said = str(request.inputs.get("job") or "").strip().removeprefix("#")
    if not said:
        return request  # the newest of whoever has one
    if is_uuid(said):
        card = jobs.card(entry.connection, JobId(said))
    else:
        card = jobs.named(entry.connection, request.person_id, said.upper())
    if card is None or card.job.person_id != request.person_id:
        raise job_unknown()
    is_free = request.worker_id is None and not request.worker_name
    return replace(
        request,
        inputs={**request.inputs, "job": card.job_id},
        worker_id=card.worker_id if is_free else request.worker_id,
    )


def _home(entry: Entry, request: Request) -> WorkerId | None:
    """A model lives where it was trained, and so do the questions about it."""
    is_again = request.kind == RUN and request.inputs.get("again") is not None
    led_by = RUN if is_again else FOLLOWS.get(request.kind)
    if led_by is None:
        return None
    ran_on = _of_run(entry, request) if led_by == RUN else None
    if ran_on is None:
        # What goes on with a task is about its model, wherever that is asked for.
        ran_on = jobs.last_worker_of_task(entry.connection, request.task_id, led_by)
    if ran_on is None and request.conversation:
        ran_on = jobs.last_worker(entry.connection, request.person_id, request.conversation, led_by)
    if ran_on is None:
        return None
    worker = workers.load(entry.connection, ran_on)
    return ran_on if worker is not None and not worker.is_revoked else None


def _of_run(entry: Entry, request: Request) -> WorkerId | None:
    """Find who has a run that is named, by its job's id or the four characters of it."""
    named = request.inputs.get("again") or request.inputs.get("run")
    name = named.strip().removeprefix("#") if isinstance(named, str) else ""
    if is_uuid(name):
        card = jobs.card(entry.connection, JobId(name))
    elif len(name) == SHORT_LENGTH:
        card = jobs.named(entry.connection, request.person_id, name.upper())
    else:
        return None
    is_it = card is not None and card.kind == RUN and card.job.person_id == request.person_id
    return card.worker_id if is_it and card is not None else None


def job_unknown() -> NotFound:
    return NotFound("job_unknown", "There is no such job.", "/jobs lists the latest.")


def fence_stale(job_id: JobId) -> Conflict:
    return Conflict(
        "fence_stale",
        f"Job {job_id} has moved on: this worker's grant is no longer in force.",
        "Stop working on it. A result that came all the same was kept beside it.",
    )
