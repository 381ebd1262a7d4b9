"""News come in gathered; deeds call back; errors nobody takes reach the application."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop.core.news import News
from shared.errors import AppError, BadInput
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.world import open_desk


@on_qt_loop
async def test_many_rings_are_one_signal(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        heard: list[frozenset[News]] = []
        bridge.news.connect(heard.append)
        for _ in range(100):
            desk.ring(News.LOGS)
        desk.ring(News.JOBS)
        await until(lambda: bool(heard))
        assert heard == [frozenset({News.LOGS, News.JOBS})]


@on_qt_loop
async def test_a_listener_that_is_gone_hears_no_more(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        owner = QObject()
        heard: list[int] = []
        bridge.hears(owner, News.JOBS, then=lambda: heard.append(1))
        desk.ring(News.STATUS)
        desk.ring(News.JOBS)
        await until(lambda: bool(heard))
        del owner
        desk.ring(News.JOBS)
        got: list[frozenset[News]] = []
        bridge.news.connect(got.append)
        await until(lambda: bool(got))
        assert heard == [1]


@on_qt_loop
async def test_what_fails_is_told_to_who_asked_or_to_the_application(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async def fails() -> None:
        raise BadInput("no", "No.")

    async with open_desk(tmp_path) as (_, bridge):
        mine: list[AppError] = []
        everybodys: list[AppError] = []
        bridge.failed.connect(everybodys.append)
        bridge.do(fails(), failed=mine.append)
        await until(lambda: bool(mine))
        bridge.do(fails())
        await until(lambda: bool(everybodys))
        assert [error.code for error in (*mine, *everybodys)] == ["no", "no"]
