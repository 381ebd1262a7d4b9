"""The pages of computers."""

from __future__ import annotations

from hub.core.condition import condition_of
from hub.core.worker import Worker, WorkerCard
from hub.frontends.web import machines
from hub.services.machines import Machine
from hub.store import said
from shared.capabilities import Lacking
from shared.ids import PersonId, WorkerId
from shared.messages import Beat, Metrics
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.web.seeds import ledger_of, owner_of
from tests.hub.frontends.world import World, until
from tests.makers import NOON

GIGA = 10**9


def beat(disk_free: float = 100.0, battery: float | None = None) -> Beat:
    return Beat(
        metrics=Metrics(
            cpu_share=0.5,
            memory_used_bytes=4 * GIGA,
            memory_total_bytes=16 * GIGA,
            disk_free_bytes=int(disk_free * GIGA),
            battery_share=battery,
        )
    )


async def test_without_a_computer_the_page_leads_to_connecting_one(reader: Reader) -> None:
    page = await reader.get("/workers")
    assert "No computer is connected yet." in page.text
    assert "/pair" in page.links


async def test_a_card_tells_load_work_and_what_is_missing(world: World, reader: Reader) -> None:
    worker = await world.pair()
    lacks = (Lacking(kind="ml.train", command="deskhand setup ml", download_mb=310),)
    async with worker.online():
        world.hub.services.registry.beat(worker.worker_id, beat(battery=0.64))
        made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
        await worker.starts(await worker.grant_of(made["job_id"]))
        await until(lambda: worker.acked == len(worker.log))
        await ledger_of(world).write(
            lambda entry: said.note(entry.connection, worker.worker_id, lacks, "Europe/Berlin")
        )
        page = await reader.get("/workers")
        for word in (
            "anna-pc", "Busy", "Linux · Deskhand 1", "50%", "25%", "64%", "1 of 2 slots free",
            "100 GB of disk free", "No training tools (about 310 MB).", "deskhand setup ml",
        ):  # fmt: skip
            assert word in page.text, word
        assert f"/jobs/{made['job_id']}" in page.links
        one = await reader.get(f"/workers/{worker.worker_id}")
        assert "ml.train" in one.text
        assert f"/jobs/{made['job_id']}" in one.links


def test_a_worker_that_fetches_its_work_says_so() -> None:
    worker = Worker(
        worker_id=WorkerId("w"),
        person_id=PersonId("p"),
        name="farm",
        platform="REST",
        app_version="2.1",
        capabilities=(),
        paired_at=NOON,
        last_seen_at=NOON,
        pull_slots=4,
    )
    card = WorkerCard(worker=worker, is_online=True, slots=4, working=1, asking=0, metrics=None)
    machine = Machine(
        card=card,
        condition=condition_of(card),
        is_mistrusted=False,
        jobs=(),
        lacking=(),
        owner="anna",
    )
    assert machines.system(machine) == "Fetches its work over the API · 2.1"
    assert machines.standing(machine) == "3 of 4 slots free"


async def test_a_full_disk_is_an_error_with_what_helps(world: World, reader: Reader) -> None:
    worker = await world.pair()
    async with worker.online():
        world.hub.services.registry.beat(worker.worker_id, beat(disk_free=0.2))
        page = await reader.get("/workers")
    assert "Error" in page.text
    assert "Its disk is full: 200 MB of disk free. Make room, or pause it." in page.text


async def test_pausing_can_be_undone(world: World, reader: Reader) -> None:
    worker = await world.pair()
    path = f"/workers/{worker.worker_id}"
    paused = await reader.post(f"{path}/pause?to=one")
    assert (paused.path, paused.toast) == (path, "anna-pc takes nothing new.")
    assert f'action="{path}/resume?to=one"' in paused.html
    resumed = await reader.post(f"{path}/resume?to=one")
    assert resumed.toast == "anna-pc takes work again."


async def test_showing_out_says_first_what_becomes_of_its_jobs(
    world: World, reader: Reader
) -> None:
    worker = await world.pair()
    async with worker.online():
        for kind, inputs in (("ml.models", {}), ("files.send", {"file": "a.csv"})):
            made = await world.rest.post("/tasks", json={"kind": kind, "inputs": inputs})
            await worker.starts(await worker.grant_of(made.json()["job_id"]))
        await until(lambda: worker.acked == len(worker.log))
        asked = await reader.get(f"/workers/{worker.worker_id}/out")
        assert "It has 2 jobs in hand" in asked.text
        assert "can be run again without harm" in asked.text
        out = await reader.post(f"/workers/{worker.worker_id}/out")
        assert (out.path, out.toast) == ("/workers", "anna-pc was shown out.")
    assert (await reader.get(f"/workers/{worker.worker_id}")).status == 404
    history = await world.hub.services.chronicle.audit(await owner_of(world))
    assert history.facts[0].payload["by"] == "me on the web"


async def test_a_name_is_text_and_never_markup(world: World, reader: Reader) -> None:
    worker = await world.pair('<b onmouseover="x">anna</b>')
    for path in ("/workers", f"/workers/{worker.worker_id}", "/queue", "/activity", "/audit"):
        page = await reader.get(path)
        assert "<b onmouseover" not in page.html
        assert "&lt;b onmouseover" in page.html


async def test_a_card_tells_what_a_computer_codes_with(world: World, reader: Reader) -> None:
    able = {"kind": "code.review", "tools": ["codex", "git"], "specializations": ["python"]}
    wanted = {"name": "box", "capabilities": [{**able, "jobs_max": 1}]}
    assert (await world.rest.post("/workers", json=wanted)).status_code == 201

    assert "Codes with codex, git; python." in (await reader.get("/workers")).text
    (told,) = (await world.rest.get("/workers")).json()["workers"]
    assert told["capabilities"] == [{**able, "version": 1, "jobs_max": 1}]


async def test_a_job_that_names_an_agent_nobody_has_says_who_comes_nearest(
    world: World, reader: Reader
) -> None:
    able = {"kind": "code.review", "tools": ["builtin"], "specializations": ["python"]}
    await world.rest.post("/workers", json={"name": "box", "capabilities": [able]})
    inputs = {"agent": "codex", "specializations": ["Python"]}
    made = await world.rest.post("/tasks", json={"kind": "code.review", "inputs": inputs})
    assert made.json()["waiting"] == "tools_missing"
    page = await reader.get("/queue")
    assert "This asks for codex, which box does not have; it has builtin, python." in page.text
    assert "deskhand agents" in page.text
