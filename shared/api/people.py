"""People of a hub."""

from __future__ import annotations

from pydantic import Field

from shared.api.parts import Body, Shown


class NewPerson(Body):
    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    is_owner: bool = False
    """Runs the hub with whoever does already: sees everybody's things, brings people in."""


class PersonShown(Shown):
    person_id: str
    name: str
    is_owner: bool = False
    is_locked: bool = False


class PersonList(Shown):
    people: tuple[PersonShown, ...]


class PersonWithKey(PersonShown):
    key: str
    """Told once; opens the chat and this API for that person."""
