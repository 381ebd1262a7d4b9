"""Brings new workers in by a code, and shows them out."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.pairing import Invitation
from shared.capabilities import Capability
from shared.ids import PersonId, WorkerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a new worker says of itself."""

    code: str
    name: str
    platform: str
    app_version: str
    capabilities: tuple[Capability, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    worker_id: WorkerId
    token: str
    """Told once, here; the store keeps its hash."""
    person_id: PersonId
    person_name: str
    worker_name: str
    """As registered: a name that was taken gets a number ("anna-pc 2")."""


class Pairing:
    async def invite(self, person_id: PersonId) -> Invitation:
        """Make a code, good for one worker within 10 minutes.

        Raises:
            LimitReached: `too_many_invitations`.
        """
        raise NotImplementedError

    async def claim(self, claim: Claim, address: str) -> Paired:
        """Turn a code into a worker with a token.

        Args:
            claim: what came in; `code` as typed.
            address: the caller's, for the throttle.

        Raises:
            BadInput: `pairing_code_wrong`, `worker_name_invalid`.
            LimitReached: `pairing_paused`, with `retry_after_seconds`.
        """
        raise NotImplementedError
