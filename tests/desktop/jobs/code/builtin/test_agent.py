"""The built-in agent, driven over ACP by the official SDK, with a scripted model behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import acp
import pytest

from desktop.core.llm.types import Format
from desktop.jobs.code.builtin.prompts import NUDGE
from tests.desktop.jobs.code.builtin.processes import is_gone
from tests.desktop.jobs.code.builtin.sdk_client import (
    Person,
    agent,
    answering,
    begun,
    prompted,
)
from tests.desktop.jobs.code.builtin.tiny_gateway import TinyGateway, gateway_to
from tests.llm_servers import scripted
from tests.llm_servers.scripted import ScriptedModel

SECONDS = 30
BUG = "def add(a, b):\n    return a - b\n"
MENDED = "def add(a, b):\n    return a + b\n"
CHECK = "python3 -c 'import calc; assert calc.add(2, 3) == 5; print(\"fine\")'"


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted.running() as server:
        yield server


@pytest.fixture
async def gateway(model: ScriptedModel) -> AsyncIterator[TinyGateway]:
    async with asyncio.timeout(SECONDS), gateway_to(model.address) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "calc.py").write_text(BUG)
    return tmp_path / "clone"


@pytest.mark.parametrize("format_", list(Format))
async def test_a_bug_is_mended_in_every_format(
    model: ScriptedModel, home: Path, clone: Path, format_: Format
) -> None:
    model.script(
        {"read": "calc.py"},
        {"ask": "Add or subtract?", "options": ["add", "subtract"], "default": "add"},
        {"edit": "calc.py", "old": "a - b", "new": "a + b"},
        {"run": CHECK},
        {"submit": "I chose to {last_result}"},
    )
    person = Person()
    person.answers = answering(answer="add")
    async with (
        asyncio.timeout(SECONDS),
        gateway_to(model.address, format_) as gateway,
        agent(person, home, gateway.address) as (connection, _),
    ):
        session = await begun(connection, clone)
        ended = await prompted(connection, session, "Mend add.")

    assert (clone / "calc.py").read_text() == MENDED
    assert ended.stop_reason == "end_turn"
    assert person.said == "I chose to fine"
    message, mode = person.forms[0]
    assert message == "Add or subtract?"
    assert [one.const for one in mode.requested_schema.properties["answer"].one_of] == [
        "add",
        "subtract",
    ]
    done = {one.tool_call_id: one.status for one in person.told("tool_call_update")}
    assert list(done.values()) == ["completed"] * 4
    assert ended.usage.input_tokens == sum(
        int(len(json.dumps(r.body, ensure_ascii=False).replace("\\n", "\n")) / 4)
        for r in model.asked
    )


async def test_an_edit_is_told_as_a_diff(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path
) -> None:
    model.script({"edit": "calc.py", "old": "a - b", "new": "a + b"}, {"say": "Done."})
    person = Person()
    async with agent(person, home, gateway.address) as (connection, _):
        await prompted(connection, await begun(connection, clone), "Mend add.")
    [told] = person.told("tool_call")
    assert (told.kind, told.content[0].old_text, told.content[0].new_text) == ("edit", BUG, MENDED)
    assert told.locations[0].path == str(clone / "calc.py")
    assert person.told("usage_update")[-1].used > 0


async def test_nothing_of_the_machine_but_the_folder_is_told_to_the_model(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path
) -> None:
    model.script(
        {"read": "calc.py"},
        {"read": "../home"},
        {"write": "new.py", "text": "x"},
        {"edit": "calc.py", "old": "no", "new": "x"},
        {"run": "env; git status"},
        {"say": "Done."},
    )
    async with agent(Person(), home, gateway.address) as (connection, _):
        await prompted(connection, await begun(connection, clone), "Mend add.")
    sent = [one.text.replace(f"HOME={home}", "").replace(f"PWD={clone}", "") for one in model.asked]
    assert len(sent) == 6
    assert not any(str(home.parent) in one or "opens-nothing" in one for one in sent)
    assert all("Authorization: Bearer opens-nothing-else" in head for head in gateway.heads)


async def test_a_client_without_forms_gets_the_question_as_the_turns_end(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path
) -> None:
    model.script(
        {"ask": "Which one?", "options": ["a", "b"], "default": "a"}, {"say": "So it is b."}
    )
    person = Person()
    async with agent(person, home, gateway.address, can_ask=False) as (connection, _):
        session = await begun(connection, clone)
        await prompted(connection, session, "Choose.")
        asked = person.said
        await prompted(connection, session, "b")
    assert asked == "Which one?\n- a\n- b\nWithout an answer: a"
    assert person.said.endswith("So it is b.")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (acp.DeclineElicitationResponse(action="decline"), "Go on with your default: a"),
        (acp.CancelElicitationResponse(action="cancel"), "has not answered yet"),
        (acp.AcceptElicitationResponse(action="accept", content={"answer_other": "c!"}), "c!"),
    ],
    ids=["declined", "cancelled", "other"],
)
async def test_whatever_comes_of_a_question_is_told_to_the_model(
    model: ScriptedModel,
    gateway: TinyGateway,
    home: Path,
    clone: Path,
    answer: object,
    expected: str,
) -> None:
    model.script({"ask": "Which one?", "options": ["a", "b"], "default": "a"}, {"say": "Well."})
    person = Person()
    person.answers = lambda _message: answer
    async with agent(person, home, gateway.address) as (connection, _):
        await prompted(connection, await begun(connection, clone), "Choose.")
    assert expected in gateway.turns[-1].messages[-1].text


@pytest.mark.parametrize("permits", ["allow", "reject"])
async def test_in_the_mode_ask_effects_need_leave(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path, permits: str
) -> None:
    model.script(
        {"read": "calc.py"}, {"edit": "calc.py", "old": "a - b", "new": "a + b"}, {"say": "Well."}
    )
    person = Person()
    person.permits = permits
    async with agent(person, home, gateway.address) as (connection, _):
        session = await begun(connection, clone)
        await connection.set_session_mode(session_id=session, mode_id="ask")
        await prompted(connection, session, "Mend add.")
    [(tool, _options)] = person.permissions
    assert tool.content[0].new_text == MENDED
    assert (clone / "calc.py").read_text() == (MENDED if permits == "allow" else BUG)


async def test_a_cancelled_turn_ends_its_command_with_all_its_children(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path
) -> None:
    model.script({"run": "sleep 300 & echo $! > child; wait"}, {"say": "Went on."})
    os.mkfifo(clone / "child")
    person = Person()
    async with agent(person, home, gateway.address) as (connection, _):
        session = await begun(connection, clone)
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(prompted(connection, session, "Wait."))
            child = int(await asyncio.to_thread((clone / "child").read_text))
            await connection.cancel(session_id=session)
        assert turn.result().stop_reason == "cancelled"
        assert is_gone(child)
        again = await prompted(connection, session, "Go on.")
    assert again.stop_reason == "end_turn"
    assert "Interrupted" in gateway.turns[-1].messages[-2].text


async def test_a_client_that_hangs_up_leaves_no_process_behind(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path
) -> None:
    model.script({"run": "sleep 300 & echo $! > child; wait"})
    os.mkfifo(clone / "child")
    async with agent(Person(), home, gateway.address) as (connection, process):
        session = await begun(connection, clone)
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(_until_it_breaks(connection, session))
            child = int(await asyncio.to_thread((clone / "child").read_text))
            process.stdin.close()
            assert await process.wait() == 0
            turn.cancel()
    assert is_gone(child)


async def _until_it_breaks(connection: object, session: str) -> None:
    with contextlib.suppress(ConnectionError):
        await prompted(connection, session, "Wait.")


@pytest.mark.parametrize("road", ["resume", "load"])
async def test_an_agent_that_was_killed_in_mid_question_asks_again_and_goes_on(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path, road: str
) -> None:
    model.script(
        {"edit": "calc.py", "old": "a - b", "new": "a + b"},
        {"ask": "Which one?", "options": ["a", "b"]},
        {"say": "It is {last_result}."},
    )
    person = Person()
    person.answers = lambda _message: asyncio.Event().wait()
    async with agent(person, home, gateway.address) as (connection, process):
        session = await begun(connection, clone)
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(_until_it_breaks(connection, session))
            await person.was_asked.wait()
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
            turn.cancel()

    other = Person()
    other.answers = answering(answer="b")
    async with agent(other, home, gateway.address) as (connection, _):
        going_on = connection.resume_session if road == "resume" else connection.load_session
        await going_on(session_id=session, cwd=str(clone), mcp_servers=[])
        ended = await prompted(connection, session, "You were interrupted. Go on.")
    assert ended.stop_reason == "end_turn"
    assert other.forms[0][0] == person.forms[0][0] == "Which one?"
    assert other.said.endswith("It is b.")
    assert (clone / "calc.py").read_text() == MENDED
    assert len([t for t in gateway.turns[-1].messages if t.role == "user"]) == 2


async def test_a_half_written_line_of_a_session_is_left_out(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path
) -> None:
    model.script({"say": "One."}, {"say": "Two."}, {"say": "Three."})
    async with agent(Person(), home, gateway.address) as (connection, _):
        session = await begun(connection, clone)
        await prompted(connection, session, "Go.")
    [file] = (home / ".deskhand-agent").iterdir()
    with file.open("a") as writing:
        writing.write('{"role": "assist')
    async with agent(Person(), home, gateway.address) as (connection, _):
        await connection.resume_session(session_id=session, cwd=str(clone), mcp_servers=[])
        await prompted(connection, session, "And?")
    assert [m.text for m in gateway.turns[-1].messages[1:]][1:] == ["One.", NUDGE, "Two.", "And?"]
    assert all(json.loads(line) for line in file.read_text().splitlines())


async def test_an_unknown_session_or_method_is_refused_in_words(
    gateway: TinyGateway, home: Path, clone: Path
) -> None:
    async with agent(Person(), home, gateway.address) as (connection, _):
        with pytest.raises(acp.RequestError, match="no session"):
            await connection.resume_session(session_id="../../x", cwd=str(clone), mcp_servers=[])
        with pytest.raises(acp.RequestError, match="Method not found"):
            await connection.authenticate(method_id="x")
        with pytest.raises(acp.RequestError, match="absolute path"):
            await connection.new_session(cwd="here", mcp_servers=[])


async def test_what_the_model_cannot_do_ends_the_turn_and_not_the_agent(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path
) -> None:
    model.script({"say": "Hello."}, {"say": "Here."})
    model.fail("400")
    async with agent(Person(), home, gateway.address) as (connection, _):
        session = await begun(connection, clone)
        with pytest.raises(acp.RequestError, match="Scripted failure"):
            await prompted(connection, session, "Go.")
        assert (await prompted(connection, session, "Go.")).stop_reason == "end_turn"


@pytest.mark.parametrize("kill_at", range(1, 7))
async def test_an_agent_that_is_killed_at_any_turn_ends_as_if_it_were_not(
    model: ScriptedModel, gateway: TinyGateway, home: Path, clone: Path, kill_at: int
) -> None:
    model.script(
        {"read": "calc.py"},
        {"ask": "Which one?", "options": ["a", "b"]},
        {"edit": "calc.py", "old": "a - b", "new": "a + b"},
        {"run": "echo run >> runs"},
        {"run": CHECK},
        {"submit": "It is {last_result}."},
    )
    model.fail(*["slow:0"] * (kill_at - 1), "hang")
    person = Person()
    person.answers = answering(answer="b")
    async with agent(person, home, gateway.address) as (connection, process):
        session = await begun(connection, clone)
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(_until_it_breaks(connection, session))
            await asyncio.to_thread(model.is_hanging.wait, SECONDS)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
            turn.cancel()
    model.freed.set()

    other = Person()
    other.answers = answering(answer="b")
    async with agent(other, home, gateway.address) as (connection, _):
        await connection.resume_session(session_id=session, cwd=str(clone), mcp_servers=[])
        ended = await prompted(connection, session, "You were interrupted. Go on.")
    assert ended.stop_reason == "end_turn"
    assert (clone / "calc.py").read_text() == MENDED
    assert (clone / "runs").read_text() == "run\n"
    assert len(person.forms) + len(other.forms) == 1
    assert other.said == "It is fine."
