"""What passes over a fleet's broker: names of queues and tasks, and tickets, which carry no words.

A *ticket* is a granted attempt as it lies in a queue: whoever takes it has nothing but the right to
ask the hub for the attempt, once. What people wrote, files and answers never stand in a broker.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.ids import JobId, short
from shared.jobs import Priority

QUEUE_PREFIX = "deskhand"
FLEET_PLATFORM = "Fleet"
"""What the worker that stands for the fleet tells as its platform."""
COUNT_MAX = 2**53


class Ticket(BaseModel):
    """A granted attempt, as its message says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: JobId = Field(max_length=64, pattern=r"^[0-9A-Za-z-]+$")
    attempt: int = Field(ge=1, le=COUNT_MAX)
    fence: int = Field(ge=1, le=COUNT_MAX)
    kind: str = Field(max_length=100, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
    priority: Priority = Priority.DEFAULT
    traceparent: str = Field(default="", max_length=64)

    @property
    def task_id(self) -> str:
        """The id of the task in Celery: the same when a lost message is published again."""
        return f"{self.job_id}:{self.attempt}:{self.fence}"

    @property
    def label(self) -> str:
        """What lists of tasks show of it."""
        return f"#{short(self.job_id)} attempt {self.attempt}"

    @property
    def queue(self) -> str:
        return queue_of(self.kind, self.priority)

    @property
    def task(self) -> str:
        return task_of(self.kind)


def queue_of(kind: str, priority: Priority) -> str:
    """Name the queue that attempts of a kind wait in: "deskhand.llm.probe.high"."""
    return f"{QUEUE_PREFIX}.{kind}.{priority}"


def queues_of(kind: str) -> tuple[str, ...]:
    """Name a kind's queues, the one that is served first in front."""
    return tuple(queue_of(kind, priority) for priority in Priority)


def task_of(kind: str) -> str:
    """Name the task in Celery that runs a kind: "deskhand.llm.probe"."""
    return f"{QUEUE_PREFIX}.{kind}"
