"""The play of a coding job: a bug, an agent in its sandbox, a question, a decision, a branch.

The model is a small server that knows this one repair by heart, so neither a key nor a network is
needed; all else is what a person's own work orders meet.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from hub.core.view import Tone, View
from hub.demo.actor import Actor
from hub.demo.programs import DemoFailed, free_port
from hub.demo.stage import START_SECONDS, WORKER, Stage
from hub.frontends.console_client import open_chat
from shared.api.client import Client
from shared.api.jobs import JobShown
from shared.api.parts import PAGE_MAX
from shared.kinds.code import CodeOutput

SAMPLES = "desktop.jobs.code.samples"
MODEL = "model"
WORK_SECONDS = 60.0
GIT_SECONDS = 20.0
DELIVERS = "Only push"
ENDPOINT = """
[[llm.endpoints]]
name = "demo"
base_url = "http://127.0.0.1:{port}/v1"
models = ["{model}"]

[code]
model = "demo:{model}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The repository with a bug, as the worker's own command made it."""

    folder: Path
    remote: Path
    instructions: str
    question: str
    answer: str
    model: str


@dataclass(slots=True)
class CodePlay(Stage):
    """One performance."""

    _model_port: int = field(init=False, default_factory=free_port)

    async def perform(self) -> dict[str, JsonValue]:
        """Play all scenes; return the summary."""
        _check_programs()
        sample = await self._lay_out_sample()
        self._start_model()
        await self.start_hub()
        async with (
            open_chat(self.hub_url, self.admin_key) as chat,
            Actor(chat, self.transcript) as anna,
        ):
            await self.pair(anna, sample.folder.parent)
            self._allow_model(sample.model)
            await self.connect_worker()
            await self._order(anna, sample)
            await self._decide(anna)
        return await self._summary(Client(self.hub_url, self.admin_key), sample)

    # What there is before anybody says a word.

    async def _lay_out_sample(self) -> Sample:
        printed = await self.programs.run(
            SAMPLES, ["build", str(self.folder / "files")], START_SECONDS
        )
        told = json.loads(printed)
        sample = Sample(
            folder=Path(told["repository"]),
            remote=Path(told["remote"]),
            instructions=told["instructions"],
            question=told["question"],
            answer=told["answer"],
            model=told["model"],
        )
        self.transcript.note(
            f"A program with a bug: {sample.folder}. {told['failed']} of its "
            f"{told['failed'] + told['passed']} tests are red. Its origin is a bare repository "
            "beside it."
        )
        return sample

    def _start_model(self) -> None:
        self.programs.start(MODEL, SAMPLES, ["model", str(self._model_port)])
        self.transcript.note(
            "A language model of this machine: a script that knows this one repair by heart."
        )

    def _allow_model(self, model: str) -> None:
        """Write down what the machine's owner would: which model agents ask."""
        rules = ENDPOINT.format(port=self._model_port, model=model)
        with (self.folder / WORKER / "policy.toml").open("a", encoding="utf-8") as policy:
            policy.write(rules)
        self.transcript.note(f'Its owner\'s rules: [code] model = "demo:{model}"')

    # What is said.

    async def _order(self, anna: Actor, sample: Sample) -> None:
        """A work order; the agent asks what the code does not tell, and goes on."""
        await anna.say(f"/fix {sample.folder} {sample.instructions}")
        await self._until_asked(anna, sample.question)
        self.transcript.note("The agent has read the program and run its tests.")
        await anna.say(sample.answer)

    async def _decide(self, anna: Actor) -> None:
        """The change is looked at before it may leave the sandbox."""
        asked = await self._until_asked(anna, "It wants to push")
        shows = next((b.says for b in asked.buttons if b.says.startswith("/diff ")), "")
        if not shows:
            raise DemoFailed("The question does not offer the change.")
        await anna.say(shows)
        await anna.until(lambda view: "diff --git" in view.text, START_SECONDS, "No diff came.")
        await anna.say(DELIVERS)
        final = await anna.until_final(WORK_SECONDS)
        if final.tone is not Tone.DONE:
            raise DemoFailed(final.text)

    async def _until_asked(self, anna: Actor, words: str) -> View:
        """Wait for a question with these words.

        Raises:
            DemoFailed: the job ended instead, or nothing came in time.
        """

        def is_it(view: View) -> bool:
            return view.final or (view.tone is Tone.ASKING and words in view.text)

        view = await anna.until(is_it, WORK_SECONDS, "The agent did not get to its question.")
        if view.final:
            raise DemoFailed(view.text)
        return view

    # What came of it.

    async def _summary(self, rest: Client, sample: Sample) -> dict[str, JsonValue]:
        """Read the result from the hub, and the branch from the repository it was pushed to."""
        output, fixed = _output(rest)
        log = await _git(sample.remote, "log", "--oneline", "--no-color", "--all")
        self.transcript.note("")
        self.transcript.note(f"$ git -C {sample.remote.name} log --oneline --all")
        for line in log.splitlines():
            self.transcript.note(f"  {line}")
        commit = (await _git(sample.remote, "rev-parse", output.branch)).strip()
        before, after = output.tests_before, output.tests_after
        if commit != output.commit or before is None or after is None or not after.is_good:
            raise DemoFailed("The branch in the repository is not what the job told of.")
        types = [event.type for event in rest.get_job_events(fixed.job_id).events]
        return {
            "ok": True,
            "seconds": round(time.monotonic() - self.started_at, 1),
            "branch": output.branch,
            "commit": commit,
            "questions": types.count("question_asked"),
            "answers": types.count("question_answered"),
            "tests": {
                "failed_before": before.failed, "passed": after.passed, "failed": after.failed,
            },
            "sandbox": output.sandbox,
            "job_seconds": output.seconds,
        }  # fmt: skip

    def tell(self, summary: dict[str, JsonValue]) -> None:
        """Write the last words."""
        tests = summary["tests"]
        assert isinstance(tests, dict)
        box = summary["sandbox"]
        where = "without a sandbox" if box in ("", "none") else f"in a sandbox ({box})"
        self.transcript.note("")
        self.transcript.note(
            f"One bug mended {where}: {tests['failed_before']} red tests before, "
            f"{tests['passed']} green ones after, {summary['questions']} questions answered, "
            f"{summary['seconds']} s in all."
        )
        self.transcript.note(
            "Nothing left this machine; hub, worker, model and folder are gone again."
        )


def _check_programs() -> None:
    if shutil.which("git") is None:
        raise DemoFailed("Coding jobs need git. Install it (`apt install git`) and try again.")


def _output(rest: Client) -> tuple[CodeOutput, JobShown]:
    for job in rest.list_jobs(limit=PAGE_MAX).jobs:
        if job.kind == "code.bugfix" and job.result:
            return CodeOutput.model_validate(job.result), job
    raise DemoFailed("The hub knows of no work order that ended.")


async def _git(repository: Path, *words: str) -> str:
    """Look into the repository that was pushed to."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    ran = await asyncio.to_thread(
        subprocess.run,
        ["git", "-C", str(repository), *words],
        env=env,
        capture_output=True,
        timeout=GIT_SECONDS,
        check=False,
    )
    if ran.returncode != 0:
        raise DemoFailed(ran.stderr.decode(errors="replace").strip())
    return ran.stdout.decode(errors="replace")
