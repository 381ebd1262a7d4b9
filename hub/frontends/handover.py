"""Hands one message to its frontend, step by step, and remembers which steps were taken.

A last word is two steps where it settles an earlier message: the edit of that one, then the
message. A step that was taken is not repeated, also when the next one fails or the store cannot
be written. What is left: if the hub dies after a frontend took a message and before that was
committed, it is sent again; nobody can ask a platform whether it was. It is then there twice,
except on frontends that know a message by its `key`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from hub.core.delivery import Waiting
from hub.core.pace import Paces, cost_of
from hub.core.view import View, degraded
from hub.ports import Frontend, MessageRef
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared.backoff import Backoff
from shared.environment import Environment
from shared.errors import AppError, Unavailable
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

RENDER_SECONDS = 30.0
"""How long a frontend may take over one message, and over each file on top."""
UPLOAD_BYTES_PER_SECOND = 250_000
"""The slowest line on which a large file still gets through."""
FAULTS_MAX = 5
"""How often a message may break its frontend before it is given up."""
AGAIN = Backoff(first_seconds=0.5, max_seconds=60.0)


@dataclass(slots=True)
class Steps:
    """What one conversation's messages have behind them; in memory alone."""

    settled: set[int] = field(default_factory=set)
    """Rows of last words whose earlier message was settled."""
    taken: dict[int, str] = field(default_factory=dict)
    """Rows that a frontend took, with the message's name, until that is committed."""


class Handover:
    """The way of a message from the outbox into a frontend."""

    def __init__(
        self,
        *,
        services: Services,
        deliveries: Deliveries,
        environment: Environment,
        paces: dict[str, Paces],
    ) -> None:
        self._services = services
        self._deliveries = deliveries
        self._environment = environment
        self._paces = paces
        """By frontend; kept by `lanes`."""

    async def step(self, frontend: Frontend, steps: Steps, waiting: Waiting) -> float:
        """Take a message's next step; in how many seconds the conversation may go on."""
        view, capabilities = waiting.view, frontend.capabilities
        if waiting.row not in steps.taken:
            earlier = await self.earlier(frontend, waiting.conversation, view)
            is_settled = waiting.row in steps.settled or not (view.final and view.settles)
            if earlier and not is_settled:
                return await self._settle(frontend, steps, waiting, earlier)
            wait = await self._send(frontend, steps, waiting, None if view.final else earlier)
            if wait is not None:
                return wait
        # Taken: from here on it is only about remembering that.
        await self._deliveries.sent(waiting, steps.taken[waiting.row])
        del steps.taken[waiting.row]
        steps.settled.discard(waiting.row)
        if view.files and view.job_id and capabilities.files:
            await self._services.files.shown(view.job_id)
        return 0.0

    async def earlier(
        self, frontend: Frontend, conversation: ConversationId, view: View
    ) -> MessageRef | None:
        """The message that a view is shown in place of."""
        if not frontend.capabilities.edit or not view.subject:
            return None
        shown = await self._deliveries.shown_ref(conversation, view.subject)
        return MessageRef(shown) if shown else None

    async def _settle(
        self, frontend: Frontend, steps: Steps, waiting: Waiting, earlier: MessageRef
    ) -> float:
        """Let the message before a last word say that it is over."""
        view = waiting.view
        settled = View(text=view.settles, tone=view.tone, subject=view.subject)
        if (wait := self.claim(frontend, waiting.conversation, settled)) > 0.0:
            return wait
        try:
            await self.render(frontend, waiting.conversation, settled, earlier)
        except AppError as error:
            if error.retryable:
                return await self._postponed(frontend, waiting, error)
            # Deleted by its person, most likely: nothing is left to settle.
            logger.info("An earlier message cannot be edited: %s", error.code)
        except Exception:
            logger.exception("A frontend broke over an edit: %s", frontend.name)
        steps.settled.add(waiting.row)
        return 0.0

    async def _send(
        self, frontend: Frontend, steps: Steps, waiting: Waiting, earlier: MessageRef | None
    ) -> float | None:
        """Hand a message over; None once it was taken, else when to go on."""
        view = degraded(waiting.view, frontend.capabilities)
        if (wait := self.claim(frontend, waiting.conversation, view)) > 0.0:
            return wait
        try:
            ref = await self.render(frontend, waiting.conversation, view, earlier)
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
        steps.taken[waiting.row] = ref.value
        return None

    def claim(self, frontend: Frontend, conversation: ConversationId, view: View) -> float:
        """Take the tokens for a `render` that follows at once; 0.0, or how long they take to come.

        All conversations draw on the same tokens: what was there before the last wait for the
        store may be gone.
        """
        return self._paces[frontend.name].claim(
            conversation,
            self._environment.monotonic(),
            cost=cost_of(view, frontend.capabilities),
            can_wait=view.is_status,
        )

    async def render(
        self,
        frontend: Frontend,
        conversation: ConversationId,
        view: View,
        earlier: MessageRef | None,
    ) -> MessageRef:
        """Let a frontend show a view whose tokens were claimed.

        Raises:
            AppError: what the frontend says, and `frontend_slow`; Exception: what breaks it.
        """
        try:
            async with asyncio.timeout(_render_seconds(view)):
                return await frontend.render(conversation, view, earlier)
        except TimeoutError:
            # Ours, or one of its own: the network's fault, not the message's.
            raise Unavailable(
                "frontend_slow", f"The frontend {frontend.name} took too long.", retryable=True
            ) from None

    async def _postponed(self, frontend: Frontend, waiting: Waiting, error: AppError) -> float:
        wait = error.retry_after_seconds
        if wait is None:
            wait = AGAIN.wait_seconds(waiting.tries + 1, self._environment.random())
        self.rest(frontend, waiting.conversation, wait, error)
        await self._deliveries.postponed(waiting, wait)
        return wait

    async def _broken(self, frontend: Frontend, waiting: Waiting) -> float:
        if waiting.tries + 1 >= FAULTS_MAX:
            await self._deliveries.given_up(waiting)
            return 0.0
        wait = AGAIN.wait_seconds(waiting.tries + 1, self._environment.random())
        self.rest(frontend, waiting.conversation, wait)
        await self._deliveries.postponed(waiting, wait)
        return wait

    def rest(
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


def _render_seconds(view: View) -> float:
    size_bytes = sum(file.size_bytes for file in view.files)
    return RENDER_SECONDS * (1 + len(view.files)) + size_bytes / UPLOAD_BYTES_PER_SECOND
