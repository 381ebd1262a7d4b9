"""A node's calls of its hub: one address, one key, every fault as one of ours.

What may pass (a hub that is away, that starts, that is busy) is `Unavailable` or `LimitReached`;
whoever called decides whether to call again.
"""

from __future__ import annotations

from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from desktop.link.hub_post import client_options
from desktop.system.way import Way
from shared.api.fleet import (
    AttemptStarted,
    FleetBeat,
    FleetEvent,
    FleetEventBody,
    FleetHeard,
    StartAttempt,
)
from shared.api.problem import MEDIA_TYPE, Problem
from shared.api.queue import CLAIM_SECONDS_MAX, AnswerShown, NewProgress, Told
from shared.api.transport import ANSWER_BYTES_MAX, ERRORS, PREFIX
from shared.errors import AppError, Unavailable
from shared.fleet import Ticket
from shared.ids import QuestionId
from shared.messages import Progress

CALL_SECONDS = 10.0
LINES_MAX = 1000
QUIET_SECONDS = 2.0
"""Hubs close a line that was quiet for 5 s: one must not be taken again at that moment."""
ShownT = TypeVar("ShownT", bound=BaseModel)


class HubLine:
    """Everything that a node says to its hub. An async context: the connections close with it."""

    def __init__(self, hub_url: str, key: str, way: Way | None = None) -> None:
        """Open nothing yet.

        Raises:
            AppError: `ca_file_unusable`, `proxy_invalid`, `proxy_unsupported`.
        """
        self._hub_url = hub_url
        self._client = httpx.AsyncClient(
            base_url=f"{hub_url}{PREFIX}",
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout=CALL_SECONDS,
            limits=httpx.Limits(max_connections=LINES_MAX, keepalive_expiry=QUIET_SECONDS),
            **client_options(way or Way(), hub_url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        sort: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def start(self, ticket: Ticket, node: str, delivery: str) -> AttemptStarted:
        """Ask whether a delivery may begin.

        Raises:
            Conflict: `fence_stale`; the ticket is worth nothing.
            AppError: as `_ask`.
        """
        body = StartAttempt(
            attempt=ticket.attempt, fence=ticket.fence, node=node, delivery=delivery
        )
        path = f"/fleet/attempts/{_part(ticket.job_id)}/start"
        return await self._ask(AttemptStarted, "POST", path, body.model_dump_json())

    async def beat(self, beat: FleetBeat) -> FleetHeard:
        """Tell that the node is here, and all that it has in hand."""
        return await self._ask(FleetHeard, "POST", "/fleet/beat", beat.model_dump_json())

    async def report(self, body: FleetEventBody, delivery: str, number: int) -> str:
        """Tell a fact about an attempt; why it is to stop, or nothing.

        Idempotent by delivery and number.

        Raises:
            Conflict: `fence_stale`; the attempt is somebody else's by now.
            AppError: as `_ask`.
        """
        told = FleetEvent(delivery=delivery, number=number, event=body)
        path = f"/fleet/attempts/{_part(body.job_id)}/events"
        return (await self._ask(Told, "POST", path, told.model_dump_json())).stop

    async def progress(self, progress: Progress, fence: int) -> str:
        """Tell how far an attempt is; why it is to stop, or nothing."""
        told = NewProgress(
            attempt=progress.attempt,
            fence=fence,
            stage=progress.stage,
            done=progress.done,
            total=progress.total,
            eta_seconds=progress.eta_seconds,
        )
        path = f"/fleet/attempts/{_part(progress.job_id)}/progress"
        return (await self._ask(Told, "POST", path, told.model_dump_json())).stop

    async def question(self, question_id: QuestionId) -> AnswerShown:
        """Wait for an answer, for a while."""
        path = f"/fleet/questions/{_part(question_id)}?wait_seconds={CLAIM_SECONDS_MAX:.0f}"
        return await self._ask(AnswerShown, "GET", path, seconds=CLAIM_SECONDS_MAX + CALL_SECONDS)

    async def _ask(
        self,
        answer: type[ShownT],
        method: str,
        path: str,
        body: str | None = None,
        seconds: float = CALL_SECONDS,
    ) -> ShownT:
        """Call, and read the answer as its type.

        Raises:
            Unavailable: `hub_unreachable`, `hub_unknown`; calling again may help.
            AppError: whatever problem the hub answers with.
        """
        try:
            reply = await self._client.request(method, path, content=body, timeout=seconds)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if not reply.is_success:
            raise _problem(reply)
        try:
            return answer.model_validate_json(reply.content[:ANSWER_BYTES_MAX])
        except ValidationError:
            raise _unknown(reply.status_code) from None

    def _unreachable(self, error: httpx.HTTPError) -> Unavailable:
        why = str(error) or type(error).__name__
        return Unavailable(
            "hub_unreachable",
            f"No hub answers at {self._hub_url} ({why[:200]}).",
            "See that the hub runs, and that its address (--hub) is right.",
            retryable=True,
        )


class DeliveryLine:
    """The way to the hub for one delivery (`desktop.fleet.reports.Speaking`)."""

    def __init__(self, line: HubLine, ticket: Ticket, delivery: str) -> None:
        self._line, self._ticket, self._delivery = line, ticket, delivery

    async def report(self, body: FleetEventBody, number: int) -> str:
        return await self._line.report(body, self._delivery, number)

    async def progress(self, progress: Progress) -> str:
        return await self._line.progress(progress, self._ticket.fence)


def _problem(reply: httpx.Response) -> AppError:
    is_problem = reply.headers.get("Content-Type", "").partition(";")[0] == MEDIA_TYPE
    try:
        told = Problem.model_validate_json(reply.content[:ANSWER_BYTES_MAX]) if is_problem else None
    except ValidationError:
        told = None
    if told is None:
        return _unknown(reply.status_code)
    wait = reply.headers.get("Retry-After", "")
    status = reply.status_code
    return ERRORS.get(status, AppError)(
        told.code,
        told.detail,
        told.hint,
        retryable=status == HTTPStatus.TOO_MANY_REQUESTS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        retry_after_seconds=float(wait) if wait.isdecimal() else None,
    )


def _unknown(status: int) -> Unavailable:
    return Unavailable(
        "hub_unknown",
        f"Whatever answers there is no hub of this version (HTTP {status}).",
        "Check the address (--hub), and update the older of the two.",
        # Whatever stands before a hub that starts anew answers for it meanwhile.
        retryable=True,
    )


def _part(value: str) -> str:
    return quote(value, safe="")
