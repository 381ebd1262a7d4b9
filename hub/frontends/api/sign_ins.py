"""Links that sign a browser into the dashboard, for oneself; for anybody, by the operator."""

from __future__ import annotations

from fastapi import APIRouter, Request

from hub.frontends.api.parts import Hub, Known, about_of, whose
from hub.frontends.entrance import sign_in_url
from shared.api.sign_ins import NewSignInLink, SignInLinkShown

router = APIRouter(tags=["people"])


@router.post("/sign-in-links", status_code=201)
async def create_sign_in_link(
    new: NewSignInLink, caller: Known, hub: Hub, request: Request
) -> SignInLinkShown:
    """Make a link that signs a browser in, once, within 10 minutes."""
    person_id = whose(caller, new.person_id)
    link = await hub.sign_ins.link(person_id)
    return SignInLinkShown(
        person_id=person_id,
        url=sign_in_url(about_of(request).hub_url, link),
        expires_at=link.expires_at,
    )
