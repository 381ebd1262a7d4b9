"""Small things tests are made of: a clock that is set by hand, seeded randomness, kinds, jobs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.core.job import Job, Life
from shared.capabilities import Capability
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.ids import JobId, PersonId, TaskId, WorkerId
from shared.jobs import Priority
from shared.kinds import Inputs, Kind, Output
from shared.kinds.catalogue import BUILT_IN
from shared.plan import Permission, PlanFace
from shared.questions import Asking, Choice, QuestionKind

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class HandClock:
    """Stands still until somebody moves it."""

    def __init__(self, wall: datetime = NOON, monotonic: float = 1000.0) -> None:
        self.wall = wall
        self.seconds = monotonic

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock; no time passes."""
        self.wall += timedelta(seconds=seconds)


def hand_environment(seed: int = 0) -> tuple[Environment, HandClock]:
    clock = HandClock()
    return Environment(clock=clock, entropy=random.Random(seed).randbytes), clock


class PushInputs(Inputs):
    branch: str | None = None


PUSH = Kind(
    name="code.push",
    summary="Has an effect outside: a second run is not harmless",
    inputs=PushInputs,
    output=Output,
    idempotent=False,
    timeout_seconds=60,
    planned=PlanFace(permission=Permission.EXTERNAL),
)
PROBE = replace(PUSH, name="probe.run", idempotent=True)
KINDS: Mapping[str, Kind] = {**BUILT_IN, PUSH.name: PUSH, PROBE.name: PROBE}

ABLE = tuple(Capability(kind=name) for name in KINDS)

PASSING = ErrorBody(code="disk_busy", message="The disk was busy.", retryable=True)
LASTING = ErrorBody(code="file_broken", message="The file is broken.", hint="Mend it.")


def make_job(
    name: str = "job", *, life: Life | None = None, age_seconds: float = 0.0, **fields: object
) -> Job:
    job = Job(
        job_id=JobId(name),
        task_id=TaskId(f"task of {name}"),
        person_id=PersonId("anna"),
        kind="ml.train",
        priority=Priority.DEFAULT,
        created_at=NOON - timedelta(seconds=age_seconds),
        life=life or Life(),
    )
    return replace(job, **fields)  # type: ignore[arg-type]


def make_asking(key: str = "file", default: str | None = None) -> Asking:
    return Asking(
        key=key,
        kind=QuestionKind.CHOICE,
        text="Which file?",
        choices=(
            Choice(value="/data/sales.csv", label="sales.csv"),
            Choice(value="/data/churn.csv", label="churn.csv"),
        ),
        default=default,
    )


PC = WorkerId("anna-pc")
MAC = WorkerId("studio-mac")
