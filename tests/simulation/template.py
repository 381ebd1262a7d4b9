"""A hub that knows a person, and workers that have joined it: made once, copied for each world."""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from desktop.store import facts
from desktop.store.database import open_store as open_worker_store
from desktop.store.facts import Pairing
from hub.ring import ring_of
from hub.services import Services
from hub.store.database import open_store as open_hub_store
from hub.store.ledger import Ledger
from shared.capabilities import Capability
from shared.environment import Environment
from shared.ids import PersonId
from tests.pairing import Computer
from tests.simulation.hosts import PEPPER
from tests.simulation.kinds import KINDS
from tests.simulation.loop import Clock, VirtualLoop

NAMES = ("anna-pc", "attic", "studio-mac")


@dataclass(frozen=True, slots=True)
class Joined:
    """A worker that has joined: its store, and its token."""

    pairing: Pairing
    token: str
    store: bytes


@dataclass(frozen=True, slots=True)
class Template:
    person_id: PersonId
    hub_store: bytes
    workers: tuple[Joined, ...]


@cache
def template() -> Template:
    """Make the stores that every world begins with; the same in every process."""
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        return runner.run(_make(Path(folder)))


async def _make(folder: Path) -> Template:
    loop = asyncio.get_running_loop()
    environment = Environment(clock=Clock(loop), entropy=random.Random("template").randbytes)
    with open_hub_store(folder, loop.call_soon) as database:
        services, _ = ring_of(Ledger(database, environment), KINDS, PEPPER, folder / "files")
        person = await services.registry.add_person("anna")
        workers = [await _join(services, person.person_id, name, folder) for name in NAMES]
    hub_store = (folder / "hub.sqlite3").read_bytes()
    return Template(person.person_id, hub_store, tuple(workers))


async def _join(services: Services, person_id: PersonId, name: str, folder: Path) -> Joined:
    key = Ed25519PrivateKey.from_private_bytes(random.Random(name).randbytes(32))
    computer = Computer(name, capabilities=tuple(Capability(kind=k) for k in KINDS), key=key)
    paired = await computer.pair(services, person_id)
    pairing = Pairing(
        hub_url="http://hub.example:8471",
        worker_id=paired.worker_id,
        worker_name=name,
        hub_name="hub",
        person_name="anna",
    )
    path = folder / f"{name}.sqlite3"
    with open_worker_store(path, asyncio.get_running_loop().call_soon) as database:
        await database.write(lambda connection: facts.save_pairing(connection, pairing))
    return Joined(pairing, paired.token, path.read_bytes())
