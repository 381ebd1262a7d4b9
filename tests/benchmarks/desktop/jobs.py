"""How quick the Jobs window is over 20,000 jobs and 1,000,000 lines: run with `python -m`.

Everything is real: the store is made by applying events, the window reads it as in the program,
and the flood of lines is written by the same process while the window follows it. Times are of
the wall clock, from what a person does to the painted answer.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import qasync
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows import jobs
from desktop.gui.windows.jobs.job_model import JobModel
from desktop.gui.windows.jobs.log_pane import LogPane
from desktop.gui.windows.jobs.window import JobsWindow
from desktop.store import copies
from desktop.store.copied_list import Order, Shelf
from shared.errors import ErrorBody
from shared.events import (
    AttemptBody,
    Event,
    EventBody,
    JobFailed,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    TaskCreated,
    WorkerPaired,
    write_event,
)
from shared.ids import JobId, PersonId, TaskId, WorkerId
from shared.messages import Numbered
from tests.desktop.gui.world import PaperDesk, open_desk

START = datetime(2026, 11, 1, tzinfo=UTC)
WORKERS = {WorkerId(f"01900000-0000-7000-8000-0000000000{n:02d}"): f"pc-{n}" for n in range(10, 15)}
KINDS = ("ml.train", "ml.predict", "data.describe", "files.send")
WORDS = (
    *("loading", "epoch", "loss", "accuracy", "fold", "model", "column", "churn", "customer"),
    *("predict", "training", "reading", "parsing", "warning", "timeout", "retry", "saved"),
    *("file", "rows", "seconds", "gradient", "tree", "depth", "split"),
)
ERROR = ErrorBody(code="no", message="The file is gone.", hint="Choose another.")
BIG_JOB_SHARE = 0.2
"""Of all lines stand in one job's log."""
TAIL_LINES_A_SECOND = 5000
TAIL_SECONDS = 6
OPENS = 5
TICK_MS = 4
"""The stopwatch of the UI thread; what comes later than this is a stall."""


def job_id(number: int) -> JobId:
    return JobId(f"01900000-0000-7000-8000-{number:012d}")


def lines(number: int, count: int) -> tuple[str, ...]:
    pick = random.Random(number)
    return tuple(
        f"{pick.choice(WORDS)} {pick.choice(WORDS)} {pick.randrange(10**6)} of"
        f" {pick.random():.4f} {pick.choice(WORDS)} step {n % 5000}"
        for n in range(count)
    )


def story(number: int, line_count: int) -> Iterator[EventBody]:
    """One job's events, from queue to end."""
    one, task = job_id(number), TaskId(job_id(number))
    title = f"{WORDS[number % len(WORDS)]} sales_{number}.csv"
    kind = KINDS[number % len(KINDS)]
    yield TaskCreated(task_id=task, person_id=PersonId("p"), text=f"please {title}")
    yield JobQueued(job_id=one, task_id=task, kind=kind, title=title, attempt=1)
    if number % 50 == 7:
        return
    yield JobStarted(job_id=one, attempt=1, fence=1)
    for first in range(0, line_count, 200):
        count = min(200, line_count - first)
        yield JobLogged(job_id=one, attempt=1, fence=1, lines=lines(number + first, count))
    if number % 9 == 4:
        yield JobFailed(job_id=one, attempt=1, fence=1, error=ERROR)
    elif number % 100 != 1:
        result = {"headline": f"AUC 0.{number % 100:02d}"}
        yield JobSucceeded(job_id=one, attempt=1, fence=1, result=result, running_seconds=3.5)


async def fill(desk: PaperDesk, job_count: int, line_count: int) -> float:
    """Make the store; return the lines that were taken in a second."""
    names = list(WORKERS)
    big = round(line_count * BIG_JOB_SHARE)
    each = (line_count - big) // job_count
    began = time.perf_counter()
    for first in range(0, job_count, 200):
        at = START + timedelta(minutes=first)
        bodies: list[tuple[str, EventBody]] = []
        if first == 0:
            bodies += [("hub", WorkerPaired(worker_id=w, name=n)) for w, n in WORKERS.items()]
        for number in range(first, min(first + 200, job_count)):
            count = big if number == job_count // 2 else each
            device = names[number % len(names)]
            bodies += [
                (device if isinstance(body, AttemptBody) else "hub", body)
                for body in story(number, count)
            ]
        events = [
            write_event(body, device=device, epoch=first, seq=n, at=at + timedelta(seconds=n / 100))
            for n, (device, body) in enumerate(bodies, start=1)
        ]
        await desk.database.write(partial(take, events))
    return line_count / (time.perf_counter() - began)


def take(events: list[Event], connection: sqlite3.Connection) -> None:
    (last,) = connection.execute("select max(0, max(hub_seq)) from event").fetchone()
    for hub_seq, event in enumerate(events, start=(last or 0) + 1):
        copies.hear(connection, Numbered(hub_seq=hub_seq, event=event))


class Stopwatch:
    """Knows the longest time for which the UI thread did not come back to its loop."""

    def __init__(self, parent: JobsWindow) -> None:
        self._timer = QTimer(parent, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self.gaps: list[float] = []
        self._last = time.perf_counter()

    def start(self) -> None:
        self.gaps, self._last = [], time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self._last) - TICK_MS)
        self._last = now

    @property
    def worst(self) -> float:
        return max(self.gaps, default=0.0)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.001)


async def timed(window: JobsWindow, act: Callable[[], object], is_so: Callable[[], bool]) -> float:
    """Measure from an act to its painted answer, in milliseconds."""
    began = time.perf_counter()
    act()
    await until(is_so)
    window.grab()
    return 1000 * (time.perf_counter() - began)


async def opened(bridge: Bridge, style: Style) -> tuple[JobsWindow, float]:
    began = time.perf_counter()
    window = jobs.make(bridge, style)
    window.show()
    await until(lambda: window.listing.has_read and window.detail.story is not None)
    window.grab()
    return window, 1000 * (time.perf_counter() - began)


async def tail(desk: PaperDesk, window: JobsWindow, watch: Stopwatch, number: int) -> float:
    """Write lines as they come from a busy job; return how many came in a second."""
    watch.start()
    began, written, batch = time.perf_counter(), 0, TAIL_LINES_A_SECOND // 20
    while (passed := time.perf_counter() - began) < TAIL_SECONDS:
        body = JobLogged(job_id=job_id(number), attempt=1, fence=1, lines=lines(written, 125))
        await desk.happens(body, body)
        written += batch
        await asyncio.sleep(max(0.0, written / TAIL_LINES_A_SECOND - passed))
    watch.stop()
    return written / (time.perf_counter() - began)


async def measure(home: Path, style: Style, job_count: int, line_count: int) -> None:
    async with open_desk(home) as (desk, bridge):
        rate = await fill(desk, job_count, line_count)
        size = sum(f.stat().st_size for f in home.rglob("worker.sqlite3*")) / 1e6
        told(f"taken into the copy, lines a second ({size:,.0f} MB)", rate)
        gc.collect()  # what the filling has left is not the window's
        window, first = await opened(bridge, style)
        told("window open, the first of the process, ms", first)
        times = []
        for _ in range(OPENS):
            window.close()
            window, took = await opened(bridge, style)
            times.append(took)
        told(f"window open, median of {OPENS}, ms", statistics.median(times), 200)
        watch = Stopwatch(window)
        watch.start()
        await lists(window)
        await logs(window, job_count // 2)
        watch.stop()
        told("longest stall of the UI thread meanwhile, ms", watch.worst, 50)
        await tails(desk, window, watch, job_count // 2)
        window.close()


async def lists(window: JobsWindow) -> None:
    listing = window.listing

    async def wants(told_as: str, act: Callable[[], object], **wanted: object) -> None:
        def is_so() -> bool:
            return listing.has_read and all(
                getattr(listing.model.wanted, name) == value for name, value in wanted.items()
            )

        told(told_as, await timed(window, act, is_so), 100)

    filters = listing.filters
    await wants("filter: failed", lambda: filters.choose_shelf(Shelf.FAILED), shelf=Shelf.FAILED)
    await wants("filter: waiting", lambda: filters.choose_shelf(Shelf.WAITING), shelf=Shelf.WAITING)
    await wants("filter: none", filters.clear, shelf=None)
    header = listing.table.horizontalHeader()
    for column, order in ((1, Order.TITLE), (2, Order.MACHINE), (0, Order.STATE), (4, Order.AGE)):
        press = partial(header.sectionClicked.emit, column)
        await wants(f"sort: {order.name.lower()}", press, order=order)
    for words in ("sales_777", "epoch", "epoch timeout", "step 37", "12", "zyxgy"):
        type_it = partial(filters.search.setText, words)
        await wants(f"search in titles and lines: {words}", type_it, words=words)
    await wants("search: none", filters.clear, words="")
    took = 0.0
    for _ in range(5):
        is_longer = partial(has_more, listing.model, len(listing.model.rows))
        took = await timed(window, listing.table.scrollToBottom, is_longer)
    told("the next page while scrolling", took, 100)


def has_more(model: JobModel, rows: int) -> bool:
    return len(model.rows) > rows


async def searched(window: JobsWindow, pane: LogPane, words: str) -> float:
    return await timed(window, lambda: pane.search.setText(words), lambda: pane.searched == words)


async def logs(window: JobsWindow, number: int) -> None:
    pane = window.detail.log.pane
    took = await timed(window, lambda: window.show_item(job_id(number)), lambda: pane.total > 1000)
    told(f"open the log of {pane.total:,} lines", took, 200)
    bar = pane.table.verticalScrollBar()
    middle = pane.model.count // 2
    took = await timed(
        window, lambda: bar.setValue(middle), lambda: pane.model.peek(middle) is not None
    )
    told("jump to its middle", took, 100)
    for words in ("gradient", "step 4999", "777777"):
        took = await searched(window, pane, words)
        told(f"find in it: {words} ({len(pane.hits):,})", took, 100)
    pane.search.clear()
    await until(lambda: pane.searched == "")
    window.show_logs()
    pane = window.logs.pane
    await until(lambda: pane.total > 0)
    for words in ("gradient", "epoch timeout", "zyxgy"):
        took = await searched(window, pane, words)
        told(f"search all logs: {words} ({len(pane.hits):,})", took, 100)
    pane.search.clear()
    await until(lambda: pane.searched == "")


async def tails(desk: PaperDesk, window: JobsWindow, watch: Stopwatch, number: int) -> None:
    for told_as in ("all logs", "one log"):
        if told_as == "one log":
            window.show_item(job_id(number))
        await asyncio.sleep(0.3)
        rate = await tail(desk, window, watch, number)
        told(f"tail of {told_as}: lines a second", rate)
        told(f"tail of {told_as}: longest stall, ms", watch.worst, 50)
        late = sum(gap > 16 for gap in watch.gaps)
        told(f"tail of {told_as}: later than 16 ms, of {len(watch.gaps):,} ticks", late)


def told(what: str, value: float, target: float | None = None) -> None:
    against = f"{'ok' if value < target else 'MISSED'} (< {target:g})" if target else ""
    print(f"{what:60} {value:12,.1f}  {against}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    style = Style(app, "light")

    async def run() -> None:
        with tempfile.TemporaryDirectory() as home:
            await measure(Path(home), style, options.jobs, options.lines)

    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        runner.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
