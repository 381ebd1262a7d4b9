"""A computer compares its log with what the hub has of it."""

from __future__ import annotations

from pathlib import Path

from tests.hub.frontends.world import open_world


async def test_a_computer_is_told_how_far_its_log_has_come(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online(), world.chat() as chat:
            await chat.say("/train a.csv y")
            await worker.starts(await worker.any_grant())
            headers = {"Authorization": f"Bearer {worker.token}"}
            path = f"/worker/standing?epoch={worker.epoch}"
            told = (await world.rest.get(path, headers=headers)).json()
            while told["acked_seq"] == 0:  # its report is on the way
                told = (await world.rest.get(path, headers=headers)).json()
        assert told["jobs"] == {"running": 1}
        assert told["acked_seq"] == 1
        assert len(told["acked_digest"]) == 64
        assert told["hub_seq"] > 1


async def test_nobody_else_is_told(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        refused = await world.rest.get("/worker/standing?epoch=1")
        assert refused.status_code in (401, 403)
