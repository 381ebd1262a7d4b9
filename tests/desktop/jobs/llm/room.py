"""A SharedContext inside of a test: parts are run by their own executor, models are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from desktop.core.code.rules import CodeRules
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from desktop.jobs.context import Closing, Kept, Offer, PartsEnded, Postponed
from desktop.jobs.llm import probe
from desktop.jobs.llm.health import Health
from desktop.jobs.llm.house import House
from desktop.jobs.llm.reach import Look
from desktop.runner.folders import AllowedFolders
from desktop.system.way import Way
from shared.errors import AppError
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds import JsonObject
from shared.kinds.llm import ProbeInputs, UsageFacts
from shared.plan import PlanStage, ShownPlan, StepEnded
from shared.questions import Asking
from tests.desktop.jobs.fake_context import Progress

LOCAL = Endpoint(
    name="local", base_url="http://127.0.0.1:9/v1", is_local=True, models=("tiny", "tiny2")
)
CLOUD = Endpoint(name="openai", base_url="https://api.openai.com/v1", key_name="OPENAI_API_KEY")
JOB = JobId("0199a000-0000-7000-8000-00000000000a")
AT_ONCE = 8
"""Parts that the worker would have in hand."""

Says = Callable[[str, str], str | LlmFault]
"""Model and last question -> what it answers."""


class Speaker:
    """Models that answer as a test wants, and remember what they were asked."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.asked: list[tuple[str, str]] = []

    async def say(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, key: str = ""
    ) -> Reply:
        question = messages[-1].text
        self.asked.append((model.full_name, question))
        await asyncio.sleep(0)
        answer = self.says(model.full_name, question)
        if isinstance(answer, LlmFault):
            raise answer
        return Reply(
            text=answer,
            model_reported=f"{model.name}-2026-11-01",
            request_id=f"req-{len(self.asked)}",
            finish_reason="stop",
            usage=UsageFacts(input_tokens=20, output_tokens=3),
            first_token_ms=1.0,
            total_ms=2.0,
            sent={"model": model.name, "temperature": sampling.temperature},
            prompt_sha256="0" * 64,
        )

    async def aclose(self) -> None:
        return


@dataclass(eq=False)
class Room:
    """One job of the shared child, in one attempt."""

    home: Path
    speaker: Speaker
    replies: Mapping[str, str] = field(default_factory=dict)
    """Answers by the question's key; one that is not there is waited for, for ever."""
    endpoints: tuple[Endpoint, ...] = (LOCAL, CLOUD)
    keys: Mapping[str, str] = field(default_factory=lambda: {"OPENAI_API_KEY": "sk-canary"})
    job_id: JobId = JOB
    kind: str = "llm.run"
    tries: int = 0
    network: NetworkRules = field(default_factory=NetworkRules)
    code: CodeRules = field(default_factory=CodeRules)
    web: WebRules = field(default_factory=WebRules)
    origin: Origin = Origin.LOCAL
    may_send_text: bool = True
    on_ask: Callable[[Asking], None] = lambda asking: None
    """What a person does before they answer."""
    asked: list[Asking] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    made: list[list[int]] = field(default_factory=list)
    """Indexes of the parts, a list for each call."""
    followed: list[tuple[str, JsonObject]] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    """Names of endpoints that do not answer."""
    stopped: set[int] = field(default_factory=set)
    """Parts that are cancelled before they begin."""
    killed_after: int | None = None
    """So many parts, and then the process dies."""
    kept: dict[type[Closing], Closing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        folder = self.home / "files"
        folder.mkdir(parents=True, exist_ok=True)
        self._allowed = AllowedFolders((folder,))
        self.folders = self._allowed.folders
        self.data_folder = self.home / "data"
        self.workdir = self.workspace = self.home / "jobs" / self.job_id
        for made in (self.data_folder, self.workdir):
            made.mkdir(parents=True, exist_ok=True)
        self.kept.setdefault(Health, Health(look=self._look))
        self.kept.setdefault(House, House(lambda: self.keys, self.speaker))

    def write(self, name: str, text: str) -> Path:
        path = self.folders[0] / name
        path.write_text(text)
        return path

    async def close(self) -> None:
        for kept in reversed(self.kept.values()):
            await kept.aclose()
        self.kept.clear()

    def shared(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        if kind not in self.kept:
            self.kept[kind] = make()
        return cast("Kept", self.kept[kind])

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        self.told.append(Progress(stage, done, total, eta_seconds))

    def log(self, line: str) -> None:
        self.lines.append(line)

    async def ask(self, asking: Asking) -> str:
        self.asked.append(asking)
        self.on_ask(asking)
        if asking.key not in self.replies:
            await asyncio.Event().wait()
        return self.replies[asking.key]

    async def parts(self, kind: str, inputs: JsonObject, indexes: Sequence[int]) -> PartsEnded:
        assert kind == "llm.probe"
        if indexes:
            self.made.append(list(indexes))
        places = asyncio.Semaphore(AT_ONCE)
        ends = {True: 0, False: 0}

        async def one(index: int) -> None:
            async with places:
                ends[await self._part(inputs, index)] += 1
                if self.killed_after is not None and sum(ends.values()) >= self.killed_after:
                    raise Killed

        async with asyncio.TaskGroup() as group:
            for index in indexes:
                group.create_task(one(index))
        return PartsEnded(succeeded=ends[True], failed=ends[False], cancelled=0)

    async def _part(self, inputs: JsonObject, index: int) -> bool:
        while index not in self.stopped:
            try:
                await probe.run(self, ProbeInputs.model_validate({**inputs, "index": index}))
            except Postponed:
                await asyncio.sleep(0)
            except AppError:
                return False
            else:
                return True
        return False

    async def _look(self, endpoint: Endpoint, _key: str, _way: Way) -> Look:
        is_away = endpoint.name in self.away
        return Look(is_answering=not is_away, reason="nothing listens there" if is_away else "")

    def follow(self, kind: str, inputs: JsonObject) -> None:
        self.followed.append((kind, inputs))

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

    def find_file(self, name: str) -> Path:
        return self._allowed.find(name)

    def place_file(self, name: str) -> Path:
        return self._allowed.place(name)

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        return self._allowed.recent(suffixes, count_max=count_max)

    def wrote(self, path: Path) -> None:
        raise AssertionError(path)

    def check_sending(self) -> None:
        raise AssertionError

    def send(self, path: Path, *, name: str = "") -> None:
        raise AssertionError(path, name)


class Killed(BaseException):
    """The process dies here."""
