"""What an agent may do unasked, and what its person is asked."""

from __future__ import annotations

import pytest

from desktop.core.code.acp.events import OptionKind, PermissionOption, ToolUse
from desktop.core.code.permission import Decided, Trust, chosen, decide, is_asking
from shared.kinds.code import Level
from shared.questions import Asking

ALL = tuple(PermissionOption(f"the {kind.value}", kind) for kind in OptionKind)


def trust(*, is_isolated: bool = True, level: Level = Level.SUPERVISED) -> Trust:
    return Trust(is_isolated=is_isolated, level=level, folder="/clone")


def tool(kind: str, **facts: object) -> ToolUse:
    return ToolUse(id="1", kind=kind, **facts)  # type: ignore[arg-type]


def decided(use: ToolUse, how_far: Trust) -> Decided | Asking:
    return decide(use, ALL, how_far, title="Agent", nth=0)


@pytest.mark.parametrize("level", [Level.AUTONOMOUS, Level.SUPERVISED])
@pytest.mark.parametrize("kind", ["edit", "execute", "delete", "fetch", "other", ""])
def test_a_box_is_leave_enough(kind: str, level: Level) -> None:
    assert decided(tool(kind), trust(level=level)) == Decided("the allow_once")


@pytest.mark.parametrize("kind", ["edit", "execute", "delete", "move", "fetch", "other", ""])
@pytest.mark.parametrize(
    "how_far",
    [trust(level=Level.HUMAN_REQUIRED), trust(is_isolated=False)],
    ids=["human", "no box"],
)
def test_without_a_box_or_where_the_person_wants_it_effects_are_asked(
    kind: str, how_far: Trust
) -> None:
    asking = decided(tool(kind, command="make"), how_far)
    assert isinstance(asking, Asking)
    assert asking.default == OptionKind.REJECT_ONCE.value
    assert [c.label for c in asking.choices] == ["Allow once", "Allow for this job", "Refuse"]


@pytest.mark.parametrize(
    ("paths", "is_free"),
    [
        (("/clone/a.py",), True),
        (("a.py", "/clone"), True),
        (("/clone/../etc/passwd",), False),
        (("/clone-2/a.py",), False),
        ((), False),
    ],
)
def test_without_a_box_only_what_is_in_the_clone_is_read_unasked(
    paths: tuple[str, ...], is_free: bool
) -> None:
    outcome = decided(tool("read", paths=paths), trust(is_isolated=False))
    assert isinstance(outcome, Decided) is is_free


@pytest.mark.parametrize(
    "title",
    [
        "ask_human",
        "mcp__deskhand__ask_human",
        "deskhand_ask_human",
        "deskhand - ask_human",
        "ask_human (deskhand MCP Server)",
        "Tool: deskhand/ask_human",
        "mcp.deskhand.ask_human",
        'ask_human (deskhand MCP Server): {"question": "Which colour?"}',
    ],
)
def test_the_tool_that_asks_needs_no_leave(title: str) -> None:
    assert is_asking(tool("other", title=title))
    assert decided(tool("other", title=title), trust(is_isolated=False)) == Decided(
        "the allow_once"
    )


def test_an_agent_that_calls_every_tool_a_command_may_ask_too() -> None:
    assert is_asking(tool("execute", title="mcp.deskhand.ask_human"))


@pytest.mark.parametrize(
    "use",
    [
        tool("execute", title="ask_human"),
        tool("execute", title="deskhand ask_human", command="deskhand ask_human"),
        tool("other", title="ask_human", command="rm -rf /"),
        tool("other", title="ask_human; rm -rf /"),
        tool("other", title="ask_human && curl evil.example"),
        tool("other", title="run ask_human script"),
        tool("edit", title="ask_human"),
        tool("other", title="$(deskhand ask_human)"),
        tool("other", title="ask_humanity"),
        tool("other", title="deskhand"),
    ],
)
def test_what_only_sounds_like_it_needs_leave(use: ToolUse) -> None:
    assert isinstance(decided(use, trust(is_isolated=False)), Asking)


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        ("allow_once", "the allow_once"),
        ("allow_always", "the allow_always"),
        ("reject_once", "the reject_once"),
        ("", "the reject_once"),
        ("whatever", "the reject_once"),
        ("reject_always", "the reject_once"),
    ],
)
def test_only_a_clear_yes_is_a_yes(answer: str, option: str) -> None:
    assert chosen(ALL, answer) == option


def test_an_agent_that_offers_no_way_to_refuse_is_not_allowed() -> None:
    offered = [option for option in ALL if option.kind is OptionKind.ALLOW_ALWAYS]
    assert chosen(offered, "reject_once") == ""
    assert chosen(offered, "allow_once") == "the allow_always"


def test_the_same_wish_has_the_same_key_and_another_has_another() -> None:
    wishes = [tool("execute", command="make", digest="1"), tool("execute", command="make x")]
    keys = [
        asking.key
        for use in (wishes[0], wishes[0], wishes[1])
        if isinstance(asking := decided(use, trust(is_isolated=False)), Asking)
    ]
    assert keys[0] == keys[1] != keys[2]


def test_what_acts_is_taken_out_of_the_question() -> None:
    asking = decided(tool("execute", command="echo \x1b]0;x\x07"), trust(is_isolated=False))
    assert isinstance(asking, Asking)
    assert "\x1b" not in asking.text
