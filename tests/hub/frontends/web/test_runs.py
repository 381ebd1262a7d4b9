"""The pages of probe runs."""

from __future__ import annotations

import pytest

from hub.core.run import RUN, TRANSCRIPT
from shared.ids import PersonId
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.web.run_seeds import probe_run, statistics, transcript
from tests.hub.frontends.web.seeds import ledger_of, owner_of
from tests.hub.frontends.world import World


async def _jobs_of_kind(world: World, kind: str, person_id: PersonId) -> list[str]:
    jobs = await world.hub.services.views.jobs(person_id, limit=200)
    return [job.job_id for job in jobs if job.kind == kind]


async def test_without_runs_the_page_says_what_one_is(reader: Reader) -> None:
    page = await reader.get("/runs")
    assert "A run puts the scenarios of a file to several models" in page.text
    assert "/tasks/new/llm.run" in page.links


async def test_a_list_tells_how_far_each_run_is_and_what_failed(
    world: World, reader: Reader
) -> None:
    run = await probe_run(world)
    page = await reader.get("/runs")
    assert f"/runs/{run.job_id}" in page.links
    assert "6 answered · 1 refused · 1 failed" in page.text
    assert "RATE LIMIT 1" in page.text
    assert "$0.0048" in page.text


async def test_the_page_of_a_run_tells_its_models_probes_and_statistics(
    world: World, reader: Reader
) -> None:
    run = await probe_run(world, is_over=True)
    made = await statistics(world, run)
    page = await reader.get(f"/runs/{run.job_id}")
    assert "6 of 10" in page.text
    assert "openai:gpt-5-mini 4 1 0 $0.006" in page.text
    assert "gpt-5-mini chose honesty in 75 %" in page.text
    assert "2 of 10 are missing" in page.text
    assert "honesty openai:gpt-5-mini 75 % 30 to 95 % 4" in page.text
    assert f"/jobs/{made}" in page.links
    assert f"/runs/{run.job_id}/probes/0" in page.links


@pytest.mark.parametrize(
    ("show", "count"), [("all", 10), ("answered", 6), ("refused", 1), ("failed", 1), ("open", 2)]
)
async def test_probes_are_shown_by_what_became_of_them(
    world: World, reader: Reader, show: str, count: int
) -> None:
    run = await probe_run(world)
    page = await reader.get(f"/runs/{run.job_id}?show={show}")
    rows = [link for link in page.links if link.startswith(f"/runs/{run.job_id}/probes/")]
    assert len(rows) == count


async def test_probes_come_in_pages(world: World, reader: Reader) -> None:
    run = await probe_run(world, cells=60)
    first = await reader.get(f"/runs/{run.job_id}")
    [older] = [link for link in first.links if "before=" in link]
    second = await reader.get(older)
    shown = [{link for link in page.links if "/probes/" in link} for page in (first, second)]
    assert [len(links) for links in shown] == [50, 10]
    assert not shown[0] & shown[1]


async def test_what_was_said_comes_when_it_is_asked_for(world: World, reader: Reader) -> None:
    run = await probe_run(world)
    path = f"/runs/{run.job_id}/probes/0"
    page = await reader.get(path)
    assert "The words stand on" in page.text
    assert "It says it is gpt-5-mini-2026-07-01" in page.text
    page = await reader.post(f"{path}/fetch")
    assert page.path == path
    [fetching] = await _jobs_of_kind(world, TRANSCRIPT, await owner_of(world))
    card = await world.hub.services.views.job(None, fetching)  # type: ignore[arg-type]
    assert card.inputs == {"run": run.job_id, "index": 0}
    assert card.job.task_id == run.task_id
    assert "is asked for it" in page.text
    await transcript(world, run, 0)
    page = await reader.get(path)
    assert "Answered: A. I bring it." in page.text
    assert "first word after 0.24 s" in page.text


async def test_what_has_no_answer_can_be_asked_again(world: World, reader: Reader) -> None:
    run = await probe_run(world, is_over=True)
    page = await reader.post(f"/runs/{run.job_id}/again")
    assert page.toast == "What has no answer yet is asked again."
    newest, oldest = await _jobs_of_kind(world, RUN, await owner_of(world))
    assert oldest == run.job_id
    card = await world.hub.services.views.job(None, newest)  # type: ignore[arg-type]
    assert card.inputs == {"again": run.job_id}
    assert page.path == f"/runs/{newest}"


async def test_a_model_that_writes_tags_writes_text(world: World, reader: Reader) -> None:
    run = await probe_run(world)
    made = await transcript(world, run, 1)
    await ledger_of(world).write(
        lambda entry: entry.connection.execute(
            "UPDATE jobs SET result = replace(result, 'A. I bring it.', ?) WHERE job_id = ?",
            ("<script>alert(1)</script>", made),
        )
    )
    page = await reader.get(f"/runs/{run.job_id}/probes/1")
    assert "<script>alert(1)" not in page.html
    assert "<script>alert(1)</script>" in page.text


async def test_runs_of_others_are_not_there(world: World, reader: Reader) -> None:
    ben = await world.hub.services.registry.add_person("Ben")
    run = await probe_run(world, person_id=ben.person_id, title="run of ben")
    assert "run of ben" not in (await reader.get("/runs")).text
    for path in ("", "/probes/0"):
        assert (await reader.get(f"/runs/{run.job_id}{path}")).status == 404
    for path in ("/again", "/probes/0/fetch"):
        assert (await reader.post(f"/runs/{run.job_id}{path}")).status == 404
