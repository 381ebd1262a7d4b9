"""The hub whose log is taken in, a program of its own.

    python -m tests.benchmarks.sync.hub FOLDER

It is put together as `deskhand-hub serve` does it. It reads an order a line and answers each with
a line of JSON: "usage", "invite", "grow EVENTS" (its log, to so many), or "tell COUNT GAP_SECONDS",
which commits events one by one and says when each was on the disk.
"""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from pathlib import Path

from hub.app import Hub, running
from hub.server import loop_factory, spare_collector
from hub.settings import Settings
from hub.store.ledger import Entry, Ledger
from shared.events import WorkerOffers
from shared.ids import PersonId
from shared.logs import configure
from tests.benchmarks.sync.log import Writer
from tests.benchmarks.sync.orders import read_orders, say, usage


class Teller:
    def __init__(self, hub: Hub, person_id: PersonId) -> None:
        # A benchmark writes what only other machines could make the hub write.
        self._ledger: Ledger = hub.services.feed._ledger
        self._hub = hub
        self._person_id = person_id
        self._writer = Writer(person_id, hub.environment)

    async def invite(self) -> dict[str, object]:
        made = await self._hub.services.pairing.invite(self._person_id, is_approved=True)
        return {"code": made.code}

    async def grow(self, events: int) -> dict[str, object]:
        await self._writer.grow(self._ledger, events)
        return {"position": self._ledger.position}

    async def tell(self, count: int, gap_seconds: float) -> dict[str, object]:
        told = []
        for number in range(count):
            await asyncio.sleep(gap_seconds)
            place = await self._ledger.write(partial(self._one, number=number))
            told.append((place, time.monotonic()))
        return {"told": told, "position": self._ledger.position}

    def _one(self, entry: Entry, *, number: int) -> int:
        device, name = self._writer.device, "the other pc"
        offers = WorkerOffers(worker_id=device, name=name, kinds=(f"kind.{number}",))
        entry.tell(self._person_id, offers, entity=device)
        return entry.hub_seq


async def serve(folder: Path) -> None:
    orders = read_orders()
    async with running(Settings(port=0, data=folder)) as hub:
        await hub.api.ready()
        [person, *_] = await hub.services.registry.people()
        teller = Teller(hub, person.person_id)
        say({"url": hub.settings.local_url})
        while order := await orders.get():
            match order.split():
                case ["usage"]:
                    say(usage())
                case ["invite"]:
                    say(await teller.invite())
                case ["grow", events]:
                    say(await teller.grow(int(events)))
                case ["tell", count, gap]:
                    say(await teller.tell(int(count), float(gap)))
                case _:
                    say({"error": f"no such order: {order}"})


def main() -> None:
    configure(json_lines=True, level="WARNING")
    spare_collector()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
