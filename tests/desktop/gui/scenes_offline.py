"""States of work without a hub, and of what comes of it, in every window that tells of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from PySide6.QtWidgets import QWidget

from desktop.core.link import LinkState, LinkStatus, unreachable
from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.standing import HUB_RESTORED
from desktop.gui.style import Style
from desktop.gui.windows.chat.window import ChatWindow
from desktop.gui.windows.models.window import ModelsWindow
from desktop.store import copies, facts, salvage
from desktop.store.database import CARE
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    CancelAsked,
    Event,
    JobGranted,
    JobLogged,
    JobResumed,
    JobStarted,
    JobSucceeded,
    LateResult,
    QuestionAnswered,
    QuestionAsked,
    TaskRequested,
)
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.messages import Numbered, Progress
from shared.questions import Answer
from shared.store_file import disk_full
from tests.desktop.gui import scenes_jobs, scenes_models, scenes_tray
from tests.desktop.gui.loop import until
from tests.desktop.gui.scenes_chat import (
    RESULT,
    ZONE,
    ask,
    fail,
    job_named,
    open_window,
    others,
    prepare,
    queue,
    start,
)
from tests.desktop.gui.scenes_settings import opened
from tests.desktop.gui.world import ELSEWHERE, HERE, NOON, PaperDesk

Scene = Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]
JOB = job_named(1)


def cut(desk: PaperDesk) -> None:
    """Take the hub away."""
    error = unreachable("hub.example.org", "nothing answers at that port")
    desk.link = LinkStatus(state=LinkState.OFFLINE, error=error)
    desk.next_try_at = NOON + timedelta(minutes=15, seconds=20)


def wish(
    number: int, title: str, *, text: str = "", on: WorkerId | None = HERE, is_kept: bool = True
) -> TaskRequested:
    """Make what a person asks for here."""
    one = job_named(number)
    kind = "data.describe" if title.lower().startswith("describe") else "ml.train"
    return TaskRequested(
        task_id=TaskId(one), job_id=one, kind=kind, title=title, text=text or title,
        worker_id=on, is_kept=is_kept,
    )  # fmt: skip


def began(number: int) -> JobStarted:
    return JobStarted(job_id=job_named(number), attempt=1, fence=1)


def done(number: int, result: dict[str, object] | None = None) -> JobSucceeded:
    return JobSucceeded.model_validate(
        {"job_id": job_named(number), "attempt": 1, "fence": 1, "running_seconds": 61.0,
         "result": result or RESULT}
    )  # fmt: skip


def asks(number: int, name: str = "q1") -> QuestionAsked:
    return QuestionAsked(
        job_id=job_named(number), attempt=1, fence=1, question_id=QuestionId(name), asking=ZONE
    )


def answers(number: int, value: str, *, is_used: bool = False, name: str = "q1") -> AnswerGiven:
    return AnswerGiven(
        question_id=QuestionId(name), job_id=job_named(number), value=value, is_used=is_used
    )


async def kept_running(desk: PaperDesk) -> None:
    """Ask for a training without a hub: it runs at once."""
    await desk.writes(wish(1, "train churn.csv Churn", text="/train churn.csv Churn"), minutes=3)
    await desk.writes(began(1), minutes=3)
    logged = JobLogged(job_id=JOB, attempt=1, fence=1, lines=("7,043 rows, 19 columns",))
    await desk.writes(logged, minutes=4)
    desk._progress[JOB] = Progress(
        job_id=JOB, attempt=1, stage="models", done=3, total=5, eta_seconds=18
    )


async def chat(desk: PaperDesk, bridge: Bridge, style: Style, job: JobId = JOB) -> ChatWindow:
    return await open_window(desk, bridge, style, job)


async def chat_runs_here(desk: PaperDesk, bridge: Bridge, style: Style) -> ChatWindow:
    await prepare(desk)
    await others(desk)
    cut(desk)
    await kept_running(desk)
    return await chat(desk, bridge, style)


async def chat_waits_here(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """One waits for a free place, and the person has paused this computer."""
    await prepare(desk)
    await others(desk)
    cut(desk)
    await desk.writes(wish(2, "train flights.csv arrival"), minutes=4)
    await desk.writes(wish(1, "train churn.csv Churn"), minutes=5)
    await desk.pause(NOON.replace(year=2999))
    return await chat(desk, bridge, style)


async def chat_to_hub(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """Asked for on another computer, and on any."""
    await prepare(desk)
    await others(desk)
    cut(desk)
    await desk.writes(wish(2, "describe orders.csv", on=None, is_kept=False), minutes=12)
    body = wish(1, "train churn.csv Churn", on=ELSEWHERE, is_kept=False)
    await desk.writes(body, minutes=13)
    return await chat(desk, bridge, style)


async def chat_stopping(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train churn.csv Churn", minutes=1)
    await start(desk, job, device=ELSEWHERE, minutes=2)
    cut(desk)
    await desk.writes(CancelAsked(job_id=job), minutes=14)
    return await chat(desk, bridge, style)


async def chat_answer_kept(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """The job that asks is on another computer."""
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job, device=ELSEWHERE)
    await desk.happens(asks(1), device=ELSEWHERE, minutes=12)
    cut(desk)
    await desk.writes(answers(1, "utc"), minutes=14)
    return await chat(desk, bridge, style)


async def chat_answer_used(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """The job that asks is here, and goes on at once."""
    await prepare(desk)
    await others(desk)
    cut(desk)
    await desk.writes(wish(1, "bugfix export"), minutes=3)
    await desk.writes(began(1), asks(1), minutes=4)
    await desk.writes(answers(1, "utc", is_used=True), minutes=6)
    resumed = JobResumed(job_id=JOB, attempt=1, fence=1, question_id=QuestionId("q1"))
    await desk.writes(resumed, minutes=6)
    return await chat(desk, bridge, style)


async def chat_answer_second(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """The answer given here reached the hub after another one."""
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job, device=ELSEWHERE)
    await desk.happens(asks(1), device=ELSEWHERE, minutes=2)
    await desk.writes(answers(1, "local"), minutes=3)
    first = Answer(value="utc", by="anna on Telegram")
    question = QuestionId("q1")
    await desk.happens(
        QuestionAnswered(question_id=question, job_id=job, answer=first),
        AnswerSuperseded(
            question_id=question, job_id=job, value="local", by="anna on anna-pc", counted=first
        ),
        minutes=4,
    )
    return await chat(desk, bridge, style)


async def chat_answered_elsewhere(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "bugfix export", said="the export shows the wrong hour")
    await start(desk, job)
    one = await ask(desk, job, ZONE, minutes=2)
    first = Answer(value="utc", by="anna on Telegram")
    await desk.happens(QuestionAnswered(question_id=one, job_id=job, answer=first), minutes=3)
    return await chat(desk, bridge, style)


async def chat_ended(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    cut(desk)
    await kept_running(desk)
    await desk.writes(done(1), minutes=7)
    return await chat(desk, bridge, style)


async def chat_tried_again(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """It failed, and was tried again without a hub: as another job of the same task."""
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train churn.csv Churn", minutes=1)
    await start(desk, job, minutes=2)
    await fail(desk, job, minutes=3)
    cut(desk)
    again = wish(2, "train churn.csv Churn").model_copy(
        update={"task_id": TaskId(job), "replaces": job}
    )
    await desk.writes(again, began(2), minutes=9)
    return await chat(desk, bridge, style)


async def chat_late(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train churn.csv Churn", minutes=1)
    await start(desk, job, device=ELSEWHERE, minutes=2)
    await fail(desk, job, minutes=5)
    await desk.happens(LateResult(job_id=job, attempt=1, outcome="job_succeeded"), minutes=9)
    return await chat(desk, bridge, style)


async def chat_connecting(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await chat_runs_here(desk, bridge, style)
    desk.link, desk.next_try_at = LinkStatus(state=LinkState.CONNECTING), None
    desk.ring(News.STATUS)
    await until(lambda: window.strip.texts[0].startswith("Connecting"))
    return window


async def chat_newer(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """A newer program on another computer wrote what this one cannot show."""
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train churn.csv Churn", minutes=1)
    await start(desk, job, device=ELSEWHERE, minutes=2)
    for number in (1, 2):
        event = Event(
            device=ELSEWHERE, epoch=7, seq=number, at=NOON, type="job_dreamt", version=3,
            entity=job, body={"job_id": job},
        )  # fmt: skip
        told = Numbered(hub_seq=9000 + number, event=event)
        await desk.database.write(partial(copies.hear, told=told))
    return await chat(desk, bridge, style)


async def chat_mended(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """The store was damaged, and was made anew."""
    await prepare(desk)
    await others(desk)
    aside = "worker.sqlite3.corrupt-20261120-115800"
    (desk.paths.data / aside).write_bytes(b"")
    told = json.dumps({"aside": aside, "saved": 3, "is_whole": False})
    await desk.database.write(lambda c: facts.put(c, salvage.MENDED, told))
    return await open_window(desk, bridge, style, None)


async def chat_disk_full(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train churn.csv Churn", minutes=1)
    desk.database.trouble = disk_full(CARE)
    return await chat(desk, bridge, style, job)


async def chat_forgotten(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """The hub was restored from a backup, and nobody else has the job."""
    await prepare(desk)
    await others(desk)
    job = await queue(desk, 1, "train churn.csv Churn", minutes=1)
    error = ErrorBody(code=HUB_RESTORED, message="The hub was restored.", hint="Ask again.")
    told = error.model_dump_json()
    await desk.database.write(
        lambda c: c.execute(
            "update copy_job set state = 'interrupted', error = ? where job_id = ?", (told, job)
        )
    )
    return await chat(desk, bridge, style)


async def a_day_without_hub(desk: PaperDesk) -> None:
    """Every standing that a job can have, in one list."""
    await scenes_jobs.fill(desk)
    cut(desk)
    await desk.writes(wish(21, "Train on orders.csv"), began(21), minutes=60)
    await desk.writes(wish(22, "Train on visits.csv"), minutes=61)
    await desk.writes(wish(23, "Describe visits.csv", on=ELSEWHERE, is_kept=False), minutes=62)
    await desk.writes(wish(24, "Describe orders.csv", on=None, is_kept=False), minutes=63)
    await desk.writes(wish(25, "Train on prices.csv"), began(25), minutes=64)
    await desk.writes(done(25, {"headline": "Prices model ready: R² 0.91."}), minutes=65)
    await desk.happens(*scenes_jobs.queued(26, "Train on regions.csv"), minutes=50)
    await desk.happens(scenes_jobs.started(26), device=ELSEWHERE, minutes=51)
    await desk.writes(CancelAsked(job_id=scenes_jobs.job_id(26)), minutes=66)
    again = wish(27, "Train on sales_2025.csv").model_copy(
        update={"replaces": scenes_jobs.job_id(2)}
    )
    await desk.writes(again, began(27), minutes=67)
    told = Progress(job_id=job_named(21), attempt=1, stage="fitting", done=3, total=5)
    desk._note_progress(told)


async def jobs_list(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await a_day_without_hub(desk)
    return await scenes_jobs.shown(desk, bridge, style, 21)


async def jobs_stopping(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await a_day_without_hub(desk)
    return await scenes_jobs.shown(desk, bridge, style, 26)


async def jobs_told(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    """The hub is back and knows what was done without it."""
    await desk.writes(wish(25, "Train on prices.csv"), began(25), minutes=4)
    await desk.writes(done(25, {"headline": "Prices model ready: R² 0.91."}), minutes=5)
    told = JobGranted(job_id=job_named(25), attempt=1, fence=1, worker_id=HERE)
    await desk.happens(told, minutes=30)
    return await scenes_jobs.shown(desk, bridge, style, 25)


async def models_predicting(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    cut(desk)
    window = await scenes_models.opened(desk, bridge, style)
    await scenes_models.asked(window, desk)
    await until(lambda: bool(window.predicting.stage.text()))
    assert isinstance(window, ModelsWindow)
    return window


async def settings_hub(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    cut(desk)
    desk.next_try_at = desk.environment.now() + timedelta(seconds=12)
    await kept_running(desk)
    await desk.writes(done(1), minutes=7)
    return await opened(desk, bridge, style, "hub")


async def tray(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await a_day_without_hub(desk)
    return await scenes_tray.menu(desk, bridge)


async def tray_plain(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    cut(desk)
    await kept_running(desk)
    return await scenes_tray.menu(desk, bridge, running=1)


SCENES: dict[str, Scene] = {
    "chat_runs_here": chat_runs_here,
    "chat_waits_here": chat_waits_here,
    "chat_to_hub": chat_to_hub,
    "chat_stopping": chat_stopping,
    "chat_answer_kept": chat_answer_kept,
    "chat_answer_used": chat_answer_used,
    "chat_answer_second": chat_answer_second,
    "chat_answered_elsewhere": chat_answered_elsewhere,
    "chat_ended": chat_ended,
    "chat_tried_again": chat_tried_again,
    "chat_late": chat_late,
    "chat_connecting": chat_connecting,
    "chat_disk_full": chat_disk_full,
    "chat_forgotten": chat_forgotten,
    "chat_mended": chat_mended,
    "chat_newer": chat_newer,
    "jobs_list": jobs_list,
    "jobs_stopping": jobs_stopping,
    "jobs_told": jobs_told,
    "models_predicting": models_predicting,
    "settings_hub": settings_hub,
    "tray": tray,
    "tray_plain": tray_plain,
}
