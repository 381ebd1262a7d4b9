"""States of the Jobs window."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows import jobs
from desktop.gui.windows.jobs.window import JobsWindow
from desktop.store import outgoing
from desktop.store.copied_list import Shelf
from shared.errors import ErrorBody
from shared.events import (
    EventBody,
    JobCancelRequested,
    JobFailed,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    QuestionAsked,
    TaskCreated,
    WorkerPaired,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId
from shared.messages import Progress
from shared.questions import Asking, Choice, QuestionKind
from tests.desktop.gui.loop import until
from tests.desktop.gui.world import ELSEWHERE, HERE, NOON, PaperDesk

ERROR = ErrorBody(
    code="file_gone",
    message="The file sales_2025.csv is not in Documents any more.\nIt was there at 11:58.",
    hint="Put it back, or choose another one: /train",
)


def job_id(number: int) -> JobId:
    return JobId(f"01900000-0000-7000-8000-{number:012d}")


def queued(
    number: int, title: str, kind: str = "ml.train", text: str = ""
) -> tuple[EventBody, ...]:
    one, task = job_id(number), TaskId(job_id(number))
    return (
        TaskCreated(task_id=task, person_id=PersonId("p"), text=text or title),
        JobQueued(job_id=one, task_id=task, kind=kind, title=title, attempt=1),
    )


def started(number: int) -> JobStarted:
    return JobStarted(job_id=job_id(number), attempt=1, fence=1)


def failed(number: int) -> JobFailed:
    return JobFailed(job_id=job_id(number), attempt=1, fence=1, error=ERROR)


def succeeded(number: int, headline: str, *notes: str, files: tuple[str, ...] = ()) -> JobSucceeded:
    result = {"headline": headline, "notes": list(notes), "files": list(files)}
    return JobSucceeded(
        job_id=job_id(number), attempt=1, fence=1, result=result, running_seconds=94.2
    )


def logged(number: int, *lines: str) -> JobLogged:
    return JobLogged(job_id=job_id(number), attempt=1, fence=1, lines=lines)


def asked(number: int) -> QuestionAsked:
    asking = Asking(
        key="zone",
        kind=QuestionKind.CHOICE,
        text="The test expects UTC but the config says local time. Which one is right?",
        choices=(Choice(value="utc", label="UTC"), Choice(value="local", label="Local time")),
        allow_text=True,
    )
    question_id = QuestionId(f"01900000-0000-7000-9000-{number:012d}")
    return QuestionAsked(
        job_id=job_id(number), attempt=1, fence=1, question_id=question_id, asking=asking
    )


async def fill(desk: PaperDesk) -> None:
    """A day of a person with two computers."""
    await desk.happens(
        WorkerPaired(worker_id=HERE, name="anna-pc"),
        WorkerPaired(worker_id=ELSEWHERE, name="studio-mac"),
    )
    await desk.happens(*queued(1, "Describe churn.xlsx", "data.describe"), minutes=1)
    await desk.happens(started(1), device=ELSEWHERE, minutes=2)
    await desk.happens(
        succeeded(1, "churn.xlsx: 7,043 rows, 21 columns, 1.2 MB."), device=ELSEWHERE, minutes=3
    )
    await desk.happens(*queued(2, "Train on sales_2025.csv"), minutes=10)
    await desk.happens(started(2), device=HERE, minutes=10)
    await desk.happens(logged(2, "reading sales_2025.csv", "no such file"), device=HERE, minutes=11)
    await desk.happens(failed(2), device=HERE, minutes=11)
    await desk.happens(
        *queued(3, "Predict churn_new.csv", "ml.predict", "predict churn_new with the churn model"),
        minutes=20,
    )
    await desk.happens(started(3), device=HERE, minutes=20)
    await desk.happens(
        logged(3, "model churn, 19 columns", "1,409 rows read", "written in 0.4 s"), minutes=21
    )
    await desk.happens(
        succeeded(
            3,
            "1,409 rows predicted.",
            "⚠ 12 rows have values never seen in training.",
            "Strongest: Contract, tenure.",
            files=("churn_new.predictions.csv",),
        ),
        device=HERE,
        minutes=22,
    )
    await desk.happens(*queued(4, "Fix the failing test of the time zone", "code.fix"), minutes=30)
    await desk.happens(started(4), asked(4), device=ELSEWHERE, minutes=31)
    await desk.happens(*queued(5, "Train on churn.xlsx, target Churn"), minutes=40)
    await desk.happens(started(5), device=HERE, minutes=41)
    await desk.happens(
        logged(5, *(f"fold {n % 5 + 1} of 5: AUC 0.8{n % 10}" for n in range(60))), device=HERE,
        minutes=42,
    )  # fmt: skip
    await desk.happens(
        *queued(6, "Describe " + "a very long name " * 8 + "of a file.csv"), minutes=50
    )
    await desk.happens(*queued(7, "Stop me", "machine.probe"), minutes=51)
    await desk.happens(JobCancelRequested(job_id=job_id(7), by="anna on Telegram"), minutes=52)


async def shown(desk: PaperDesk, bridge: Bridge, style: Style, number: int = 0) -> JobsWindow:
    """Open the window, and a job in it."""
    window = jobs.make(bridge, style)
    window.resize(1180, 760)
    window.show()
    if number:
        window.show_item(job_id(number))
        await until(lambda: window.detail.story is not None)
        pane = window.detail.log.pane
        await until(lambda: pane.total == pane.model.count)
    await until(lambda: window.listing.has_read)
    return window


async def empty(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await shown(desk, bridge, style)


async def a_few(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    return await shown(desk, bridge, style)


async def running(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    desk._note_progress(
        Progress(job_id=job_id(5), attempt=1, stage="fitting", done=3, total=5, eta_seconds=18)
    )
    return await shown(desk, bridge, style, 5)


async def failed_detail(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    return await shown(desk, bridge, style, 2)


async def done_detail(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    path = "/home/anna/Documents/churn_new.predictions.csv"
    await desk.database.write(lambda c: outgoing.note_written(c, job_id(3), path, NOON))
    return await shown(desk, bridge, style, 3)


async def asking_detail(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    return await shown(desk, bridge, style, 4)


async def long_log(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    for part in range(20):
        lines = (f"epoch {part * 200 + n}: loss {1 / (n + 1):.4f}" for n in range(200))
        await desk.happens(logged(5, *lines), device=HERE, minutes=60)
    window = await shown(desk, bridge, style, 5)
    window.split.setSizes([420, 720])
    pane = window.detail.log.pane
    await until(lambda: pane.total > 4000)
    pane.search.setText("epoch 37")
    await until(lambda: len(pane.hits) > 10)
    pane.go_to_hit(1)
    return window


async def all_logs(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    window = await shown(desk, bridge, style)
    window.show_logs()
    await until(lambda: window.logs.pane.total > 60)
    return window


async def many_filtered(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    for part in range(20):
        bodies = [
            body
            for n in range(part * 100 + 100, part * 100 + 200)
            for body in (
                *queued(n, f"Train on sales_{n}.csv"),
                started(n),
                failed(n) if n % 7 == 0 else succeeded(n, f"AUC 0.{n % 100:02d}"),
            )
        ]
        await desk.happens(*bodies, device=HERE, minutes=60 + part)
    window = await shown(desk, bridge, style)
    window.listing.filters.choose_shelf(Shelf.FAILED)
    window.listing.filters.search.setText("sales")
    await until(lambda: window.listing.model.wanted.words == "sales")
    return window


async def nothing_found(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    window = await shown(desk, bridge, style)
    window.listing.filters.search.setText('"zebra" OR (')
    await until(lambda: not window.listing.model.rows)
    return window


SCENES: dict[str, Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]] = {
    "empty": empty,
    "a_few": a_few,
    "running": running,
    "failed": failed_detail,
    "done": done_detail,
    "asking": asking_detail,
    "long_log": long_log,
    "all_logs": all_logs,
    "many_filtered": many_filtered,
    "nothing_found": nothing_found,
}
