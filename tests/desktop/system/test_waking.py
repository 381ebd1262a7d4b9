"""The machine's own bells: sleep, and addresses that come and go."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.system.waking import AddressNews, SleepGauge, changes, listen
from shared.environment import Environment

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NEW_LOOPBACK = bytes.fromhex(
    # RTM_NEWADDR, 127.0.0.77/8 on interface 1, label "lo", as Linux sends it.
    "30000000140002000000000000000000"
    "02080000" "01000000"
    "08000100" "7f00004d"
    "08000200" "7f00004d"
    "070003006c6f0000"
)  # fmt: skip


@dataclass
class Clocks:
    """Both clocks of a machine that a test lets sleep."""

    wall: datetime = NOON
    still: float = 100.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.still

    def pass_by(self, seconds: float, *, asleep: float = 0) -> None:
        self.wall += timedelta(seconds=seconds + asleep)
        self.still += seconds


@pytest.mark.parametrize(
    ("awake", "asleep", "has_slept"),
    [(3600, 0, False), (10, 3600, True), (0, 10, True), (10, 1, False), (10, -3600, False)],
)
def test_sleep_is_what_the_wall_clock_has_ahead(
    awake: float, asleep: float, has_slept: bool
) -> None:
    clocks = Clocks()
    gauge = SleepGauge(Environment(clock=clocks))
    clocks.pass_by(awake, asleep=asleep)
    assert gauge.has_slept() is has_slept
    clocks.pass_by(5)
    assert not gauge.has_slept(), "each sleep is told once"


def test_an_address_is_read_out_of_the_kernels_message() -> None:
    went = NEW_LOOPBACK[:4] + b"\x15" + NEW_LOOPBACK[5:]
    other = NEW_LOOPBACK[:4] + b"\x10" + NEW_LOOPBACK[5:]
    assert list(changes(NEW_LOOPBACK + other + went)) == [
        AddressNews("127.0.0.77", is_new=True),
        AddressNews("127.0.0.77", is_new=False),
    ]


@pytest.mark.parametrize("size", range(len(NEW_LOOPBACK)))
def test_half_a_message_says_nothing_wrong(size: int) -> None:
    assert set(changes(NEW_LOOPBACK[:size])) <= {AddressNews("127.0.0.77", is_new=True)}
    assert list(changes(b"\0" * size)) == []


async def test_listening_costs_nothing_and_ends_clean() -> None:
    """No timer of the loop waits: the kernel rings, or nothing happens."""
    heard: list[object] = []
    listening = asyncio.ensure_future(  # noqa: TID251 (it is cancelled by hand)
        listen(Environment(), lambda: heard.append("woke"), heard.append)
    )
    await asyncio.sleep(0)
    if sys.platform == "linux":
        assert not asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert heard == []


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare"), reason="Linux alone")
def test_a_network_that_comes_and_goes_rings() -> None:
    """In a network of its own, made for this test alone, where one may add addresses."""
    program = Path(__file__).with_name("waking_program.py")
    told = subprocess.run(
        ["unshare", "--net", "--user", "--map-root-user", sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if "unshare" in told.stderr and told.returncode == 1:
        pytest.skip("no networks of one's own here")
    assert told.stdout.split() == ["came", "192.0.2.77", "went", "192.0.2.77"], told.stderr
