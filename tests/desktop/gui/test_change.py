"""The Change window by clicks and keys: kept changes, fetched ones, very large ones."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop.desk.changes import Changes
from desktop.gui.style import Style
from desktop.gui.windows.change.diff_model import DiffModel
from desktop.gui.windows.change.rows import Row, Sort, rows_of
from desktop.gui.windows.change.window import ChangeWindow
from desktop.jobs.code.kept import KeptChanges
from shared.events import JobSucceeded, TaskRequested
from shared.kinds.code import DiffOutput, FileFacts
from tests.desktop.gui import scenes_change as scenes
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.world import ELSEWHERE, open_desk


def style() -> Style:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return Style(app, "light")


def texts(window: ChangeWindow) -> list[str]:
    model = window.diff.lines
    return [model.row(number).text for number in range(model.rowCount())]


@on_qt_loop
async def test_a_change_of_this_machine_is_read_from_its_folder(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await scenes.asking(desk, bridge, style())
        assert isinstance(window, ChangeWindow)
        qtbot.addWidget(window)
        assert window.told.text() == (
            "3 files · +11 −3 · deskhand/k7q2-utc · from main · ✓ 41 tests passed"
        )
        assert window.diff.lines.row(3) == Row(Sort.SAME, "", 2, 2)
        assert window.diff.lines.row(4) == Row(Sort.REMOVED, "from datetime import datetime", 3)
        assert "This is no text." in texts(window)
        assert window.fetch.isHidden()
        assert desk.said == [], "nothing is asked of anybody"
        window.close()


@on_qt_loop
async def test_choosing_a_file_brings_its_lines_and_chosen_lines_can_be_copied(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await scenes.asking(desk, bridge, style())
        assert isinstance(window, ChangeWindow)
        qtbot.addWidget(window)
        window.view.setFocus()
        QTest.keyClick(window.view, Qt.Key.Key_Down)
        assert window.diff.currentIndex().data() == "tests/test_clock.py"
        window.diff.setFocus()
        QTest.keyClick(window.diff, Qt.Key.Key_Down)
        QTest.keyClick(window.diff, Qt.Key.Key_Down)
        QTest.keyClick(window.diff, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        window.diff.copy()
        assert QGuiApplication.clipboard().text() == "+from shop.clock import now\n+\n"
        spoken = window.diff.lines.index(4, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert spoken == "Removed, line 3: from datetime import datetime"
        window.close()


@on_qt_loop
async def test_a_change_of_another_machine_is_fetched_when_it_is_asked_for(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await scenes.elsewhere(desk, bridge, style())
        assert isinstance(window, ChangeWindow)
        qtbot.addWidget(window)
        assert "stands on" in window.nothing.text()
        window.fetch.click()
        await until(lambda: len(desk.said) == 1)
        [asked] = desk.said
        assert isinstance(asked, TaskRequested)
        assert (asked.kind, asked.inputs) == ("code.diff", {"job": scenes.OTHER})
        assert asked.worker_id == ELSEWHERE
        await until(lambda: "is asked for it" in window.nothing.text())
        assert window.fetch.isHidden()
        output = DiffOutput(
            headline="3 files.", job=scenes.OTHER, branch="deskhand/k7q2-utc", diff=scenes.DIFF,
            files_changed=scenes.FILES, files_total=3,
        )  # fmt: skip
        await desk.happens(
            JobSucceeded(
                job_id=asked.job_id, attempt=1, fence=1, running_seconds=1.0,
                result=output.model_dump(mode="json"),
            ),
            device=ELSEWHERE,
        )  # fmt: skip
        await until(lambda: window.diff.lines.rowCount() > 10)
        assert window.files.rowCount() == 3
        window.close()


@on_qt_loop
async def test_from_the_window_one_gets_to_the_question(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await scenes.asking(desk, bridge, style())
        assert isinstance(window, ChangeWindow)
        qtbot.addWidget(window)
        opened: list[tuple[str, str]] = []
        bridge.opened.connect(lambda name, item: opened.append((name, item)))
        button = next(b for b in window.findChildren(QPushButton) if b.text() == "To the question")
        button.click()
        assert opened == [("chat", scenes.JOB)]
        window.close()


@on_qt_loop
async def test_ten_thousand_lines_are_painted_a_screen_at_a_time(
    qtbot: QtBot, tmp_path: Path
) -> None:
    lines = 10_000
    body = "".join(f"+line {n}\n" for n in range(lines))
    diff = f"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1,{lines} @@\n{body}"
    asked = 0

    class Counting(DiffModel):
        def row(self, number: int) -> Row:
            nonlocal asked
            asked += 1
            return super().row(number)

    async with open_desk(tmp_path) as (desk, bridge):
        await scenes.job_asks(desk)
        scenes.keep(desk, diff, (FileFacts(path="a", added=lines),))
        window = await scenes.opened(desk, bridge, style())
        qtbot.addWidget(window)
        counting = Counting(window)
        counting.show(window.diff.lines.rows)
        window.diff.setModel(counting)
        window.diff.scrollToBottom()
        window.diff.repaint()
        assert counting.rowCount() == lines + 2
        assert 0 < asked < 1000
        window.close()


async def test_what_strangers_named_does_not_act(tmp_path: Path) -> None:
    nasty = "a\u202eb\x1b[2J"
    diff = f"diff --git a/{nasty} b/{nasty}\n--- a/{nasty}\n+++ b/{nasty}\n@@ -1 +1 @@\n-\x1b\n+x\n"
    facts = scenes.facts_of(scenes.JOB, (FileFacts(path=nasty, added=1, removed=1),))
    KeptChanges(tmp_path / "code" / "changes").keep(facts, diff)
    change = await Changes(tmp_path).kept(scenes.JOB)
    assert change is not None
    told = repr(rows_of(change))
    assert "\\x1b" not in told
    assert "\\u202e" not in told
    assert [file.path for file in change.files] == ["a\ufffdb\ufffd[2J"]


async def test_of_what_is_not_kept_nothing_is_shown(tmp_path: Path) -> None:
    assert await Changes(tmp_path).kept(scenes.JOB) is None
    assert await Changes(tmp_path).kept("../../etc") is None
