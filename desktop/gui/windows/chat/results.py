"""Finds the files of results on this computer, and offers what can be done with models and runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from shiboken6 import isValid

from desktop.desk.models import Detail, Models
from desktop.desk.runs import Detail as RunDetail
from desktop.desk.runs import Runs
from desktop.gui.bridge import Bridge
from desktop.gui.chart_view import ChartView
from desktop.gui.language import tr
from desktop.gui.style import Style
from desktop.gui.windows.chat.bubble_view import BubbleView
from desktop.gui.windows.chat.places import locate
from desktop.gui.windows.chat.result_view import ResultView
from desktop.store import copied
from desktop.store.threads import Talk
from shared.ids import JobId
from shared.kinds import JsonObject
from shared.plain_text import plain_line

FILE_KEYS = ("file",)
"""Inputs and questions whose value names the file that a job works on."""


PLOTS_FIRST = ("importance", "confusion", "predicted_true")
"""The plots that say most, the best one first."""


class Results:
    """Looks once for each bubble; a bubble that was made anew is looked for again."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        self._bridge = bridge
        self._style = style
        self._placed: set[int] = set()

    def place(self, views: tuple[BubbleView, ...], talk: Talk) -> None:
        """Give the results in these bubbles their buttons."""
        alive = {id(view) for view in views}
        self._placed &= alive
        for view in views:
            job_id = view.bubble.job_id
            if view.result is None or job_id is None or id(view) in self._placed:
                continue
            self._placed.add(id(view))
            if self._ran_here(job_id, talk):
                self._find(view, job_id)

    def _ran_here(self, job_id: JobId, talk: Talk) -> bool:
        here = self._bridge.desk.pairing
        job = next((job for job in talk.jobs if job.job_id == job_id), None)
        return here is not None and job is not None and job.worker_id == here.worker_id

    def _find(self, view: BubbleView, job_id: JobId) -> None:
        def found(told: tuple[dict[str, Path], JsonObject]) -> None:
            files, result = told
            if view.result is None or not isValid(view):
                return  # it was scrolled away meanwhile
            view.result.place(files)
            if model_id := _model_of(result):
                self._show_model(view.result, model_id)
            if run_id := _run_of(result):
                self._show_run(view.result, run_id)

        names = view.result.file_names if view.result else ()
        self._bridge.do(self._look(job_id, names), then=found)

    def _show_model(self, result: ResultView, model_id: str) -> None:
        """Show the plot that says most, and the way to all of them."""

        def found(detail: Detail) -> None:
            if not isValid(result):
                return
            name = plain_line(detail.manifest.name)
            best = min(detail.plots, key=_rank, default=None)
            if best is not None:
                result.add(ChartView(self._style, detail.plots[best], name))
            result.offer(tr("Open the model"), lambda: self._bridge.opened.emit("models", model_id))

        shelf = Models(self._bridge.desk.paths.models)
        # A model that was removed since has nothing to show, and that is no fault.
        self._bridge.do(shelf.detail(model_id), then=found, failed=lambda _error: None)

    def _show_run(self, result: ResultView, run_id: str) -> None:
        """Show the plot that says most, and the way to all that was said."""

        def found(detail: RunDetail) -> None:
            if not isValid(result):
                return
            for picture in detail.plots[:1]:
                result.add(ChartView(self._style, picture.plot, picture.subtitle))
            result.offer(tr("Open the run"), lambda: self._bridge.opened.emit("runs", run_id))

        paths = self._bridge.desk.paths
        # A run that was purged since has nothing to show, and that is no fault.
        self._bridge.do(
            Runs(paths.data, paths.runs).detail(run_id), then=found, failed=lambda _error: None
        )

    async def _look(
        self, job_id: JobId, names: tuple[str, ...]
    ) -> tuple[dict[str, Path], JsonObject]:
        desk = self._bridge.desk
        job = await desk.look(lambda c: copied.job(c, job_id))
        asked = await desk.look(lambda c: copied.questions(c, job_id))
        hints = [row.value for row in asked if row.asking.key in FILE_KEYS and row.value]
        if job is not None:
            hints += [v for key in FILE_KEYS if isinstance(v := job.inputs.get(key), str)]
        files = await asyncio.to_thread(locate, names, hints, desk.policy.folders) if names else {}
        return files, (job.result if job else None) or {}


def _rank(name: str) -> tuple[int, str]:
    is_first = name in PLOTS_FIRST
    return (PLOTS_FIRST.index(name) if is_first else len(PLOTS_FIRST), name)


def _run_of(result: JsonObject) -> str:
    """Tell which run these are the statistics of."""
    run = result.get("run")
    return run if isinstance(run, str) and "wins" in result else ""


def _model_of(result: JsonObject) -> str:
    model = result.get("model")
    found = model.get("model_id") if isinstance(model, dict) else None
    return found if isinstance(found, str) else ""
