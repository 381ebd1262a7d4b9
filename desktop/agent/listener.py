"""What children tell: it is written down first, then told on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from desktop.agent.floor import AgentFloor
from desktop.agent.sending import Sending
from desktop.agent.sessions import SessionFolders
from desktop.core.attempt import Attempt
from desktop.core.outcome import Ending, Outcome, PartsWanted
from desktop.core.outcome_event import outcome_event
from desktop.core.result_size import RESULT_BYTES_MAX
from desktop.core.steps import StepWanted, unshowable
from desktop.runner.lines import Planned
from desktop.store.hands import Hands
from desktop.store.minder import Minder
from desktop.store.outgoing import Parcel
from shared.errors import AppError
from shared.events import TaskRequested
from shared.ids import JobId
from shared.messages import Progress
from shared.questions import Asking


class AgentListener:
    """See `desktop.runner.ports.Listener`."""

    def __init__(
        self,
        floor: AgentFloor,
        hands: Hands,
        minder: Minder,
        *,
        sending: Sending,
        sessions: SessionFolders,
        tell_progress: Callable[[Progress], None],
    ) -> None:
        self._floor, self._hands, self._minder = floor, hands, minder
        self._sending, self._sessions = sending, sessions
        self._tell_progress = tell_progress

    def progressed(self, progress: Progress) -> None:
        attempt = self._hands.get(progress.job_id, progress.attempt)
        if attempt is not None and attempt.part_of is not None:
            return  # people look at the job that it is a part of
        self._tell_progress(progress)

    async def logged(self, job_id: JobId, lines: tuple[str, ...]) -> None:
        await self._minder.insist(lambda: self._hands.log(job_id, lines))

    async def asked(self, job_id: JobId, asking: Asking) -> None:
        size = len(asking.model_dump_json().encode())
        if size > RESULT_BYTES_MAX:
            self._floor.refuse(job_id, question_too_large(size).body)
        else:
            await self._minder.insist(lambda: self._hands.ask(job_id, asking))
            self._floor.start_waiting()

    def parts_wanted(self, job_id: JobId, wanted: PartsWanted) -> None:
        self._floor.parts.want(job_id, wanted)

    def step_wanted(self, job_id: JobId, wanted: StepWanted) -> None:
        self._floor.steps.want(job_id, wanted)

    def step_dropped(self, job_id: JobId, number: int) -> None:
        self._floor.steps.drop(job_id, number)

    async def planned(self, job_id: JobId, told: Planned) -> None:
        attempt = self._hands.alive(job_id)
        if attempt is None:
            return
        error = unshowable(self._floor.kinds[attempt.spec.kind], told.plan)
        if error is not None:
            self._floor.refuse(job_id, error.body)
        else:
            tell = partial(self._hands.tell_plan, job_id, told.stage, told.plan)
            await self._minder.insist(tell)

    async def ended(self, job_id: JobId, outcome: Outcome) -> None:
        attempt = self._hands.alive(job_id)
        if attempt is None:
            return
        kind = self._floor.kinds[attempt.spec.kind]
        settled = await self._floor.postponing.settle(attempt, kind, outcome)
        if settled is not None:
            await self._end(attempt, settled)
        await self._sessions.settle()
        self._floor.start_waiting()

    async def _end(self, attempt: Attempt, outcome: Outcome) -> None:
        """Write down how an attempt ended, with all that goes on from it."""
        job_id = attempt.spec.job_id
        kind = self._floor.kinds[attempt.spec.kind]
        parcels: tuple[Parcel, ...] = ()
        following: list[TaskRequested] = []
        try:
            if outcome.ending is Ending.RESULT:
                following = self._floor.parts.following(job_id, outcome.follows)
                if outcome.wishes:
                    parcels = await self._sending.packed(attempt, outcome.wishes)
        except AppError as error:
            outcome = replace(outcome, ending=Ending.REFUSED, error=error.body)
        refs = tuple(parcel.ref for parcel in parcels)
        await self._minder.insist(
            lambda: self._hands.end(
                job_id,
                lambda names: outcome_event(names, outcome, kind, refs),
                parcels=parcels,
                wrote=outcome.wrote,
                following=following,
            )
        )
        if parcels:
            self._sending.uploads.ring()


def question_too_large(size_bytes: int) -> AppError:
    return AppError(
        "question_too_large",
        f"A question of {size_bytes:,} bytes is more than the {RESULT_BYTES_MAX:,} a chat takes.",
        "This is a fault of the program; please report it with the job's log.",
    )
