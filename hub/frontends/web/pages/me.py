"""One's own account: name, clock, light or dark, chats, and where one is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from hub.frontends.entrance import place as frontend_name
from hub.frontends.figures import plural
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place

router = APIRouter(prefix="/me")
SignInPath = Annotated[str, Path(max_length=64)]


@router.get("")
async def show_me(request: Request, visitor: Guest, place: Place) -> Response:
    me = visitor.person.person_id
    return await page(
        request,
        visitor,
        "me.html",
        accounts=[
            (frontend_name(account.frontend), account)
            for account in await place.services.registry.accounts(me)
        ],
        sign_ins=await place.services.sign_ins.of_person(me),
    )


@router.post("/name")
async def rename(visitor: Guest, place: Place, fields: Fields) -> Response:
    name = await place.services.registry.rename(visitor.person.person_id, fields.get("name", ""))
    return lead("/me", f"You are called {name} now.")


@router.post("/sign-ins/{sign_in_id}/end")
async def end_sign_in(visitor: Guest, place: Place, sign_in_id: SignInPath) -> Response:
    await place.services.sign_ins.end(visitor.person.person_id, sign_in_id, visitor.by)
    return lead("/me", "That browser is signed out.")


@router.post("/sign-ins/end-others")
async def end_others(visitor: Guest, place: Place) -> Response:
    """Sign out everywhere but here."""
    ended = await place.services.sign_ins.end_all(
        visitor.person.person_id, visitor.by, but=visitor.sign_in_id
    )
    return lead("/me", f"{plural(ended, 'other browser')} signed out. Unused links are void, too.")
