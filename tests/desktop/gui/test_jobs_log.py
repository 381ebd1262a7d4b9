"""The logs of the Jobs window: of any length, followed, searched, copied and saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.gui.parts import Banner
from desktop.gui.style import Style
from desktop.gui.windows.jobs.log_bar import LogWithActions
from desktop.gui.windows.jobs.log_delegate import found
from desktop.gui.windows.jobs.log_model import PAGE_LINES, PAGES_KEPT, LogModel
from desktop.gui.windows.jobs.log_pane import LogPane
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.scenes_jobs import job_id, logged, queued
from tests.desktop.gui.world import HERE, PaperDesk, open_desk


@asynccontextmanager
async def open_log(
    qtbot: QtBot, home: Path, lines: int, *, is_mixed: bool = False
) -> AsyncIterator[tuple[PaperDesk, LogWithActions, Banner]]:
    """Open the log of job 1, which has lines "line 1", "line 2", …; job 2 has one line."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    async with open_desk(home) as (desk, bridge):
        await desk.happens(*queued(1, "one"), *queued(2, "two"))
        await desk.happens(logged(2, "a needle elsewhere"), device=HERE)
        await say(desk, 1, lines)
        banner = Banner()
        log = LogWithActions(bridge, Style(app, "light"), banner, is_mixed=is_mixed)
        qtbot.addWidget(log)
        qtbot.addWidget(banner)
        log.resize(700, 400)
        log.show()
        if not is_mixed:
            log.pane.show_log(job_id(1))
        await until(lambda: log.pane.total >= lines)
        yield desk, log, banner
        log.hide()


async def say(desk: PaperDesk, first: int, count: int) -> None:
    for start in range(first, first + count, 200):
        stop = min(start + 200, first + count)
        await desk.happens(logged(1, *(f"line {n}" for n in range(start, stop))), device=HERE)


def visible(pane: LogPane) -> list[str]:
    """What stands in the window now; a line that is not read yet is None."""
    table = pane.table
    last = table.rowAt(table.viewport().height() - 1)
    rows = range(table.rowAt(0), (last if last >= 0 else pane.model.count - 1) + 1)
    return [str(pane.model.index(row).data()) for row in rows]


def is_at_end(pane: LogPane) -> bool:
    bar = pane.table.verticalScrollBar()
    return bar.value() == bar.maximum()


@on_qt_loop
async def test_only_the_lines_that_are_looked_at_are_in_memory(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_log(qtbot, tmp_path, 6000) as (_, log, _):
        pane = log.pane
        assert pane.model.rowCount() == 6000
        await until(lambda: visible(pane)[-1] == "line 6000")
        assert pane.model.lines_held <= 3 * PAGE_LINES
        pane.table.scrollTo(pane.model.index(3000))
        await until(lambda: "line 3001" in visible(pane) and "None" not in visible(pane))
        assert pane.model.lines_held <= 6 * PAGE_LINES


def test_pages_that_were_looked_at_long_ago_are_let_go(qapp: QApplication) -> None:
    owner = QWidget()
    model = LogModel(owner)
    asked: list[int] = []
    model.page_wanted.connect(asked.append)
    model.show_count(PAGE_LINES * 1000)
    for page in range(1000):
        assert model.line(page * PAGE_LINES) is None
        assert model.line(page * PAGE_LINES) is None
    assert asked == list(range(1000))
    assert model.lines_held <= PAGES_KEPT * PAGE_LINES


@on_qt_loop
async def test_the_end_is_followed_until_somebody_scrolls_up(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_log(qtbot, tmp_path, 500) as (desk, log, _):
        pane = log.pane
        await until(lambda: is_at_end(pane))
        await say(desk, 501, 300)
        await until(lambda: pane.total == 800 and is_at_end(pane))
        pane.table.scrollTo(pane.model.index(100))
        assert not pane.follow.isChecked()
        await until(lambda: "None" not in visible(pane))
        before = visible(pane)
        await say(desk, 801, 300)
        await until(lambda: pane.total == 1100)
        assert visible(pane) == before
        pane.follow.click()
        await until(lambda: visible(pane)[-1] == "line 1100")


@on_qt_loop
async def test_words_are_found_one_after_the_other(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_log(qtbot, tmp_path, 1000) as (desk, log, _):
        pane = log.pane
        pane.search.setText("line 99")
        await until(lambda: pane.hits == [99, *range(990, 1000)])
        pane.go_to_hit(1)
        assert pane.table.currentIndex().row() == 98
        pane.go_to_hit(1)
        assert pane.table.currentIndex().row() == 989
        pane.go_to_hit(-1)
        pane.go_to_hit(-1)
        assert pane.table.currentIndex().row() == 998
        await say(desk, 9990, 1)
        await until(lambda: pane.hits[-1] == 1001)


@on_qt_loop
async def test_only_matches_can_be_shown(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_log(qtbot, tmp_path, 1000) as (_, log, _):
        pane = log.pane
        pane.search.setText("line 77")
        await until(lambda: len(pane.hits) == 11)
        pane.only_hits.click()
        await until(lambda: pane.model.count == 11)
        wanted = ["line 77", *(f"line {n}" for n in range(770, 780))]
        await until(lambda: visible(pane) == wanted)
        pane.search.clear()
        await until(lambda: pane.model.count == 1000)


@on_qt_loop
async def test_all_logs_are_searched_together(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_log(qtbot, tmp_path, 50, is_mixed=True) as (_, log, _):
        pane = log.pane
        assert pane.model.count == 51
        pane.search.setText('needle"')
        await until(lambda: pane.searched == 'needle"')
        await until(lambda: visible(pane) == ["a needle elsewhere"])


@on_qt_loop
async def test_chosen_lines_are_copied_with_their_times(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_log(qtbot, tmp_path, 1000) as (_, log, banner):
        log.pane.table.selectRow(499)
        log.copy_lines()
        await until(lambda: not banner.isHidden())
        text = QGuiApplication.clipboard().text()
        assert text.endswith(" line 500\n")
        assert text.count("\n") == 1


@on_qt_loop
async def test_a_whole_log_is_saved_or_told_why_not(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_log(qtbot, tmp_path / "home", 2500) as (_, log, banner):
        path = tmp_path / "a log.txt"
        log.save_as(path)
        await until(lambda: "2500" in banner.accessibleName())
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) == 2500
        assert lines[-1].endswith(" line 2500")
        log.save_as(tmp_path / "no folder" / "x.log")
        await until(lambda: "could not be saved" in banner.accessibleName())


@on_qt_loop
async def test_a_line_of_others_moves_no_cursor(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_log(qtbot, tmp_path, 1) as (desk, log, _):
        await desk.happens(logged(1, "\x1b[31m<b>red</b>\u202etxt\tend"), device=HERE)
        await until(lambda: log.pane.total == 2)
        assert visible(log.pane)[-1] == "\ufffd[31m<b>red</b>\ufffdtxt end"


def test_found_words_are_marked_whatever_their_case() -> None:
    assert list(found("Epoch 3 of epoch", ("epoch", "3"))) == [(0, 5), (11, 16), (6, 7)]
    assert list(found("İİ epoch", ("epoch",))) == []
