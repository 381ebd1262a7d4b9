"""Computers that want to join: they ask and fetch their token; their person says yes or no."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from hub.core.access import Scope
from hub.core.joining import JoinRequest
from hub.frontends.api.parts import Enrols, Hub, Known, Reads, about_of, whose
from hub.frontends.door import Caller
from hub.services import Services
from hub.services.pairing import Introduction
from shared.api.pairings import (
    InvitationShown,
    NewInvitation,
    NewPairing,
    PairedShown,
    PairingList,
    PairingNoted,
    PairingShown,
    TokenRequest,
)
from shared.api.parts import ID
from shared.errors import NotAllowed
from shared.ids import short
from shared.pairing import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    Purpose,
    b64,
    from_b64,
)

router = APIRouter(tags=["pairing"])
PairingPath = Annotated[str, Path(pattern=ID)]


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
    new: NewInvitation, caller: Enrols, hub: Hub, request: Request
) -> InvitationShown:
    """Make a code, good once within 10 minutes; it ends the person's older one.

    A key with the scope `enrol` makes codes for computers of its own person that nobody is asked
    about any more (`is_approved`), and nothing else.
    """
    _check_enrols(new, caller)
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
async def list_pairings(caller: Reads, hub: Hub) -> PairingList:
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


def _check_enrols(new: NewInvitation, caller: Caller) -> None:
    is_plain = new.purpose is Purpose.WORKER and new.is_approved
    if caller.access.scope is Scope.ENROL and not is_plain:
        raise NotAllowed(
            "key_scope",
            "A key with the scope 'enrol' only makes approved codes for computers.",
            'Send {"is_approved": true}.',
        )


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
