"""What a machine is good for in coding jobs: agents that answered, a sandbox, toolchains.

Pure: where programs are, and what was found of agents, comes in. Hubs are told of it, so that a
work order goes where its agent and its language are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from desktop.core.code.agent_profiles import profiles_of
from desktop.core.code.ground import TOOLS
from desktop.core.code.rules import CodeRules
from shared.kinds.code import AgentFacts

WORDS_MAX = 32
"""As many as a capability holds."""
TOOLCHAINS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cargo": ("rust",),
        "cc": ("c", "c++"),
        "dotnet": ("dotnet", "c#"),
        "go": ("go",),
        "java": ("java",),
        "node": ("node", "javascript", "typescript"),
        "php": ("php",),
        "python3": ("python",),
        "ruby": ("ruby",),
        "swift": ("swift",),
    }
)
"""What a program says a machine is good for, by the program's name."""
GIT = "git"


@dataclass(frozen=True, slots=True)
class CodeAbility:
    """What hubs are told with each kind of coding job."""

    tools: tuple[str, ...] = ()
    """Agents, the sandbox, git: names that a work order may ask for."""
    specializations: tuple[str, ...] = ()


def ability(
    rules: CodeRules,
    agents: Sequence[AgentFacts],
    sandbox: str,
    programs: Mapping[str, str],
    home: PurePath,
) -> CodeAbility:
    """Say what a machine is good for.

    Args:
        rules: the owner's.
        agents: what was found of them, when they were last looked at.
        sandbox: the one that worked then; empty when nobody knows.
        programs: paths of the programs that are there, by name.
        home: the owner's home folder, which no sandbox shows.
    """
    wanted = {profile.name for profile in profiles_of(rules)}
    ready = [agent.name for agent in agents if agent.is_ready and agent.name in wanted]
    boxes = [sandbox] if sandbox and sandbox != "none" else []
    git = [GIT] if GIT in programs else []
    shown = [PurePath(home, tool.removeprefix("~/")) for tool in (*TOOLS, *rules.tools)]
    found = [
        word
        for program, words in TOOLCHAINS.items()
        if program in programs and _is_seen(PurePath(programs[program]), home, shown)
        for word in words
    ]
    return CodeAbility(
        tools=_few([*ready, *boxes, *git]), specializations=_few([*rules.specializations, *found])
    )


def _is_seen(program: PurePath, home: PurePath, shown: Sequence[PurePath]) -> bool:
    """Say whether an agent in its sandbox will find a program."""
    if home not in program.parents:
        return True
    return any(folder in program.parents for folder in shown)


def _few(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))[:WORDS_MAX]
