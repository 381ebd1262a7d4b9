"""The chat window: a person opens threads, answers, asks for more, and sees what is new."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.core.link import LinkState, LinkStatus
from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.chart_view import ChartView
from desktop.gui.style import Style
from desktop.gui.watchdog import STALL_SECONDS, Watchdog
from desktop.gui.windows.chat import make
from desktop.gui.windows.chat.bubble_view import BubbleView
from desktop.gui.windows.chat.window import ChatWindow
from desktop.store import threads
from desktop.store.thread_pages import AT_HAND_MAX
from shared.events import (
    AnswerGiven,
    CancelAsked,
    JobCancelRequested,
    QuestionAnswered,
    RetryAsked,
    TaskRequested,
    WorkerLost,
)
from shared.ids import JobId, TaskId
from shared.messages import Progress
from shared.questions import Answer
from tests.desktop.gui import scenes_runs
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.scenes_chat import (
    FILES,
    PUSH,
    TARGET,
    ZONE,
    ask,
    fail,
    prepare,
    queue,
    start,
    succeed,
)
from tests.desktop.gui.world import ELSEWHERE, HERE, NOON, PaperDesk, open_desk
from tests.desktop.jobs.fake_context import FakeContext
from tests.desktop.jobs.ml.test_show import plots_of, stored


class Room:
    """An open chat window, and what a person does in it."""

    def __init__(self, desk: PaperDesk, bridge: Bridge, window: ChatWindow) -> None:
        self.desk, self.bridge, self.window = desk, bridge, window

    @property
    def bubbles(self) -> tuple[BubbleView, ...]:
        return self.window.talk.timeline.views

    @property
    def texts(self) -> list[str]:
        return [view.bubble.text for view in self.bubbles]

    async def open(self, job: JobId) -> None:
        self.window.show_item(job)
        await until(lambda: self.window.talk.task_id == TaskId(job) and bool(self.bubbles))

    def press(self, name: str) -> None:
        """Press the visible button whose text, or name for screen readers, begins so."""
        found = next(
            b
            for b in self.window.findChildren(QPushButton)
            if b.isVisible() and (b.text().startswith(name) or b.accessibleName().startswith(name))
        )
        QTest.mouseClick(found, Qt.MouseButton.LeftButton)

    def write(self, text: str, *, sends: bool = True) -> None:
        edit = self.window.talk.composer.findChild(QPlainTextEdit)
        assert edit is not None
        QTest.keyClicks(edit, text)
        if sends:
            QTest.keyClick(edit, Qt.Key.Key_Return)

    def line(self) -> QLineEdit:
        found = self.window.new_task.findChild(QLineEdit)
        assert found is not None
        return found


@contextlib.asynccontextmanager
async def room(qtbot: QtBot, home: Path) -> AsyncIterator[Room]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    async with open_desk(home) as (desk, bridge):
        await prepare(desk)
        window = make(bridge, Style(app, "light"))
        assert isinstance(window, ChatWindow)
        qtbot.addWidget(window)
        window.show()
        yield Room(desk, bridge, window)
        window.close()


async def asked(one: Room, *askings: object) -> JobId:
    job = await queue(one.desk, 1, "bugfix", said="the export shows the wrong hour")
    await start(one.desk, job)
    for number, asking in enumerate(askings):
        await ask(one.desk, job, asking, f"q{number}", minutes=12 + number)  # type: ignore[arg-type]
    await one.open(job)
    return job


# Threads.


@on_qt_loop
async def test_a_thread_shows_what_was_said_by_whom_and_names_it_for_screen_readers(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        await asked(one, ZONE)
        assert one.texts == [
            "the export shows the wrong hour", "Queued", "Runs on anna-pc", ZONE.text,
        ]  # fmt: skip
        assert one.bubbles[-1].accessibleName() == f"worker anna-pc, 12:12: {ZONE.text}"
        assert one.bubbles[0].accessibleName().startswith("you, 12:00: ")


@on_qt_loop
async def test_new_messages_come_in_by_themselves(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one)
        before = one.bubbles[:3]
        await succeed(one.desk, job)
        await until(lambda: one.bubbles[-1].result is not None)
        assert one.bubbles[:3] == before, "what stays the same is not made anew"


@on_qt_loop
async def test_a_thread_opens_by_its_question_and_an_unknown_one_is_told(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await queue(one.desk, 1, "bugfix")
        await start(one.desk, job)
        question = await ask(one.desk, job, ZONE)
        one.window.show_item(question)
        await until(lambda: one.window.talk.task_id == TaskId(job))
        one.window.show_item("no such thing")
        await until(one.window.banner.isVisible)


@on_qt_loop
async def test_words_of_others_are_never_markup_and_lose_what_acts(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await queue(one.desk, 1, "<img src=x>", said="<b>bold</b> \u202egpj.exe\x1b[2J")
        await one.open(job)
        assert one.texts[0] == "<b>bold</b> \ufffdgpj.exe\ufffd[2J"


@on_qt_loop
async def test_a_link_is_opened_only_after_its_whole_address_was_shown(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await queue(one.desk, 1, "x", said="see https://example.org/a?b=1 and file:///etc")
        await one.open(job)
        names = [b.text() for b in one.bubbles[0].findChildren(QPushButton)]
        assert names == ["https://example.org/a?b=1"]
        one.press("https://")
        box = one.window.findChild(QMessageBox)
        assert box is not None
        assert box.informativeText() == "https://example.org/a?b=1"
        assert box.textFormat() is Qt.TextFormat.PlainText
        escape = box.escapeButton()
        assert escape is not None
        assert box.defaultButton() is escape
        box.close()


# Answers.


@on_qt_loop
async def test_a_button_answers_and_the_answer_waits_until_the_hub_counts_it(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one, ZONE)
        one.press("Local time, answers: ")
        await until(lambda: bool(one.desk.said))
        assert one.desk.said == [AnswerGiven(question_id="q0", job_id=job, value="local")]
        await until(lambda: one.texts[-1] == "Local time")
        assert one.bubbles[-1].bubble.foot == "sent, waiting for the hub"
        await one.desk.happens(counted("local", "anna on anna-pc", job))
        await until(lambda: one.bubbles[-1].bubble.foot == "")
        assert one.texts[-1] == "Local time"


@on_qt_loop
async def test_an_answer_that_came_second_says_whose_was_first(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one, ZONE)
        one.press("Local time, answers: ")
        await until(lambda: one.texts[-1] == "Local time")
        await one.desk.happens(counted("utc", "anna on Telegram", job))
        await until(lambda: one.texts[-1] == "Answered by anna on Telegram: UTC")
        assert one.bubbles[-2].bubble.foot == "came second; UTC by anna on Telegram counts"


@on_qt_loop
async def test_a_line_answers_by_name_by_number_or_freely_where_that_is_welcome(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        for said, meant in (("2", "local"), ("utc", "utc"), ("whatever", "whatever")):
            one.desk.said.clear()
            job = await queue(one.desk, hash(said) % 1000 + 10, "bugfix")
            await start(one.desk, job)
            await ask(one.desk, job, ZONE, f"q {said}")
            await one.open(job)
            await until(lambda: any(v.question is not None for v in one.bubbles))
            one.write(said)
            await until(lambda: bool(one.desk.said))
            given = one.desk.said[0]
            assert isinstance(given, AnswerGiven)
            assert (given.question_id, given.value) == (f"q {said}", meant)


@on_qt_loop
async def test_a_line_that_fits_no_answer_stays_and_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        await asked(one, FILES)
        one.write("none of them")
        assert one.window.talk.composer.text == "none of them"
        assert one.desk.said == []


@on_qt_loop
async def test_shift_and_enter_begin_a_new_line(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one, ZONE)
        one.write("one", sends=False)
        edit = one.window.talk.composer.findChild(QPlainTextEdit)
        assert edit is not None
        QTest.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        one.write("two")
        await until(lambda: bool(one.desk.said))
        assert one.desk.said == [AnswerGiven(question_id="q0", job_id=job, value="one\ntwo")]


@on_qt_loop
async def test_alt_and_a_number_answer_but_never_approve(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        await asked(one, PUSH)
        one.window.talk.press(1)
        focused = QApplication.focusWidget()
        assert isinstance(focused, QPushButton)
        assert focused.accessibleName().startswith("Push and open a pull request, answers:")
        one.write("push")  # the beginning of two labels, and a value
        assert one.desk.said == []
        other = await queue(one.desk, 2, "bugfix")
        await start(one.desk, other)
        await ask(one.desk, other, ZONE, "second")
        await one.open(other)
        await until(lambda: any(v.question is not None for v in one.bubbles))
        one.window.talk.press(2)
        await until(lambda: bool(one.desk.said))
        assert one.desk.said == [AnswerGiven(question_id="second", job_id=other, value="local")]


@on_qt_loop
async def test_of_an_approval_no_button_is_chosen_beforehand(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        await asked(one, PUSH)
        view = one.bubbles[-1].question
        assert view is not None
        buttons = view.findChildren(QPushButton)
        assert len(buttons) == 3
        for button in buttons:
            assert not button.isDefault()
            assert button.property("look") != "primary"
        assert buttons[2].property("look") == "danger"


@on_qt_loop
async def test_a_question_about_a_change_opens_it_and_stays_open(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        opened: list[tuple[str, str]] = []
        one.bridge.opened.connect(lambda name, item: opened.append((name, item)))
        job = await asked(one, PUSH.model_copy(update={"more": "code.diff"}))
        one.press("Show diff")
        assert opened == [("change", job)]
        assert one.desk.said == []


@on_qt_loop
async def test_of_many_answers_one_is_found_by_its_words(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one, FILES)
        view = one.bubbles[-1].question
        assert view is not None
        search = view.findChild(QLineEdit)
        assert search is not None
        QTest.keyClicks(search, "sales 2017")
        QTest.keyClick(search, Qt.Key.Key_Return)
        await until(lambda: bool(one.desk.said))
        value = "/home/anna/tables/sales_2017.csv"
        assert one.desk.said == [AnswerGiven(question_id="q0", job_id=job, value=value)]


@on_qt_loop
async def test_several_open_questions_are_one_form_with_nothing_filled_in(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one, FILES, TARGET, PUSH)
        form = one.window.talk.form
        assert form.isVisible()
        boxes = form.findChildren(QComboBox)
        assert [box.currentIndex() for box in boxes] == [-1, -1, -1]
        boxes[0].setCurrentIndex(3)
        boxes[1].setEditText("tenure")
        one.press("Send 2 answers")
        await until(lambda: len(one.desk.said) == 2)
        assert one.desk.said == [
            AnswerGiven(question_id="q0", job_id=job, value=FILES.choices[3].value),
            AnswerGiven(question_id="q1", job_id=job, value="tenure"),
        ]
        # One is left: it is answered in its bubble again.
        await until(lambda: not form.isVisible())
        await until(lambda: any(
            v.question is not None and v.question.findChildren(QPushButton) for v in one.bubbles
        ))  # fmt: skip


@on_qt_loop
async def test_the_countdown_says_what_happens_without_an_answer(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        await asked(one, ZONE)
        view = one.bubbles[-1].question
        assert view is not None
        assert "Takes UTC in 27 min." in view.told
        view.tick(NOON + timedelta(minutes=41, seconds=30))
        assert "Takes UTC in 30 s." in view.told
        view.tick(NOON + timedelta(minutes=43))
        assert "Its time is up: it takes UTC." in view.told


# What runs, what came out, what went wrong.


@on_qt_loop
async def test_progress_is_one_bubble_that_changes_in_place_and_can_be_stopped(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one)
        shown = one.window.talk.progress
        for done in (1, 3):
            told = Progress(
                job_id=job, attempt=1, stage="models", done=done, total=5, eta_seconds=18
            )
            one.desk._note_progress(told)
            await until(partial(says, shown, f"{done} of 5"))
        assert shown.isVisible()
        one.press("Stop")
        await until(lambda: one.desk.said == [CancelAsked(job_id=job)])
        await one.desk.happens(JobCancelRequested(job_id=job, by="anna on anna-pc"))
        await until(lambda: "being stopped" in shown.accessibleName())
        await succeed(one.desk, job)
        await until(lambda: not shown.isVisible())


@on_qt_loop
async def test_a_results_files_are_found_beside_what_they_were_made_of(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        folder = tmp_path / "tables"
        folder.mkdir()
        (folder / "churn.predictions.csv").write_text("a\n1\n", encoding="utf-8")
        (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
        one.desk.policy = one.desk.policy.model_copy(update={"folders": (str(folder),)})
        job = await asked(one)
        files = ["churn.predictions.csv", "../secret.csv", "gone.csv"]
        await succeed(one.desk, job, {"headline": "Done.", "files": files})
        await until(lambda: one.bubbles[-1].result is not None)
        result = one.bubbles[-1].result
        assert result is not None
        await until(lambda: result.is_placed)
        names = [b.accessibleName() for b in result.findChildren(QPushButton)]
        assert names == [
            "Open the folder of churn.predictions.csv", "Copy the path of churn.predictions.csv",
        ]  # fmt: skip
        one.press("Copy path")
        assert QGuiApplication.clipboard().text() == str(folder / "churn.predictions.csv")


@on_qt_loop
async def test_a_model_that_was_made_here_shows_its_best_plot_and_opens(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        opened: list[tuple[str, str]] = []
        one.bridge.opened.connect(lambda name, item: opened.append((name, item)))
        context = FakeContext(tmp_path / "tables", one.desk.paths.data)
        model_id = stored(context, plots=plots_of("binary", columns=4))
        job = await asked(one)
        await succeed(one.desk, job, {"headline": "Done.", "model": {"model_id": model_id}})
        await until(lambda: bool(one.window.talk.timeline.findChildren(ChartView)))
        one.press("Open the model")
        assert opened == [("models", model_id)]


@on_qt_loop
async def test_statistics_of_a_run_show_their_first_plot_and_open_it(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        opened: list[tuple[str, str]] = []
        one.bridge.opened.connect(lambda name, item: opened.append((name, item)))
        await scenes_runs.shelf(one.desk.paths.data)
        scenes_runs.put_statistics(one.desk.paths.runs)
        job = await asked(one)
        await succeed(one.desk, job, {"headline": "Done.", "run": scenes_runs.OVER, "wins": []})
        await until(lambda: bool(one.window.talk.timeline.findChildren(ChartView)))
        [shown] = one.window.talk.timeline.findChildren(ChartView)
        assert "How often each value wins" in shown.accessibleName()
        one.press("Open the run")
        assert opened == [("runs", scenes_runs.OVER)]


@on_qt_loop
async def test_a_failed_job_says_what_to_do_and_can_be_tried_again(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one)
        await fail(one.desk, job)
        await until(lambda: "Put it back" in one.texts[-1])
        one.press("Try again")
        await until(lambda: one.desk.said == [RetryAsked(job_id=job)])


# Something new.


@on_qt_loop
async def test_a_typed_line_starts_a_job_here_with_what_it_says(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        one.window.show_item("new:")
        QTest.keyClicks(one.line(), "/train sales.csv revenue")
        QTest.keyClick(one.line(), Qt.Key.Key_Return)
        await until(lambda: bool(one.desk.said))
        asked_for = one.desk.said[0]
        assert isinstance(asked_for, TaskRequested)
        assert (asked_for.kind, asked_for.inputs, asked_for.worker_id, asked_for.text) == (
            "ml.train", {"file": "sales.csv", "target": "revenue"}, HERE, "train sales.csv revenue",
        )  # fmt: skip
        await until(lambda: one.window.talk.task_id == asked_for.task_id)
        await until(lambda: "train sales.csv revenue" in one.texts)


@on_qt_loop
async def test_a_kind_is_picked_by_its_first_letters_and_another_computer_chosen(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        await one.desk.happens(WorkerLost(worker_id=ELSEWHERE, name="studio-mac", since=NOON))
        one.window.show_item("new:")
        QTest.keyClicks(one.line(), "tra")
        QTest.keyClick(one.line(), Qt.Key.Key_Return)
        kind = one.window.new_task.kind
        assert kind is not None
        assert kind.name == "ml.train"
        machines = one.window.new_task.findChild(QComboBox, "machines")
        assert machines is not None
        await until(lambda: machines.itemText(1) == "studio-mac (away)")
        assert [machines.itemText(i) for i in range(3)] == [
            "This computer (anna-pc)", "studio-mac (away)", "Any computer of mine",
        ]  # fmt: skip
        machines.setCurrentIndex(2)
        one.press("Start")
        await until(lambda: bool(one.desk.said))
        asked_for = one.desk.said[0]
        assert isinstance(asked_for, TaskRequested)
        assert asked_for.worker_id is None


@on_qt_loop
async def test_plain_words_ask_for_a_plan(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        one.window.show_item("new:")
        QTest.keyClicks(one.line(), "summarize the annual report")
        QTest.keyClick(one.line(), Qt.Key.Key_Return)
        await until(lambda: bool(one.desk.said))
        asked_for = one.desk.said[0]
        assert isinstance(asked_for, TaskRequested)
        assert asked_for.kind == "plan"
        assert asked_for.inputs == {"task": "summarize the annual report"}


@on_qt_loop
async def test_a_word_that_is_none_of_ours_starts_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        one.window.show_item("new:")
        QTest.keyClicks(one.line(), "xyzzy plugh")
        QTest.keyClick(one.line(), Qt.Key.Key_Return)
        assert one.window.new_task.kind is None
        assert "Say it in a sentence" in one.window.new_task.told
        assert one.desk.said == []


@on_qt_loop
async def test_a_dropped_file_is_filled_in_where_it_may_be_used(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        table = tmp_path / "tables" / "new.csv"
        table.parent.mkdir()
        table.write_text("a\n1\n", encoding="utf-8")
        one.desk.policy = one.desk.policy.model_copy(update={"folders": (str(table.parent),)})
        drop(one.window, table)
        assert "new.csv" in one.window.new_task.told
        one.window.new_task.pick("ml.predict")
        one.press("Start")
        await until(lambda: bool(one.desk.said))
        asked_for = one.desk.said[0]
        assert isinstance(asked_for, TaskRequested)
        assert (asked_for.kind, asked_for.inputs) == ("ml.predict", {"file": str(table)})


@on_qt_loop
async def test_a_dropped_file_outside_the_folders_leads_to_the_settings(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        opened: list[tuple[str, str]] = []
        one.bridge.opened.connect(lambda name, item: opened.append((name, item)))
        table = tmp_path / "new.csv"
        table.write_text("a\n1\n", encoding="utf-8")
        drop(one.window, table)
        await until(lambda: one.window.new_task.is_refused)
        one.press("Open settings")
        assert opened == [("settings", "folders")]
        one.window.new_task.pick("ml.train")
        one.press("Start")
        await until(lambda: one.window.new_task.is_refused)
        assert one.desk.said == []


@on_qt_loop
async def test_the_keyboard_leads_to_the_box_to_the_search_and_back(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        await asked(one, ZONE)
        control = Qt.KeyboardModifier.ControlModifier
        one.window.activateWindow()
        await until(one.window.isActiveWindow)
        QTest.keyClick(one.window, Qt.Key.Key_N, control)
        assert one.window.new_task.isVisible()
        QTest.keyClick(one.window, Qt.Key.Key_Escape)
        assert one.window.talk.isVisible()
        QTest.keyClick(one.window, Qt.Key.Key_K, control)
        assert one.window.list.search.hasFocus()


# What was read, what is far up, what waits.


@on_qt_loop
async def test_what_is_seen_is_read_and_what_is_not_seen_counts(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        counts: list[int] = []
        one.window.unread_changed.connect(counts.append)
        one.window.activateWindow()
        await until(one.window.isActiveWindow)
        seen, other = await queue(one.desk, 1, "seen"), await queue(one.desk, 2, "other")
        await one.open(seen)
        await succeed(one.desk, other, minutes=20)
        await until(lambda: bool(counts) and counts[-1] == 1)
        await succeed(one.desk, seen, minutes=21)
        await until(lambda: one.bubbles[-1].result is not None)
        await until(lambda: counts[-1] == 1)
        left = await one.desk.look(threads.threads)
        await until(lambda: True)
        assert {t.task_id: t.unread for t in left}[TaskId(other)] == 1
        await one.open(other)
        await until(lambda: counts[-1] == 0)


@on_qt_loop
async def test_nothing_is_read_while_the_window_is_hidden(qtbot: QtBot, tmp_path: Path) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await asked(one)
        counts: list[int] = []
        one.window.unread_changed.connect(counts.append)
        one.window.hide()
        for _ in range(2):  # what was being read for who looked is read before this
            await one.desk.look(threads.attention)
        await succeed(one.desk, job, minutes=20)
        await until(lambda: counts[-1:] == [1])
        assert one.bubbles[-1].result is None
        one.window.show()
        await until(lambda: one.bubbles[-1].result is not None)


@on_qt_loop
async def test_a_long_thread_opens_at_its_end_and_comes_page_by_page(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await queue(one.desk, 1, "long")
        await one.desk.happens(*[RetryAsked(job_id=job)] * 150)
        await one.open(job)
        bar = one.window.talk.timeline.verticalScrollBar()
        await until(lambda: bar.value() == bar.maximum() > 0)
        newest = one.bubbles[-1].bubble.key
        while "long" not in one.texts:
            first = one.bubbles[0].bubble.key
            bar.setValue(0)
            await until(partial(begins_before, one, first))
            await until(lambda: bar.value() > 0)
            assert len(one.bubbles) <= AT_HAND_MAX + 1
        assert one.bubbles[-1].bubble.key != newest
        one.window.talk.timeline.follow()
        await until(lambda: one.bubbles[-1].bubble.key == newest)
        await until(lambda: bar.value() == bar.maximum())


@on_qt_loop
async def test_who_reads_above_stays_there_and_is_told_of_new_messages(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await queue(one.desk, 1, "long")
        await one.desk.happens(*[RetryAsked(job_id=job)] * 60)
        await one.open(job)
        timeline = one.window.talk.timeline
        bar = timeline.verticalScrollBar()
        await until(lambda: bar.value() == bar.maximum() > 300)
        bar.setValue(bar.maximum() - 150)
        await until(lambda: not timeline.is_following)
        looked_at = timeline.childAt(timeline.rect().center())
        assert looked_at is not None
        before = looked_at.mapTo(timeline, looked_at.rect().topLeft()).y()
        await succeed(one.desk, job)
        await until(timeline.pill.isVisible)
        await until(lambda: one.bubbles[-1].result is not None)
        assert abs(looked_at.mapTo(timeline, looked_at.rect().topLeft()).y() - before) <= 2
        QTest.mouseClick(timeline.pill, Qt.MouseButton.LeftButton)
        await until(lambda: bar.value() == bar.maximum())
        assert not timeline.pill.isVisible()


@on_qt_loop
async def test_a_thread_of_five_thousand_messages_opens_without_a_stall(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        job = await queue(one.desk, 1, "long")
        for _ in range(10):
            await one.desk.happens(*[RetryAsked(job_id=job)] * 500)
        # Of this thread's own time, which other programs cannot spoil.
        watchdog = Watchdog(time.thread_time)
        await one.open(job)
        bar = one.window.talk.timeline.verticalScrollBar()
        await until(lambda: bar.value() == bar.maximum() > 300)
        watchdog.stop()
        assert watchdog.rounds > 0
        assert watchdog.longest_seconds < STALL_SECONDS, watchdog


@on_qt_loop
async def test_while_the_hub_is_away_the_window_says_what_happens_to_words(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with room(qtbot, tmp_path) as one:
        strip = one.window.strip
        assert not strip.isVisible()
        one.desk.link = LinkStatus(state=LinkState.OFFLINE)
        one.desk.ring(News.STATUS)
        await until(strip.isVisible)
        assert "Work goes on here" in strip.accessibleName()
        one.desk.pairing = None
        one.desk.ring(News.PAIRING)
        await until(lambda: "belongs to no hub" in strip.accessibleName())


def counted(value: str, by: str, job: JobId) -> QuestionAnswered:
    return QuestionAnswered(question_id="q0", job_id=job, answer=Answer(value=value, by=by))


def says(widget: QWidget, words: str) -> bool:
    return words in widget.accessibleName()


def begins_before(one: Room, key: str) -> bool:
    return one.bubbles[0].bubble.key != key


def drop(window: ChatWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(100, 100),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
