"""Starts fake agents as a job would, without a box, and remembers what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from desktop.core.code.agent_profiles import AgentProfile, Places, filled
from desktop.core.code.box import Launch
from desktop.core.code.permission import Trust
from desktop.jobs.code.acp.agent import AcpAgent, acp_agent
from desktop.jobs.code.acp.client import Patience
from desktop.jobs.code.driver import Assignment
from shared.kinds.code import Level
from shared.questions import Asking

FAKE = Path(__file__).parents[3] / "acp_agents" / "fake.py"
QUICK = Patience(start=20, session=20, setting=20, silence=30, cancel=5)
"""Generous for a busy machine; what is tested for its patience says how much it wants."""


@dataclass
class World:
    """One agent's surroundings."""

    folder: Path
    answers: dict[str, str] = field(default_factory=dict)
    """By the beginning of the question's text."""
    asked: list[Asking] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    told: list[tuple[str, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("clone", "home"):
            (self.folder / name).mkdir(exist_ok=True)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        self.told.append((stage, done, total))

    async def ask(self, asking: Asking) -> str:
        self.asked.append(asking)
        return next(
            (answer for words, answer in self.answers.items() if words in asking.text),
            asking.default or "",
        )

    def launch(self, argv: Sequence[str], env: Mapping[str, str]) -> Launch:
        whole = {"FAKE_NOTES": str(self.folder / "notes"), "PATH": "/usr/bin:/bin", **env}
        return Launch(argv=tuple(argv), env=whole, cwd=self.folder / "clone")

    def assignment(
        self,
        *behaviours: str,
        level: Level = Level.SUPERVISED,
        is_isolated: bool = True,
        **more: Any,
    ) -> Assignment:
        command = more.pop("command", (sys.executable, "-I", str(FAKE), *behaviours))
        profile = more.pop(
            "profile", AgentProfile(name="fake", title="Fake", command=tuple(command))
        )
        return Assignment(
            profile=profile,
            places=places(),
            launches=self.launch,
            clone=self.folder / "clone",
            home=self.folder / "home",
            errors=self.folder / "errors.log",
            trust=Trust(is_isolated=is_isolated, level=level, folder=str(self.folder / "clone")),
            **more,
        )

    def agent(
        self, *behaviours: str, patience: Patience = QUICK, **more: Any
    ) -> AbstractAsyncContextManager[AcpAgent]:
        assignment = self.assignment(*behaviours, **more)
        profile = filled(assignment.profile, assignment.places)
        return acp_agent(assignment, profile, self.ask, self, patience)

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What the fake agent got, or noted of itself."""
        path = self.folder / "notes"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def sent(self, method: str) -> list[dict[str, Any]]:
        """Params of the messages that the agent got under this method."""
        return [note["params"] for note in self.notes if note.get("method") == method]

    def left(self) -> list[int]:
        """Pids of the fake agent's grandchildren that are still there."""
        return [note["left"] for note in self.notes if "left" in note and is_alive(note["left"])]


def places() -> Places:
    return Places(gateway="http://127.0.0.1:4141", model="tiny", home="/home/box")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
