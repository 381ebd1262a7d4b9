"""kill -9 of a broker in the middle: every job runs once, by whichever broker."""

from __future__ import annotations

from asyncio import to_thread
from pathlib import Path

from shared.errors import Conflict
from shared.fleet import queue_of
from shared.jobs import JobState, Priority
from tests.brokers.rabbitmq import RabbitServer
from tests.brokers.redis import RedisServer
from tests.brokers.server import Server
from tests.hub.fleet.world import RUN, fleet_world, taken

DEFAULT = queue_of(RUN.name, Priority.DEFAULT)
COUNT = 12


async def test_redis_is_killed_in_the_middle(tmp_path: Path) -> None:
    async with RedisServer(tmp_path / "redis") as server:
        await all_run_once(tmp_path, server)


async def test_rabbitmq_is_killed_in_the_middle(tmp_path: Path, rabbitmq: RabbitServer) -> None:
    await to_thread(taken, rabbitmq.url, DEFAULT, 0.2, 1000)  # what another test has left over
    await all_run_once(tmp_path, rabbitmq)


async def all_run_once(folder: Path, server: Server) -> None:
    """A third is handed over, a third is caught by the kill, a third is asked for while away."""
    async with fleet_world(folder / "hub", server.url) as world:
        await world.until_up()
        cards = [await world.ask() for _ in range(COUNT)]
        await world.becomes(cards[-1].job_id, JobState.GRANTED)
        cards += [await world.ask() for _ in range(COUNT)]
        server.kill()
        world.pass_time(6)
        await world.until_up(is_up=False)
        cards += [await world.ask() for _ in range(COUNT)]
        await server.start()
        world.pass_time(40)
        await world.until_up()

        node, begun = world.node(), 0
        for _ in range(10 * COUNT):
            if begun == len(cards):
                break
            world.pass_time(3)
            for ticket in await to_thread(taken, server.url, DEFAULT, 0.5, COUNT):
                try:
                    _, delivery = await node.start(ticket)
                except Conflict:
                    continue  # a duplicate, or a grant that was taken back
                begun += 1
                await node.succeed(ticket, delivery)
        states = {await world.state(card.job_id) for card in cards}
        assert (begun, states) == (len(cards), {JobState.SUCCEEDED})
        for card in cards[:: COUNT // 2]:
            facts = await world.hub.services.views.history(world.owner.person_id, card.job_id)
            assert [fact.type for fact in facts].count("job_started") == 1
