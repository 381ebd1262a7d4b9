"""Every state of the chat window."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop.core.link import LinkState, LinkStatus
from desktop.gui.bridge import Bridge
from desktop.gui.chart_view import ChartView
from desktop.gui.style import Style
from desktop.gui.windows.chat.window import SIZE, ChatWindow
from desktop.store import threads
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    JobDied,
    JobFailed,
    JobQueued,
    JobResumed,
    JobStarted,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    TaskCreated,
    WorkerPaired,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId
from shared.messages import Progress
from shared.questions import Answer, Asking, Choice, QuestionKind
from tests.desktop.gui.loop import until
from tests.desktop.gui.world import ELSEWHERE, HERE, NOON, PaperDesk
from tests.desktop.jobs.fake_context import FakeContext
from tests.desktop.jobs.ml.test_show import plots_of, stored

Scene = Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]


class Clock:
    """A quarter past noon, for ever."""

    def now(self) -> datetime:
        return NOON.astimezone(UTC) + timedelta(minutes=15)

    def monotonic(self) -> float:
        return 0.0


ZONE = Asking(
    key="zone",
    kind=QuestionKind.CHOICE,
    text="The test expects UTC but the config says local time. Which one is right?",
    choices=(
        Choice(value="utc", label="UTC", detail="as tests/test_export.py expects"),
        Choice(value="local", label="Local time", detail="as config.toml says"),
    ),
    allow_text=True,
    default="utc",
)
FILES = Asking(
    key="file",
    kind=QuestionKind.CHOICE,
    text="Which table shall I train on?",
    choices=tuple(
        Choice(
            value=f"/home/anna/tables/sales_{2000 + n}.csv",
            label=f"sales_{2000 + n}.csv",
            detail=f"{n / 10 + 0.4:.1f} MB",
        )
        for n in range(30)
    ),
)
PUSH = Asking(
    key="push",
    kind=QuestionKind.APPROVAL,
    text="2 files changed, +14 −3, 41 tests passed. It wants to push deskhand/k7q2-utc to "
    "github.com/anna/shop and open a pull request.",
    choices=(
        Choice(value="push_pr", label="Push and open a pull request"),
        Choice(value="push", label="Only push"),
        Choice(value="discard", label="Discard the changes", detail="the branch is deleted"),
    ),
)
TARGET = Asking(
    key="target",
    kind=QuestionKind.CLARIFICATION,
    text="7,043 rows, 19 columns. What should I predict?",
    choices=(
        Choice(value="Churn", label="Churn"),
        Choice(value="MonthlyCharges", label="MonthlyCharges"),
    ),
    allow_text=True,
)
RESULT = {
    "headline": "Churn model ready: AUC 0.85 ± 0.01 (always guessing: 0.50).",
    "notes": [
        "Strongest: Contract, tenure, MonthlyCharges.",
        "⚠ Column customerID looks like an id; it was left out.",
    ],
    "files": ["churn.predictions.csv", "churn_report_with_a_rather_long_name_2026_11_20.html"],
    "model": {"model_id": "churn-1", "name": "churn"},
}


def job_named(number: int) -> JobId:
    return JobId(f"01900000-0000-7000-8000-{number:012d}")


async def prepare(desk: PaperDesk) -> None:
    desk.environment = Environment(clock=Clock())
    await desk.database.write(lambda c: threads.begin_reading(c, NOON - timedelta(days=10)))
    await desk.happens(
        WorkerPaired(worker_id=HERE, name="anna-pc"),
        WorkerPaired(worker_id=ELSEWHERE, name="studio-mac"),
    )


async def queue(
    desk: PaperDesk,
    number: int,
    title: str,
    *,
    said: str = "",
    minutes: float = 0,
    kind: str = "ml.train",
) -> JobId:
    job = job_named(number)
    await desk.happens(
        TaskCreated(task_id=TaskId(job), person_id=PersonId("p"), text=said or title),
        JobQueued(job_id=job, task_id=TaskId(job), kind=kind, title=title, attempt=1),
        minutes=minutes,
    )
    return job


async def start(desk: PaperDesk, job: JobId, *, device: str = HERE, minutes: float = 1) -> None:
    await desk.happens(JobStarted(job_id=job, attempt=1, fence=1), device=device, minutes=minutes)


async def ask(
    desk: PaperDesk, job: JobId, asking: Asking, name: str = "q1", minutes: float = 12
) -> QuestionId:
    one = QuestionId(name)
    await desk.happens(
        QuestionAsked(job_id=job, attempt=1, fence=1, question_id=one, asking=asking),
        device=HERE,
        minutes=minutes,
    )
    return one


async def succeed(
    desk: PaperDesk, job: JobId, result: dict[str, object] | None = None, minutes: float = 14
) -> None:
    body = JobSucceeded.model_validate(
        {
            "job_id": job, "attempt": 1, "fence": 1, "running_seconds": 61.0,
            "result": result or RESULT,
        }
    )  # fmt: skip
    await desk.happens(body, device=HERE, minutes=minutes)


async def fail(desk: PaperDesk, job: JobId, minutes: float = 13) -> None:
    error = ErrorBody(
        code="file_gone",
        message="sales_2025.csv is not where it was when the job began.",
        hint="Put it back, or choose another file.",
    )
    await desk.happens(
        JobFailed(job_id=job, attempt=1, fence=1, error=error), device=HERE, minutes=minutes
    )


async def others(desk: PaperDesk) -> None:
    """Some threads beside the one that is shown."""
    sales = await queue(desk, 90, "train sales_2025.csv", minutes=-300)
    await start(desk, sales, minutes=-299)
    await succeed(desk, sales, {"headline": "Sales model ready: R² 0.91 ± 0.02."}, minutes=-290)
    gone = await queue(desk, 91, "predict august.csv", kind="ml.predict", minutes=-1500)
    await start(desk, gone, device=ELSEWHERE, minutes=-1499)
    await fail(desk, gone, minutes=-1490)
    table = await queue(desk, 92, "describe orders.xlsx", kind="data.describe", minutes=-4000)
    await start(desk, table, minutes=-3999)
    await succeed(desk, table, {"headline": "12,480 rows, 14 columns; 3 of them have gaps."},
                  minutes=-3998)  # fmt: skip
    await desk.note_read(TaskId(table), 10_000)
    await queue(desk, 93, "train flights.csv arrival", minutes=-3)


async def open_window(
    desk: PaperDesk, bridge: Bridge, style: Style, job: JobId | None
) -> ChatWindow:
    window = ChatWindow(bridge, style)
    window.show()
    if job is not None:
        window.show_thread(TaskId(job))
        await until(lambda: bool(window.talk.timeline.views))
    return window


async def empty(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    return await open_window(desk, bridge, style, None)


async def unread(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job)
    await ask(desk, job, ZONE)
    return await open_window(desk, bridge, style, None)


async def question(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job)
    await ask(desk, job, ZONE)
    return await open_window(desk, bridge, style, job)


async def many_choices(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train", said="/train")
    await start(desk, job)
    await ask(desk, job, FILES)
    return await open_window(desk, bridge, style, job)


async def approval(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job)
    await ask(desk, job, PUSH)
    return await open_window(desk, bridge, style, job)


async def form(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train", said="/train")
    await start(desk, job)
    await ask(desk, job, FILES, "q1", minutes=11)
    await ask(desk, job, TARGET, "q2", minutes=12)
    return await open_window(desk, bridge, style, job)


async def answered(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """One answer counted that was given elsewhere, one was too late, one is on its way."""
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job)
    one = await ask(desk, job, ZONE, minutes=2)
    await desk.happens(
        AnswerGiven(question_id=one, job_id=job, value="local"), device=HERE, minutes=3
    )
    await desk.happens(
        QuestionAnswered(
            question_id=one, job_id=job, answer=Answer(value="utc", by="anna on Telegram")
        ),
        minutes=3,
    )
    await desk.happens(
        JobResumed(job_id=job, attempt=1, fence=1, question_id=one), device=HERE, minutes=3
    )
    two = await ask(desk, job, TARGET, "q2", minutes=10)
    await desk.requests.answer(two, job, "Churn")
    return await open_window(desk, bridge, style, job)


async def progress(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train churn.csv Churn", said="/train churn.csv Churn")
    await start(desk, job, minutes=14)
    told = Progress(job_id=job, attempt=1, stage="models", done=3, total=5, eta_seconds=18)
    desk._progress[job] = told
    return await open_window(desk, bridge, style, job)


async def result(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    folder = desk.paths.data / "tables"
    folder.mkdir()
    for name in ("churn.csv", "churn.predictions.csv"):
        (folder / name).write_text("a,b\n1,2\n", encoding="utf-8")
    desk.policy = desk.policy.model_copy(update={"folders": (str(folder),)})
    context = FakeContext(folder, desk.paths.data)
    made = stored(context, name="Churn", plots=plots_of("binary", columns=6))
    job = await queue(desk, 1, "train churn.csv Churn", said="/train churn.csv Churn")
    await start(desk, job)
    await succeed(desk, job, {**RESULT, "model": {"model_id": made}})
    window = await open_window(desk, bridge, style, job)
    window.resize(SIZE.width(), SIZE.height() + 240)
    await until(lambda: bool(window.talk.timeline.findChildren(ChartView)))
    return window


async def failed(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train sales_2025.csv", said="/train sales_2025.csv revenue")
    await start(desk, job)
    await fail(desk, job, minutes=3)
    error = ErrorBody(code="file_gone", message="sales_2025.csv is not where it was.")
    await desk.happens(JobDied(job_id=job, error=error), minutes=3)
    return await open_window(desk, bridge, style, job)


async def new_task(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    window = await open_window(desk, bridge, style, None)
    window.show_item("new:m")
    return window


async def new_train(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    window = await open_window(desk, bridge, style, None)
    window.show_item("new:/train sales_2025.csv")
    return window


async def plain_words(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    window = await open_window(desk, bridge, style, None)
    window.show_item("new:analyze the annual report and summarize the key risks")
    return window


async def dropped(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    window = await open_window(desk, bridge, style, None)
    window.take_file(Path("/elsewhere/sales_2025.csv"))
    await until(lambda: window.new_task.is_refused)
    return window


async def long_text(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    said = "please look at https://example.org/a?b=1&c=2 and <b>then</b> \u202eevil\u202c " * 60
    job = await queue(desk, 1, "a very long title that goes on and on " * 5, said=said)
    await start(desk, job)
    path = "/home/anna/" + "very_long_folder_name_without_any_blank/" * 12 + "file.csv"
    await ask(desk, job, ZONE.model_copy(update={"text": f"Is {path} the right file?"}))
    return await open_window(desk, bridge, style, job)


async def offline(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job)
    one = await ask(desk, job, ZONE)
    desk.link = LinkStatus(state=LinkState.OFFLINE)
    desk.next_try_at = NOON + timedelta(minutes=15, seconds=20)
    await desk.requests.answer(one, job, "utc")
    return await open_window(desk, bridge, style, job)


SCENES: dict[str, Scene] = {
    "answered": answered,
    "approval": approval,
    "dropped": dropped,
    "empty": empty,
    "failed": failed,
    "form": form,
    "long_text": long_text,
    "many_choices": many_choices,
    "new_task": new_task,
    "new_train": new_train,
    "offline": offline,
    "plain_words": plain_words,
    "progress": progress,
    "question": question,
    "result": result,
    "unread": unread,
}
