"""The jobs of this worker: starts, stops and tells them, and has made what they want made.

What is asked for at this machine (`desktop.alone`), parts, steps and what was postponed all meet
their worker here. Children are started and told only after what is in hand has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from desktop.abilities import Abilities
from desktop.agent.admission import Admission
from desktop.agent.line import AgentLine
from desktop.alone import Alone
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.outcome import Ending, Outcome, no_place
from desktop.parts import Parts
from desktop.postponing import Postponing
from desktop.runner.lines import Offered
from desktop.runner.offering import offers
from desktop.runner.ports import Listener
from desktop.runner.runner import Runner
from desktop.steps import Steps
from desktop.store.facts import Pairing
from desktop.store.hands import Hands
from desktop.store.journal import OpenQuestion
from desktop.store.minder import Minder
from desktop.store.parts import PartEnd
from shared.environment import Environment
from shared.errors import AppError, ErrorBody, Unavailable
from shared.ids import JobId, WorkerId
from shared.jobs import JobSpec
from shared.kinds import Kind
from shared.plan import StepEnded


class AgentFloor:
    """One for each worker; it starts nothing before `open` and after `close`."""

    def __init__(
        self,
        pairing: Pairing,
        kinds: Mapping[str, Kind],
        *,
        abilities: Abilities,
        admission: Admission,
        hands: Hands,
        minder: Minder,
        environment: Environment,
        line: AgentLine,
    ) -> None:
        self._pairing, self._kinds = pairing, kinds
        self._abilities, self._admission = abilities, admission
        self._hands, self._minder = hands, minder
        self._line = line
        self.is_open = False
        self.runner: Runner
        """There from `open` on."""
        self.tasks: asyncio.TaskGroup
        """The same."""
        self._listener: Listener
        self.alone = Alone(hands, self, environment)
        self.parts = Parts(hands, self.alone, self, minder, environment)
        self.steps = Steps(hands, self.alone, self, minder, environment)
        self.postponing = Postponing(hands, minder, environment, self.start_waiting)

    def open(self, runner: Runner, listener: Listener, tasks: asyncio.TaskGroup) -> None:
        """Start jobs from now on; what befalls them is told to the listener."""
        self.runner, self._listener, self.tasks = runner, listener, tasks
        self.is_open = True
        self.start_waiting()

    def close(self) -> None:
        """Start nothing more; what runs is ended by others."""
        self.is_open = False

    def soon(self, deed: Callable[[], Awaitable[None]]) -> None:
        """Have something done that is tried again anyway, if this worker is at work."""
        if self.is_open:
            self.tasks.create_task(self._minder.when_well(deed))

    # What the hub and the person have done here (`desktop.alone.Here`).

    @property
    def worker_id(self) -> WorkerId:
        return self._pairing.worker_id

    @property
    def is_online(self) -> bool:
        return self._line.is_open

    @property
    def is_offline(self) -> bool:
        return self._line.is_offline

    def refusal_of_own(self, spec: JobSpec) -> AppError | None:
        error = self._admission.refusal_of_own(spec)
        return error or (None if self.is_open else not_running())

    async def begin(self, attempt: Attempt) -> None:
        await self.start(attempt.spec.job_id, attempt.number, attempt.fence)

    async def start(self, job_id: JobId, number: int, fence: int) -> None:
        """Start an attempt that was granted, once that stands in the journal."""
        running = await self._hands.start(job_id, number, fence)
        if running is not None:
            await self.run(running)

    async def run(self, running: Attempt) -> None:
        """Start the child of an attempt whose start stands in the journal."""
        job_id = running.spec.job_id
        known_files = await self._known_files(running.spec)
        if self.is_open:  # else the next start of this program finds it in the journal
            try:
                self.runner.start(
                    running, known_files, is_planned=self._is_planned(running),
                    offers=await self._offers(running),
                )  # fmt: skip
            except (OSError, AppError) as error:
                # No folder for it on a full disk, as a rule. Nothing has happened yet.
                outcome = Outcome(ending=Ending.REFUSED, error=no_place(error))
                await self._listener.ended(job_id, outcome)

    def start_waiting(self) -> None:
        """Start soon what waits here for a slot, or for whatever held it back."""
        if self.is_open and self._hands.waiting:
            self.soon(self.alone.start_waiting)

    def pass_on(self, question: OpenQuestion, value: str) -> None:
        self.runner.answer(question.job_id, question.asking.key, value)

    def stop(self, job_id: JobId) -> None:
        if not self.runner.end(job_id, Ending.CANCELLED):
            self.postponing.stopped(job_id)

    def is_due(self, attempt: Attempt) -> bool:
        return self.postponing.is_due(attempt)

    def is_light(self, attempt: Attempt) -> bool:
        return self._admission.is_light(attempt.spec.kind)

    # What parts and steps ask and tell (`desktop.parts.Floor`, `desktop.steps.Floor`).

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return self._kinds

    def refuse(self, job_id: JobId, error: ErrorBody) -> None:
        self.runner.refuse(job_id, error)

    def parts_ended(self, job_id: JobId, ends: Mapping[PartEnd, int]) -> None:
        self.runner.parts_ended(job_id, ends)

    def step_ended(self, job_id: JobId, number: int, ended: StepEnded) -> None:
        self.runner.step_ended(job_id, number, ended)

    # What jobs that have steps are offered.

    def renew_offers(self) -> None:
        """Tell the jobs that have steps what is offered now, soon."""
        if self.is_open and any(self._has_steps(a) for a in self._hands.attempts):
            self.soon(self._tell_offers)

    async def _tell_offers(self) -> None:
        for attempt in self._hands.attempts:
            if self._has_steps(attempt):
                self.runner.offered(attempt.spec.job_id, await self._offers(attempt))

    async def _offers(self, attempt: Attempt) -> tuple[Offered, ...]:
        """What the person's workers offer a job that has steps; nothing to others."""
        if not self._kinds[attempt.spec.kind].has_steps:
            return ()
        allowed = self._admission.policy.allows
        kinds = [k for k in self._abilities.ready if allowed(k, attempt.spec.origin)]
        machines = await self._hands.machines()
        name = self._pairing.worker_name
        return offers(self.worker_id, name, kinds, machines, is_online=self.is_online)

    def _has_steps(self, attempt: Attempt) -> bool:
        return attempt.is_alive and self._kinds[attempt.spec.kind].has_steps

    def _is_planned(self, attempt: Attempt) -> bool:
        """Whether an attempt is a step of a plan that this worker itself has in hand."""
        return any(
            a.spec.job_id == attempt.part_of
            and a.state is not AttemptState.ENDED
            and self._kinds[a.spec.kind].has_steps
            for a in self._hands.attempts
        )

    async def _known_files(self, spec: JobSpec) -> dict[str, str]:
        """Look up the files that a job's inputs name by the job that wrote them."""
        known: dict[str, str] = {}
        for value in spec.inputs.values():
            if isinstance(value, str) and value.startswith("#"):
                path = await self._hands.written_by(value[1:])
                if path is not None:
                    known[value] = path
        return known


def not_running() -> Unavailable:
    return Unavailable(
        "worker_starting", "This worker is starting or stopping.", "It waits.", retryable=True
    )
