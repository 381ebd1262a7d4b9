"""The hub's word on whether a ticket may begin: asked until there is one, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from desktop.core.attempt import Attempt, AttemptState
from desktop.fleet.hub_line import HubLine
from desktop.fleet.reports import AGAIN
from desktop.fleet.setup import NodeSetup
from desktop.fleet.work import Took
from shared.environment import Environment
from shared.errors import AppError, BadInput, Conflict, NotFound
from shared.fleet import Ticket

log = structlog.get_logger(__name__)

START_SECONDS = 300.0
"""How long a hub that is away is asked whether a ticket may begin; then somebody else may try."""
WORTHLESS = (Conflict, NotFound, BadInput)
"""What a ticket is told that never begins. Given back, it would come again at once, for ever."""


class Starting:
    """Asks for one node."""

    def __init__(
        self,
        line: HubLine,
        setup: NodeSetup,
        environment: Environment,
        is_draining: Callable[[], bool],
    ) -> None:
        self._line, self._node, self._kinds = line, setup.node, setup.kinds
        self._environment = environment
        self._is_draining = is_draining

    async def is_given(self, ticket: Ticket, delivery: str) -> bool:
        """Have the hub commit the start of a ticket that says it is newer than what is in hand.

        A ticket alone ends nothing: whoever can write to the broker can make one. Once it is
        given, `begin` hears the same again.
        """
        try:
            await self._line.start(ticket, self._node, delivery)
        except AppError as error:
            log.info("ticket dropped", code=error.code)  # the hub sends what it meant again
            return False
        return True

    async def begin(self, ticket: Ticket, delivery: str) -> Attempt | Took:
        """Have the hub commit the start; what to work on, or what becomes of the ticket."""
        ends_at = self._environment.monotonic() + START_SECONDS
        failures = 0
        while True:
            try:
                told = await self._line.start(ticket, self._node, delivery)
            except WORTHLESS as error:
                log.info("ticket dropped", code=error.code)
                return Took.STALE
            except AppError as error:
                failures += 1
                is_late = self._environment.monotonic() >= ends_at
                if not error.retryable or is_late or self._is_draining():
                    log.warning("ticket given back", code=error.code, error=str(error))
                    return Took.BACK
                wait = AGAIN.wait_seconds(failures, self._environment.random())
                await asyncio.sleep(max(wait, error.retry_after_seconds or 0.0))
                continue
            # What has begun is not put down because its ticket came by the wrong queue.
            if told.spec.kind not in (ticket.kind, *self._kinds):
                log.warning("ticket dropped", code="kind_mixed_up")
                return Took.STALE
            return Attempt(
                spec=told.spec, number=told.attempt, fence=told.fence, state=AttemptState.RUNNING
            )
