"""What jobs are called: by what is known of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.ids import QuestionId, short
from shared.kinds import JsonObject
from shared.kinds.catalogue import kind_named
from shared.kinds.naming import title_for, title_of
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.world import open_world

FILE = Asking(
    key="file",
    kind=QuestionKind.CLARIFICATION,
    text="Which file?",
    choices=(Choice(value="/d/flights.csv", label="flights.csv"),),
    allow_text=True,
)
QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")


@pytest.mark.parametrize(
    ("inputs", "answers", "title"),
    [
        ({}, [], "train"),
        ({"file": "a.csv"}, [], "train a.csv"),
        ({}, [("file", "a.csv")], "train a.csv"),
        ({}, [("target", "y"), ("file", "a.csv")], "train a.csv y"),
        ({}, [("file", "flihgts.csv"), ("file-2", "flights.csv")], "train flights.csv"),
        ({"file": "a.csv"}, [("file", "b.csv")], "train a.csv"),
        ({}, [("sheet", "1")], "train"),
        ({}, [("file", "x" * 500)], None),
        ({"file": "a.csv", "target": "y\nand more"}, [], "train a.csv y"),
    ],
)
def test_a_job_is_named_by_what_was_said_and_answered(
    inputs: JsonObject, answers: list[tuple[str, str]], title: str | None
) -> None:
    told = title_of(kind_named("ml.train"), inputs, answers)
    assert told == title or (title is None and len(told) <= 200)


async def test_an_answer_completes_the_name_that_lists_show(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online(), world.chat() as chat:
            await chat.say("/train")
            await worker.asks(await worker.any_grant(), FILE, QUESTION)
            await chat.view(lambda view: view.text.startswith("Which file?"))
            await chat.say("flights.csv")
            await chat.say("/jobs")
            await chat.view(lambda view: " · train flights.csv · " in view.text)


async def test_a_name_that_somebody_chose_stays(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            made = await world.rest.post("/tasks", json={"kind": "ml.train", "title": "my model"})
            assert made.status_code < 300, made.text
            await worker.asks(await worker.any_grant(), FILE, QUESTION)
            answered = await world.rest.post(
                f"/questions/{QUESTION}/answer", json={"reply": "flights.csv"}
            )
            assert answered.status_code == 200
            [job] = (await world.rest.get("/jobs")).json()["jobs"]
            assert job["title"] == "my model"


@pytest.mark.parametrize(
    "path", ["/home/anna/Documents/sales.csv", r"C:\Users\anna\sales.csv", "C:/x/sales.csv"]
)
def test_a_title_names_a_file_without_the_way_to_it(path: str) -> None:
    assert title_of(kind_named("ml.train"), {"file": path}) == "train sales.csv"
    assert title_of(kind_named("ml.train"), {"file": "2025/sales.csv"}) == "train 2025/sales.csv"


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("https://github.com/anna/shop.git", "shop"),
        ("ssh://git@example.org:22/anna/shop/", "shop"),
        ("/home/anna/code/shop", "shop"),
        ("work/shop", "work/shop"),
    ],
)
def test_a_work_order_is_named_by_its_repository_and_its_first_line(
    repository: str, name: str
) -> None:
    inputs: JsonObject = {
        "repository": repository, "instructions": "Totals are wrong\nin leap years.",
        "test_command": "make test", "level": "supervised",
    }  # fmt: skip
    assert title_of(kind_named("code.bugfix"), inputs) == f"bugfix {name} Totals are wrong"


def test_a_job_about_another_is_named_by_the_four_characters_that_people_see() -> None:
    job_id = "019aa000-0000-7000-8000-00000000aaaa"
    assert title_of(kind_named("code.diff"), {"job": job_id}) == f"diff #{short(job_id)}"


async def test_a_change_is_asked_for_where_its_job_ran(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        first, second = await world.pair(), await world.pair("studio-mac")
        async with first.online(), second.online(), world.chat() as chat:
            await chat.say("/models @studio-mac")
            made = await second.any_grant()
            await second.succeeds(made, {"headline": "None."})
            await chat.view(lambda view: view.final)
            await chat.say(f"/diff #{short(made.job_id).lower()}")
            [job] = [
                card
                for card in await world.hub.services.views.jobs(None)
                if card.kind == "code.diff"
            ]
            assert job.inputs == {"job": made.job_id}
            assert job.job.pinned_to == second.worker_id


async def test_the_change_of_nobodys_job_is_told_to_be_missing(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, world.chat() as chat:
        await chat.say("/diff ZZZZ")
        await chat.view(lambda view: view.text.startswith("⚠ There is no such job."))


def test_a_job_made_without_a_hub_is_called_as_the_hub_would_call_it() -> None:
    inputs: JsonObject = {"file": "/home/anna/a.csv", "target": "churn"}
    assert title_for("ml.train", inputs) == title_of(kind_named("ml.train"), inputs)
    assert title_for("ml.train", inputs, "my churn") == "my churn"
    typed: JsonObject = {**inputs, "budget_seconds": "20"}
    assert title_for("ml.train", typed) == "train a.csv churn", "a number names nothing"
    assert title_for("ml.train", {"file": "a.csv", "odd": "x"}) == "train a.csv"
    assert title_for("code.fix", inputs) == "fix"
