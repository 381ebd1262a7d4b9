"""People of this hub; only its operator brings new ones in."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from hub.core.access import Scope
from hub.frontends.api.parts import Body, Hub, Known, Shown, require_operator

router = APIRouter(tags=["people"])


class NewPerson(Body):
    name: str = Field(min_length=1, max_length=100, pattern=r"\S")


class PersonShown(Shown):
    person_id: str
    name: str


class PersonList(Shown):
    people: tuple[PersonShown, ...]


class PersonWithKey(PersonShown):
    key: str
    """Told once; opens the chat and this API for that person."""


@router.get("/people")
async def list_people(caller: Known, hub: Hub) -> PersonList:
    """Everybody, for the operator; oneself, for anyone else."""
    people = await hub.registry.people() if caller.sees is None else (caller.person,)
    return PersonList(people=tuple(PersonShown(person_id=p.person_id, name=p.name) for p in people))


@router.post("/people", status_code=201)
async def create_person(new: NewPerson, caller: Known, hub: Hub) -> PersonWithKey:
    """Bring somebody in; the answer holds their key."""
    require_operator(caller)
    person = await hub.registry.add_person(new.name.strip())
    key = await hub.keys.issue(person.person_id, Scope.PERSON)
    return PersonWithKey(person_id=person.person_id, name=person.name, key=key)
