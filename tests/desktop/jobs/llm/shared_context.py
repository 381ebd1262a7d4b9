"""A SharedContext of a test: several jobs of one child, with real transcripts and a real house."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint
from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from desktop.jobs.context import Closing, Kept, Offer, PartsEnded
from desktop.runner.folders import AllowedFolders
from shared.environment import Environment
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds import JsonObject
from shared.plan import PlanStage, ShownPlan, StepEnded
from shared.questions import Asking, match

ENVIRONMENT = Environment()


@dataclass
class Child:
    """What jobs of one child have in common."""

    folder: Path
    endpoints: tuple[Endpoint, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    kept: dict[type[Closing], Any] = field(default_factory=dict)

    def job(self, *, tries: int = 0, job_id: JobId | None = None) -> FakeShared:
        return FakeShared(self, job_id or JobId(ENVIRONMENT.new_id()), tries)

    async def aclose(self) -> None:
        for one in reversed(self.kept.values()):
            await one.aclose()
        self.kept.clear()


@asynccontextmanager
async def child(folder: Path, *endpoints: Endpoint, **keys: str) -> AsyncIterator[Child]:
    made = Child(folder, endpoints, keys)
    try:
        yield made
    finally:
        await made.aclose()


@dataclass
class FakeShared:
    """One attempt; what it said is remembered."""

    child: Child
    job_id: JobId
    tries: int = 0
    kind: str = "llm.probe"
    origin: Origin = Origin.LOCAL
    may_send_text: bool = False
    network: NetworkRules = field(default_factory=NetworkRules)
    code: CodeRules = field(default_factory=CodeRules)
    web: WebRules = field(default_factory=WebRules)
    replies: Mapping[str, str] = field(default_factory=dict)
    """What the person types, by the key of the question; an unanswered one fails the test."""
    asked: list[Asking] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    told: list[tuple[str, float, float]] = field(default_factory=list)
    parts_made: list[tuple[str, JsonObject, tuple[int, ...]]] = field(default_factory=list)
    follows: list[tuple[str, JsonObject]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data_folder = self.child.folder
        self.workdir = self.workspace = self.child.folder / "jobs" / self.job_id
        self.workdir.mkdir(parents=True, exist_ok=True)
        self._allowed = AllowedFolders((self.child.folder,))
        self.folders = self._allowed.folders

    @property
    def keys(self) -> Mapping[str, str]:
        return self.child.keys

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.child.endpoints

    def shared(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        if kind not in self.child.kept:
            self.child.kept[kind] = make()
        found: Kept = self.child.kept[kind]
        return found

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        self.told.append((stage, done, total))

    def log(self, line: str) -> None:
        self.lines.append(line)

    async def ask(self, asking: Asking) -> str:
        self.asked.append(asking)
        value = match(asking, self.replies[asking.key])
        assert value is not None
        return value

    def find_file(self, name: str) -> Path:
        return self._allowed.find(name)

    def place_file(self, name: str) -> Path:
        return self._allowed.place(name)

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        return self._allowed.recent(suffixes, count_max=count_max)

    def wrote(self, path: Path) -> None:
        self.lines.append(f"wrote {path}")

    def check_sending(self) -> None:
        return

    def send(self, path: Path, *, name: str = "") -> None:
        self.lines.append(f"sent {name or path.name}")

    async def parts(self, kind: str, inputs: JsonObject, indexes: Sequence[int]) -> PartsEnded:
        self.parts_made.append((kind, inputs, tuple(indexes)))
        return PartsEnded(succeeded=len(indexes), failed=0, cancelled=0)

    def follow(self, kind: str, inputs: JsonObject) -> None:
        self.follows.append((kind, inputs))

    @property
    def is_planned(self) -> bool:
        return False

    async def step(self, number: int, kind: str, inputs: JsonObject, *, title: str) -> StepEnded:
        raise AssertionError("nothing here has steps")

    @property
    def offers(self) -> tuple[Offer, ...]:
        return ()

    def show_plan(self, stage: PlanStage, plan: ShownPlan) -> None:
        raise AssertionError("nothing here has a plan")
