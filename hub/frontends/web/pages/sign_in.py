"""The way in and out: what somebody sees who is not signed in, one-time links, and signing out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from hub.frontends.web import cookie
from hub.frontends.web.render import page
from hub.frontends.web.toast import is_own_path
from hub.frontends.web.visitor import Guest, Place, look
from shared.errors import AppError, NotAllowed, NotFound

router = APIRouter()

WRONG = "sign_in_link_wrong"


@router.get("/sign-in")
async def say_how(request: Request, place: Place) -> Response:
    """Say how to get a link; whoever is signed in is led on."""
    try:
        await look(request, place)
    except NotAllowed:
        return await page(request, None, "sign_in.html", error=None)
    return RedirectResponse("/", status_code=303)


@router.get("/in/{secret}")
async def ask(request: Request, place: Place, secret: str) -> Response:
    """Ask before a link is used up: programs that look at links press no buttons."""
    try:
        person = await place.services.sign_ins.look(secret, _address(request))
    except NotFound as error:
        return await _refused(request, error)
    return await page(request, None, "enter.html", person=person)


@router.post("/in/{secret}")
async def enter(request: Request, place: Place, secret: str) -> Response:
    services = place.services
    try:
        signed_in, kept = await services.sign_ins.open(
            secret,
            user_agent=request.headers.get("user-agent", ""),
            address=_address(request),
        )
    except NotFound as error:
        return await _refused(request, error)
    await _end_former(request, place, signed_in.person.name)
    to = request.cookies.get(cookie.NEXT, "/")
    response = RedirectResponse(to if is_own_path(to) else "/", status_code=303)
    cookie.drop_next(response)
    cookie.give(request, response, kept)
    return response


@router.post("/sign-out")
async def leave(request: Request, visitor: Guest, place: Place) -> Response:
    await place.services.sign_ins.end(visitor.person.person_id, visitor.sign_in_id, visitor.by)
    response = RedirectResponse("/sign-in", status_code=303)
    cookie.drop(request, response)
    # What was kept of pages must not be found by whoever sits here next.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


async def _refused(request: Request, error: AppError) -> Response:
    return await page(request, None, "sign_in.html", status=404, error=error)


async def _end_former(request: Request, place: Place, name: str) -> None:
    """A browser has one sign-in: the one before is over."""
    try:
        former = await place.services.sign_ins.check(cookie.secret_of(request), is_use=False)
    except AppError:
        return
    await place.services.sign_ins.end(
        former.person.person_id, former.sign_in.sign_in_id, f"{name} on the web"
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
