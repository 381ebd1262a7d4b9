"""Faults of this program: shown once, without secrets, and the worker goes on."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from desktop.gui import boxes, crashes
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.world import open_desk

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def shown() -> list[QMessageBox]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox)]


def press(box: QMessageBox, label: str) -> None:
    next(button for button in box.buttons() if button.text() == label).click()


def test_a_start_knows_whether_the_last_one_was_killed_by_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "crash.log"
    with crashes.last_words(path, NOW) as has_crashed:
        assert not has_crashed
    with crashes.last_words(path, NOW) as has_crashed:
        assert not has_crashed
    code = (
        "import faulthandler, sys; f = open(sys.argv[1], 'a'); faulthandler.enable(f);"
        "faulthandler._sigsegv()"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, capture_output=True)
    with crashes.last_words(path, NOW) as has_crashed:
        assert has_crashed
    with crashes.last_words(path, NOW) as has_crashed:
        assert not has_crashed
    assert "Segmentation fault" in path.read_text(encoding="utf-8")


def test_what_is_kept_of_crashes_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "crash.log"
    path.write_bytes(b"x" * crashes.BYTES_MAX * 2)
    with crashes.last_words(path, NOW):
        pass
    assert path.stat().st_size < crashes.BYTES_MAX


@on_qt_loop
async def test_a_fault_in_what_a_window_does_is_shown_and_ends_nothing(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async def breaks() -> None:
        raise LookupError("token=dh_worker_x_" + "s" * 43)

    reports: list[int] = []
    async with open_desk(tmp_path) as (_, bridge):
        with crashes.shown(lambda: reports.append(1)):
            bridge.do(breaks())
            await until(lambda: len(shown()) == 1)
            bridge.do(breaks())
            done: list[str] = []
            bridge.do(bridge.desk.settings.value("language"), then=done.append)
            await until(lambda: bool(done))
            (box,) = shown()
            assert "LookupError" in box.detailedText()
            assert "s" * 43 not in box.detailedText()
            press(box, "Make a report…")
            await until(lambda: not shown())
            assert reports == [1]
            bridge.do(breaks())
            await until(lambda: len(shown()) == 1)
            press(shown()[0], "Close")
            await until(lambda: not shown())


@on_qt_loop
async def test_quitting_with_jobs_at_work_is_asked_and_escape_stays(qtbot: QtBot) -> None:
    chosen: list[str] = []
    for label in ("Quit", "Stay"):
        box = boxes.ask_to_quit(2, lambda: chosen.append("quit"), lambda: chosen.append("stay"))
        assert "2 jobs are running" in box.informativeText()
        assert box.escapeButton() is box.defaultButton()
        press(box, label)
    assert chosen == ["quit", "stay"]
    await until(lambda: not shown())
