"""Shows each conversation what waits for it: in order, in place where possible, politely paced.

One lane per conversation, so that a slow or silent one holds up nobody else. A message leaves
the outbox only after its frontend took it. What is to be said is decided in `outbox`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field

from hub.core.delivery import Waiting
from hub.core.view import FrontendCapabilities, Progress, Tone, View, degraded
from hub.frontends.briefing import machine_name
from hub.frontends.facts import Facts
from hub.frontends.wording import progress_view
from hub.ports import Frontend, MessageRef
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared import messages
from shared.backoff import Backoff
from shared.environment import Environment
from shared.errors import AppError, NotFound
from shared.ids import ConversationId, JobId
from shared.jobs import JobState

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 0.7
"""A job that is done, or asks, within this time needs no status message before that."""
RENDER_SECONDS = 30.0
"""How long a frontend may take over one message."""
FAULTS_MAX = 5
"""How often a message may break its frontend before it is given up."""
AGAIN = Backoff(first_seconds=0.5, max_seconds=60.0)
STORE_SECONDS = 5.0
"""How long to wait when the store cannot be written, before trying again."""


@dataclass(slots=True)
class _Lane:
    """One conversation on its way out."""

    bell: asyncio.Event = field(default_factory=asyncio.Event)
    shown_at: float = float("-inf")
    """When a status message was last sent or edited; monotonic seconds."""
    progress: dict[JobId, tuple[messages.Progress, float]] = field(default_factory=dict)
    """The newest progress not yet shown, and when the first of it came."""


class Lanes:
    """All conversations on their way out."""

    def __init__(
        self, *, services: Services, deliveries: Deliveries, environment: Environment
    ) -> None:
        self._services = services
        self._deliveries = deliveries
        self._environment = environment
        self._frontends: dict[str, Frontend] = {}
        """Those that are up."""
        self._expected: set[str] = set()
        self._lanes: dict[ConversationId, _Lane] = defaultdict(_Lane)
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
        self._lanes[conversation].bell.set()

    def note_progress(
        self, conversation: ConversationId, job_id: JobId, progress: messages.Progress
    ) -> None:
        """Keep the newest progress of a job."""
        lane = self._lanes[conversation]
        _, since = lane.progress.get(job_id, (None, self._environment.monotonic()))
        lane.progress[job_id] = (progress, since)
        lane.bell.set()

    def drop_progress(self, conversation: ConversationId, job_id: JobId) -> None:
        """The job has ended: what it told before is no news."""
        self._lanes[conversation].progress.pop(job_id, None)

    async def _run_lane(self, conversation: ConversationId) -> None:
        lane = self._lanes[conversation]
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
                await asyncio.wait_for(lane.bell.wait(), wait)
            except TimeoutError:
                continue

    async def show_once(self, conversation: ConversationId) -> float | None:
        """Show the next message that is due.

        Returns:
            Seconds until it is worth calling again; None when nothing waits.
        """
        lane, frontend = self._lanes[conversation], self.frontend_of(conversation)
        if frontend is None:
            return None
        found = await self._deliveries.next_waiting(conversation)
        wait = self._wait_of(found, lane, frontend.capabilities)
        if found is not None and wait == 0.0:
            return await self._deliver(frontend, lane, found[0])
        progress_wait = self._progress_wait(lane, frontend.capabilities)
        if progress_wait == 0.0:
            await self._show_progress(frontend, lane, conversation)
            return 0.0
        waits = [w for w in (wait, progress_wait) if w is not None]
        return min(waits) if waits else None

    def _wait_of(
        self,
        found: tuple[Waiting, float] | None,
        lane: _Lane,
        capabilities: FrontendCapabilities,
    ) -> float | None:
        if found is None:
            return None
        waiting, due = found
        if waiting.view.is_status:
            due = max(due, self._pace(lane, capabilities))
        return due

    def _pace(self, lane: _Lane, capabilities: FrontendCapabilities) -> float:
        """Seconds until the next edit would be polite."""
        elapsed = self._environment.monotonic() - lane.shown_at
        return max(0.0, capabilities.min_edit_interval_seconds - elapsed)

    def _progress_wait(self, lane: _Lane, capabilities: FrontendCapabilities) -> float | None:
        if not lane.progress or not capabilities.edit:
            return None
        first = min(since for _, since in lane.progress.values())
        settle = SETTLE_SECONDS - (self._environment.monotonic() - first)
        return max(0.0, settle, self._pace(lane, capabilities))

    async def _deliver(self, frontend: Frontend, lane: _Lane, waiting: Waiting) -> float:
        view, capabilities = waiting.view, frontend.capabilities
        if not capabilities.edit and _is_only_an_edit(view):
            await self._deliveries.given_up(waiting)
            return 0.0
        try:
            ref = await self._render(frontend, waiting.conversation, view)
        except AppError as error:
            return await self._failed(waiting, error)
        except Exception:
            # A frontend of somebody else's may raise anything; it must not take the hub along.
            logger.exception("A frontend broke over a message: %s", frontend.name)
            return await self._broken(waiting)
        await self._deliveries.sent(waiting, ref.value)
        if view.is_status:
            lane.shown_at = self._environment.monotonic()
        if view.files and view.job_id and capabilities.files:
            await self._services.files.shown(view.job_id)
        return 0.0

    async def _render(
        self, frontend: Frontend, conversation: ConversationId, view: View
    ) -> MessageRef:
        shown = None
        if frontend.capabilities.edit and view.subject:
            shown = await self._deliveries.shown_ref(conversation, view.subject)
        earlier = MessageRef(shown) if shown else None
        async with asyncio.timeout(RENDER_SECONDS):
            if view.final:
                if earlier and view.settles:
                    settled = View(text=view.settles, tone=view.tone, subject=view.subject)
                    await frontend.render(conversation, settled, earlier)
                earlier = None
            return await frontend.render(
                conversation, degraded(view, frontend.capabilities), earlier
            )

    async def _failed(self, waiting: Waiting, error: AppError) -> float:
        if not error.retryable:
            logger.warning("A message cannot be shown: %s", error.code)
            await self._deliveries.given_up(waiting)
            return 0.0
        wait = error.retry_after_seconds
        if wait is None:
            wait = AGAIN.wait_seconds(waiting.tries + 1, self._environment.random())
        await self._deliveries.postponed(waiting, wait)
        return wait

    async def _broken(self, waiting: Waiting) -> float:
        if waiting.tries + 1 >= FAULTS_MAX:
            await self._deliveries.given_up(waiting)
            return 0.0
        wait = AGAIN.wait_seconds(waiting.tries + 1, self._environment.random())
        await self._deliveries.postponed(waiting, wait)
        return wait

    async def _show_progress(
        self, frontend: Frontend, lane: _Lane, conversation: ConversationId
    ) -> None:
        job_id, (progress, _) = next(iter(lane.progress.items()))
        del lane.progress[job_id]
        lane.shown_at = self._environment.monotonic()
        view = await self._progress_view(job_id, progress)
        if view is None:
            return
        try:
            ref = await self._render(frontend, conversation, view)
        except (AppError, TimeoutError) as error:
            # The next progress will do as well.
            logger.debug("Progress was not shown: %s", error)
            return
        except Exception:
            logger.exception("A frontend broke over progress: %s", frontend.name)
            return
        await self._deliveries.note_shown(conversation, view.subject, ref.value)

    async def _progress_view(self, job_id: JobId, progress: messages.Progress) -> View | None:
        try:
            card = await self._services.views.job(None, job_id)
        except NotFound:
            return None
        if card.state is not JobState.RUNNING or card.job.life.cancel_by:
            return None
        facts = Facts(
            now=self._environment.now(),
            job_id=job_id,
            kind=card.kind,
            title=card.title,
            machine=await machine_name(self._services, card),
        )
        told = Progress(
            stage=progress.stage,
            done=progress.done,
            total=progress.total,
            eta_seconds=progress.eta_seconds,
        )
        return progress_view(told, facts)


def frontend_name(conversation: ConversationId) -> str:
    """Whose conversation it is: the first part of its id."""
    return conversation.partition(":")[0]


def _is_only_an_edit(view: View) -> bool:
    """What has no worth as a message of its own, where nothing can be edited."""
    answered = view.subject.startswith("question:") and view.tone is Tone.DONE
    return answered or (view.is_status and view.tone is Tone.RUNNING)
