"""The Runs window by clicks and keys, while models are asked beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from desktop.core.llm.types import CellEnd, CellState
from desktop.gui.bridge import Bridge
from desktop.gui.chart_view import ChartView
from desktop.gui.style import Style
from desktop.gui.windows.runs import saying
from desktop.gui.windows.runs.window import RunsWindow
from desktop.store.transcripts.transcripts import Transcripts
from shared.events import TaskRequested
from tests.desktop.gui import scenes_runs as scenes
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.world import HERE, PaperDesk, open_desk


def style() -> Style:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return Style(app, "light")


async def opened(
    desk: PaperDesk, bridge: Bridge, qtbot: QtBot, run_id: str = scenes.OVER
) -> RunsWindow:
    window = await scenes.opened(desk, bridge, style(), run_id)
    qtbot.addWidget(window)
    return window


def press(window: RunsWindow, text: str) -> None:
    [found] = [b for b in window.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def texts(window: RunsWindow) -> str:
    return "\n".join(told.text() for told in window.detail.transcript.findChildren(QLabel))


def has_more_than(window: RunsWindow, count: int) -> bool:
    return len(window.detail.cells.cells) > count


@on_qt_loop
async def test_without_runs_it_leads_to_the_new_task_box(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (_, bridge):
        window = RunsWindow(bridge, style())
        qtbot.addWidget(window)
        window.show()
        wanted: list[tuple[str, str]] = []
        bridge.opened.connect(lambda name, item: wanted.append((name, item)))
        press(window, "New run…")
        assert wanted == [("chat", "new:llm.run")]


@on_qt_loop
async def test_a_run_tells_how_it_went_and_a_probe_what_was_said(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        assert window.detail.told.text() == "20 of 20, 1 refused, 2 failed · $0.022 in all"
        assert window.detail.faults.text() == "Failed: RATE LIMIT 2"
        assert len(window.detail.cells.cells) == 20
        window.detail.table.selectRow(0)
        await until(lambda: window.detail.transcript.probe is not None)
        assert "You face the lost wallet." in texts(window)
        assert "A. Honesty is the shorter way home." in texts(window)
        assert "chose A (honesty)" in texts(window)
        assert "600 tokens in, 40 out" in texts(window)


@on_qt_loop
async def test_probes_are_found_by_state_model_and_words(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        cells = window.detail.cells
        window.detail.state.setCurrentIndex(window.detail.state.findData(CellState.REFUSED.value))
        await until(lambda: {c.state for c in cells.cells} == {CellState.REFUSED})
        window.detail.state.setCurrentIndex(0)
        window.detail.model.setCurrentIndex(2)
        await until(lambda: {c.cell.model for c in cells.cells} == {"local:tiny"})
        window.detail.model.setCurrentIndex(0)
        QTest.keyClicks(window.detail.search, "white lie")
        await until(lambda: {c.cell.scenario for c in cells.cells} == {"white-lie"})


@on_qt_loop
async def test_a_provider_cannot_put_markup_into_a_tool_tip(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot, scenes.GOING)
        cells = window.detail.cells
        transcripts = Transcripts(desk.paths.data)
        evil = 'It says: “<img src="//evil.example/a.png">”'
        try:
            end = CellEnd(state=CellState.FAILED, fault="SERVER", message=evil)
            await transcripts.end_cell(scenes.GOING, 8, end)
            await until(lambda: cells.cells[8].state is CellState.FAILED)
        finally:
            await transcripts.aclose()
        told = cells.index(8, 0).data(Qt.ItemDataRole.ToolTipRole)
        assert "evil.example" in told
        assert "<img" not in told


@on_qt_loop
async def test_a_run_that_goes_on_grows_before_the_eyes(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot, scenes.GOING)
        assert window.detail.bar.value() == 8
        window.detail.table.selectRow(2)
        transcripts = Transcripts(desk.paths.data)
        try:
            await scenes.ask(transcripts, scenes.GOING, 8)
            await until(lambda: window.detail.bar.value() == 9)
            await until(lambda: window.detail.cells.cells[8].state is CellState.ANSWERED)
        finally:
            await transcripts.aclose()
        await until(lambda: window.detail.chosen_index() == 2)


@on_qt_loop
async def test_statistics_are_the_figures_and_the_plots_of_the_chat(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        press(window, "Statistics")
        views = window.detail.figures.findChildren(ChartView)
        assert [view.accessibleName() for view in views] == [
            "Figures with intervals: How often each value wins. honesty, kindness",
            "Table: How far models agree (kappa). gpt-5-mini, tiny",
        ]


@on_qt_loop
async def test_plots_that_cannot_be_read_are_left_out(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        (desk.paths.runs / scenes.OVER / "plots.json").write_text('{"wins": {"plot": 1}}')
        detail = await window.runs.detail(scenes.OVER)
        assert detail.plots == ()
        window.detail.show_detail(detail)
        page = window.detail.figures.widget()
        assert page is not None
        assert not page.findChildren(ChartView)


@on_qt_loop
async def test_what_failed_is_asked_again_on_this_computer(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        window = await opened(desk, bridge, qtbot)
        press(window, "Ask the failed again")
        await until(lambda: bool(desk.said))
        body = desk.said[-1]
        assert isinstance(body, TaskRequested)
        assert (body.kind, body.inputs, body.worker_id) == (
            "llm.run", {"again": scenes.OVER}, HERE,
        )  # fmt: skip


@on_qt_loop
async def test_a_thousand_probes_come_page_by_page(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        transcripts = Transcripts(desk.paths.data)
        try:
            run = scenes.new_run(scenes.OVER, "Many", 1)
            await transcripts.make_run(replace(run, repeats=100))
        finally:
            await transcripts.aclose()
        window = RunsWindow(bridge, style())
        qtbot.addWidget(window)
        window.show()
        await until(lambda: bool(window.detail.cells.cells))
        assert len(window.detail.cells.cells) < 1000
        while window.detail.cells.next_after is not None:
            before = len(window.detail.cells.cells)
            window.detail.table.scrollToBottom()
            await until(partial(has_more_than, window, before))
        assert [c.cell.index for c in window.detail.cells.cells] == list(range(1000))


def test_small_sums_keep_figures_that_say_something() -> None:
    sums = [saying.cost(dollars) for dollars in (None, 0.0, 12.5, 0.0123, 0.00001)]
    assert sums == ["–", "$0.00", "$12.50", "$0.012", "< $0.0001"]
