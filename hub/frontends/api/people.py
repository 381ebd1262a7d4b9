"""People of this hub; only its operator brings new ones in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path

from hub.core.access import Person, Role, Scope, machine_of
from hub.frontends.api.parts import Hub, Known, Reads, require_operator
from shared.api.parts import ID
from shared.api.people import NewPerson, PersonList, PersonShown, PersonWithKey
from shared.ids import PersonId

router = APIRouter(tags=["people"])
PersonPath = Annotated[str, Path(pattern=ID)]


def shown(person: Person) -> PersonShown:
    return PersonShown(
        person_id=person.person_id,
        name=person.name,
        is_owner=person.role is Role.OWNER,
        is_locked=person.locked_at is not None,
    )


@router.get("/people")
async def list_people(caller: Reads, hub: Hub) -> PersonList:
    """Everybody, for the operator; oneself, for anyone else."""
    people = await hub.registry.people() if caller.sees is None else (caller.person,)
    return PersonList(people=tuple(shown(person) for person in people))


@router.post("/people", status_code=201)
async def create_person(new: NewPerson, caller: Known, hub: Hub) -> PersonWithKey:
    """Bring somebody in; the answer holds their key."""
    require_operator(caller)
    role = Role.OWNER if new.is_owner else Role.MEMBER
    person = await hub.registry.add_person(new.name.strip(), role)
    key = await hub.keys.issue(person.person_id, Scope.PERSON, name="first key")
    return PersonWithKey(**shown(person).model_dump(), key=key)


@router.post("/people/{person_id}/unlock")
async def unlock_person(person_id: PersonPath, caller: Known, hub: Hub) -> PersonShown:
    """Let chats start things for a person again. Idempotent."""
    require_operator(caller)
    return shown(await hub.registry.unlock(PersonId(person_id), "the hub's owner"))


@router.post("/unlock")
async def unlock_own(hub: Hub, authorization: Annotated[str, Header()] = "") -> PersonShown:
    """Unlock the person a computer works for; the key is that computer's token. Idempotent.

    Whoever sits at a paired computer has more in hand than whoever stole a phone.
    """
    access = await hub.keys.check(authorization)
    worker_id = machine_of(access)
    card = await hub.views.worker(worker_id)
    place = card.name if card else "a computer"
    owner = await hub.registry.person(access.person_id)
    return shown(await hub.registry.unlock(access.person_id, f"{owner.name} on {place}"))
