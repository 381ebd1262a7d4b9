"""Who may use this hub, for those who run it: bring in, let look, lock, unlock, sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from hub.core.access import Person, Role
from hub.core.sign_in import Link
from hub.frontends.entrance import place as frontend_name
from hub.frontends.entrance import sign_in_url
from hub.frontends.figures import plural
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Owner, Place, Visitor
from shared.errors import BadInput
from shared.ids import PersonId

router = APIRouter(prefix="/people")
PersonPath = Annotated[str, Path(max_length=64)]


@router.get("")
async def list_people(request: Request, visitor: Owner, place: Place) -> Response:
    return await page(
        request, visitor, "people.html", people=await place.services.registry.people()
    )


@router.post("")
async def bring_in(visitor: Owner, place: Place, fields: Fields) -> Response:
    del visitor
    person = await place.services.registry.add_person(fields.get("name", ""))
    return lead(
        f"/people/{person.person_id}",
        f"{person.name} may use this hub now. Give them a link that signs them in.",
    )


@router.get("/{person_id}")
async def show_person(
    request: Request, visitor: Owner, place: Place, person_id: PersonPath
) -> Response:
    person = await place.services.registry.person(PersonId(person_id))
    return await _shown(request, visitor, place, person)


@router.post("/{person_id}/link")
async def make_link(
    request: Request, visitor: Owner, place: Place, person_id: PersonPath
) -> Response:
    """Make a link that signs this person in; the answer shows it, and nothing ever again."""
    person = await place.services.registry.person(PersonId(person_id))
    link = await place.services.sign_ins.link(person.person_id)
    return await _shown(request, visitor, place, person, link)


@router.post("/{person_id}/role")
async def set_role(visitor: Owner, place: Place, fields: Fields, person_id: PersonPath) -> Response:
    try:
        role = Role(fields.get("role", ""))
    except ValueError:
        raise BadInput(
            "role_unknown", "There is no such role.", "Choose one on the page."
        ) from None
    person = await place.services.registry.person(PersonId(person_id))
    await place.services.registry.set_role(person.person_id, role, visitor.by)
    is_self = person.person_id == visitor.person.person_id
    to = "/" if is_self and role is Role.MEMBER else f"/people/{person_id}"
    return lead(to, f"{person.name} is {'an owner' if role is Role.OWNER else 'a member'} now.")


@router.post("/{person_id}/lock")
async def lock(visitor: Owner, place: Place, person_id: PersonPath) -> Response:
    person = await place.services.registry.person(PersonId(person_id))
    await place.services.registry.lock(person.person_id, visitor.by)
    # Locked first: nothing new can slip in behind the cancel.
    stopped = await place.services.intake.cancel_all(person.person_id, visitor.by)
    return lead(
        f"/people/{person_id}", f"{person.name} is locked; {plural(stopped, 'job')} stopped."
    )


@router.post("/{person_id}/unlock")
async def unlock(visitor: Owner, place: Place, person_id: PersonPath) -> Response:
    person = await place.services.registry.unlock(PersonId(person_id), visitor.by)
    return lead(f"/people/{person_id}", f"{person.name} is unlocked.")


@router.post("/{person_id}/sign-out")
async def sign_out(visitor: Owner, place: Place, person_id: PersonPath) -> Response:
    """Sign somebody out everywhere, and end their unused links."""
    person = await place.services.registry.person(PersonId(person_id))
    ended = await place.services.sign_ins.end_all(person.person_id, visitor.by)
    return lead(
        f"/people/{person_id}", f"{person.name} is signed out of {plural(ended, 'browser')}."
    )


async def _shown(
    request: Request, visitor: Visitor, place: Place, person: Person, link: Link | None = None
) -> Response:
    registry, sign_ins = place.services.registry, place.services.sign_ins
    return await page(
        request,
        visitor,
        "person.html",
        person=person,
        accounts=[
            (frontend_name(account.frontend), account)
            for account in await registry.accounts(person.person_id)
        ],
        sign_ins=await sign_ins.of_person(person.person_id),
        link=sign_in_url(place.hub_url, link) if link else "",
    )
