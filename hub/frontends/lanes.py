"""Shows each conversation what waits for it: in order, in place where possible, politely paced.

One lane per conversation, so that a slow or silent one holds up nobody else. A message leaves
the outbox only after its frontend took it. What is to be said is decided in `outbox`, how fast in
`hub.core.pace`.

A last word is two steps where it settles an earlier message: the edit of that one, then the
message. A step that was taken is not repeated, also when the next one fails or the store cannot
be written. What is left: if the hub dies after a frontend took a message and before that was
committed, it is sent again; nobody can ask a platform whether it was. It is then there twice,
except on frontends that know a message by its `key`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field

from hub.core.delivery import Waiting
from hub.core.pace import Paces, cost_of
from hub.core.view import FrontendCapabilities, Tone, View, degraded
from hub.frontends.headway import headway
from hub.ports import Frontend, MessageRef
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared import messages
from shared.backoff import Backoff
from shared.environment import Environment
from shared.errors import AppError
from shared.ids import ConversationId, JobId

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 0.7
"""A job that is done, or asks, within this time needs no status message before that."""
RENDER_SECONDS = 30.0
"""How long a frontend may take over one message, and over each file on top."""
UPLOAD_BYTES_PER_SECOND = 250_000
"""The slowest line on which a large file still gets through."""
FAULTS_MAX = 5
"""How often a message may break its frontend before it is given up."""
AGAIN = Backoff(first_seconds=0.5, max_seconds=60.0)
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
    settled: set[int] = field(default_factory=set)
    """Rows of last words whose earlier message was settled."""
    taken: dict[int, str] = field(default_factory=dict)
    """Rows that a frontend took, with the message's name, until that is committed."""
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
        if waiting.row in lane.taken:
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
        view, capabilities = waiting.view, frontend.capabilities
        if not capabilities.edit and _is_only_an_edit(view):
            await self._deliveries.given_up(waiting)
            return 0.0
        if waiting.row not in lane.taken:
            earlier = await self._earlier(frontend, waiting.conversation, view)
            is_settled = waiting.row in lane.settled or not (view.final and view.settles)
            if earlier and not is_settled:
                return await self._settle(frontend, lane, waiting, earlier)
            wait = await self._send(frontend, lane, waiting, None if view.final else earlier)
            if wait is not None:
                return wait
        # Taken: from here on it is only about remembering that.
        await self._deliveries.sent(waiting, lane.taken[waiting.row])
        del lane.taken[waiting.row]
        lane.settled.discard(waiting.row)
        if view.files and view.job_id and capabilities.files:
            await self._services.files.shown(view.job_id)
        return 0.0

    async def _earlier(
        self, frontend: Frontend, conversation: ConversationId, view: View
    ) -> MessageRef | None:
        if not frontend.capabilities.edit or not view.subject:
            return None
        shown = await self._deliveries.shown_ref(conversation, view.subject)
        return MessageRef(shown) if shown else None

    async def _settle(
        self, frontend: Frontend, lane: _Lane, waiting: Waiting, earlier: MessageRef
    ) -> float:
        """Let the message before a last word say that it is over."""
        view = waiting.view
        settled = View(text=view.settles, tone=view.tone, subject=view.subject)
        try:
            await self._render(frontend, waiting.conversation, settled, earlier)
        except AppError as error:
            if error.retryable:
                return await self._postponed(frontend, waiting, error)
            # Deleted by its person, most likely: nothing is left to settle.
            logger.info("An earlier message cannot be edited: %s", error.code)
        except Exception:
            logger.exception("A frontend broke over an edit: %s", frontend.name)
        lane.settled.add(waiting.row)
        return 0.0

    async def _send(
        self, frontend: Frontend, lane: _Lane, waiting: Waiting, earlier: MessageRef | None
    ) -> float | None:
        """Hand a message over; None once it was taken, else when to go on."""
        view = degraded(waiting.view, frontend.capabilities)
        try:
            ref = await self._render(frontend, waiting.conversation, view, earlier)
        except AppError as error:
            if error.retryable:
                return await self._postponed(frontend, waiting, error)
            if earlier:
                # The message to be edited is gone: this one comes as a new message.
                await self._deliveries.forget_shown(waiting.conversation, view.subject)
                return 0.0
            logger.warning("A message cannot be shown: %s", error.code)
            await self._deliveries.given_up(waiting)
            return 0.0
        except Exception:
            # A frontend of somebody else's may raise anything; it must not take the hub along.
            logger.exception("A frontend broke over a message: %s", frontend.name)
            return await self._broken(frontend, waiting)
        lane.taken[waiting.row] = ref.value
        if view.is_status:
            lane.shown_at = self._environment.monotonic()
        return None

    def _render(
        self,
        frontend: Frontend,
        conversation: ConversationId,
        view: View,
        earlier: MessageRef | None,
    ) -> Awaitable[MessageRef]:
        now, cost = self._environment.monotonic(), cost_of(view, frontend.capabilities)
        self._paces[frontend.name].take(conversation, now, cost)
        return asyncio.wait_for(frontend.render(conversation, view, earlier), _render_seconds(view))

    async def _postponed(self, frontend: Frontend, waiting: Waiting, error: AppError) -> float:
        wait = error.retry_after_seconds
        if wait is None:
            wait = AGAIN.wait_seconds(waiting.tries + 1, self._environment.random())
        self._rest(frontend, waiting.conversation, wait, error)
        await self._deliveries.postponed(waiting, wait)
        return wait

    async def _broken(self, frontend: Frontend, waiting: Waiting) -> float:
        if waiting.tries + 1 >= FAULTS_MAX:
            await self._deliveries.given_up(waiting)
            return 0.0
        wait = AGAIN.wait_seconds(waiting.tries + 1, self._environment.random())
        self._rest(frontend, waiting.conversation, wait)
        await self._deliveries.postponed(waiting, wait)
        return wait

    def _rest(
        self,
        frontend: Frontend,
        conversation: ConversationId,
        seconds: float,
        error: AppError | None = None,
    ) -> None:
        """Leave a whole conversation alone, so that what is shown in it keeps its order."""
        paces, now = self._paces[frontend.name], self._environment.monotonic()
        if error is not None and error.retry_after_seconds is not None:
            paces.refused(conversation, now, seconds)
        else:
            paces.rest(conversation, now, seconds)

    async def _show_progress(
        self, frontend: Frontend, lane: _Lane, conversation: ConversationId
    ) -> float:
        job_id, (progress, _) = next(iter(lane.progress.items()))
        del lane.progress[job_id]
        view = await headway(self._services, self._environment, job_id, progress)
        if view is None:
            return 0.0
        earlier = await self._earlier(frontend, conversation, view)
        lane.shown_at = self._environment.monotonic()
        try:
            ref = await self._render(frontend, conversation, view, earlier)
        except (AppError, TimeoutError) as error:
            # The next progress will do as well.
            logger.debug("Progress was not shown: %s", error)
            wait = getattr(error, "retry_after_seconds", None)
            if isinstance(error, AppError) and wait is not None:
                self._rest(frontend, conversation, wait, error)
                await self._deliveries.rest(conversation, wait)
            return 0.0
        except Exception:
            logger.exception("A frontend broke over progress: %s", frontend.name)
            return 0.0
        await self._deliveries.note_shown(conversation, view.subject, ref.value)
        return 0.0


def frontend_name(conversation: ConversationId) -> str:
    """Whose conversation it is: the first part of its id."""
    return conversation.partition(":")[0]


def _render_seconds(view: View) -> float:
    size_bytes = sum(file.size_bytes for file in view.files)
    return RENDER_SECONDS * (1 + len(view.files)) + size_bytes / UPLOAD_BYTES_PER_SECOND


def _is_only_an_edit(view: View) -> bool:
    """What has no worth as a message of its own, where nothing can be edited."""
    answered = view.subject.startswith("question:") and view.tone is Tone.DONE
    return answered or (view.is_status and view.tone is Tone.RUNNING)
