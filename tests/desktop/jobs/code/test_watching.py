"""A memory hog, a fork bomb and a disk filler are ended, and nobody else is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop.core.code.box import BoxLimits
from desktop.jobs.code.testing import Ended, ended
from tests.desktop.jobs.code.box_room import HOLDING, Room, rooms

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the boxes of Linux")

MB = 1024**2
HOG = "kept = []\nwhile True: kept.append(bytearray(b'x' * 4_000_000))"
BOMB = "import os, time\nfor _ in range(60): os.fork() or time.sleep(30)\ntime.sleep(30)"
FILLER = "import time\nwith open('big', 'wb') as f:\n    f.write(b'x' * 60_000_000)\ntime.sleep(30)"


@pytest.fixture(params=HOLDING, ids=str)
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    yield from rooms(request.param)


async def _ended(room: Room, code: str, limits: BoxLimits) -> Ended:
    box = replace(room.box(), limits=limits)
    launch = room.sandbox.launch(box, (sys.executable, "-I", "-S", "-c", code))
    return await ended(launch, 20)


@pytest.mark.parametrize(
    ("code", "limits", "error"),
    [
        pytest.param(HOG, BoxLimits(memory_bytes_max=200 * MB), "box_memory", id="memory"),
        pytest.param(BOMB, BoxLimits(processes_max=40), "box_processes", id="processes"),
        pytest.param(FILLER, BoxLimits(disk_bytes_max=30 * MB), "box_disk", id="disk"),
    ],
)
async def test_who_takes_too_much_is_ended(
    room: Room, code: str, limits: BoxLimits, error: str
) -> None:
    over = await _ended(room, code, limits)

    if error == "box_processes" and b"BlockingIOError" in over.output:
        return  # the kernel's own limit was first, as it is for everybody but root
    assert over.overrun is not None, over
    assert over.overrun.code == error
    assert not over.is_late


async def test_who_keeps_to_the_limits_ends_by_itself(room: Room) -> None:
    over = await _ended(room, "import time; time.sleep(0.6)", BoxLimits())

    assert (over.status, over.overrun) == (0, None)
