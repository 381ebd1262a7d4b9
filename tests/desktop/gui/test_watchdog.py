"""The watchdog sees what held the windows up, and does nothing while nothing happens."""

from __future__ import annotations

import asyncio
import time

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from desktop.gui.watchdog import Watchdog
from tests.desktop.gui.loop import on_qt_loop, until


@on_qt_loop
async def test_a_slot_that_takes_long_is_a_stall(qtbot: QtBot) -> None:
    dog = Watchdog()
    QTimer.singleShot(0, lambda: time.sleep(0.08))
    await until(lambda: dog.stalls == 1)
    dog.stop()
    assert 0.08 <= dog.longest_seconds < 1
    assert list(dog.last) == [dog.longest_seconds]


@on_qt_loop
async def test_a_task_that_takes_long_is_a_stall_too(qtbot: QtBot) -> None:
    dog = Watchdog()

    async def computes() -> None:
        await asyncio.sleep(0)
        time.sleep(0.08)  # noqa: ASYNC251 - the fault that is looked for

    await computes()
    await until(lambda: dog.stalls == 1)
    dog.stop()


def test_waiting_is_no_stall_and_at_rest_nothing_is_measured(qtbot: QtBot) -> None:
    dog = Watchdog()
    qtbot.wait(400)
    dog.stop()
    assert dog.stalls == 0
    assert dog.rounds < 20


def test_after_its_end_it_counts_no_more(qtbot: QtBot) -> None:
    dog = Watchdog()
    dog.stop()
    QTimer.singleShot(0, lambda: time.sleep(0.08))
    qtbot.wait(120)
    assert dog.rounds == 0
