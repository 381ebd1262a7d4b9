"""The folders of sessions on this machine: they last as long as these and the jobs in them."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.core.attempt import AttemptState
from desktop.runner.workspaces import Workspaces
from desktop.store.hands import Hands
from shared.ids import SessionId


class SessionFolders:
    """One for each worker."""

    def __init__(self, workspaces: Workspaces, hands: Hands) -> None:
        self._workspaces = workspaces
        self._hands = hands

    async def sweep(self) -> None:
        """At the start: remove what an earlier run left of sessions that are over by now."""
        await self._workspaces.sweep(self._hands.is_session_over, self._in_hand)

    async def settle(self) -> None:
        """A job is not in hand any more: remove what only waited for that."""
        await self._workspaces.settle(self._in_hand)

    async def end(self, session_ids: Iterable[SessionId]) -> None:
        """Remove those of sessions that are over, those in hand once they are not."""
        await self._workspaces.ended(session_ids, self._in_hand)

    async def end_all(self) -> None:
        """The hub lets this worker in no more, and so none of its sessions lives on."""
        await self._workspaces.sweep(_over, self._in_hand)

    def _in_hand(self) -> set[SessionId]:
        """Sessions whose jobs run here, or are about to."""
        return {
            attempt.spec.session_id
            for attempt in self._hands.attempts
            if attempt.state is not AttemptState.ENDED
        }


async def _over(_: SessionId) -> bool:
    return True
