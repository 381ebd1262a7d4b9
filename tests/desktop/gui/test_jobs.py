"""The Jobs window: the list, a job's story, and what can be done to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows import jobs
from desktop.gui.windows.jobs.job_model import Column, JobModel
from desktop.gui.windows.jobs.window import JobsWindow
from desktop.store.copied_list import PAGE_ROWS, Shelf
from shared.errors import ErrorBody
from shared.events import CancelAsked, EventBody, JobFailed, RetryAsked
from shared.messages import Progress
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.scenes_jobs import failed, fill, job_id, queued, started, succeeded
from tests.desktop.gui.world import HERE, PaperDesk, open_desk

HOSTILE = "<b>cod\u202evsc.exe</b>\x1b[2J\x00"


@dataclass
class Signals:
    """What a model has told its view."""

    told: list[str] = field(default_factory=list)

    def watch(self, model: JobModel) -> Signals:
        for name in ("modelReset", "dataChanged", "rowsInserted", "rowsRemoved"):
            getattr(model, name).connect(lambda *_args, name=name: self.told.append(name))
        return self


@asynccontextmanager
async def open_window(
    qtbot: QtBot, home: Path, *bodies: EventBody
) -> AsyncIterator[tuple[PaperDesk, Bridge, JobsWindow]]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    async with open_desk(home) as (desk, bridge):
        for number, body in enumerate(bodies):
            await desk.happens(body, device=HERE, minutes=number)
        window = jobs.make(bridge, Style(app, "light"))
        qtbot.addWidget(window)
        window.show()
        await until(lambda: window.listing.has_read)
        yield desk, bridge, window
        window.hide()


def titles(window: JobsWindow) -> list[str]:
    return [row.title for row in window.listing.model.rows]


def cell(window: JobsWindow, row: int, column: Column, role: int = 0) -> str:
    return str(window.listing.model.index(row, column).data(role))


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


async def choose(window: JobsWindow, number: int) -> None:
    window.show_item(job_id(number))
    await until(
        lambda: (
            window.detail.story is not None and window.detail.story.job.row.job_id == job_id(number)
        )
    )


@on_qt_loop
async def test_the_newest_comes_first_and_an_error_shows_without_a_click(
    qtbot: QtBot, tmp_path: Path
) -> None:
    older, newer = queued(1, "older"), queued(2, "newer")
    async with open_window(qtbot, tmp_path, *older, started(1), failed(1), *newer) as (
        _,
        _,
        window,
    ):
        assert titles(window) == ["newer", "older"]
        assert cell(window, 1, Column.STATE) == "Failed"
        spoken = cell(window, 1, Column.JOB, Qt.ItemDataRole.AccessibleTextRole)
        assert spoken == "older. The file sales_2025.csv is not in Documents any more."


@on_qt_loop
async def test_a_choice_survives_what_happens_and_nothing_is_read_anew(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_window(qtbot, tmp_path, *queued(1, "mine")) as (desk, _, window):
        await choose(window, 1)
        signals = Signals().watch(window.listing.model)
        await desk.happens(started(1), device=HERE)
        await until(lambda: signals.told == ["dataChanged"])
        await desk.happens(*queued(2, "another"), minutes=5)
        await until(lambda: titles(window) == ["another", "mine"])
        assert signals.told == ["dataChanged", "rowsInserted"]
        chosen = window.listing.chosen_row()
        assert chosen is not None
        assert (chosen.title, chosen.state) == ("mine", "running")
        await until(lambda: window.detail.story is not None and len(window.detail.story.steps) == 2)


@on_qt_loop
async def test_a_flood_of_news_is_few_changes_of_the_list(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_window(qtbot, tmp_path, *queued(1, "one")) as (desk, _, window):
        signals = Signals().watch(window.listing.model)
        for number in range(2, 60):
            await desk.happens(*queued(number, f"job {number}"), minutes=number)
        for _ in range(200):
            desk.ring(News.JOBS)
        await until(lambda: len(titles(window)) == 59)
        assert "modelReset" not in signals.told


@on_qt_loop
async def test_a_job_that_fits_no_more_leaves_the_list(qtbot: QtBot, tmp_path: Path) -> None:
    bodies = (*queued(1, "one"), *queued(2, "two"))
    async with open_window(qtbot, tmp_path, *bodies) as (desk, _, window):
        window.listing.filters.choose_shelf(Shelf.WAITING)
        await until(lambda: window.listing.model.wanted.shelf is Shelf.WAITING)
        await desk.happens(started(1), device=HERE)
        await until(lambda: titles(window) == ["two"])
        chips = window.listing.filters.findChildren(QPushButton)
        await until(lambda: {"Waiting 1", "Running 1", "Failed"} <= {b.text() for b in chips})


@on_qt_loop
async def test_pages_are_read_as_the_list_is_scrolled(qtbot: QtBot, tmp_path: Path) -> None:
    bodies = [body for n in range(250) for body in queued(n, f"job {n}")]
    async with open_window(qtbot, tmp_path, *bodies) as (_, _, window):
        await until(lambda: len(titles(window)) == PAGE_ROWS)
        window.listing.table.scrollToBottom()
        await until(lambda: len(titles(window)) == 2 * PAGE_ROWS)
        window.listing.table.scrollToBottom()
        await until(lambda: len(titles(window)) == 250)
        assert titles(window) == [f"job {n}" for n in reversed(range(250))]


@on_qt_loop
async def test_a_window_that_nobody_sees_reads_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_window(qtbot, tmp_path, *queued(1, "one")) as (desk, bridge, window):
        heard: list[object] = []
        bridge.news.connect(heard.append)
        desk.ring(News.JOBS)
        await until(lambda: bool(heard))
        # What was rung for so far is read to its end: reads follow each other in one thread.
        for _ in range(4):
            await desk.look(lambda connection: connection.execute("select 1").fetchone())
        window.hide()
        heard.clear()
        await desk.happens(*queued(2, "two"), minutes=2)
        await until(lambda: bool(heard))
        await desk.look(lambda connection: connection.execute("select 1").fetchone())
        assert titles(window) == ["one"]
        window.show()
        await until(lambda: titles(window) == ["two", "one"])


@on_qt_loop
async def test_words_and_chips_leave_out_and_one_button_brings_all_back(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_window(qtbot, tmp_path) as (desk, _, window):
        await fill(desk)
        await until(lambda: len(titles(window)) == 7)
        window.listing.filters.search.setText("no such file")
        await until(lambda: titles(window) == ["Train on sales_2025.csv"])
        window.listing.filters.search.setText('") OR (*')
        await until(lambda: window.listing.model.wanted.words == '") OR (*')
        window.listing.filters.search.setText("zebra")
        await until(lambda: not titles(window))
        shown = [b for b in window.listing.findChildren(QPushButton) if b.text() == "Show all jobs"]
        shown[0].click()
        await until(lambda: len(titles(window)) == 7)


@on_qt_loop
async def test_keys_sort_find_open_and_go_back(qtbot: QtBot, tmp_path: Path) -> None:
    bodies = (*queued(1, "b"), *queued(2, "c"), *queued(3, "a"))
    async with open_window(qtbot, tmp_path, *bodies) as (_, _, window):
        window.activateWindow()
        table = window.listing.table
        table.setFocus()
        QTest.keyClick(table, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: titles(window) == ["a", "b", "c"])
        QTest.keyClick(table, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: titles(window) == ["c", "b", "a"])
        await until(lambda: window.detail.story is not None)
        QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert "ml.train" in QGuiApplication.clipboard().text()
        QTest.keyClick(table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        assert window.focusWidget() is window.listing.filters.search


@pytest.mark.parametrize(
    ("bodies", "shown"),
    [
        ((), {"Cancel…"}),
        ((started(1),), {"Cancel…"}),
        ((started(1), failed(1)), {"Try again"}),
        ((started(1), succeeded(1, "AUC 0.85")), set()),
        ((CancelAsked(job_id=job_id(1)),), set()),
    ],
)
@on_qt_loop
async def test_only_what_fits_the_state_can_be_done(
    qtbot: QtBot, tmp_path: Path, bodies: tuple[EventBody, ...], shown: set[str]
) -> None:
    async with open_window(qtbot, tmp_path, *queued(1, "one"), *bodies) as (_, _, window):
        await choose(window, 1)
        can = {b.text() for b in (window.detail.retry, window.detail.cancel) if b.isVisible()}
        assert can == shown


@on_qt_loop
async def test_cancel_asks_first_and_no_is_what_enter_says(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_window(qtbot, tmp_path, *queued(1, HOSTILE), started(1)) as (desk, _, window):
        await choose(window, 1)
        QTest.keyClick(window.listing.table, Qt.Key.Key_Delete)
        box = window.findChildren(QMessageBox)[0]
        default = box.defaultButton()
        assert default.text() == "Let it go on"
        assert box.textFormat() is Qt.TextFormat.PlainText
        default.click()
        assert desk.said == []
        window.detail.ask_to_cancel()
        box = next(b for b in window.findChildren(QMessageBox) if b.isVisible())
        next(b for b in box.buttons() if b.text() == "Cancel the job").click()
        await until(lambda: desk.said == [CancelAsked(job_id=job_id(1))])
        await until(lambda: not window.detail.cancel.isVisible())


@on_qt_loop
async def test_try_again_is_said_once(qtbot: QtBot, tmp_path: Path) -> None:
    bodies = (*queued(1, "one"), started(1), failed(1))
    async with open_window(qtbot, tmp_path, *bodies) as (desk, _, window):
        await choose(window, 1)
        assert "Put it back, or choose another one" in texts(window.detail)
        window.detail.retry.click()
        window.detail.retry.click()
        await until(lambda: bool(desk.said))
        assert desk.said == [RetryAsked(job_id=job_id(1))]


@on_qt_loop
async def test_an_open_question_leads_to_the_chat(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_window(qtbot, tmp_path) as (desk, bridge, window):
        await fill(desk)
        opened: list[tuple[str, str]] = []
        bridge.opened.connect(lambda name, item: opened.append((name, item)))
        await choose(window, 4)
        await until(lambda: "UTC · Local time" in texts(window.detail))
        answer = [
            b for b in window.detail.findChildren(QPushButton) if b.text() == "Answer in chat"
        ]
        answer[0].click()
        assert opened == [("chat", job_id(4))]


@on_qt_loop
async def test_progress_of_a_job_that_runs_here_moves(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_window(qtbot, tmp_path, *queued(1, "one"), started(1)) as (desk, _, window):
        await choose(window, 1)
        for done in (1, 3):
            told = Progress(job_id=job_id(1), attempt=1, stage="fitting", done=done, total=5)
            desk._note_progress(told)
        await until(lambda: "fitting · 3 of 5" in texts(window.detail))
        assert cell(window, 0, Column.JOB, Qt.ItemDataRole.UserRole + 1) == "fitting · 3 of 5"


@on_qt_loop
async def test_a_job_far_down_is_shown_when_it_is_asked_for(qtbot: QtBot, tmp_path: Path) -> None:
    bodies = [body for n in range(150) for body in queued(n, f"job {n}")]
    async with open_window(qtbot, tmp_path, *bodies) as (_, _, window):
        await choose(window, 3)
        assert "job 3" in texts(window.detail)


@on_qt_loop
async def test_what_others_wrote_is_shown_and_does_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    error = ErrorBody(code="x", message=f"{HOSTILE} message", hint=f"{HOSTILE} hint")
    hurt = JobFailed(job_id=job_id(1), attempt=1, fence=1, error=error)
    bodies = (*queued(1, HOSTILE), started(1), hurt)
    async with open_window(qtbot, tmp_path, *bodies) as (_, _, window):
        await choose(window, 1)
        everything = texts(window) + cell(window, 0, Column.JOB)
        assert "<b>" in everything
        assert not set("\u202e\x1b\x00") & set(everything)
        for label in window.findChildren(QLabel):
            assert label.textFormat() is Qt.TextFormat.PlainText, label.text()
        tip = cell(window, 0, Column.JOB, Qt.ItemDataRole.ToolTipRole)
        assert "<b>" not in tip


@on_qt_loop
async def test_a_copied_job_tells_all(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_window(qtbot, tmp_path) as (desk, _, window):
        await fill(desk)
        await choose(window, 3)
        window.detail.copy.click()
        text = QGuiApplication.clipboard().text()
        for part in ("Predict churn_new.csv", "anna-pc", "1,409 rows predicted.", "Started."):
            assert part in text


@on_qt_loop
async def test_a_window_may_go_while_it_reads(qtbot: QtBot, tmp_path: Path) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    async with open_desk(tmp_path) as (desk, bridge):
        await desk.happens(*queued(1, "one"))
        window = jobs.make(bridge, Style(app, "light"))
        window.show()
        window.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        await desk.happens(*queued(2, "two"))
        heard: list[object] = []
        bridge.news.connect(heard.append)
        await until(lambda: bool(heard))


@on_qt_loop
async def test_it_draws_from_right_to_left(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_window(qtbot, tmp_path) as (desk, _, window):
        await fill(desk)
        window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        await choose(window, 2)
        assert not window.grab().isNull()
        header = window.listing.table.horizontalHeader()
        assert header.sectionViewportPosition(Column.STATE) > header.sectionViewportPosition(
            Column.AGE
        )
