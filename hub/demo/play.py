"""The play: which programs start, what is said, what goes wrong, and what came of it."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from hub.core.view import Tone, View
from hub.demo.actor import Actor
from hub.demo.programs import DemoFailed
from hub.demo.stage import START_SECONDS, WORKER, Stage
from hub.frontends.console_client import open_chat
from shared.api.client import Client
from shared.api.jobs import JobShown
from shared.api.parts import PAGE_MAX

TRAIN_SECONDS = 60.0
PREDICT_SECONDS = 45.0
RECOVERY_SECONDS = 90.0
FIRST_BUDGET = "10s"
SECOND_BUDGET = "8s"
LINES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Samples:
    """The bundled table, as the worker's own command laid it down."""

    folder: Path
    training: Path
    new_rows: Path

    @property
    def target(self) -> str:
        """The column to predict: the one that the new rows lack."""
        known = set(_header(self.new_rows))
        return next(column for column in _header(self.training) if column not in known)


@dataclass(slots=True)
class Play(Stage):
    """One performance."""

    async def perform(self) -> dict[str, JsonValue]:
        """Play all scenes; return the summary."""
        await self.start_hub()
        samples = await self._lay_out_samples()
        async with (
            open_chat(self.hub_url, self.admin_key) as chat,
            Actor(chat, self.transcript) as anna,
        ):
            await self.pair(anna, samples.folder)
            await self.connect_worker()
            await self._train_and_predict(anna, samples)
            await self._lose_worker(anna, samples)
        return self._summary(Client(self.hub_url, self.admin_key))

    async def _lay_out_samples(self) -> Samples:
        folder = self.folder / "files"
        printed = await self.programs.run("desktop", ["samples", str(folder)], START_SECONDS)
        paths = [Path(line) for line in printed.splitlines() if line.endswith(".csv")]
        if len(paths) < 2:
            raise DemoFailed("The worker's samples command named no files.")
        self.transcript.note(f"The person's files: {', '.join(p.name for p in paths)} in {folder}.")
        return Samples(folder, paths[0], paths[1])

    async def _train_and_predict(self, anna: Actor, samples: Samples) -> None:
        """One sentence goes through hub and worker and comes back as a model."""
        await anna.say("/workers")
        await anna.say(f"/train budget={FIRST_BUDGET}")
        await anna.answer_until_done(
            {samples.training.name, samples.target}, TRAIN_SECONDS + START_SECONDS
        )
        await anna.say("/predict")
        await anna.answer_until_done({samples.new_rows.name}, PREDICT_SECONDS)
        self._show_result(samples)
        await anna.say("/models")
        await anna.until_final(START_SECONDS)

    def _show_result(self, samples: Samples) -> None:
        """Show the first lines of the file that the prediction wrote beside its input."""
        written = [p for p in samples.folder.glob("*.csv") if "prediction" in p.name]
        if not written:
            raise DemoFailed("The prediction wrote no file beside its input.")
        self.transcript.note(f"{written[0].name}:")
        with written[0].open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row, _ in zip(csv.reader(file), range(LINES_SHOWN), strict=False)]
        for line in _columns_shown(rows):
            self.transcript.note(f"  {line}")

    async def _lose_worker(self, anna: Actor, samples: Samples) -> None:
        """The worker dies in the middle of a job; the job must not."""
        await anna.say(f"/train {samples.training.name} {samples.target} budget={SECOND_BUDGET}")
        await anna.until(_is_under_way, START_SECONDS, "The second training did not start.")
        self.transcript.note("The worker is killed now (SIGKILL), in the middle of the training.")
        await self.programs.kill(WORKER)
        self.transcript.note("$ deskhand --headless    starts it again.")
        self.start_worker()
        await anna.until(_is_again, RECOVERY_SECONDS, "Nobody said that training starts again.")
        final = await anna.until_final(RECOVERY_SECONDS)
        if final.tone is not Tone.DONE:
            raise DemoFailed("The second training did not succeed.")

    def tell(self, summary: dict[str, JsonValue]) -> None:
        """Write the last words."""
        model = summary["model"]
        assert isinstance(model, dict)
        self.transcript.note("")
        self.transcript.note(
            f"{summary['tasks']} tasks, {summary['questions']} questions, {summary['answers']} "
            f"answers in {summary['seconds']} s."
        )
        self.transcript.note(
            f"A model of {model['target']} with {model['metric']} "
            f"{float(str(model['score'])):.2f}, {summary['predicted_rows']} rows predicted, one "
            "killed worker recovered."
        )
        self.transcript.note(
            "The files never left their folder; hub, worker and folder are gone again."
        )

    def _summary(self, rest: Client) -> dict[str, JsonValue]:
        """Count what happened, from the hub's own records."""
        jobs = rest.list_jobs(limit=PAGE_MAX).jobs
        events = {
            job.job_id: [event.type for event in rest.get_job_events(job.job_id).events]
            for job in jobs
        }
        types = [name for listed in events.values() for name in listed]
        trained = [job for job in jobs if job.kind == "ml.train" and job.result]
        predicted = [job for job in jobs if job.kind == "ml.predict" and job.result]
        again = events[trained[0].job_id] if trained else []
        first = _fact(trained[-1], "model") if trained else None
        recovered = again.count("job_granted") > 1 and again.count("job_succeeded") == 1
        if len(trained) < 2 or not predicted or not recovered:
            raise DemoFailed("The hub's records do not show two models, a prediction, a recovery.")
        assert isinstance(first, dict)
        return {
            "ok": True,
            "seconds": round(time.monotonic() - self.started_at, 1),
            "tasks": len({job.task_id for job in jobs}),
            "questions": types.count("question_asked"),
            "answers": types.count("question_answered"),
            "model": {name: first[name] for name in ("target", "metric", "score")},
            "predicted_rows": _fact(predicted[0], "rows"),
            "recovered": recovered,
        }


def _is_under_way(view: View) -> bool:
    """Training proper has begun: the file is read, and some of the work is done."""
    progress = view.progress
    return progress is not None and progress.done > 0 and not progress.stage.startswith("reading")


def _is_again(view: View) -> bool:
    return "again from the start" in view.text


def _fact(job: JobShown, name: str) -> JsonValue:
    return job.result.get(name) if job.result else None


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def _columns_shown(rows: Sequence[Sequence[str]]) -> list[str]:
    """The last columns, which are the predicted ones, after the first few, in line."""
    narrow = [[*row[:3], "…", *row[-3:]] if len(row) > 7 else list(row) for row in rows]
    widths = [max(len(row[i]) for row in narrow) for i in range(len(narrow[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in narrow
    ]
