"""The worker as its line to the hub sees it."""

from __future__ import annotations

from typing import Protocol

from shared.events import Event
from shared.messages import Beat, Events, FromHub, Hello


class Station(Protocol):
    """What the line asks of the worker, and tells it."""

    async def hello(self) -> Hello:
        """Introduce the worker as it is now."""

    def beat(self) -> Beat:
        """Tell what is held and how the machine is."""

    @property
    def outbox_seq(self) -> int:
        """The number of the last own event that is committed."""

    async def outbox(self, start: int, count_max: int) -> list[Event]:
        """Return own events from number `start`."""

    async def acknowledged(self, seq: int) -> None:
        """The hub has committed own events up to `seq`."""

    async def apply(self, hub_epoch: str, events: Events) -> None:
        """Commit events of the hub, and the cursor with them."""

    async def take(self, message: FromHub) -> None:
        """Act on any other message."""

    async def forked(self, hub_epoch: str, upto: int) -> None:
        """The hub was restored from a backup: its log is as it was up to a number, and then new."""

    async def continues(self, seq: int, digest: str) -> bool:
        """Say whether our log goes on after that event of ours, the last one that the hub has."""

    async def restored(self, acked_seq: int) -> None:
        """The hub has other events of our log than we do: start a new epoch.

        Args:
            acked_seq: up to which number it has some.
        """
