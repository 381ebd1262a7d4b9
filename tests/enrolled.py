"""People and workers by the hundred, written straight into a hub's store.

As `hub.services.arrivals` writes them, without the ceremony of codes, which lets nobody in so fast.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from hub.core.access import (
    SECRET_BYTES,
    Access,
    Person,
    Role,
    Scope,
    digest,
    make_secret,
    write_key,
)
from hub.core.key import Key
from hub.core.worker import Worker
from hub.store import keys, people, workers
from hub.store.database import open_store
from hub.store.ledger import Entry, Ledger
from shared.capabilities import Capability
from shared.environment import Environment
from shared.ids import PersonId, WorkerId


@dataclass(frozen=True, slots=True)
class Machine:
    worker_id: WorkerId
    name: str
    token: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person, a key that may do all that they may, and their machines."""

    person_id: PersonId
    key: str
    machines: tuple[Machine, ...]


def enrol(folder: Path, people_count: int, each: int, kinds: tuple[str, ...]) -> list[Member]:
    """Make a hub's store with people who have `each` machines; the first runs the hub."""
    environment = Environment()
    folder.mkdir(parents=True, exist_ok=True)
    able = tuple(Capability(kind=kind) for kind in kinds)

    def run(entry: Entry) -> list[Member]:
        return [_member(entry, environment, n, each, able) for n in range(people_count)]

    async def fill() -> list[Member]:
        with open_store(folder) as database:
            return await Ledger(database, environment).write(run)

    return asyncio.run(fill())


def enrol_machine(folder: Path, person_id: PersonId, name: str, kinds: tuple[str, ...]) -> Machine:
    """Give somebody who is in a store already one more machine."""
    environment = Environment()
    able = tuple(Capability(kind=kind) for kind in kinds)

    async def add() -> Machine:
        with open_store(folder) as database:
            return await Ledger(database, environment).write(
                lambda entry: _machine(entry, environment, person_id, name, able)
            )

    return asyncio.run(add())


def _member(
    entry: Entry, environment: Environment, number: int, each: int, able: tuple[Capability, ...]
) -> Member:
    person = Person(
        person_id=PersonId(environment.new_id()),
        name=f"person {number}",
        created_at=entry.now,
        role=Role.MEMBER if number else Role.OWNER,
    )
    people.insert(entry, person)
    access = Access(person_id=person.person_id, scope=Scope.PERSON, key_id=environment.new_id())
    machines = [
        _machine(entry, environment, person.person_id, f"pc {n}", able) for n in range(each)
    ]
    return Member(person.person_id, _key(entry, environment, access), tuple(machines))


def _machine(
    entry: Entry,
    environment: Environment,
    person_id: PersonId,
    name: str,
    able: tuple[Capability, ...],
) -> Machine:
    worker = Worker(
        worker_id=WorkerId(environment.new_id()),
        person_id=person_id,
        name=name,
        platform="Linux",
        app_version="1",
        capabilities=able,
        paired_at=entry.now,
        last_seen_at=entry.now,
        public_key=environment.entropy(32),
    )
    workers.insert(entry, worker)
    access = Access(
        person_id=person_id, scope=Scope.WORKER, key_id=worker.worker_id, is_machine=True
    )
    return Machine(worker.worker_id, name, _key(entry, environment, access))


def _key(entry: Entry, environment: Environment, access: Access) -> str:
    """Let somebody in; return the secret, whose digest the store keeps."""
    secret = make_secret(environment.entropy(SECRET_BYTES))
    keys.insert(entry, Key(access=access, digest=digest(secret), created_at=entry.now))
    return write_key(access.scope, access.key_id, secret)
