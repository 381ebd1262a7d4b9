"""What people read of an agent's work while it works."""

from __future__ import annotations

from pathlib import Path

from desktop.core.code.acp.events import Planned, PlanStep, Said, Thought, ToolTold, ToolUse
from desktop.jobs.code.acp.listening import LINES_MAX, TEXT_CHARS_MAX, Listening
from tests.desktop.jobs.code.agent_world import World


def told(world: World, *tools: ToolUse) -> list[str]:
    listening = Listening(world, "/clone")
    seen: set[str] = set()
    for tool in tools:
        listening.hear(ToolTold(tool, tool.id not in seen))
        seen.add(tool.id)
    return world.lines


def use(**facts: object) -> ToolUse:
    return ToolUse(**({"id": "1"} | facts))  # type: ignore[arg-type]


def test_a_tool_is_told_once_when_it_is_known_what_it_does(tmp_path: Path) -> None:
    lines = told(
        World(tmp_path),
        use(title="Terminal"),
        use(title="Terminal", command="ls -l", given="{}"),
        use(title="Terminal", command="ls -l", given="{}", status="completed"),
    )
    assert lines == ["› Terminal: ls -l"]


def test_a_file_is_told_without_the_clones_path(tmp_path: Path) -> None:
    lines = told(
        World(tmp_path),
        use(title="read", paths=("/clone/src/a.py",)),
        use(id="2", title="Write /clone/b.py", paths=("/clone/b.py",)),
        use(id="3", title="Edit c.py", paths=("/clone/c.py",)),
        use(id="4", title="d.py", kind="search", paths=("/clone/d.py",)),
    )
    assert lines == ["› read: src/a.py", "› Write b.py", "› Edit c.py", "› search: d.py"]


def test_asking_is_told_as_that(tmp_path: Path) -> None:
    assert told(World(tmp_path), use(title="mcp__deskhand__ask_human", given="{}")) == [
        "› asks a person"
    ]


def test_a_failure_is_told_once(tmp_path: Path) -> None:
    failed = use(title="make", status="failed")
    assert told(World(tmp_path), failed, failed) == ["› make", "› failed: make"]


def test_pieces_of_a_message_are_one_line_without_what_acts(tmp_path: Path) -> None:
    world = World(tmp_path)
    listening = Listening(world)
    for piece in ("I \x1b[31m", "mend", "\nit."):
        listening.hear(Said(piece))
    listening.hear(Thought("secretly"))

    assert listening.finish() == "I \ufffd[31mmend\nit."
    assert world.lines == ["I \ufffd[31mmend it."]


def test_the_last_message_is_the_turns_text_and_its_end_is_kept(tmp_path: Path) -> None:
    listening = Listening(World(tmp_path))
    listening.hear(Said("first"))
    listening.hear(ToolTold(use(title="x"), is_new=True))
    for _ in range(30):
        listening.hear(Said("y" * 5000))
    listening.hear(Said("end"))

    text = listening.finish()
    assert len(text) == TEXT_CHARS_MAX
    assert text.endswith("yend")


def test_a_turn_begins_without_what_was_said_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    listening = Listening(world)
    listening.hear(Said("old"))
    listening.begin()

    assert listening.finish() == ""
    assert listening.tools == 0


def test_a_plan_is_progress_when_it_changes(tmp_path: Path) -> None:
    world = World(tmp_path)
    listening = Listening(world)
    plan = (PlanStep("a", is_done=True), PlanStep("b", is_done=False))
    for steps in (plan, plan, ()):
        listening.hear(Planned(steps))

    assert world.told == [("plan", 1, 2)]


def test_a_turn_has_its_share_of_the_log(tmp_path: Path) -> None:
    world = World(tmp_path)
    listening = Listening(world)
    for number in range(LINES_MAX + 50):
        listening.log(str(number))
    assert len(world.lines) == LINES_MAX
    listening.begin()
    listening.log("again")
    assert world.lines[-1] == "again"
