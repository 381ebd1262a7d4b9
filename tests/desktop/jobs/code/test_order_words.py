"""The first word of a work order may be the name of a repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint
from desktop.jobs.code.asking import Person
from desktop.jobs.code.order import Order, resolve
from desktop.jobs.code.state import StateFile
from shared.jobs import Origin
from shared.kinds.code import CodeInputs
from tests.desktop.jobs.code.work_world import PlayedPerson
from tests.desktop.jobs.fake_shared import shared_of


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True, timeout=30)
    return folder


async def resolved(tmp_path: Path, played: PlayedPerson, **inputs: object) -> Order:
    endpoint = Endpoint(
        name="local", base_url="http://127.0.0.1:9/v1", is_local=True, models=("m",)
    )
    context = shared_of(tmp_path, endpoints=(endpoint,))
    context.kind, context.origin = "code.bugfix", Origin.CHAT
    context.code = CodeRules(model="local:m")
    context.workdir = tmp_path
    context.ask = played.ask  # type: ignore[method-assign]
    try:
        async with Person(context, StateFile(tmp_path)) as person:
            return await resolve(context, CodeInputs.model_validate(inputs), person)
    finally:
        await context.aclose()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The allowed folder, with a shop in it."""
    repository(tmp_path / "files" / "shop")
    return tmp_path / "files"


async def test_a_known_name_is_the_repository(tmp_path: Path, files: Path) -> None:
    order = await resolved(tmp_path, PlayedPerson(), instructions="Shop\n The total is wrong")
    assert (order.repository, order.instructions) == (str(files / "shop"), "The total is wrong")


async def test_a_name_alone_leaves_what_is_to_be_done(tmp_path: Path, files: Path) -> None:
    played = PlayedPerson({"What is to be done?": "Mend it"})
    order = await resolved(tmp_path, played, instructions="shop")
    assert (order.repository, order.instructions) == (str(files / "shop"), "Mend it")


async def test_any_other_word_begins_the_instructions(tmp_path: Path, files: Path) -> None:
    played = PlayedPerson({"Which repository?": "1"})
    order = await resolved(tmp_path, played, instructions="The total is wrong")
    assert order.instructions == "The total is wrong"
    assert len(played.asked) == 1


async def test_a_name_of_two_repositories_is_asked_about(tmp_path: Path, files: Path) -> None:
    repository(files / "old" / "shop")
    played = PlayedPerson({"Which repository?": "1"})
    order = await resolved(tmp_path, played, instructions="shop is wrong")
    assert order.instructions == "shop is wrong"
    assert len(played.asked) == 1


async def test_a_repository_that_was_named_keeps_all_words(tmp_path: Path, files: Path) -> None:
    named = str(files / "shop")
    order = await resolved(tmp_path, PlayedPerson(), repository=named, instructions="shop is slow")
    assert (order.repository, order.instructions) == (named, "shop is slow")
