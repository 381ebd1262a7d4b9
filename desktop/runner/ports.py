"""What the runner asks of whatever works on a job, and whom it tells what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from desktop.core.outcome import Ending, Outcome, PartsWanted
from desktop.core.steps import StepWanted
from desktop.runner.child import ChildLimits
from desktop.runner.lines import FromChild, Offers, Order, PartsOver, Planned, StepOver
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.ids import JobId
from shared.messages import Progress
from shared.questions import Asking


class Worked(Protocol):
    """One job that is being run, as `desktop.runner.child.Child` runs it."""

    async def run(self) -> Outcome:
        """Work; returns when nothing of it is left."""

    def answer(self, key: str, value: str) -> None:
        """Give it the answer that it waits for."""

    def parts_ended(self, over: PartsOver) -> None:
        """Tell it that none of the parts that it asked for is open any more."""

    def step_ended(self, over: StepOver) -> None:
        """Tell it how a step that it asked for came out."""

    def offered(self, offers: Offers) -> None:
        """Tell it what the person's workers offer now."""

    def end(self, ending: Ending) -> None:
        """End it at once; the first reason given is the one that counts."""

    def refuse(self, error: ErrorBody) -> None:
        """End it as if it had failed with this error."""


MakeChild = Callable[[Order, ChildLimits, Environment, Callable[[FromChild], None]], Worked]
"""Makes what works on an order; what it says on the way is passed to the function."""


class Listener(Protocol):
    """Who is told what children do. Called in order per attempt."""

    def progressed(self, progress: Progress) -> None:
        """Newest progress; may be dropped."""

    async def logged(self, job_id: JobId, lines: tuple[str, ...]) -> None:
        """Lines for the job's log."""

    async def asked(self, job_id: JobId, asking: Asking) -> None:
        """The child waits for an answer."""

    def parts_wanted(self, job_id: JobId, wanted: PartsWanted) -> None:
        """The job wants parts to be made, and waits until none of them is open."""

    def step_wanted(self, job_id: JobId, wanted: StepWanted) -> None:
        """The job wants a step to be made, and waits for it."""

    def step_dropped(self, job_id: JobId, number: int) -> None:
        """The job waits for a step no more."""

    async def planned(self, job_id: JobId, told: Planned) -> None:
        """The job tells people its plan."""

    async def ended(self, job_id: JobId, outcome: Outcome) -> None:
        """The child and all it started are gone; of a shared one, what this job was in it."""
