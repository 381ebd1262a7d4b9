"""One way to work with any agent, whether it speaks ACP or is a command that ends by itself.

`desktop.jobs.code.starting.started` gives an `Agent` for as long as its block runs; when the block
ends, however it ends, the agent's processes have ended, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from desktop.core.code.acp.events import AgentUsage, StopReason
from desktop.core.code.acp.v1 import McpServer
from desktop.core.code.agent_profiles import AgentProfile, Places
from desktop.core.code.box import Launch
from desktop.core.code.permission import Trust
from shared.questions import Asking

Ask = Callable[[Asking], Awaitable[str]]
"""Asks a person; `SharedContext.ask`, or what lies around it."""
Launches = Callable[[Sequence[str], Mapping[str, str]], Launch]
"""Tells how a command with these variables is started in the job's box."""


class Hears(Protocol):
    """Hears what an agent does, live; a `SharedContext` does."""

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None: ...

    def log(self, line: str) -> None: ...


class Road(StrEnum):
    """How a session was come by."""

    NEW = "new"
    RESUME = "resume"
    LOAD = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """How a turn ended, by the agent's own word, which proves nothing."""

    reason: StopReason
    text: str = ""
    """What it wrote last, made harmless and bounded."""
    usage: AgentUsage | None = None
    """Of the session so far, if it counts."""
    tools: int = 0
    """How many tool calls it made."""

    @property
    def is_over(self) -> bool:
        """Whether the agent came to its own end."""
        return self.reason is StopReason.END_TURN


class Agent(Protocol):
    """An agent that runs."""

    @property
    def version(self) -> str:
        """As it says itself; empty when it does not."""

    @property
    def session_id(self) -> str:
        """To be kept, so that a later attempt can go on; empty when there is no going on."""

    @property
    def road(self) -> Road:
        """How the session was come by: after NEW it knows nothing of what was before."""

    async def prompt(self, words: str) -> TurnEnd:
        """Have one turn. A cancelled task ends the turn.

        Raises:
            Unavailable: `agent_died`, `agent_silent`, `agent_protocol`, `agent_refused`;
                `agent_lost_session`, when it cannot go on with what it took up.
            AppError: whatever asking a person raised.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Everything an agent needs to begin."""

    profile: AgentProfile
    places: Places
    launches: Launches
    clone: Path
    home: Path
    """The box's own home, where its configuration is written."""
    errors: Path
    """Where its standard error goes, bounded; a ".1" beside it holds what came before."""
    trust: Trust
    servers: tuple[McpServer, ...] = ()
    """Those with `ask_human`, for agents that need one."""
    session_id: str = ""
    """Of an earlier attempt, to be gone on with if that can be done."""
