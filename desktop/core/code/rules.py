"""The table `[code]` of the policy file: what coding jobs may do, and with which agents.

    [code]
    model = "openai:gpt-5-mini"
    repositories = ["https://github.com/anna/*"]
    registries = ["pypi.org", "files.pythonhosted.org"]

    [code.level_max]
    chat = "supervised"

    [[code.agents]]
    name = "mine"
    command = ["my-agent", "--acp"]

Only the machine's owner writes it; a work order asks for less, never for more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.jobs import Origin
from shared.kinds.code import Level

AGENTS_MAX = 32
PATTERNS_MAX = 200
HOSTS_MAX = 200


LEVELS_DEFAULT: Mapping[Origin, Level] = {
    Origin.LOCAL: Level.AUTONOMOUS,
    Origin.CHAT: Level.SUPERVISED,
    Origin.GROUP: Level.HUMAN_REQUIRED,
    Origin.API: Level.SUPERVISED,
}
_WORD = re.compile(r"[a-z0-9][a-z0-9+#._-]{0,49}")
_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?")


class SandboxChoice(StrEnum):
    AUTO = "auto"
    """The best that works here."""
    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    SEATBELT = "seatbelt"
    """macOS's own."""
    CONTAINER = "container"
    NONE = "none"
    """Work without one; supervised at most."""


class CustomAgent(BaseModel):
    """An agent of the owner's own: any program that speaks ACP, or works by itself and exits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,49}$")
    command: tuple[str, ...] = Field(min_length=1, max_length=64)
    """Program and arguments. Of one that is headless, "{prompt}" stands for the task."""
    env: Mapping[str, str] = {}
    """"{gateway}" stands for the address of the models, "{model}" for the model's name."""
    is_headless: bool = False
    """Whether it works by itself and ends, instead of speaking ACP."""
    ask_seconds_max: float = Field(default=45.0, gt=0)
    """How long its tools may take to answer before it gives up."""


class CodeRules(BaseModel):
    """What the owner says about coding jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(default="", max_length=200)
    """Which model agents ask, as in "openai:gpt-5-mini"; naming one is the consent to send code
    to it. Empty: one on this machine, or a question."""
    agent: str = Field(default="builtin", pattern=r"^[a-z][a-z0-9_-]{0,49}$")
    """Who works when a work order names nobody."""
    agents_allowed: tuple[str, ...] = Field(default=("*",), max_length=AGENTS_MAX)
    agents: tuple[CustomAgent, ...] = Field(default=(), max_length=AGENTS_MAX)
    repositories: tuple[str, ...] = Field(default=(), max_length=PATTERNS_MAX)
    """URLs that may be fetched and pushed to, "*" allowed. Repositories in allowed folders, and
    what those call "origin", need no entry."""
    registries: tuple[str, ...] = Field(default=(), max_length=HOSTS_MAX)
    """Hosts that programs in the sandbox may reach without a question, "*.example.org" allowed."""
    level_max: Mapping[Origin, Level] = LEVELS_DEFAULT
    """The most that may be done without asking, by where a job comes from; an absent origin asks
    for everything."""
    sandbox: SandboxChoice = SandboxChoice.AUTO
    container_image: str = Field(default="", max_length=300)
    tools: tuple[str, ...] = Field(default=(), max_length=PATTERNS_MAX)
    """Folders of tools below the home folder that the sandbox may read, as in "~/.cargo/bin"."""
    specializations: tuple[str, ...] = Field(default=(), max_length=32)
    """What this machine is good for, as in "python"."""
    concurrent: int = Field(default=2, ge=1, le=32)
    """Coding jobs at once."""
    keep_days: float = Field(default=7.0, ge=0, le=365)
    """How long clones of jobs that are over are kept."""
    memory_bytes_max: int | None = Field(default=None, ge=128 * 1024**2)
    """Of one sandbox; what one job may use when absent."""

    @model_validator(mode="after")
    def _are_fit(self) -> CodeRules:
        if fault := fault_of(self):
            raise ValueError(fault)
        return self

    def level_for(self, asked: Level, origin: Origin) -> Level:
        """Return the level that counts: what was asked for, or the owner's if that asks more."""
        most = self.level_max.get(origin, Level.HUMAN_REQUIRED)
        return max(asked, most, key=lambda level: level.rank)


def fault_of(rules: CodeRules) -> str:
    """Return what is wrong with the rules together, in words; empty when nothing is."""
    if rules.model and not all(rules.model.partition(":")):
        return 'write model as "openai:gpt-5-mini": an endpoint, a colon, a model'
    if fault := _fault_of_agents(rules.agents):
        return fault
    for host in rules.registries:
        if not _HOST.fullmatch(host):
            return f'{host[:60]!r} under registries is no host; write it as in "pypi.org"'
    for word in rules.specializations:
        if not _WORD.fullmatch(word):
            return f'{word[:60]!r} under specializations is no short word, as in "python"'
    if rules.sandbox is SandboxChoice.CONTAINER and not rules.container_image:
        return "a sandbox in a container needs container_image"
    return ""


def _fault_of_agents(agents: tuple[CustomAgent, ...]) -> str:
    names = [agent.name for agent in agents]
    for name in names:
        if names.count(name) > 1:
            return f"two agents have the name {name!r}"
    for agent in agents:
        if agent.is_headless and not any("{prompt}" in word for word in agent.command):
            return f'the command of {agent.name!r} needs "{{prompt}}" where the task goes'
    return ""
