"""What lies in circles with Qt's objects is destroyed on Qt's thread, whoever makes garbage."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop.gui.collector import Collector, collect_if_due


@pytest.fixture
def collector(qtbot: QtBot) -> Iterator[Collector]:
    gc.enable()
    made = Collector()
    yield made
    made.close()
    gc.collect()


class Ring:
    """Garbage that only the collector can take away; it tells in which thread that was."""

    def __init__(self, ended_in: list[int]) -> None:
        self.me = self
        self.part = QObject()
        self._ended_in = ended_in

    def __del__(self) -> None:
        self._ended_in.append(threading.get_ident())


def make_garbage() -> None:
    for _ in range(20_000):
        circle: list[object] = []
        circle.append(circle)


@pytest.mark.usefixtures("collector")
def test_a_thread_that_makes_garbage_collects_none_of_qts() -> None:
    ended_in: list[int] = []
    Ring(ended_in)
    thread = threading.Thread(target=make_garbage)
    thread.start()
    thread.join()
    assert ended_in == []
    collect_if_due()
    assert ended_in == [threading.get_ident()]


def test_python_collects_by_itself_again_afterwards(collector: Collector) -> None:
    assert not gc.isenabled()
    collector.close()
    assert gc.isenabled()
