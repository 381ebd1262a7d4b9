"""System calls that Python has no name for."""

from __future__ import annotations

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD = 434, 438
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38


class Suppressed:
    """What `contextlib.suppress` is, without all that its module brings along."""

    def __init__(self, kind: type[BaseException]) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, self._kind)


def read_text(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


def call(number: int, *arguments: object) -> int:
    """Make a system call.

    Raises:
        OSError: as the kernel says.
    """
    wide = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    done = LIBC.syscall(ctypes.c_long(number), *wide)
    if done < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(done)


def prctl(option: int, value: int) -> None:
    if LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
