"""Connecting a computer: a code to carry there, and the yes or no when it asks to be let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from hub.core.joining import JoinRequest
from hub.core.pairing import Invitation
from hub.frontends import entrance
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.qr import picture
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from shared.pairing import JoinKind, JoinState

router = APIRouter()
JoinPath = Annotated[str, Path(max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """A code, and all the ways to carry it to a computer."""

    invitation: Invitation
    address: str
    """Opened on the computer, it says the rest."""
    qr: str
    link: str
    """Opened where Deskhand is installed."""
    command: str
    shell: str
    powershell: str


@router.get("/pair")
async def show_pairing(request: Request, visitor: Guest, place: Place) -> Response:
    return await _page(request, visitor, place)


@router.post("/pair")
async def make_code(request: Request, visitor: Guest, place: Place, fields: Fields) -> Response:
    """Make a code and show it on this answer alone: the hub keeps a hash, addresses are logged."""
    invitation = await place.services.pairing.invite(visitor.person.person_id)
    return await _page(request, visitor, place, _ways(invitation, place.hub_url))


@router.post("/pair/adopt")
async def adopt_computer(visitor: Guest, place: Place, fields: Fields) -> Response:
    """Take the code that a computer shows; its question appears on the page."""
    person_id = visitor.person.person_id
    adopted = await place.services.pairing.adopt(
        person_id, fields.get("code", ""), f"web:{person_id}"
    )
    return lead("/pair", f"{adopted.name} asks to join. Compare the check words.")


@router.post("/pair/{join_id}/approve")
async def approve(join_id: JoinPath, visitor: Guest, place: Place, fields: Fields) -> Response:
    request = await _decide(place, visitor, join_id, is_approved=True)
    return lead("/pair", f"{request.name} was let in.")


@router.post("/pair/{join_id}/reject")
async def reject(join_id: JoinPath, visitor: Guest, place: Place, fields: Fields) -> Response:
    request = await _decide(place, visitor, join_id, is_approved=False)
    return lead("/pair", f"{request.name} was turned away.")


async def _page(
    request: Request, visitor: Visitor, place: Setting, ways: Ways | None = None
) -> Response:
    requests = await place.services.admissions.requests(visitor.sees)
    asking = [r for r in requests if r.state is JoinState.WAITING]
    settled = [r for r in reversed(requests) if r.state is not JoinState.WAITING]
    return await page(
        request,
        visitor,
        "pair.html",
        ways=ways,
        asking=asking,
        settled=settled,
        who=who,
        is_computer=lambda r: r.kind is JoinKind.WORKER,
        outcome=outcome,
    )


async def _decide(
    place: Setting, visitor: Visitor, join_id: str, *, is_approved: bool
) -> JoinRequest:
    admissions = place.services.admissions
    request = await admissions.find(visitor.sees, join_id)
    assert request.person_id is not None, "what belongs to nobody is not found"
    return await admissions.decide(
        request.person_id, request.join_id, is_approved=is_approved, by=visitor.by
    )


def _ways(invitation: Invitation, hub_url: str) -> Ways:
    code = invitation.code
    address = f"{hub_url}/download#{code}"
    return Ways(
        invitation=invitation,
        address=address,
        qr=picture(address),
        link=entrance.pair_link(hub_url, code),
        command=f"deskhand pair {code} --hub {hub_url}",
        shell=entrance.shell_line(hub_url, code),
        powershell=entrance.powershell_line(hub_url, code),
    )


def who(request: JoinRequest) -> str:
    """What asks, in a line: "Windows 11; can train, predict", or where an account speaks."""
    if request.kind is JoinKind.ACCOUNT:
        return f"{request.external_id} on {entrance.place(request.frontend)}"
    kinds = [capability.kind for capability in request.capabilities]
    told = entrance.who("", request.platform, kinds).strip(" ()")
    return told or "Says nothing of itself"


def outcome(request: JoinRequest) -> tuple[str, str, str, str]:
    """What became of a request: tone, icon, word, and who said so."""
    match request.state:
        case JoinState.APPROVED if request.kind is JoinKind.WORKER:
            return "running", "granted", "Let in, about to come", request.decided_by
        case JoinState.APPROVED | JoinState.JOINED:
            return "done", "check", "Let in", request.decided_by
        case JoinState.REJECTED:
            return "plain", "cross", "Turned away", request.decided_by
        case _:
            return "plain", "offline", "Nobody answered in time", ""
