"""Asking for work by a form: from what there is, as typed in a chat, or like another job."""

from __future__ import annotations

import html
import re

from hub.core.job import JobCard
from shared.jobs import Origin, Priority
from shared.kinds.plan import PLAN
from tests.hub.frontends.web.reader import Read, Reader, a_reader
from tests.hub.frontends.world import World

_DEDUPE = re.compile(r'name="dedupe" value="([^"]+)"')


def dedupe(page: Read) -> str:
    found = _DEDUPE.search(page.html)
    assert found is not None
    return found[1]


async def newest(world: World) -> list[JobCard]:
    return list(await world.hub.services.views.jobs(None))


async def test_what_no_computer_can_do_says_so(world: World, reader: Reader) -> None:
    page = await reader.get("/tasks/new")
    assert "Train a model on a table ml.train No computer is connected yet." in page.text
    paired = await world.pair()
    async with paired.online():
        page = await reader.get("/tasks/new")
        assert "Train a model on a table ml.train Predict" in page.text
        assert "None of your computers can do this." in page.text
        assert page.text.index("ml.train") < page.text.index("files.head")
        form = await reader.get("/tasks/new?kind=files.head")
        assert "it waits until a computer can do it" in form.text
        assert "anna-pc (cannot do this yet)" in form.text


async def test_a_form_becomes_a_job_and_leads_to_it(world: World, reader: Reader) -> None:
    form = await reader.get("/tasks/new?kind=ml.train")
    assert "The column to predict." in form.text
    page = await reader.post(
        "/tasks/new",
        **{
            "kind": "ml.train",
            "dedupe": dedupe(form),
            "input.file": "sales.csv",
            "input.budget_seconds": "90",
            "input.target": "",
            "priority": "high",
            "title": "Quarter",
        },
    )
    [card] = await newest(world)
    assert page.path == f"/jobs/{card.job_id}"
    assert page.toast == "Asked for: Quarter"
    assert card.inputs == {"file": "sales.csv", "budget_seconds": 90.0}
    assert (card.job.priority, card.origin) == (Priority.HIGH, Origin.CHAT)


async def test_sending_a_form_twice_asks_once(world: World, reader: Reader) -> None:
    form = await reader.get("/tasks/new?kind=ml.train")
    sent = {"kind": "ml.train", "dedupe": dedupe(form), "input.file": "a.csv"}
    first = await reader.post("/tasks/new", **sent)
    again = await reader.post("/tasks/new", **sent)
    assert first.path == again.path
    await reader.post("/tasks/new", **{**sent, "input.file": "b.csv"})
    assert [card.title for card in await newest(world)] == ["train b.csv", "train a.csv"]


async def test_faults_stand_at_their_fields_with_what_was_typed(
    world: World, reader: Reader
) -> None:
    page = await reader.post(
        "/tasks/new",
        **{"kind": "ml.train", "input.budget_seconds": "<long>", "input.file": 'a"b.csv'},
    )
    assert page.status == 422
    assert "1 field cannot be taken as it is" in page.text
    assert "This must be a number." in page.text
    assert 'value="&lt;long&gt;"' in page.html
    assert html.escape('a"b.csv') in page.html or "a&#34;b.csv" in page.html
    page = await reader.post("/tasks/new", kind="ml.train", worker="nobody")
    assert "You have no computer called 'nobody'." in page.text
    assert await newest(world) == []


async def test_a_command_is_read_as_in_a_chat(world: World, reader: Reader) -> None:
    form = await reader.get("/tasks/new")
    sent = {"words": "/train sales.csv Revenue budget=5m", "dedupe": dedupe(form)}
    page = await reader.post("/tasks/new", **sent)
    await reader.post("/tasks/new", **sent)
    [card] = await newest(world)
    assert page.path == f"/jobs/{card.job_id}"
    assert card.inputs == {"file": "sales.csv", "target": "Revenue", "budget_seconds": 300.0}
    assert card.text == "/train sales.csv Revenue budget=5m"


async def test_plain_words_become_a_plan_that_waits_for_a_computer(
    world: World, reader: Reader
) -> None:
    page = await reader.post("/tasks/new", words="make me rich")
    assert "No computer is connected" in page.text
    [card] = await world.hub.services.views.jobs(None)
    assert (card.kind, card.title, card.inputs) == (PLAN, "make me rich", {"task": "make me rich"})


async def test_words_that_are_no_command_get_an_honest_answer(world: World, reader: Reader) -> None:
    page = await reader.post("/tasks/new", words="/trian x.csv")
    assert "Did you mean /train?" in page.text
    page = await reader.post("/tasks/new", words="/jobs")
    assert "/jobs asks for no work." in page.text
    assert await newest(world) == []


async def test_a_job_is_asked_for_once_more_like_it_was(world: World, reader: Reader) -> None:
    await reader.post("/tasks/new", words="/train sales.csv Revenue")
    [card] = await newest(world)
    form = await reader.get(f"/tasks/new?like={card.short}")
    assert 'name="input.file"' in form.html
    assert 'value="sales.csv"' in form.html
    assert 'value="Revenue"' in form.html
    boris = await world.hub.services.registry.add_person("boris")
    async with a_reader(world.hub, boris.person_id) as other:
        assert (await other.get(f"/tasks/new?like={card.job_id}")).status == 404


async def test_an_unknown_kind_is_told(reader: Reader) -> None:
    page = await reader.get("/tasks/new?kind=no.such")
    assert page.status == 422
    assert "There is no kind of work called" in page.html
