"""A SharedContext for plans: steps, models and people are scripted, and the process may die.

What lasts longer than a process (its folder, answers given, parts made) stands in `World`; a
`Room` is one attempt in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from desktop.core.code.rules import CodeRules
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from desktop.jobs.context import Closing, Kept, Offer, PartsEnded
from desktop.jobs.llm.health import Health
from desktop.jobs.llm.house import House
from desktop.jobs.llm.reach import Look
from desktop.jobs.plan import run as executor
from desktop.runner.folders import AllowedFolders
from desktop.system.way import Way
from shared.ids import JobId, WorkerId
from shared.jobs import Origin
from shared.kinds import JsonObject
from shared.kinds.llm import UsageFacts
from shared.kinds.plan import PlanInputs, PlanOutput
from shared.plan import PlanStage, ShownPlan, StepEnded
from shared.questions import Asking, match

LOCAL = Endpoint(name="local", base_url="http://127.0.0.1:9/v1", is_local=True, models=("tiny",))
CLOUD = Endpoint(
    name="openai", label="OpenAI", base_url="https://api.openai.com/v1", key_name="OPENAI_API_KEY"
)
JOB = JobId("0199a000-0000-7000-8000-00000000000a")
WORKER = WorkerId("0199a000-0000-7000-8000-0000000000aa")
KINDS = ("llm.ask", "data.describe", "code.refactor", "web.search", "plan")

Says = Callable[[Sequence[Message]], str | LlmFault]
Does = Callable[[str, JsonObject], JsonObject | str]
"""Kind and inputs of a step -> its output; a text is why it failed."""


class Killed(BaseException):
    """The process dies here."""


class Speaker:
    """A model that answers by the conversation, and remembers what it was asked."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.asked: list[tuple[str, tuple[Message, ...]]] = []

    async def say(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, key: str = ""
    ) -> Reply:
        await asyncio.sleep(0)
        self.asked.append((model.full_name, tuple(messages)))
        told = self.says(messages)
        if isinstance(told, LlmFault):
            raise told
        return Reply(
            text=told,
            model_reported=model.name,
            usage=UsageFacts(input_tokens=100, output_tokens=20),
            total_ms=1.0,
            prompt_sha256="0",
        )

    async def aclose(self) -> None:
        return


@dataclass
class Part:
    """One job that was made for a step."""

    kind: str
    inputs: JsonObject
    title: str
    end: StepEnded | None = None


@dataclass
class World:
    """What outlives a process."""

    folder: Path
    speaker: Speaker
    does: Does
    replies: Mapping[str, str] = field(default_factory=dict)
    """What the person says, by the question's key."""
    endpoints: tuple[Endpoint, ...] = (LOCAL,)
    may_send_text: bool = False
    keys: Mapping[str, str] = field(default_factory=lambda: {"OPENAI_API_KEY": "sk-canary"})
    offers: tuple[Offer, ...] = (
        Offer(worker_id=WORKER, name="anna-pc", is_here=True, is_online=True, kinds=KINDS),
    )
    given: dict[str, str] = field(default_factory=dict)
    asked: list[Asking] = field(default_factory=list)
    """Questions that reached the person."""
    parts: dict[int, Part] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    """Numbers of steps whose work was done, as often as it was."""
    failed: list[int] = field(default_factory=list)
    shown: list[tuple[PlanStage, ShownPlan]] = field(default_factory=list)
    told: list[tuple[str, float, float]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    running: int = 0
    running_max: int = 0
    cancelled: list[int] = field(default_factory=list)
    holds: dict[int, asyncio.Event] = field(default_factory=dict)
    """Numbers of steps that wait for something."""
    doings_left: int | None = None
    """So many doings with the world, and then the process dies."""

    def __post_init__(self) -> None:
        self.files.mkdir(parents=True, exist_ok=True)

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def keys_asked(self) -> list[str]:
        return [asking.key for asking in self.asked]

    async def run(self, task: str = "Do it.", *, tries: int = 0, **inputs: object) -> PlanOutput:
        """Make one attempt, in a process of its own."""
        room = Room(self, tries=tries)
        try:
            return await executor.run(room, PlanInputs.model_validate({"task": task, **inputs}))
        except BaseExceptionGroup as group:
            if group.subgroup(Killed):
                raise Killed from None
            raise
        finally:
            await room.close()

    def touch(self) -> None:
        """Count a doing; die when it was the last."""
        if self.doings_left is not None:
            self.doings_left -= 1
            if self.doings_left < 0:
                raise Killed


@dataclass(eq=False)
class Room:
    """One attempt."""

    world: World
    tries: int = 0
    job_id: JobId = JOB
    kind: str = "plan"
    origin: Origin = Origin.LOCAL
    network: NetworkRules = field(default_factory=NetworkRules)
    code: CodeRules = field(default_factory=CodeRules)
    web: WebRules = field(default_factory=WebRules)
    is_planned: bool = False
    kept: dict[type[Closing], Closing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._allowed = AllowedFolders((self.world.files,))
        self.folders = self._allowed.folders
        self.data_folder = self.world.folder / "data"
        self.workdir = self.workspace = self.world.folder / "jobs" / self.job_id
        for made in (self.data_folder, self.workdir):
            made.mkdir(parents=True, exist_ok=True)
        self.keys = self.world.keys
        self.endpoints = self.world.endpoints
        self.may_send_text = self.world.may_send_text
        self.kept[Health] = Health(look=self._look)
        self.kept[House] = House(lambda: self.keys, self.world.speaker)

    async def _look(self, endpoint: Endpoint, _key: str, _way: Way) -> Look:
        return Look(is_answering=True, models=("gpt-5",) if endpoint is CLOUD else ())

    async def close(self) -> None:
        for kept in reversed(self.kept.values()):
            await kept.aclose()

    def shared(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        if kind not in self.kept:
            self.kept[kind] = make()
        return cast("Kept", self.kept[kind])

    @property
    def offers(self) -> tuple[Offer, ...]:
        return self.world.offers

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        self.world.touch()
        assert 0 <= done <= total
        self.world.told.append((stage, done, total))

    def log(self, line: str) -> None:
        self.world.touch()
        self.world.lines.append(line)

    def show_plan(self, stage: PlanStage, plan: ShownPlan) -> None:
        self.world.touch()
        self.world.shown.append((stage, plan))

    async def ask(self, asking: Asking) -> str:
        world = self.world
        if asking.key not in world.given:
            world.touch()
            world.asked.append(asking)
            assert asking.key in world.replies, f"nobody answers '{asking.key}': {asking.text}"
            value = match(asking, world.replies[asking.key])
            assert value is not None, f"'{world.replies[asking.key]}' answers nothing: {asking}"
            world.given[asking.key] = value
            world.touch()
        await asyncio.sleep(0)
        return world.given[asking.key]

    async def step(self, number: int, kind: str, inputs: JsonObject, *, title: str) -> StepEnded:
        world = self.world
        world.touch()
        part = world.parts.get(number)
        if part is None or (part.end is not None and part.end.state != "succeeded"):
            part = world.parts[number] = Part(kind, inputs, title)
        world.running += 1
        world.running_max = max(world.running_max, world.running)
        try:
            if part.end is None:
                if hold := world.holds.get(number):
                    await hold.wait()
                await asyncio.sleep(0)
                part.end = self._ended(number, part)
        except asyncio.CancelledError:
            world.cancelled.append(number)
            raise
        finally:
            world.running -= 1
        world.touch()
        return part.end

    def _ended(self, number: int, part: Part) -> StepEnded:
        job_id = JobId(f"0199a000-0000-7000-8000-{number:012x}")
        told = self.world.does(part.kind, part.inputs)
        if isinstance(told, str):
            self.world.failed.append(number)
            return StepEnded(job_id=job_id, state="failed", error=told, code="it_failed")
        self.world.done.append(number)
        return StepEnded(job_id=job_id, state="succeeded", output=told, seconds=1.0)

    def find_file(self, name: str) -> Path:
        return self._allowed.find(name)

    def place_file(self, name: str) -> Path:
        raise AssertionError(name)

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        return self._allowed.recent(suffixes, count_max=count_max)

    async def parts(self, kind: str, inputs: JsonObject, indexes: Sequence[int]) -> PartsEnded:
        raise AssertionError("a plan makes steps")

    def follow(self, kind: str, inputs: JsonObject) -> None:
        raise AssertionError("nothing follows a plan")

    def wrote(self, path: Path) -> None:
        raise AssertionError(path)

    def check_sending(self) -> None:
        raise AssertionError

    def send(self, path: Path, *, name: str = "") -> None:
        raise AssertionError(path, name)


def a_world(folder: Path, says: Says, does: Does | None = None, **more: object) -> World:
    return World(folder, Speaker(says), does or well, **more)  # type: ignore[arg-type]


# What models write.


def a_step(name: str, *after: str, kind: str = "llm.ask", **more: object) -> dict[str, object]:
    """Make a step that asks a model, with what the steps before it said."""
    inputs = [
        {"name": "text", "value": None, "from_step": one, "from_output": "text"} for one in after
    ]
    return {
        "id": name,
        "title": f"Do {name}",
        "capability": kind,
        "instructions": f"Say what {name} is.",
        "inputs": inputs,
        "depends_on": list(after),
        "outputs": [{"name": "text", "type": "text"}],
        "success_criteria": [{"kind": "nonempty", "arg": ""}],
        "permission": "read",
        "est_tokens": 500,
        "max_seconds": 60,
        "max_attempts": 1,
        **more,
    }


def a_refactoring(name: str, *after: str, **more: object) -> dict[str, object]:
    """Make a step that changes a repository."""
    inputs = [{"name": "repository", "value": "shop", "from_step": None, "from_output": None}]
    return {
        **a_step(name, kind="code.refactor"),
        "inputs": inputs,
        "depends_on": list(after),
        "outputs": [{"name": "branch", "type": "text"}],
        "permission": "execute",
        **more,
    }


def a_plan(*steps: Mapping[str, object], goal: str = "Do it well.", **more: object) -> str:
    told = {"type": "plan", "goal": goal, "assumptions": [], "steps": list(steps)}
    return json.dumps({"reply": {**told, "final": steps[-1]["id"], **more}})


def clarify(*questions: Mapping[str, object]) -> str:
    told = {"type": "clarify", "questions": list(questions), "why": "It is not clear."}
    return json.dumps({"reply": told})


def a_question(text: str, *choices: str, default: str | None = None) -> dict[str, object]:
    return {"text": text, "choices": list(choices), "default": default}


def is_planning(messages: Sequence[Message]) -> bool:
    return "Capabilities:" in messages[0].text


def is_judging(messages: Sequence[Message]) -> bool:
    return "YES or NO" in messages[0].text


def planner(
    *replies: str | LlmFault, answer: str | LlmFault = "So it is [1].", judge: str = "YES."
) -> Says:
    """Answer planning with these, by how often was planned before, and everything else alike."""
    told: dict[tuple[Message, ...], str | LlmFault] = {}

    def says(messages: Sequence[Message]) -> str | LlmFault:
        if not is_planning(messages):
            return judge if is_judging(messages) else answer
        said = tuple(messages)
        if said not in told:
            told[said] = replies[min(len(told), len(replies) - 1)]
        return told[said]

    return says


def well(kind: str, inputs: JsonObject) -> JsonObject:
    """Do any step well."""
    usage: JsonObject = {"input_tokens": 50, "output_tokens": 10}
    if kind.startswith("code."):
        return {"headline": "Refactored.", "branch": "deskhand/x", "usage": usage, "cost_usd": 0}
    said = f"Said: {str(inputs.get('question', ''))[:40]}"
    return {"headline": "Answered.", "text": said, "usage": usage, "cost_usd": 0.0}
