"""What is needed to do here, without a hub, what the person at this machine asks for."""

from __future__ import annotations

import sqlite3

from pydantic import ValidationError
from pydantic_core import from_json

from desktop.core.attempt import Attempt, AttemptState
from shared import trace
from shared.events import JobStarted, TaskRequested
from shared.ids import JobId, QuestionId, SessionId, TaskId
from shared.jobs import JobSpec, Origin
from shared.kinds.naming import title_for

SPEC_BYTES_MAX = 64 * 1024
"""A description beyond this is not told with the start: an event has to fit a frame."""
CRASHES_MAX = 2
"""How often a job is begun again here by itself after this program stopped in its middle."""
RESUMED_MAX = 20
"""The same of one that goes on where it was: only so many say that it is what stops the program."""
FIRST = 1
"""The attempt, and the fence, of a job that this machine keeps."""


def spec_for(
    body: TaskRequested,
    answers: dict[str, str] | None = None,
    origin: Origin = Origin.LOCAL,
    traceparent: str = "",
) -> JobSpec:
    """Describe a job as this machine runs it itself.

    Args:
        body: what is asked for.
        answers: given to an earlier attempt at the same thing.
        origin: whose words the inputs are. What a hub told of a job is its word and no more,
            also when the person here wants it run again.
        traceparent: of the job that this one comes from; empty begins a trace, which hubs know by
            the job's id.
    """
    return JobSpec(
        job_id=body.job_id,
        task_id=body.task_id,
        kind=body.kind,
        title=title_for(body.kind, body.inputs, body.title),
        inputs=body.inputs,
        answers=answers or {},
        origin=origin,
        traceparent=traceparent or str(trace.of_id(body.job_id)),
        session_id=SessionId(body.session_id),
    )


def spec_of_part(maker: JobSpec, body: TaskRequested) -> JobSpec:
    """Describe what a job had made: a part, a step, or what follows it. The words are its own."""
    traceparent = maker.traceparent or str(trace.of_id(maker.job_id))
    return spec_for(body, origin=maker.origin, traceparent=traceparent)


def attempt_at(spec: JobSpec, part_of: JobId | None = None) -> Attempt:
    """Return the attempt that this machine makes at a job of its own; it waits for its start."""
    return Attempt(
        spec=spec,
        number=FIRST,
        state=AttemptState.GRANTED,
        fence=FIRST,
        is_kept=True,
        part_of=part_of,
    )


def told_spec(attempt: Attempt) -> JobSpec | None:
    """Return what the start of an attempt tells of its job."""
    size = len(attempt.spec.model_dump_json().encode())
    return attempt.spec if size <= SPEC_BYTES_MAX else None


def known_spec(connection: sqlite3.Connection, job_id: JobId) -> JobSpec | None:
    """Describe a job that was asked for here or has run somewhere; None when too little is known.

    The last start is what counts: it holds the answers given by then.
    """
    row = connection.execute(
        "select body from event where job_id = ? and type = 'job_started' and step_id > 0"
        " order by step_id desc limit 1",
        (job_id,),
    ).fetchone()
    try:
        started = JobStarted.model_validate_json(row[0]) if row else None
    except ValidationError:
        started = None
    if started is not None and started.job is not None:
        return started.job
    row = connection.execute(
        "select copy_job.task_id, asked_here.kind, title, asked_here.inputs from asked_here"
        " join copy_job using (job_id) where job_id = ?",
        (job_id,),
    ).fetchone()
    if row is None:
        return None
    return JobSpec.model_validate(
        {
            "job_id": job_id,
            "task_id": TaskId(row[0]),
            "kind": row[1],
            "title": row[2],
            "inputs": _object(row[3]),
        }
    )


def given(connection: sqlite3.Connection, job_id: JobId) -> tuple[QuestionId, str] | None:
    """Return the answer to a job's open question that was given here and has not counted yet."""
    row = connection.execute(
        "select question_id, given from copy_question"
        " where job_id = ? and given != '' and state = 'open'",
        (job_id,),
    ).fetchone()
    return (QuestionId(row[0]), row[1]) if row else None


def is_cancelled(connection: sqlite3.Connection, job_id: JobId) -> bool:
    """Say whether its person wants a job stopped."""
    row = connection.execute(
        "select 1 from copy_job where job_id = ? and cancel_by != ''", (job_id,)
    ).fetchone()
    return row is not None


def _object(text: str) -> dict[str, object]:
    told = from_json(text or "{}")
    assert isinstance(told, dict)
    return told
