"""One call that the filter referred: who asks, and what for."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from desktop.jobs.code.landlock_box.kernel import PIDFD_GETFD, PIDFD_OPEN, call

BYTES = 80
IS_VALID = 0x40082102
PIDFD_THREAD = os.O_EXCL
AT_FDCWD = -100
PATH_BYTES_MAX = 4096


class Refused(Exception):
    """A call that is not made; `code` is what the caller is told."""

    def __init__(self, code: int) -> None:
        super().__init__(os.strerror(code))
        self.code = code


class Note:
    """One referred call: who asks, and what for. What it points to is read when it is wanted."""

    def __init__(self, raw: bytes, listener: int) -> None:
        self.id, self.pid, _, self.call, _, _, *self._arguments = struct.unpack("=QIIiIQ6Q", raw)
        self._listener = listener

    def number(self, place: int) -> int:
        """Return an argument as a C int."""
        value = self._arguments[place] & 0xFFFFFFFF
        return int(value - (1 << 32) if value >= 1 << 31 else value)

    def is_null(self, place: int) -> bool:
        return bool(self._arguments[place] == 0)

    def memory(self, place: int, count: int) -> bytes:
        """Read the caller's memory where an argument points to."""
        if count <= 0:
            raise Refused(errno.EINVAL)
        file = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._check_alive()
            return os.pread(file, count, self._arguments[place])
        except OSError as error:
            raise Refused(errno.EFAULT) from error
        finally:
            os.close(file)

    def text(self, place: int) -> bytes:
        """Read a C string, which may end just before memory that is not there."""
        found = b""
        start = self._arguments[place]
        while b"\0" not in found and len(found) < PATH_BYTES_MAX:
            here = start + len(found)
            self._arguments[place] = here
            found += self.memory(place, 4096 - here % 4096)
        self._arguments[place] = start
        text, end, _ = found.partition(b"\0")
        if not end:
            raise Refused(errno.ENAMETOOLONG)
        return text

    def descriptor(self, place: int) -> int:
        return self.descriptor_of(self.number(place))

    def descriptor_of(self, number: int) -> int:
        """Take a copy of one of the caller's open files."""
        caller = call(PIDFD_OPEN, self.pid, PIDFD_THREAD)
        try:
            self._check_alive()
            return call(PIDFD_GETFD, caller, number, 0)
        finally:
            os.close(caller)

    def open(self, at: int, path: bytes, *, follow: bool) -> int:
        """Open a path as the caller sees it, without reading what is there."""
        base = f"/proc/{self.pid}/cwd" if at == AT_FDCWD else f"/proc/{self.pid}/fd/{at}"
        if not path:
            raise Refused(errno.ENOENT)
        whole = path if path.startswith(b"/") else base.encode() + b"/" + path
        flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        file = os.open(whole, flags)
        self._check_alive()
        return file

    def _check_alive(self) -> None:
        """See that the number of the process still means the one who asked."""
        fcntl.ioctl(self._listener, IS_VALID, struct.pack("=Q", self.id))
