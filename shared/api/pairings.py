"""Computers and chat accounts that want to come in, and the codes that bring them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.api.parts import Body, Shown
from shared.capabilities import CAPABILITIES_MAX, Capability
from shared.messages import NAME_CHARS_MAX
from shared.pairing import JoinKind, JoinState, Purpose

KEY_CHARS_MAX = 64
SIGNATURE_CHARS_MAX = 128
CAPABILITIES_CHARS_MAX = 16_384
"""Of all of them as JSON; a worker's are a tenth of that."""


def _short(capabilities: tuple[Capability, ...]) -> tuple[Capability, ...]:
    """Strangers say this, and it is kept."""
    if sum(len(c.model_dump_json()) for c in capabilities) > CAPABILITIES_CHARS_MAX:
        raise ValueError(f"longer than {CAPABILITIES_CHARS_MAX:,} characters")
    return capabilities


class NewPairing(Body):
    code: str | None = Field(default=None, min_length=1, max_length=64)
    """Null for a computer that is to show a code itself."""
    public_key: str = Field(max_length=KEY_CHARS_MAX)
    name: str = Field(min_length=1, max_length=NAME_CHARS_MAX)
    platform: str = Field(default="", max_length=NAME_CHARS_MAX)
    app_version: str = Field(default="", max_length=40)
    # Tuples come as JSON lists, which strict mode would refuse.
    capabilities: Annotated[tuple[Capability, ...], AfterValidator(_short)] = Field(
        default=(), max_length=CAPABILITIES_MAX, strict=False
    )


class PairingNoted(Shown):
    pairing_id: str
    salt: str
    user_code: str
    expires_at: datetime
    hub_name: str
    person_name: str


class TokenRequest(Body):
    signature: str = Field(max_length=SIGNATURE_CHARS_MAX)


class PairedShown(Shown):
    worker_id: str
    token: str
    """Told here alone."""
    hub_name: str
    person_name: str
    worker_name: str


class PairingShown(Shown):
    pairing_id: str
    short: str
    person_id: str
    """Who is asked."""
    kind: JoinKind
    """A computer, or a chat account."""
    state: JoinState
    name: str
    platform: str
    kinds: tuple[str, ...]
    words: str
    frontend: str
    account: str
    decided_by: str
    asked_at: datetime
    expires_at: datetime


class PairingList(Shown):
    pairings: tuple[PairingShown, ...]


class NewInvitation(Body):
    person_id: str | None = Field(default=None, max_length=64)
    """For whom; the caller when null."""
    purpose: Purpose = Field(default=Purpose.WORKER, strict=False)
    is_approved: bool = False
    """Nobody is asked when a computer comes with the code."""


class InvitationShown(Shown):
    person_id: str
    code: str
    expires_at: datetime
    hub_url: str
