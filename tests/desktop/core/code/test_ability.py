"""What hubs are told of a machine's coding tools is what a job in its sandbox will find."""

from __future__ import annotations

from pathlib import PurePosixPath

from desktop.core.code.ability import CodeAbility, ability
from desktop.core.code.rules import CodeRules, CustomAgent
from shared.kinds.code import AgentFacts

HOME = PurePosixPath("/home/anna")
BUILTIN = AgentFacts(name="builtin", is_ready=True)
CODEX = AgentFacts(name="codex", is_ready=True)
SILENT = AgentFacts(name="gemini", is_ready=False, sentence="It did not answer.")
PROGRAMS = {"git": "/usr/bin/git", "python3": "/usr/bin/python3", "cargo": "/usr/bin/cargo"}


def told(
    rules: CodeRules | None = None,
    agents: tuple[AgentFacts, ...] = (BUILTIN, CODEX, SILENT),
    sandbox: str = "bubblewrap",
    programs: dict[str, str] | None = None,
) -> CodeAbility:
    found = PROGRAMS if programs is None else programs
    return ability(rules or CodeRules(), agents, sandbox, found, HOME)


def test_agents_that_answered_are_told_and_no_others() -> None:
    assert told().tools == ("builtin", "codex", "bubblewrap", "git")
    assert told(agents=(), sandbox="none", programs={}).tools == ()


def test_an_agent_that_the_owner_does_not_allow_is_not_told() -> None:
    rules = CodeRules(agents_allowed=("codex", "mine"))
    mine = CustomAgent(name="mine", command=("mine",))
    ready = (BUILTIN, CODEX, AgentFacts(name="mine", is_ready=True))

    assert told(rules, ready).tools == ("codex", "bubblewrap", "git")
    with_mine = rules.model_copy(update={"agents": (mine,)})
    assert told(with_mine, ready).tools == ("codex", "mine", "bubblewrap", "git")


def test_the_owner_s_words_come_first_and_toolchains_after_them() -> None:
    rules = CodeRules(specializations=("django", "python"))
    assert told(rules).specializations == ("django", "python", "rust")


def test_a_toolchain_in_the_home_folder_counts_only_where_the_sandbox_shows_it() -> None:
    usual = {"cargo": "/home/anna/.cargo/bin/cargo"}
    odd = {"cargo": "/home/anna/mine/cargo"}

    assert told(programs=usual).specializations == ("rust",)
    assert told(programs=odd).specializations == ()
    named = CodeRules(tools=("~/mine",))
    assert told(named, programs=odd).specializations == ("rust",)
    assert told(named, programs=usual).specializations == ("rust",), "those are shown to all"
