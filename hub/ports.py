"""Every seam of the hub on one page: what services expect of the edges, and edges of services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hub.core.view import FrontendCapabilities, Inbound, View
from shared.ids import ConversationId, JobId, WorkerId
from shared.messages import Cancel, Grant, Offer, Progress


class Engine(Protocol):
    """A way to carry jobs to workers. The dispatcher is its only caller."""

    name: str

    def connected(self) -> frozenset[WorkerId]:
        """The workers this engine can reach now."""

    def send(self, worker_id: WorkerId, message: Offer | Grant | Cancel) -> bool:
        """Hand over a message; False when the worker is not reachable now.

        Never waits. True does not mean delivered: what matters is repeated by inventory.
        """


Inbox = Callable[[Inbound], Awaitable[tuple[View, ...]]]
"""Where frontends put what people say; the views are the immediate answer to it."""


class HealthState(StrEnum):
    OK = "ok"
    STARTING = "starting"
    TROUBLED = "troubled"
    """Working on it: will try again by itself."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    state: HealthState
    since: datetime
    error: str = ""
    hint: str = ""
    """What the operator can do."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Names a rendered message within its frontend, so that it can be edited."""

    value: str


class Frontend(Protocol):
    """Anything people talk or look through."""

    name: str
    capabilities: FrontendCapabilities

    async def start(self, inbox: Inbox) -> None:
        """Begin to listen; returns once it does."""

    async def stop(self) -> None:
        """Stop listening; idempotent."""

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Show a view, in place of an earlier message when `replace` names one.

        Raises:
            AppError: retryable when trying again may help (`retry_after_seconds`).
        """

    def status(self) -> Health:
        """How it is doing, with a hint when something is wrong."""


ProgressListener = Callable[[JobId, WorkerId, Progress], None]
"""Told of transient progress; must not wait."""
