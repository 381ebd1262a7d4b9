"""Shows each conversation what waits for it: in order, in place where possible, politely paced.

One lane per conversation, so that a slow or silent one holds up nobody else. A message leaves
the outbox only after its frontend took it (`handover`). What is to be said is decided in `outbox`,
how fast in `hub.core.pace`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from hub.core.delivery import Waiting
from hub.core.pace import Paces, cost_of
from hub.core.view import FrontendCapabilities, Tone, View
from hub.frontends.handover import Handover, Steps
from hub.frontends.headway import headway
from hub.ports import Frontend
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared import messages
from shared.environment import Environment
from shared.errors import AppError
from shared.ids import ConversationId, JobId

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 0.7
"""A job that is done, or asks, within this time needs no status message before that."""
STORE_SECONDS = 5.0
"""How long to wait when the store cannot be written, before trying again."""
IDLE_SECONDS = 600.0
"""A lane in which nothing happens for this long ends; the next message begins it again."""


@dataclass(slots=True)
class _Lane:
    """One conversation on its way out."""

    bell: asyncio.Event = field(default_factory=asyncio.Event)
    shown_at: float = float("-inf")
    """When a status message was last sent or edited; monotonic seconds."""
    progress: dict[JobId, tuple[messages.Progress, float]] = field(default_factory=dict)
    """The newest progress not yet shown, and when the first of it came."""
    steps: Steps = field(default_factory=Steps)
    knows_rest: bool = False
    """Whether the rest that is in the store, from before a restart, was looked up."""


class Lanes:
    """All conversations on their way out."""

    def __init__(
        self, *, services: Services, deliveries: Deliveries, environment: Environment
    ) -> None:
        self._services = services
        self._deliveries = deliveries
        self._environment = environment
        self._began_at = environment.monotonic()
        self._frontends: dict[str, Frontend] = {}
        """Those that are up."""
        self._expected: set[str] = set()
        self._paces: dict[str, Paces] = {}
        self._handover = Handover(
            services=services,
            deliveries=deliveries,
            environment=environment,
            paces=self._paces,
        )
        self._lanes: dict[ConversationId, _Lane] = {}
        self._started: set[ConversationId] = set()

    def expect(self, name: str) -> None:
        """A frontend of this name is, or will be there: what is for it waits for it."""
        self._expected.add(name)

    def forget(self, name: str) -> None:
        """There will be no such frontend."""
        self._expected.discard(name)
        self._frontends.pop(name, None)

    def add(self, frontend: Frontend) -> None:
        self._expected.add(frontend.name)
        self._frontends[frontend.name] = frontend
        # Its platform remembers what we sent, also when the frontend was made anew.
        if frontend.name not in self._paces:
            self._paces[frontend.name] = Paces(frontend.capabilities, self._began_at)

    def drop(self, name: str) -> None:
        """A frontend is down for a while."""
        self._frontends.pop(name, None)

    def serves(self, conversation: ConversationId) -> bool:
        """Whether what is said there will be shown, now or later."""
        return frontend_name(conversation) in self._expected

    def frontend_of(self, conversation: ConversationId) -> Frontend | None:
        """The frontend that can show something now."""
        return self._frontends.get(frontend_name(conversation))

    def ring(self, conversation: ConversationId, tasks: asyncio.TaskGroup) -> None:
        """Something waits there."""
        if conversation not in self._started:
            self._started.add(conversation)
            tasks.create_task(self._run_lane(conversation))
        self._lane(conversation).bell.set()

    def wake(self, conversation: ConversationId, tasks: asyncio.TaskGroup) -> None:
        """Somebody is there again: what waits need wait no longer."""
        paces = self._paces.get(frontend_name(conversation))
        if paces is not None:
            paces.wake(conversation)
        self.ring(conversation, tasks)

    def note_progress(
        self, conversation: ConversationId, job_id: JobId, progress: messages.Progress
    ) -> None:
        """Keep the newest progress of a job."""
        lane = self._lane(conversation)
        _, since = lane.progress.get(job_id, (None, self._environment.monotonic()))
        lane.progress[job_id] = (progress, since)
        lane.bell.set()

    def drop_progress(self, conversation: ConversationId, job_id: JobId) -> None:
        """The job has ended: what it told before is no news."""
        lane = self._lanes.get(conversation)
        if lane is not None:
            lane.progress.pop(job_id, None)

    def _lane(self, conversation: ConversationId) -> _Lane:
        return self._lanes.setdefault(conversation, _Lane())

    async def _run_lane(self, conversation: ConversationId) -> None:
        lane = self._lane(conversation)
        while True:
            lane.bell.clear()
            try:
                wait = await self.show_once(conversation)
            except AppError as error:
                logger.warning("The outbox rests for a moment: %s", error)
                wait = STORE_SECONDS
            if wait == 0.0:
                continue
            try:
                # Bounded by the next due message; without one, by the bell of the next event.
                await asyncio.wait_for(lane.bell.wait(), IDLE_SECONDS if wait is None else wait)
            except TimeoutError:
                if wait is None and not lane.bell.is_set():
                    self._started.discard(conversation)
                    del self._lanes[conversation]
                    return

    async def show_once(self, conversation: ConversationId) -> float | None:
        """Take the next step that is due.

        Returns:
            Seconds until it is worth calling again; None when nothing waits.
        """
        lane, frontend = self._lane(conversation), self.frontend_of(conversation)
        if frontend is None:
            return None
        paces = self._paces[frontend.name]
        if not lane.knows_rest:
            rest = await self._deliveries.rest_of(conversation)
            paces.rest(conversation, self._environment.monotonic(), rest)
            lane.knows_rest = True
        found = await self._deliveries.next_waiting(conversation)
        wait = self._wait_of(found, lane, frontend.capabilities, paces)
        if found is not None and wait == 0.0:
            return await self._deliver(frontend, lane, found[0])
        progress_wait = self._progress_wait(conversation, lane, frontend.capabilities, paces)
        if progress_wait == 0.0:
            return await self._show_progress(frontend, lane, conversation)
        waits = [w for w in (wait, progress_wait) if w is not None]
        return min(waits) if waits else None

    def _wait_of(
        self,
        found: tuple[Waiting, float] | None,
        lane: _Lane,
        capabilities: FrontendCapabilities,
        paces: Paces,
    ) -> float | None:
        if found is None:
            return None
        waiting, due = found
        if waiting.row in lane.steps.taken:
            return 0.0
        if waiting.view.is_status:
            due = max(due, self._edit_wait(lane, capabilities))
        cost = cost_of(waiting.view, capabilities)
        now, can_wait = self._environment.monotonic(), waiting.view.is_status
        return max(due, paces.wait(waiting.conversation, now, cost=cost, can_wait=can_wait))

    def _edit_wait(self, lane: _Lane, capabilities: FrontendCapabilities) -> float:
        """Seconds until the next edit would be polite."""
        elapsed = self._environment.monotonic() - lane.shown_at
        return max(0.0, capabilities.min_edit_interval_seconds - elapsed)

    def _progress_wait(
        self,
        conversation: ConversationId,
        lane: _Lane,
        capabilities: FrontendCapabilities,
        paces: Paces,
    ) -> float | None:
        if not lane.progress or not capabilities.edit:
            return None
        now = self._environment.monotonic()
        first = min(since for _, since in lane.progress.values())
        settle = SETTLE_SECONDS - (now - first)
        paced = paces.wait(conversation, now, can_wait=True)
        return max(0.0, settle, self._edit_wait(lane, capabilities), paced)

    async def _deliver(self, frontend: Frontend, lane: _Lane, waiting: Waiting) -> float:
        view = waiting.view
        if not frontend.capabilities.edit and _is_only_an_edit(view):
            await self._deliveries.given_up(waiting)
            return 0.0
        began_at = self._environment.monotonic()
        wait = await self._handover.step(frontend, lane.steps, waiting)
        if view.is_status and wait == 0.0:
            lane.shown_at = began_at
        return wait

    async def _show_progress(
        self, frontend: Frontend, lane: _Lane, conversation: ConversationId
    ) -> float:
        job_id, (progress, since) = next(iter(lane.progress.items()))
        del lane.progress[job_id]
        view = await headway(self._services, self._environment, job_id, progress)
        if view is None:
            return 0.0
        earlier = await self._handover.earlier(frontend, conversation, view)
        if (wait := self._handover.claim(frontend, conversation, view)) > 0.0:
            lane.progress.setdefault(job_id, (progress, since))
            return wait
        lane.shown_at = self._environment.monotonic()
        try:
            ref = await self._handover.render(frontend, conversation, view, earlier)
        except AppError as error:
            # The next progress will do as well.
            logger.debug("Progress was not shown: %s", error)
            rest = error.retry_after_seconds
            if rest is not None:
                self._handover.rest(frontend, conversation, rest, error)
                await self._deliveries.rest(conversation, rest)
            return 0.0
        except Exception:
            logger.exception("A frontend broke over progress: %s", frontend.name)
            return 0.0
        await self._deliveries.note_shown(conversation, view.subject, ref.value)
        return 0.0


def frontend_name(conversation: ConversationId) -> str:
    """Whose conversation it is: the first part of its id."""
    return conversation.partition(":")[0]


def _is_only_an_edit(view: View) -> bool:
    """What has no worth as a message of its own, where nothing can be edited."""
    answered = view.subject.startswith("question:") and view.tone is Tone.DONE
    return answered or (view.is_status and view.tone is Tone.RUNNING)
