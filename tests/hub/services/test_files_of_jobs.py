"""A file named by the job that wrote it is asked of the worker that ran that job."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import NotFound
from shared.events import JobStarted, JobSucceeded
from shared.ids import short
from tests.hub.worlds import Desk, World

RESULT = {
    "headline": "Done.",
    "model_id": "m",
    "rows": 1,
    "written": "new.predictions.csv",
}


async def predicted(world: World, desk: Desk, person_name: str = "anna") -> str:
    person = next(p for p in await world.services.registry.people() if p.name == person_name)
    card = await world.request(person, "ml.predict", worker_name=desk.name)
    grant = await desk.take()
    names = {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}
    await desk.report(
        JobStarted(**names),
        JobSucceeded(**names, result=RESULT, running_seconds=1),
    )
    return card.job_id


@pytest.mark.parametrize("is_short", [False, True])
async def test_it_is_asked_of_the_worker_that_ran_the_job(tmp_path: Path, is_short: bool) -> None:
    world = World(tmp_path)
    anna = await world.person()
    await world.desk(anna, "anna-pc")
    attic = await world.desk(anna, "attic")
    job_id = await predicted(world, attic)
    name = f"#{short(job_id).lower()}" if is_short else f"#{job_id}"
    card = await world.request(anna, "files.send", inputs={"file": name})
    assert card.inputs == {"file": f"#{job_id}"}
    assert card.job.pinned_to == attic.worker_id
    assert card.title == f"send #{short(job_id)}"


async def test_a_computer_that_was_named_is_taken_at_its_word(tmp_path: Path) -> None:
    world = World(tmp_path)
    anna = await world.person()
    pc = await world.desk(anna, "anna-pc")
    attic = await world.desk(anna, "attic")
    job_id = await predicted(world, attic)
    card = await world.request(
        anna, "files.head", inputs={"file": f"#{job_id}"}, worker_name="anna-pc"
    )
    assert card.job.pinned_to == pc.worker_id


@pytest.mark.parametrize("name", ["#ZZZZ", "#00000000-0000-7000-8000-000000000000"])
async def test_a_job_nobody_knows_is_said_so_at_once(tmp_path: Path, name: str) -> None:
    world = World(tmp_path)
    anna = await world.person()
    with pytest.raises(NotFound) as caught:
        await world.request(anna, "files.send", inputs={"file": name})
    assert caught.value.code == "job_unknown"


async def test_somebody_else_s_job_is_nobody_s(tmp_path: Path) -> None:
    world = World(tmp_path)
    anna, ben = await world.person(), await world.person("ben")
    desk = await world.desk(anna)
    job_id = await predicted(world, desk)
    with pytest.raises(NotFound) as caught:
        await world.request(ben, "files.send", inputs={"file": f"#{job_id}"})
    assert caught.value.code == "job_unknown"


async def test_an_ordinary_name_that_begins_with_a_hash_stays_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    anna = await world.person()
    card = await world.request(anna, "files.send", inputs={"file": "#1 sales.csv"})
    assert card.inputs == {"file": "#1 sales.csv"}
