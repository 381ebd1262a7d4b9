"""Plays the examples: a hub, a worker, a model and a site as programs, and a person in the chat."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from desktop.jobs.code.samples.building import build, git
from hub.core.view import Tone, View
from hub.demo.actor import Actor
from hub.demo.programs import DemoFailed, free_port
from hub.demo.stage import WORKER, Stage
from hub.frontends.console_client import open_chat
from shared.api.client import Client
from shared.api.parts import PAGE_MAX
from shared.kinds.plan import PLAN, PlanOutput
from shared.plan import ShownPlan
from tests.examples.example import Example

WORK_SECONDS = 90.0
POLICY = """
[[llm.endpoints]]
name = "demo"
base_url = "http://127.0.0.1:{model}/v1"
models = ["scripted"]

[code]
model = "demo:scripted"

[web]
search = "searxng"
searxng_url = "http://127.0.0.1:{site}"
private_hosts = ["127.0.0.1"]
browser = false
pause_seconds = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of one example, without what is another each time."""

    example: Example
    said: tuple[tuple[str, str], ...]
    """Questions as the chat showed them, and what was said to them."""
    plan: ShownPlan
    """As it was shown for approval."""
    output: PlanOutput
    documents: dict[str, str]
    """Files that came to be in the folder, and branches as diffs."""


@dataclass(slots=True)
class ExamplesPlay(Stage):
    """One performance of several examples, one after the other."""

    played: list[Played] = field(init=False, default_factory=list)
    _model: int = field(init=False, default_factory=free_port)
    _site: int = field(init=False, default_factory=free_port)

    async def perform(self, examples: tuple[Example, ...]) -> None:
        self._files.mkdir(parents=True)
        for example in examples:
            self._lay_out(example)
        self.programs.start("model", "tests.examples", ["model", str(self._model)])
        self.programs.start("site", "tests.examples", ["site", str(self._site)])
        await self.start_hub()
        async with (
            open_chat(self.hub_url, self.admin_key) as chat,
            Actor(chat, self.transcript) as anna,
        ):
            await self.pair(anna, self._files)
            with (self.folder / WORKER / "policy.toml").open("a", encoding="utf-8") as policy:
                policy.write(POLICY.format(model=self._model, site=self._site))
            await self.connect_worker()
            for example in examples:
                self.played.append(await self._play(anna, example))

    @property
    def _files(self) -> Path:
        return self.folder / "files"

    def _lay_out(self, example: Example) -> None:
        for name, text in example.files.items():
            (self._files / name).write_text(text, encoding="utf-8", newline="\n")
        if example.repository:
            build(self._files, example.repository_name, example.repository)

    async def _play(self, anna: Actor, example: Example) -> Played:
        before = {path.name for path in self._files.iterdir()}
        await anna.say(example.task)
        said = [
            (await self._asked(anna, words), await self._answered(anna, reply))
            for words, reply in example.answers
        ]
        final = await anna.until_final(WORK_SECONDS)
        if final.tone is not Tone.DONE:
            raise DemoFailed(final.text)
        rest = Client(self.hub_url, self.admin_key)
        job = next(
            job
            for job in rest.list_jobs(limit=PAGE_MAX).jobs
            if job.kind == PLAN and job.inputs.get("task") == example.task
        )
        shown = [
            ShownPlan.model_validate(event.body["plan"])
            for event in rest.get_job_events(job.job_id).events
            if event.type == "job_planned" and event.body.get("stage") == "proposed"
        ]
        documents = {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(self._files.iterdir())
            if path.name not in before and path.is_file()
        }
        return Played(
            example=example,
            said=tuple((self._stable(asked), reply) for asked, reply in said),
            plan=shown[-1],
            output=PlanOutput.model_validate(job.result),
            documents=documents | self._branches(example),
        )

    async def _asked(self, anna: Actor, words: str) -> str:
        def is_it(view: View) -> bool:
            return view.final or (view.tone is Tone.ASKING and words in view.text)

        view = await anna.until(is_it, WORK_SECONDS, f"Nobody asked “{words}”.")
        if view.final:
            raise DemoFailed(view.text)
        return view.text

    async def _answered(self, anna: Actor, reply: str) -> str:
        await anna.say(reply)
        return reply

    def _branches(self, example: Example) -> dict[str, str]:
        """Return the one branch that was pushed to the example's remote, as a diff."""
        if not example.repository:
            return {}
        remote = self._files / f"{example.repository_name}.git"
        names = git(remote, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        [pushed] = [name for name in names if name != "main"]
        return {"change.diff": git(remote, "diff", "--no-color", f"main...{pushed}")}

    def _stable(self, text: str) -> str:
        """Take out of a text what is another each time."""
        text = text.replace(str(self.folder), "…")
        text = re.sub(r"\bdeskhand/[\w.-]+", "deskhand/…", text)
        text = re.sub(r"#[0-9A-Z]{4}\b", "#…", text)
        text = text.replace(" in its sandbox", "")  # not every machine has one
        return text.replace(f"http://127.0.0.1:{self._site}", "http://parliament.sample")

    def stable(self, played: Played) -> Played:
        """Return it as any other performance would have it."""
        told = self._stable(played.output.model_dump_json())
        output = PlanOutput.model_validate_json(told)
        return Played(
            example=played.example,
            said=played.said,
            plan=played.plan,
            output=output,
            documents=played.documents,
        )
