"""A work order that misses something asks for it, and takes what its owner allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint, Format
from desktop.jobs.code.asking import Person
from desktop.jobs.code.order import Order, repositories_in, resolve
from desktop.jobs.code.state import StateFile
from shared.errors import BadInput, NotAllowed
from shared.jobs import Origin
from shared.kinds.code import CodeInputs, Level
from tests.desktop.jobs.fake_shared import FakeShared, shared_of

HERE = Endpoint(name="here", base_url="http://127.0.0.1:9/v1", is_local=True)
AWAY = Endpoint(name="away", label="Away Inc.", base_url="https://away.example/v1")
ANTHROPIC = Endpoint(name="claude", base_url="https://c.example", format=Format.ANTHROPIC)


@pytest.fixture
def context(tmp_path: Path) -> FakeShared:
    context = shared_of(tmp_path, endpoints=(HERE, AWAY, ANTHROPIC))
    context.kind = "code.bugfix"
    context.code = CodeRules(model="here:tiny")
    return context


async def resolved(context: FakeShared, **inputs: object) -> Order:
    told = {"repository": "/r", "instructions": "Mend it.", **inputs}
    async with Person(context, StateFile(context.workdir)) as person:
        return await resolve(context, CodeInputs.model_validate(told), person)


def answers(context: FakeShared, **replies: str) -> None:
    context.plain.replies = replies


async def test_what_is_said_is_not_asked(context: FakeShared) -> None:
    order = await resolved(context)

    assert order.job.startswith("bugfix #")
    assert (order.repository, order.instructions) == ("/r", "Mend it.")
    assert order.model.full_name == "here:tiny"
    assert context.plain.asked == []


async def test_what_is_missing_is_asked_with_the_repositories_that_are_there(
    context: FakeShared,
) -> None:
    (context.folders[0] / "shop" / ".git").mkdir(parents=True)
    answers(context, repository="shop", instructions="Mend the till.")

    order = await resolved(context, repository=None, instructions=None)

    assert [one.key for one in context.plain.asked] == ["repository", "instructions"]
    assert order.repository == str(context.folders[0] / "shop")
    assert order.instructions == "Mend the till."


async def test_code_goes_to_a_model_elsewhere_only_after_a_yes(context: FakeShared) -> None:
    answers(context, **{"may_send:away:big": "No"})

    with pytest.raises(NotAllowed) as told:
        await resolved(context, model="away:big")

    assert told.value.code == "code_sending_refused"
    assert context.plain.asked[0].default == "no"
    assert "Away Inc." in context.plain.asked[0].text


@pytest.mark.parametrize("is_owners", [True, False], ids=["code_model", "send_text"])
async def test_the_owners_word_is_consent(context: FakeShared, *, is_owners: bool) -> None:
    context.may_send_text = not is_owners
    context.code = CodeRules(model="away:big" if is_owners else "here:tiny")

    assert (await resolved(context, model="away:big")).model.endpoint is AWAY
    assert context.plain.asked == []


async def test_the_owners_word_for_one_model_is_none_for_another(context: FakeShared) -> None:
    context.code = CodeRules(model="away:big")
    answers(context, **{"may_send:away:other": "Yes"})

    await resolved(context, model="away:other")

    assert len(context.plain.asked) == 1


async def test_an_agent_is_given_no_model_that_it_cannot_speak_to(context: FakeShared) -> None:
    context.may_send_text = True

    with pytest.raises(BadInput) as told:
        await resolved(context, agent="codex", model="claude:sonnet")

    assert told.value.code == "agent_needs_api"


@pytest.mark.parametrize(
    ("origin", "asked", "given"),
    [
        (Origin.LOCAL, Level.AUTONOMOUS, Level.AUTONOMOUS),
        (Origin.CHAT, Level.AUTONOMOUS, Level.SUPERVISED),
        (Origin.GROUP, Level.SUPERVISED, Level.HUMAN_REQUIRED),
        (Origin.CHAT, Level.HUMAN_REQUIRED, Level.HUMAN_REQUIRED),
    ],
    ids=["local", "chat", "group", "asks_more"],
)
async def test_the_owner_caps_the_level_and_that_is_said(
    context: FakeShared, origin: Origin, asked: Level, given: Level
) -> None:
    context.origin = origin

    order = await resolved(context, level=asked)

    assert order.level is given
    assert bool(order.notes) == (asked is not given)


def test_repositories_are_found_the_last_used_first(tmp_path: Path) -> None:
    for number, name in enumerate(("old", "deep/er/new", "bare.git")):
        git = tmp_path / name if name.endswith(".git") else tmp_path / name / ".git"
        git.mkdir(parents=True)
        (git / "HEAD").touch()
        os.utime(git / "HEAD", (number, number))
    for name in ("objects", "refs"):
        (tmp_path / "bare.git" / name).mkdir()
    (tmp_path / "node_modules" / "x" / ".git").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)

    found = [path.relative_to(tmp_path).as_posix() for path in repositories_in([tmp_path])]

    assert found == ["bare.git", "deep/er/new", "old"]
