"""One agent's world: a repository with a bug, a box, a gateway, a scripted model, a person."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.core.code.acp.v1 import McpServer
from desktop.core.code.agent_profiles import (
    PROFILES,
    AgentProfile,
    AskRoad,
    GatewayApi,
    Places,
    profile_of,
)
from desktop.core.code.box import Box, Launch
from desktop.core.code.budget import Spent
from desktop.core.code.permission import ASK_SERVER, Trust
from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint, Format, Model
from desktop.jobs.code.acp.agent import AcpAgent
from desktop.jobs.code.driver import Agent, Assignment
from desktop.jobs.code.gateway.gateway import Gateway, GatewayWants
from desktop.jobs.code.programs import own_agent, program_of
from desktop.jobs.code.sandbox.choosing import choose
from desktop.jobs.code.starting import started
from desktop.jobs.llm.house import House
from desktop.jobs.llm.speaker import Speaker
from shared.kinds.code import Level
from shared.questions import Asking
from tests.llm_servers.scripted import ScriptedModel, running
from tests.npm_agents.installed import folder

BUG = "def add(a, b):\n    return a - b\n"
MENDED = "def add(a, b):\n    return a + b\n"
KEY = "sk-of-the-worker-alone"
FORMATS = {GatewayApi.MESSAGES: Format.ANTHROPIC, GatewayApi.GEMINI: Format.GOOGLE}


@dataclass
class NpmWorld:
    """Also the gateway's job: it answers what it has answers for, and keeps the rest open."""

    profile: AgentProfile
    place: Path
    model: ScriptedModel
    answers: dict[str, str] = field(default_factory=dict)
    asked: list[Asking] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    pid: int = 0

    @property
    def clone(self) -> Path:
        return self.place / "clone"

    @property
    def code(self) -> str:
        return (self.clone / "calc.py").read_text()

    def log(self, line: str) -> None:
        self.lines.append(line)

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        pass

    def house(self) -> House:
        return House(lambda: {"KEY": KEY}, Speaker())

    def key(self) -> str:
        return KEY

    def used(self, spent: Spent) -> None:
        self.spent = spent

    async def ask(self, asking: Asking) -> str:
        """Answer, or wait for ever: the person is away."""
        self.asked.append(asking)
        self.is_asked.set()
        for words, answer in self.answers.items():
            if words in asking.text:
                return answer
        return await asyncio.Future[str]()

    def keys_seen(self) -> set[str]:
        """Return the question's keys: one for each thing that was asked."""
        return {asking.key for asking in self.asked}

    @contextlib.asynccontextmanager
    async def agent(self, session_id: str = "") -> AsyncIterator[Agent]:
        """Start the agent as a job does."""
        sandbox = await choose(CodeRules())
        assert sandbox.is_isolating, "these tests want a real sandbox"
        endpoint = Endpoint(
            name="scripted",
            base_url=self.model.address + ("/v1" if self._format is Format.OPENAI else ""),
            format=self._format,
            key_name="KEY",
        )
        wants = GatewayWants(
            model=Model(endpoint, "scripted"),
            folder=self.place,
            ask_seconds_max=self.profile.ask_seconds_max,
        )
        program = program_of(self.profile)
        async with Gateway(wants, self) as gateway:
            port = sandbox.port()

            def launches(argv: Sequence[str], env: Mapping[str, str]) -> Launch:
                box = Box(
                    workdir=self.clone,
                    home=self.place / "home",
                    read_only=program.folders,
                    gateway=gateway.socket,
                    port=port,
                    env={**gateway.env(port), **env},
                )
                return sandbox.launch(box, argv)

            command, *args = gateway.ask_server(port)
            server = McpServer(
                name=ASK_SERVER,
                command=command,
                args=tuple(args),
                env=tuple(gateway.ask_env().items()),
            )
            assignment = Assignment(
                profile=self.profile,
                places=Places(
                    gateway=f"http://127.0.0.1:{port}",
                    model="scripted",
                    home=str(self.place / "home"),
                    builtin=own_agent(),
                    key=gateway.token,
                ),
                launches=launches,
                clone=self.clone,
                home=self.place / "home",
                errors=self.place / "errors.log",
                trust=Trust(is_isolated=True, level=Level.SUPERVISED, folder=str(self.clone)),
                servers=(server,) if self.profile.ask_road is AskRoad.MCP else (),
                session_id=session_id,
            )
            async with started(assignment, self.ask, self) as agent:
                self.pid = agent._line.pid if isinstance(agent, AcpAgent) else 0
                yield agent

    @property
    def _format(self) -> Format:
        return FORMATS.get(self.profile.api, Format.OPENAI)

    def kill(self) -> None:
        """Have the agent die as it stands, with all that is below it."""
        os.killpg(self.pid, signal.SIGKILL)


@contextlib.contextmanager
def place_for_work() -> Iterator[Path]:
    # Codex takes no home below the folder of temporary files, and no job's home is there.
    work = folder() / "work"
    work.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=work)).resolve()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def there(step: Mapping[str, Any], clone: Path) -> Mapping[str, Any]:
    """Name files with their whole path: some agents take no other."""
    files = ("read", "edit", "write")
    return {name: str(clone / to) if name in files else to for name, to in step.items()}


@contextlib.contextmanager
def npm_world(agent: str | AgentProfile, *steps: Mapping[str, Any]) -> Iterator[NpmWorld]:
    """Make the world of an agent; its model takes these steps."""
    profile = agent if isinstance(agent, AgentProfile) else profile_of(agent, PROFILES)
    with place_for_work() as place, running(key=KEY) as model:
        model.script(*(there(step, place / "clone") for step in steps))
        for part in ("clone", "home"):
            (place / part).mkdir()
        (place / "clone" / "calc.py").write_text(BUG)
        git = ["git", "-C", str(place / "clone"), "-c", "user.name=Test", "-c", "user.email=t@t"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
            subprocess.run([*git, *words], check=True, capture_output=True)
        yield NpmWorld(profile, place, model)
