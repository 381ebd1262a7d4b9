"""The public face of the gateway: what it wants, whom it asks, and what it tells its job.

async with Gateway(wants, job) as gateway:
    box = Box(..., gateway=gateway.socket, env=gateway.env(port))
    ...
    excess = await gateway.over()   # in a task beside the agent's
    gateway.spent                   # for the state file, the result and progress
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from desktop.core.code.budget import BudgetLimits, Excess, Spent
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Model
from desktop.jobs.code.gateway.meter import Meter
from desktop.jobs.code.gateway.outside import OpenHost, Outside
from desktop.jobs.code.gateway.passing import Passing
from desktop.jobs.code.gateway.questions import AskedQuestion, Questions
from desktop.jobs.code.gateway.serving import Serving, listening, make_token, socket_path
from desktop.jobs.code.gateway.tasks import EndingTasks
from desktop.jobs.code.gateway.tunnels import HostUse, Tunnels
from desktop.jobs.code.gateway.turns import Turns
from desktop.jobs.llm.house import House
from desktop.system.program import boxed_command
from desktop.system.way import Way
from shared.questions import Asking

ASK_SERVER = Path(__file__).parents[1] / "ask_human.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayWants:
    """What one job's gateway is to do."""

    model: Model
    """The only one that is asked, whatever name the agent says."""
    folder: Path
    """Of the job, private: the socket is made in it, or in a short one of its own if the path
    would be too long."""
    limits: BudgetLimits = field(default_factory=BudgetLimits)
    spent: Spent = field(default_factory=Spent)
    """By earlier attempts of the job."""
    registries: tuple[str, ...] = ()
    """Hosts that need no question, "*.example.org" allowed."""
    ask_seconds_max: float = 45.0
    """How long `ask_human` may take; then the agent is told to end its turn."""
    beat_seconds: float = 5.0
    """How often an agent that waits for a person hears that its question is open."""
    is_alone: bool = True
    """Whether nobody but the box reaches the relay's port. If others do (Landlock, no sandbox),
    callers have to show `Gateway.token` as their key."""
    way: Way = field(default_factory=Way)
    """Which proxy, and whose certificates."""
    open_host: OpenHost | None = None
    """How registries are reached; at their public addresses when None."""


class GatewayJob(Protocol):
    """The job that a gateway works for. Called from its loop; may be called by many at once."""

    def house(self) -> House:
        """Return the child's way to models (`house_of(context)`), for `/deskhand/turn`."""

    def key(self) -> str:
        """Return the endpoint's key as it is now; empty when it needs none."""

    async def ask(self, asking: Asking) -> str:
        """Ask the person (`context.ask`) and return the answer's value.

        Clarifications of the agent's, and approvals of package registries ("allow" or "deny").
        Goes on when the agent has stopped waiting; each key is asked once at a time.
        """

    def used(self, spent: Spent) -> None:
        """Hear what has been used, after each call. Cheap."""

    def log(self, line: str) -> None:
        """Write a line to the job's log: what was refused, or left out."""


class Gateway:
    """Serves one job, from `async with` on."""

    socket: Path
    """Where the relay finds it, in a folder of mode 0700."""
    token: str
    """What stands for the key in the box (`Places.key`); it opens nothing but this gateway."""

    def __init__(self, wants: GatewayWants, job: GatewayJob) -> None:
        """Listen nowhere yet."""
        self._wants = wants
        self._job = job
        self._stack = contextlib.AsyncExitStack()
        self.token = make_token()

    async def __aenter__(self) -> Gateway:
        """Listen."""
        wants, job = self._wants, self._job
        async with contextlib.AsyncExitStack() as stack:
            self._meter = Meter(wants.model, wants.limits, wants.spent, job.used)
            self._passing = Passing(wants.model, wants.way, job.key, self._meter, job.log)
            stack.push_async_callback(self._passing.aclose)
            tasks = await stack.enter_async_context(EndingTasks())
            self._questions = Questions(
                job.ask, tasks, self._meter, wants.ask_seconds_max, wants.beat_seconds
            )
            self._turns = Turns(wants.model, job.house, self._meter)
            opens = wants.open_host or Outside(wants.way).open
            self._tunnels = Tunnels(wants.registries, self._questions, opens, job.log)
            serving = Serving(
                wants.model,
                turn=self._turns.answer,
                ask=self._questions.answer,
                tunnel=self._tunnels.answer,
                passing=self._passing.answer,
                token="" if wants.is_alone else self.token,
            )
            self.socket = stack.enter_context(socket_path(wants.folder))
            await stack.enter_async_context(listening(self.socket, serving, tasks))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let nobody wait, close everything, remove the socket."""
        await self._stack.aclose()

    def env(self, port: int) -> Mapping[str, str]:
        """Return variables for the box: proxy settings, and where our own programs find this.

        Args:
            port: where the relay listens (`Box.port`).
        """
        here = f"127.0.0.1:{port}"
        proxy = f"http://{here}" if self._wants.is_alone else f"http://job:{self.token}@{here}"
        away = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
        home = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost,::1")
        own = {"DESKHAND_GATEWAY": f"http://{here}", "DESKHAND_TOKEN": self.token}
        return away | home | own

    def ask_server(self, port: int) -> tuple[str, ...]:
        """Return the command of the MCP server that offers `ask_human` in the box.

        It wants `ask_env` around it: agents give their servers no other variables.
        """
        program = boxed_command("ask-human") or [sys.executable, "-I", "-S", str(ASK_SERVER)]
        return (*program, str(port))

    def ask_env(self) -> Mapping[str, str]:
        """Return the variables of that server."""
        return {"DESKHAND_TOKEN": self.token}

    @property
    def spent(self) -> Spent:
        """What was used, earlier attempts included."""
        return self._meter.spent

    @property
    def excess(self) -> Excess | None:
        """The limit that is reached; None when the job may go on."""
        return self._meter.excess

    @property
    def fault(self) -> LlmFault | None:
        """Why the last call brought no reply; None after a good one."""
        return self._passing.fault or self._turns.fault

    @property
    def hosts(self) -> Mapping[str, HostUse]:
        """Which hosts programs in the box wanted to reach, and how much went there."""
        return self._tunnels.hosts

    async def over(self) -> Excess:
        """Wait until a limit is reached."""
        return await self._meter.over()

    def asking(self) -> AbstractContextManager[None]:
        """Count no working time meanwhile: the job asks its person something itself."""
        return self._meter.asking()

    def unheard(self) -> tuple[AskedQuestion, ...]:
        """Return questions whose answers the agent has not got, as it ended its turn before.

        Those that are open have an unfinished `task`; wait for it with `asking()`, then prompt.
        """
        return self._questions.unheard()
