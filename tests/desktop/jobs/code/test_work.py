"""Work orders from their beginning to their end, with a real agent, sandbox, git and tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.jobs.code.agent_turns import model_away
from desktop.jobs.code.diff import changes_of
from desktop.jobs.code.samples import till
from desktop.jobs.code.state import Stage
from desktop.jobs.context import Postponed
from shared.errors import Conflict, LimitReached, NotAllowed
from shared.jobs import Origin
from shared.kinds.code import Delivery, Level
from shared.questions import Asking
from tests.desktop.jobs.code.work_world import FIX, MODEL, PlayedPerson, World, world_of

pytestmark = pytest.mark.timeout(180)

DONE = "is done in its sandbox"
AUTONOMOUS: dict[str, Any] = {"level": Level.AUTONOMOUS}
ANSWER = {till.QUESTION: till.UTC}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(tmp_path, FIX) as world:
        yield world


def edit(path: str, old: str, new: str) -> dict[str, str]:
    return {"edit": path, "old": old, "new": new}


async def test_a_bug_is_mended_after_a_question_and_its_branch_is_pushed(world: World) -> None:
    person = PlayedPerson({**ANSWER, DONE: "Only push"})

    output = await world.run("code.bugfix", person, test_command=None)

    assert [asking.kind.value for asking in person.asked] == ["clarification", "approval"]
    assert output.tests_before is not None
    assert (output.tests_before.passed, output.tests_before.failed) == (6, 3)
    assert output.tests_after is not None
    assert (output.tests_after.passed, output.tests_after.failed) == (9, 0)
    assert output.is_pushed
    assert output.questions == 2
    assert world.branches() == {output.branch: output.commit}
    assert "1 file, +2 −2, tests 9 passed (3 were red)" in output.headline
    assert "astimezone(UTC)" in world.repository.show(output.branch, "till/report.py")
    assert all(str(world.repository.folder) not in one.text for one in world.model.requests)


async def test_who_may_work_alone_asks_nobody_before_a_push(world: World) -> None:
    person = PlayedPerson(ANSWER)

    output = await world.run("code.bugfix", person, **AUTONOMOUS)

    assert person.texts("done") == []
    assert world.branches() == {output.branch: output.commit}


async def test_nobody_works_alone_without_a_sandbox(world: World) -> None:
    world.rules = CodeRules(model=MODEL, sandbox=SandboxChoice.NONE)

    with pytest.raises(NotAllowed) as told:
        await world.run("code.bugfix", PlayedPerson(), **AUTONOMOUS)

    assert told.value.code == "code_unboxed"
    assert world.model.requests == []


async def test_the_owner_says_how_much_is_done_without_asking(world: World) -> None:
    person = PlayedPerson({"wants to start": "Do not start"})

    with pytest.raises(NotAllowed) as told:
        await world.run("code.bugfix", person, origin=Origin.GROUP, **AUTONOMOUS)

    assert told.value.code == "code_not_started"
    assert world.model.requests == []


async def test_who_wants_to_be_asked_first_is_and_the_work_goes_on(world: World) -> None:
    person = PlayedPerson({"wants to start": "Start", **ANSWER, "wants to": "Allow", DONE: "push"})
    person.answers = {"wants to start": "Start", **ANSWER, DONE: "Only push", "wants to": "1"}

    output = await world.run("code.bugfix", person, level=Level.HUMAN_REQUIRED)

    assert "wants to start" in person.asked[0].text
    assert output.is_pushed


async def test_a_claim_without_a_change_is_not_done(world: World) -> None:
    world.model.script({"submit": "I have mended everything."})

    with pytest.raises(Conflict) as told:
        await world.run("code.bugfix", PlayedPerson(), **AUTONOMOUS)

    assert told.value.code == "work_not_accepted"
    assert "No file was changed" in told.value.message
    assert world.branches() == {}


BREAKING = (
    edit("till/report.py", till.OLD, till.OLD.replace("[:19]", "[:10]").replace(").d", ").d")),
    edit("till/report.py", "def lines(", "def wrong(:\n\n\ndef lines("),
    {"submit": "All tests pass."},
)


async def test_a_claim_with_failing_tests_is_not_done_and_its_change_is_kept(world: World) -> None:
    world.model.script(*BREAKING)
    person = PlayedPerson({"is not done after 3 rounds": "Stop"})

    with pytest.raises(Conflict) as told:
        await world.run("code.bugfix", person)

    assert "is not done" in told.value.message
    assert person.asked[0].more == "code.diff"
    kept = changes_of(world.folder / "data").find(world.contexts[0].job_id)
    assert kept is not None
    assert "def wrong(:" in kept[1]
    assert world.branches() == {}


async def test_the_agent_is_told_why_and_tries_again(world: World) -> None:
    world.model.script(
        edit("till/report.py", till.OLD, f"{till.OLD}# wrong\n"),
        {"submit": "Done."},
        edit("till/report.py", till.IMPORT_OLD, till.IMPORT_NEW),
        edit("till/report.py", till.OLD, till.NEW),
        {"submit": "Now."},
    )

    output = await world.run("code.bugfix", PlayedPerson(), **AUTONOMOUS)

    assert world.state().rounds == 2
    assert output.tests_after is not None
    assert output.tests_after.is_good
    assert "3 tests fail." in world.model.asked[-1].text


async def test_documentation_that_touches_code_is_refused(world: World) -> None:
    readme = edit("README.md", "# till\n", "# The till\n")
    world.model.script(readme, FIX[4], {"submit": "Documented."})

    with pytest.raises(Conflict, match=r"till/report\.py"):
        await world.run("code.docs", PlayedPerson(), **AUTONOMOUS)

    assert world.branches() == {}


async def test_documentation_alone_is_accepted(world: World) -> None:
    world.model.script(edit("README.md", "# till\n", "# The till\n"), {"submit": "Documented."})

    output = await world.run("code.docs", PlayedPerson(), **AUTONOMOUS)

    assert [file.path for file in output.files_changed] == ["README.md"]
    assert output.is_pushed


async def test_a_review_finds_real_places_and_changes_nothing(world: World) -> None:
    found = [
        {"file": "till/report.py", "line": 12, "severity": "high", "message": "The offset is cut."},
        {"file": "till/none.py", "line": 1, "severity": "low", "message": "Not there."},
        {"file": "till/report.py", "line": 9999, "severity": "low", "message": "Nor there."},
    ]
    told = json.dumps(found).replace("'", "")
    world.model.script(
        {"run": f"echo '{told}' > $HOME/findings.json; echo x >> till/report.py"},
        {"submit": "Reviewed."},
    )

    output = await world.run("code.review", PlayedPerson())

    assert [(one.file, one.line) for one in output.findings] == [("till/report.py", 12)]
    assert "1 finding, 1 of them high" in output.headline
    assert any("thrown away: till/report.py" in note for note in output.notes)
    assert output.branch == ""
    assert world.branches() == {}


async def test_findings_in_the_last_words_count_too(world: World) -> None:
    world.model.script({"submit": "```json\n[]\n```"})

    output = await world.run("code.review", PlayedPerson())

    assert "found nothing wrong" in output.headline


async def test_what_the_person_wants_changed_is_another_round(world: World) -> None:
    readme = edit("README.md", "# till\n", "# The till\n")
    world.model.script(*FIX, readme, {"submit": "Changed the readme, too."})
    person = PlayedPerson(
        {**ANSWER, "1 file,": "Mention it in the readme", "2 files,": "Only push"}
    )

    output = await world.run("code.bugfix", person)

    assert {file.path for file in output.files_changed} == {"README.md", "till/report.py"}
    assert "Mention it in the readme" in world.model.asked[-1].text
    assert world.branches() == {output.branch: output.commit}


async def test_what_is_discarded_is_nowhere(world: World) -> None:
    person = PlayedPerson({**ANSWER, DONE: "Discard"})

    output = await world.run("code.bugfix", person)

    assert "was discarded" in output.headline
    assert (output.branch, output.commit, output.is_pushed) == ("", "", False)
    assert changes_of(world.folder / "data").find(world.contexts[0].job_id) is None
    assert world.branches() == {}


async def test_what_is_to_be_kept_is_asked_about_no_more(world: World) -> None:
    output = await world.run("code.bugfix", PlayedPerson(ANSWER), delivery=Delivery.KEEP)

    assert "stays on this machine" in output.headline
    assert world.branches() == {}


async def test_a_push_that_the_forge_would_run_is_confirmed_even_by_who_works_alone(
    world: World,
) -> None:
    world.model.script(
        {"write": ".github/workflows/ci.yml", "text": "on: push\n"}, {"submit": "Done."}
    )
    person = PlayedPerson({".github/workflows/ci.yml": "Do not push"})

    output = await world.run("code.feature", person, **AUTONOMOUS)

    assert person.asked[0].default == "no"
    assert not output.is_pushed
    assert world.branches() == {}


async def test_a_push_that_is_refused_loses_nothing(world: World) -> None:
    world.take_name_of_branches()
    person = PlayedPerson({**ANSWER, "could not be delivered": "Leave it as it is"})

    output = await world.run("code.bugfix", person, **AUTONOMOUS)

    assert not output.is_pushed
    assert output.commit
    assert "stays on this machine" in output.headline
    assert any("It was not pushed" in note for note in output.notes)


async def test_a_push_that_is_refused_is_tried_again_once_the_reason_is_gone(world: World) -> None:
    world.take_name_of_branches()

    class Mender(PlayedPerson):
        async def ask(self, asking: Asking) -> str:
            if "could not be delivered" in asking.text:
                world.give_name_of_branches()
            return await super().ask(asking)

    person = Mender({**ANSWER, "could not be delivered": "Try again"})

    output = await world.run("code.bugfix", person, **AUTONOMOUS)

    assert output.is_pushed
    assert world.branches() == {output.branch: output.commit}
    assert len(person.texts("could not be delivered")) == 1


async def test_a_follow_up_goes_on_in_the_same_clone_conversation_and_branch(world: World) -> None:
    more = edit("README.md", "# till\n", "# The till\n")
    world.model.script(*FIX, more, {"submit": "Readme, too."})
    person = PlayedPerson(ANSWER)
    first = await world.run("code.bugfix", person, session="s", **AUTONOMOUS)

    second = await world.run(
        "code.docs",
        person,
        number=2,
        session="s",
        instructions="Now also mention it in the readme.",
        **AUTONOMOUS,
    )

    assert second.branch == first.branch
    assert world.branches() == {second.branch: second.commit}
    assert {file.path for file in second.files_changed} == {"README.md", "till/report.py"}
    # The agent had its conversation: the question of the first job was not put again.
    assert len(person.texts(till.QUESTION)) == 1
    assert till.INSTRUCTIONS in world.model.asked[-1].text
    assert world.state(1).clone == world.state(2).clone


async def test_a_branch_is_gone_on_with_when_its_session_is_over(world: World) -> None:
    first = await world.run("code.bugfix", PlayedPerson(ANSWER), **AUTONOMOUS)
    world.model.script(edit("README.md", "# till\n", "# The till\n"), {"submit": "Readme."})

    second = await world.run(
        "code.feature", PlayedPerson(), number=2, branch=first.branch, base="main", **AUTONOMOUS
    )

    assert world.branches() == {first.branch: second.commit}
    assert {file.path for file in second.files_changed} == {"README.md", "till/report.py"}


async def test_a_job_that_is_stopped_in_mid_question_asks_once_and_goes_on(world: World) -> None:
    silent = PlayedPerson()
    await world.stopped("code.bugfix", silent)
    assert world.state().stage is Stage.CLONED
    before = len(world.model.asked)

    person = PlayedPerson({**ANSWER, DONE: "Only push"})
    output = await world.run("code.bugfix", person)

    assert [one.key for one in silent.asked] == [person.asked[0].key]
    assert len(person.texts(till.QUESTION)) == 1
    assert output.is_pushed
    assert world.branches() == {output.branch: output.commit}
    assert "The person has answered your question." in world.model.asked[before].text


async def test_a_job_that_is_stopped_before_a_push_does_not_work_again(world: World) -> None:
    await world.stopped("code.bugfix", PlayedPerson(ANSWER))
    turns = len(world.model.asked)

    output = await world.run("code.bugfix", PlayedPerson({DONE: "Only push"}))

    assert output.is_pushed
    assert len(world.model.asked) == turns


async def test_a_push_whose_end_was_not_written_down_is_found_done(world: World) -> None:
    person = PlayedPerson({**ANSWER, DONE: "Only push"})
    first = await world.run("code.bugfix", person)
    state = world.folder / "workdir-1" / "state.json"
    told = json.loads(state.read_text())
    state.write_text(json.dumps({**told, "stage": "decided", "is_pushed": False}))

    again = await world.run("code.bugfix", person)

    assert again.commit == first.commit
    assert world.branches() == {first.branch: first.commit}


async def test_a_budget_that_is_used_ends_the_work(world: World) -> None:
    with pytest.raises(LimitReached) as told:
        await world.run("code.bugfix", PlayedPerson(ANSWER), tokens_max=1000, **AUTONOMOUS)

    assert told.value.code == "code_budget_used"
    assert world.branches() == {}


async def test_jobs_on_one_repository_at_the_same_time_do_not_meet(world: World) -> None:
    async with asyncio.TaskGroup() as group:
        runs = [
            group.create_task(
                world.run("code.bugfix", PlayedPerson(ANSWER), number=n, session="s", **AUTONOMOUS)
            )
            for n in range(1, 5)
        ]

    outputs = [run.result() for run in runs]
    assert world.branches() == {output.branch: output.commit for output in outputs}
    assert len(world.branches()) == 4
    assert len({world.state(n).clone for n in range(1, 5)}) == 4


async def test_a_model_that_refuses_is_the_reason_and_not_what_the_agent_says(
    world: World,
) -> None:
    world.model.key = "sk-another"

    with pytest.raises(LlmFault) as told:
        await world.run("code.bugfix", PlayedPerson(ANSWER), **AUTONOMOUS)

    assert told.value.fault is FaultClass.AUTH_ERROR


def test_a_model_that_is_away_for_a_while_puts_the_job_off() -> None:
    busy = LlmFault(FaultClass.RATE_LIMIT, "Busy.", wait_seconds=7.0)

    away = model_away(busy, tries=0)

    assert isinstance(away, Postponed)
    assert away.seconds >= 7.0
    assert away.error is busy


async def test_what_is_not_committed_is_not_seen_and_that_is_said(world: World) -> None:
    (world.repository.folder / "notes.txt").write_text("mine")
    (world.repository.folder / "README.md").write_text("changed")

    output = await world.run("code.bugfix", PlayedPerson(ANSWER), **AUTONOMOUS)

    assert any("2 files of the folder are not committed" in note for note in output.notes)
    assert (world.repository.folder / "README.md").read_text() == "changed"


async def test_without_a_sandbox_the_person_is_asked_before_anything_runs(world: World) -> None:
    world.rules = CodeRules(model=MODEL, sandbox=SandboxChoice.NONE)
    person = PlayedPerson({"Nothing on this machine holds an agent back": "No"})

    with pytest.raises(NotAllowed):
        await world.run("code.bugfix", person)

    assert person.asked[0].default == "no"
    assert world.model.requests == []


async def test_work_that_was_not_accepted_is_gone_on_with_in_its_session(world: World) -> None:
    done = {"submit": "Done."}
    world.model.script(FIX[4], done, done, done, FIX[5], done)
    with pytest.raises(Conflict):
        await world.run("code.bugfix", PlayedPerson(), session="s", **AUTONOMOUS)

    output = await world.run(
        "code.bugfix",
        PlayedPerson(),
        number=2,
        session="s",
        instructions="Take the day in UTC.",
        **AUTONOMOUS,
    )

    assert output.tests_after is not None
    assert output.tests_after.is_good
    assert world.branches() == {output.branch: output.commit}
    assert world.state(1).clone == world.state(2).clone
