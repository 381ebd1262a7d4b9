"""The Models window by clicks, keys and dropped files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog
from pytestqt.qtbot import QtBot

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.models.compare import verdict
from desktop.gui.windows.models.window import ModelsWindow, dropped, is_allowed
from shared.errors import ErrorBody
from shared.events import CancelAsked, JobFailed, JobStarted, TaskRequested
from shared.messages import Progress
from tests.desktop.gui import scenes_models as scenes
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.world import HERE, PaperDesk, open_desk


def style() -> Style:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return Style(app, "light")


async def opened(desk: PaperDesk, bridge: Bridge, qtbot: QtBot) -> ModelsWindow:
    window = await scenes.opened(desk, bridge, style())
    qtbot.addWidget(window)
    return window


@on_qt_loop
async def test_an_empty_shelf_teaches_and_leads_to_the_new_task_box(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (_, bridge):
        window = ModelsWindow(bridge, style())
        qtbot.addWidget(window)
        window.show()
        wanted: list[tuple[str, str]] = []
        bridge.opened.connect(lambda name, item: wanted.append((name, item)))
        QTest.mouseClick(window.train, Qt.MouseButton.LeftButton)
        assert wanted == [("chat", "new:ml.train")]


@on_qt_loop
async def test_words_narrow_the_list_and_orders_sort_it(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)

        def names() -> list[str]:
            return [entry.name for entry in window.list.shown]

        assert names()[0] == "Churn of the second quarter"
        QTest.keyClicks(window.search, "churn.csv")
        assert names() == ["Churn of the second quarter"]
        window.search.clear()
        window.order.setCurrentIndex(window.order.findData("name"))
        assert names()[:2] == ["Churn", "Churn of the second quarter"]


@on_qt_loop
async def test_delete_and_undo_by_the_keyboard(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        first = window.list.shown[0].model_id
        window.activateWindow()
        window.view.setFocus()
        await until(window.view.hasFocus)
        QTest.keyClick(window.view, Qt.Key.Key_Delete)
        await until(lambda: window.list.row_of(first) < 0)
        assert "can come back" in window.banner.accessibleName()
        QTest.keyClick(window.undo, Qt.Key.Key_Space)
        await until(lambda: window.list.row_of(first) == 0)
        assert not window.undo.isVisible()


@on_qt_loop
async def test_a_new_name_is_shown_at_once(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        window.detail.wants.emit("rename")
        (dialog,) = window.findChildren(QInputDialog)
        dialog.setTextValue("Better name")
        dialog.accept()
        await until(lambda: window.list.shown[0].name == "Better name")


@on_qt_loop
async def test_a_file_of_an_allowed_folder_is_predicted_on_this_computer(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        await scenes.asked(window, desk)
        asked = desk.said[-1]
        assert isinstance(asked, TaskRequested)
        assert (asked.kind, asked.worker_id) == ("ml.predict", HERE)
        assert asked.inputs["model"] == window.list.shown[0].model_id
        await until(lambda: window.predicting._job_id is not None)
        QTest.mouseClick(window.predicting.stop, Qt.MouseButton.LeftButton)
        await until(lambda: isinstance(desk.said[-1], CancelAsked))


@on_qt_loop
async def test_a_table_of_a_billion_rows_has_a_bar(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        job_id = await scenes.asked(window, desk)
        await until(lambda: window.predicting._job_id == job_id)
        await desk.happens(JobStarted(job_id=job_id, attempt=1, fence=1), device=HERE)
        desk._note_progress(
            Progress(job_id=job_id, attempt=1, stage="predicting", done=5e8, total=1e9)
        )
        await until(lambda: window.predicting.bar.maximum() > 0)
        assert window.predicting.bar.value() * 2 == window.predicting.bar.maximum()


@on_qt_loop
async def test_a_further_version_that_somebody_copies_in_is_seen(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        assert window._watcher is not None
        watcher = window._watcher
        home = desk.paths.models / "old-one"
        await until(lambda: str(home) in watcher.directories())
        (home / "20240202-000000-bbbbbb").mkdir()
        await until(lambda: window.list.row_of("20240202-000000-bbbbbb") >= 0)
        window.hide()
        assert window._watcher is None


@on_qt_loop
async def test_a_failed_prediction_says_why(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        job_id = await scenes.asked(window, desk)
        await until(lambda: window.predicting._job_id == job_id)
        error = ErrorBody(code="x", message="There is no column `age`.", hint="Add it.")
        await desk.happens(JobFailed(job_id=job_id, attempt=1, fence=1, error=error), device=HERE)
        await until(lambda: "no column `age`" in window.predicting.stage.text())
        assert not window.predicting.stop.isVisible()


@on_qt_loop
async def test_a_file_outside_is_not_sent_anywhere(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        wanted: list[tuple[str, str]] = []
        bridge.opened.connect(lambda name, item: wanted.append((name, item)))
        window.predict(tmp_path.parent / "elsewhere.csv")
        assert desk.said == []
        assert wanted == [("settings", "folders")]
        assert "no folder" in window.banner.accessibleName()


@on_qt_loop
async def test_result_is_shown_with_its_first_rows(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await scenes.predicted(desk, bridge, style())
        assert isinstance(window, ModelsWindow)
        qtbot.addWidget(window)
        table = window.predicting.table
        assert table.rowCount() == 8
        header = table.horizontalHeaderItem(3)
        assert header is not None
        assert header.text() == "probability"


@on_qt_loop
async def test_two_models_are_judged_by_more_than_chance(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        ids = [e.model_id for e in window.list.shown[:2]]
        first, second = await window.models.detail(ids[0]), await window.models.detail(ids[1])
        assert "within what chance does" in verdict(first, second)


def test_only_one_table_can_be_dropped(tmp_path: Path) -> None:
    table = QUrl.fromLocalFile(str(tmp_path / "a.csv"))
    assert dropped([table]) == tmp_path / "a.csv"
    assert dropped([table, table]) is None
    assert dropped([QUrl("https://example.org/a.csv")]) is None
    assert dropped([QUrl.fromLocalFile(str(tmp_path / "a.exe"))]) is None


def test_a_link_out_of_an_allowed_folder_is_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    assert is_allowed(inside / "a.csv", (str(inside),))
    assert not is_allowed(inside / "link" / "a.csv", (str(inside),))
    assert not is_allowed(inside / "a.csv", ())
