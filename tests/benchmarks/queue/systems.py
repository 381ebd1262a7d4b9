"""One queue under test, whichever it is: a producer that is told how many, and records of jobs."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.queue.children import PATIENCE_SECONDS, Child
from tests.benchmarks.queue.records import Record, Records

WARM_JOBS = 20


@dataclass(frozen=True, slots=True)
class Run:
    """Jobs that were asked for and are done."""

    jobs: int
    seconds: float
    """From the first request until the last job was done."""
    records: list[Record]
    ack_p50_ms: float
    ack_p99_ms: float

    @property
    def per_second(self) -> float:
        return self.jobs / self.seconds

    def start_ms(self) -> list[float]:
        """How long each job waited from request to start, the shortest first."""
        return sorted((one.started_at - one.asked_at) * 1e3 for one in self.records)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that runs, with one worker process and one producer process."""

    producer: Child
    records: Records
    patience_seconds: float = PATIENCE_SECONDS

    def run(self, jobs: int, callers: int, gap_seconds: float = 0.0) -> Run:
        """Ask for jobs and wait until they are done.

        Raises:
            ChildProcessError, TimeoutError: something does not go on.
        """
        before = len(self.records)
        told = self.producer.ask(f"{jobs} {callers} {gap_seconds}", self.patience_seconds)
        return self.done(told, before, jobs)

    def done(self, told: dict[str, float], before: int, jobs: int) -> Run:
        """Wait for jobs that were asked for when `before` were done."""
        self.records.until(before + jobs, self.patience_seconds)
        done = self.records.read(before)
        return Run(
            jobs=jobs,
            seconds=max(one.done_at for one in done) - told["begun"],
            records=done,
            ack_p50_ms=told.get("ack_p50_ms", 0.0),
            ack_p99_ms=told.get("ack_p99_ms", 0.0),
        )
