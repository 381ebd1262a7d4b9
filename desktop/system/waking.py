"""Bells of the machine itself: it woke from sleep, an address came or went.

On Linux the kernel rings both, and nothing wakes up for it in between: a timer that is cancelled
when the clock on the wall jumps (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET: a sleep makes it
jump), and the addresses' group of rtnetlink(7). Neither needs a service like logind or
NetworkManager. Elsewhere a short tick compares the clock on the wall with the one that stands
still in sleep.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from shared.environment import Environment

log = structlog.get_logger(__name__)

SLEEP_SECONDS_MIN = 5.0
"""A shorter gap between the clocks is no sleep, but a clock that was put right."""
TICK_SECONDS = 4.0
"""Where the kernel rings no bell."""
CLOCK_REALTIME = 0
TIMER_FLAGS = os.O_NONBLOCK | 0o2000000 if sys.platform == "linux" else 0  # TFD_CLOEXEC
SET_FLAGS = 1 | 2
"""TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET."""
FAR_SECONDS = 2**40
"""The timer itself never rings."""
GROUPS = 0x10 | 0x100
"""RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR."""
MESSAGE = struct.Struct("=IHHII")
ADDRESS = struct.Struct("=BBBBI")
ATTRIBUTE = struct.Struct("=HH")
RTM_NEWADDR, RTM_DELADDR = 20, 21
IFA_ADDRESS, IFA_LOCAL = 1, 2
BLOCK_BYTES = 65536

OnWake = Callable[[], None]
OnAddress = Callable[["AddressNews"], None]


@dataclass(frozen=True, slots=True)
class AddressNews:
    """An address of this machine came, or went."""

    address: str
    is_new: bool


class SleepGauge:
    """Says whether the machine has slept since it was asked last."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._gap = self._measure()

    def has_slept(self) -> bool:
        """Compare the clocks: in sleep the one on the wall goes on alone."""
        before, self._gap = self._gap, self._measure()
        return self._gap - before > SLEEP_SECONDS_MIN

    def _measure(self) -> float:
        return self._environment.now().timestamp() - self._environment.monotonic()


async def listen(environment: Environment, on_wake: OnWake, on_address: OnAddress) -> None:
    """Ring until cancelled."""
    gauge = SleepGauge(environment)

    def look() -> None:
        if gauge.has_slept():
            log.info("the machine has slept")
            on_wake()

    with contextlib.ExitStack() as bells:
        bells.enter_context(_addresses(on_address))
        if bells.enter_context(_clock_jumps(look)):
            await asyncio.get_running_loop().create_future()  # until cancelled
        while True:
            await asyncio.sleep(TICK_SECONDS)
            look()


@contextlib.contextmanager
def _clock_jumps(look: Callable[[], None]) -> Iterator[bool]:
    """Call `look` when the clock on the wall jumped; tells False where that cannot be had."""
    timer = _timer()
    if timer is None:
        yield False
        return
    loop = asyncio.get_running_loop()

    def rung() -> None:
        with contextlib.suppress(OSError):  # ECANCELED is the bell itself
            os.read(timer, 8)
        _set(timer)
        look()

    loop.add_reader(timer, rung)
    try:
        yield True
    finally:
        loop.remove_reader(timer)
        os.close(timer)


def _timer() -> int | None:
    """Make the timer; None where there is none. Python itself has it from 3.13 on."""
    if sys.platform != "linux":
        return None
    try:
        timer = int(ctypes.CDLL(None).timerfd_create(CLOCK_REALTIME, TIMER_FLAGS))
    except (OSError, AttributeError):
        return None
    if timer >= 0 and _set(timer):
        return timer
    return None


def _set(timer: int) -> bool:
    """Set it far off, so that only a jump of the clock rings it."""
    wanted = struct.pack("=4q", 0, 0, FAR_SECONDS, 0)
    return int(ctypes.CDLL(None).timerfd_settime(timer, SET_FLAGS, wanted, None)) == 0


@contextlib.contextmanager
def _addresses(on_address: OnAddress) -> Iterator[None]:
    """Tell of addresses of this machine that come and go; silent where that cannot be had."""
    bell = _netlink()
    if bell is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def rung() -> None:
        with contextlib.suppress(OSError):  # more than the kernel kept: the next one counts, too
            for news in changes(bell.recv(BLOCK_BYTES)):
                on_address(news)

    loop.add_reader(bell, rung)
    try:
        yield
    finally:
        loop.remove_reader(bell)
        bell.close()


def _netlink() -> socket.socket | None:
    if sys.platform != "linux":
        return None
    try:
        bell = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        bell.bind((0, GROUPS))
        bell.settimeout(0)
    except OSError:
        return None
    return bell


def changes(block: bytes) -> Iterator[AddressNews]:
    """Read rtnetlink's messages: which addresses came, and which went."""
    while len(block) >= MESSAGE.size:
        length, kind, *_ = MESSAGE.unpack_from(block)
        if length < MESSAGE.size:
            return
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            address = _address(block[MESSAGE.size : length])
            if address:
                yield AddressNews(address, is_new=kind == RTM_NEWADDR)
        block = block[_aligned(length) :]


def _address(body: bytes) -> str:
    if len(body) < ADDRESS.size:
        return ""
    family = body[0]
    found: dict[int, bytes] = {}
    rest = body[ADDRESS.size :]
    while len(rest) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(rest)
        if length < ATTRIBUTE.size:
            break
        found[kind] = rest[ATTRIBUTE.size : length]
        rest = rest[_aligned(length) :]
    # On a line between two points IFA_ADDRESS is the other end.
    raw = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS) or b""
    try:
        return socket.inet_ntop(family, raw)
    except (OSError, ValueError):
        return ""


def _aligned(length: int) -> int:
    return (length + 3) & ~3
