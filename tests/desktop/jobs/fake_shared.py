"""A SharedContext whose answers are scripted and which remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint
from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from desktop.jobs.context import Closing, Offer, PartsEnded
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds import JsonObject
from shared.plan import PlanStage, ShownPlan, StepEnded
from shared.questions import Asking
from tests.desktop.jobs.fake_context import FakeContext, context_of

Kept = TypeVar("Kept", bound=Closing)
JOB = JobId("01900000-0000-7000-8000-00000000cccc")


@dataclass
class FakeShared:
    """Files and questions as in `FakeContext`; what is shared is closed by `aclose`."""

    plain: FakeContext
    endpoints: tuple[Endpoint, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    may_send_text: bool = False
    job_id: JobId = JOB
    kind: str = "llm.run"
    tries: int = 0
    network: NetworkRules = field(default_factory=NetworkRules)
    code: CodeRules = field(default_factory=CodeRules)
    web: WebRules = field(default_factory=WebRules)
    followed: list[tuple[str, JsonObject]] = field(default_factory=list)
    kept: dict[type[Closing], Closing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.origin = Origin.CHAT
        self.workdir = self.plain.workdir
        self.workspace = self.plain.workspace
        self.data_folder = self.plain.data_folder
        self.folders = self.plain.folders
        self.progress = self.plain.progress
        self.log = self.plain.log
        self.find_file = self.plain.find_file
        self.place_file = self.plain.place_file
        self.recent_files = self.plain.recent_files
        self.wrote = self.plain.wrote
        self.check_sending = self.plain.check_sending
        self.send = self.plain.send

    def shared(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        if kind not in self.kept:
            self.kept[kind] = make()
        return cast("Kept", self.kept[kind])

    async def ask(self, asking: Asking) -> str:
        return self.plain.ask(asking)

    async def parts(self, kind: str, inputs: JsonObject, indexes: Sequence[int]) -> PartsEnded:
        raise AssertionError("nothing here makes parts")

    def follow(self, kind: str, inputs: JsonObject) -> None:
        self.followed.append((kind, inputs))

    @property
    def is_planned(self) -> bool:
        return self.plain.is_planned

    async def step(self, number: int, kind: str, inputs: JsonObject, *, title: str) -> StepEnded:
        raise AssertionError("nothing here has steps")

    @property
    def offers(self) -> tuple[Offer, ...]:
        return ()

    def show_plan(self, stage: PlanStage, plan: ShownPlan) -> None:
        raise AssertionError("nothing here has a plan")

    async def aclose(self) -> None:
        for one in reversed(self.kept.values()):
            await one.aclose()


def shared_of(
    tmp_path: Path,
    replies: Mapping[str, str] | None = None,
    *,
    endpoints: tuple[Endpoint, ...] = (),
    keys: Mapping[str, str] | None = None,
    may_send_text: bool = False,
) -> FakeShared:
    """Make one whose allowed folder is tmp_path/"files"."""
    return FakeShared(
        context_of(tmp_path, replies),
        endpoints=endpoints,
        keys=keys or {},
        may_send_text=may_send_text,
    )
