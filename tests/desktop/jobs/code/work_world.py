"""Whole coding jobs in a test: the till as a repository, a scripted model, a real sandbox and git.

Only the person is played: answers are given by the beginning of what is asked.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint
from desktop.jobs.code import work
from desktop.jobs.code.samples import till
from desktop.jobs.code.samples.building import SampleRepository, build
from desktop.jobs.code.state import State, StateFile
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds.code import CodeInputs, CodeOutput
from shared.questions import Asking, match
from tests.desktop.jobs.fake_shared import FakeShared, shared_of
from tests.llm_servers.scripted import ScriptedModel, running

MODEL = "local:scripted"
SUITE = "python3 -m unittest discover -s tests -t ."
"""Starts faster than pytest."""
FIX = till.STEPS
"""What mends the till's bug, with its question."""


@dataclass
class PlayedPerson:
    """Answers by the beginning of a question's text; remembers what was asked."""

    answers: Mapping[str, str] = field(default_factory=dict)
    asked: list[Asking] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)
    """By key, as the worker gives them to each attempt of a job."""
    is_left: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody asks what nobody answers."""

    async def ask(self, asking: Asking) -> str:
        await asyncio.sleep(0)
        if asking.key in self.given:
            return self.given[asking.key]
        self.asked.append(asking)
        for words, reply in self.answers.items():
            if words in asking.text:
                value = match(asking, reply)
                assert value is not None, f"{reply!r} answers nothing: {asking}"
                self.given[asking.key] = value
                return value
        self.is_left.set()
        await asyncio.Event().wait()  # until the job is stopped
        raise AssertionError

    def texts(self, words: str = "") -> list[str]:
        return [asking.text for asking in self.asked if words in asking.text]


@dataclass
class World:
    """A machine with one repository and one model."""

    folder: Path
    model: ScriptedModel
    repository: SampleRepository
    rules: CodeRules = field(default_factory=lambda: CodeRules(model=MODEL))
    contexts: list[FakeShared] = field(default_factory=list)

    def context(
        self,
        kind: str,
        person: PlayedPerson,
        *,
        number: int = 1,
        origin: Origin = Origin.LOCAL,
        session: str = "",
    ) -> FakeShared:
        """Return the door of a job; the same number is the same job, in another attempt."""
        context = shared_of(self.folder, endpoints=(self.endpoint,))
        context.kind = kind
        context.job_id = JobId(f"01900000-0000-7000-8000-{number:012d}")
        context.origin = origin
        context.code = self.rules
        context.data_folder = self.folder / "data"
        context.workdir = self._made(f"workdir-{number}")
        context.workspace = self._made(session) if session else context.workdir
        context.ask = person.ask  # type: ignore[method-assign]
        self.contexts.append(context)
        return context

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            name="local", base_url=self.model.openai_url, is_local=True, models=("scripted",)
        )

    async def run(
        self,
        kind: str,
        person: PlayedPerson,
        *,
        number: int = 1,
        origin: Origin = Origin.LOCAL,
        session: str = "",
        **inputs: object,
    ) -> CodeOutput:
        told = {
            "repository": str(self.repository.folder),
            "instructions": till.INSTRUCTIONS,
            "test_command": SUITE,
            **inputs,
        }
        context = self.context(kind, person, number=number, origin=origin, session=session)
        try:
            return await work.run(context, CodeInputs.model_validate(told))
        finally:
            await context.aclose()

    async def stopped(self, kind: str, person: PlayedPerson, **more: Any) -> None:
        """Run a job until nobody answers, and stop it there, as at a kill."""
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self.run(kind, person, **more))
            leaving = group.create_task(person.is_left.wait())
            done, _ = await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED)
            assert leaving in done, running.result()
            running.cancel()

    def state(self, number: int = 1) -> State:
        return StateFile(self.folder / f"workdir-{number}").now

    def branches(self) -> dict[str, str]:
        """Return the remote's branches besides the one that was there."""
        found = self.repository.branches()
        del found["main"]
        return found

    def take_name_of_branches(self) -> None:
        """Have a branch stand where the folder of our own would be: every push is refused."""
        self._git("update-ref", "refs/heads/deskhand", "refs/heads/main")

    def give_name_of_branches(self) -> None:
        self._git("update-ref", "-d", "refs/heads/deskhand")

    def _git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.repository.remote), *words], check=True)

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder


@contextmanager
def world_of(
    folder: Path,
    steps: Sequence[Mapping[str, object]],
    files: Mapping[str, str] = till.FILES,
) -> Iterator[World]:
    """Make a world whose model does these steps."""
    allowed = folder / "files"
    allowed.mkdir()
    with running() as model:
        model.script(*steps)
        yield World(folder, model, build(allowed, till.NAME, files))
