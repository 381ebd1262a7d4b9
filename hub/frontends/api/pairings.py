"""Computers that want to join: they ask and fetch their token; their person says yes or no."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import AfterValidator, Field

from hub.core.joining import JoinKind, JoinRequest, JoinState
from hub.core.pairing import Purpose
from hub.frontends.api.jobs import ID
from hub.frontends.api.parts import Body, Hub, Known, Shown, about_of, whose
from hub.frontends.door import Caller
from hub.services import Services
from hub.services.pairing import Introduction
from shared.capabilities import CAPABILITIES_MAX, Capability
from shared.ids import short
from shared.messages import NAME_CHARS_MAX
from shared.pairing import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, b64, from_b64

router = APIRouter(tags=["pairing"])
PairingPath = Annotated[str, Path(pattern=ID)]
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


def shown(request: JoinRequest) -> PairingShown:
    return PairingShown(
        pairing_id=request.join_id,
        short=short(request.join_id),
        person_id=request.person_id or "",
        kind=request.kind,
        state=request.state,
        name=request.name,
        platform=request.platform,
        kinds=tuple(capability.kind for capability in request.capabilities),
        words=request.words,
        frontend=request.frontend,
        account=request.external_id,
        decided_by=request.decided_by,
        asked_at=request.asked_at,
        expires_at=request.expires_at,
    )


@router.post("/invitations", status_code=201)
async def create_invitation(
    new: NewInvitation, caller: Known, hub: Hub, request: Request
) -> InvitationShown:
    """Make a code, good once within 10 minutes; it ends the person's older one."""
    person_id = whose(caller, new.person_id)
    invitation = await hub.pairing.invite(person_id, new.purpose, is_approved=new.is_approved)
    return InvitationShown(
        person_id=person_id,
        code=invitation.code,
        expires_at=invitation.expires_at,
        hub_url=about_of(request).hub_url,
    )


@router.post("/pairings", status_code=202)
async def create_pairing(new: NewPairing, hub: Hub, request: Request) -> PairingNoted:
    """A computer asks to be let in. Needs no key; a code is spent by this."""
    asked = await hub.pairing.ask(
        Introduction(
            public_key=from_b64(new.public_key, PUBLIC_KEY_BYTES),
            name=new.name,
            platform=new.platform,
            app_version=new.app_version,
            capabilities=new.capabilities,
        ),
        new.code,
        request.client.host if request.client else "",
    )
    return PairingNoted(
        pairing_id=asked.join_id,
        salt=b64(asked.salt),
        user_code=asked.user_code,
        expires_at=asked.expires_at,
        hub_name=about_of(request).hub_name,
        person_name=asked.person_name,
    )


@router.post("/pairings/{pairing_id}/token")
async def create_token(
    pairing_id: PairingPath, wanted: TokenRequest, hub: Hub, request: Request
) -> PairedShown:
    """The computer's token, once its person said yes; held open up to 20 s. Needs its key."""
    paired = await hub.pairing.token(pairing_id, from_b64(wanted.signature, SIGNATURE_BYTES))
    return PairedShown(
        worker_id=paired.worker_id,
        token=paired.token,
        hub_name=about_of(request).hub_name,
        person_name=paired.person_name,
        worker_name=paired.worker_name,
    )


@router.get("/pairings")
async def list_pairings(caller: Known, hub: Hub) -> PairingList:
    """Computers and accounts that asked to be let in during the last day, the newest last."""
    requests = await hub.admissions.requests(caller.sees)
    return PairingList(pairings=tuple(shown(request) for request in requests))


@router.post("/pairings/{pairing_id}/approve")
async def approve_pairing(pairing_id: PairingPath, caller: Known, hub: Hub) -> PairingShown:
    """Let it in."""
    return await _decide(pairing_id, caller, hub, is_approved=True)


@router.post("/pairings/{pairing_id}/reject")
async def reject_pairing(pairing_id: PairingPath, caller: Known, hub: Hub) -> PairingShown:
    """Turn it away."""
    return await _decide(pairing_id, caller, hub, is_approved=False)


async def _decide(
    pairing_id: str, caller: Caller, hub: Services, *, is_approved: bool
) -> PairingShown:
    request = await hub.admissions.find(caller.sees, pairing_id)
    assert request.person_id is not None, "what belongs to nobody is not found"
    decided = await hub.admissions.decide(
        request.person_id,
        request.join_id,
        is_approved=is_approved,
        by=f"{caller.person.name} on the API",
    )
    return shown(decided)
