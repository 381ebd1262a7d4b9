"""The play of a task in plain words: one question, a plan, a yes, four steps, a cited answer.

The model is a small server that knows this one task by heart, so neither a key nor a network is
needed; all else is what a person's own tasks meet.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from pydantic import JsonValue

from hub.core.view import Tone, View
from hub.demo.actor import Actor
from hub.demo.programs import DemoFailed, free_port
from hub.demo.stage import START_SECONDS, WORKER, Stage
from hub.frontends.console_client import open_chat
from shared.api.client import Client
from shared.api.jobs import JobShown
from shared.api.parts import PAGE_MAX
from shared.kinds.plan import PLAN, PlanOutput

SAMPLES = "desktop.jobs.plan.samples"
MODEL = "model"
WORK_SECONDS = 60.0
YES = "Go"
ENDPOINT = """
[[llm.endpoints]]
name = "demo"
base_url = "http://127.0.0.1:{port}/v1"
models = ["{model}"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The task and its files, as the worker's own command laid them down."""

    task: str
    question: str
    answer: str
    artifact: str
    """Name of the document that comes of it."""
    files: tuple[str, ...]
    model: str


@dataclass(slots=True)
class PlanPlay(Stage):
    """One performance."""

    _model_port: int = field(init=False, default_factory=free_port)

    async def perform(self) -> dict[str, JsonValue]:
        """Play all scenes; return the summary."""
        sample = await self._lay_out_sample()
        self.programs.start(MODEL, SAMPLES, ["model", str(self._model_port)])
        self.transcript.note(
            "A language model of this machine: a script that knows this one task by heart."
        )
        await self.start_hub()
        async with (
            open_chat(self.hub_url, self.admin_key) as chat,
            Actor(chat, self.transcript) as anna,
        ):
            await self.pair(anna, self.folder / "files")
            self._allow_model(sample.model)
            await self.connect_worker()
            await anna.say(sample.task)
            await self._until_asked(anna, sample.question)
            await anna.say(sample.answer)
            await self._until_asked(anna, "Plan (")
            await anna.say(YES)
            final = await anna.until_final(WORK_SECONDS)
            if final.tone is not Tone.DONE:
                raise DemoFailed(final.text)
        return self._summary(Client(self.hub_url, self.admin_key), sample)

    async def _lay_out_sample(self) -> Sample:
        printed = await self.programs.run(
            SAMPLES, ["build", str(self.folder / "files")], START_SECONDS
        )
        told = json.loads(printed)
        sample = Sample(**{**told, "files": tuple(told["files"])})
        self.transcript.note(f"Files of a made-up company: {', '.join(sample.files)}.")
        return sample

    def _allow_model(self, model: str) -> None:
        """Write down what the machine's owner would: where a model answers."""
        rules = ENDPOINT.format(port=self._model_port, model=model)
        with (self.folder / WORKER / "policy.toml").open("a", encoding="utf-8") as policy:
            policy.write(rules)
        self.transcript.note(f'Its owner\'s rules: a model at "demo:{model}", on this machine.')

    async def _until_asked(self, anna: Actor, words: str) -> View:
        """Wait for a question with these words.

        Raises:
            DemoFailed: the job ended instead, or nothing came in time.
        """

        def is_it(view: View) -> bool:
            return view.final or (view.tone is Tone.ASKING and words in view.text)

        view = await anna.until(is_it, WORK_SECONDS, "The task did not get to its question.")
        if view.final:
            raise DemoFailed(view.text)
        return view

    # What came of it.

    def _summary(self, rest: Client, sample: Sample) -> dict[str, JsonValue]:
        """Read the result from the hub, and the document from the folder."""
        output, job = _output(rest)
        document = self.folder / "files" / sample.artifact
        if not document.is_file():
            raise DemoFailed(f"There is no {sample.artifact} in the folder.")
        self.transcript.note("")
        self.transcript.note(f"$ cat '{sample.artifact}'")
        for line in document.read_text(encoding="utf-8").splitlines():
            self.transcript.note(f"  {line}")
        types = [event.type for event in rest.get_job_events(job.job_id).events]
        return {
            "ok": True,
            "seconds": round(time.monotonic() - self.started_at, 1),
            "steps": len(output.steps),
            "done": sum(step.state == "done" for step in output.steps),
            "questions": types.count("question_asked"),
            "sources": len(output.sources),
            "files": list(output.files),
            "job_seconds": round(output.seconds, 2),
        }

    def tell(self, summary: dict[str, JsonValue]) -> None:
        """Write the last words."""
        self.transcript.note("")
        self.transcript.note(
            f"One task in plain words: {summary['questions']} questions answered, "
            f"{summary['done']} of {summary['steps']} steps done, an answer with "
            f"{summary['sources']} sources, {summary['seconds']} s in all."
        )
        self.transcript.note(
            "Nothing left this machine; hub, worker, model and folder are gone again."
        )


def _output(rest: Client) -> tuple[PlanOutput, JobShown]:
    for job in rest.list_jobs(limit=PAGE_MAX).jobs:
        if job.kind == PLAN and job.result:
            return PlanOutput.model_validate(job.result), job
    raise DemoFailed("The hub knows of no plan that ended.")
