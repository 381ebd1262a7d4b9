"""Does for the box what only a supervisor may: connect to the gateway, change modes and times."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

from desktop.jobs.code.landlock_box.kernel import LIBC, Suppressed
from desktop.jobs.code.landlock_box.note import AT_FDCWD, BYTES, Note, Refused

RECEIVE, SEND = 0xC0502100, 0xC0182101
AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH = 0x100, 0x1000
ADDRESS_BYTES_MAX = 128
AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 10
MODE_BITS = 0o1777


class Supervisor:
    """Does for the box what only it may do: connect to the gateway, change modes and times."""

    def __init__(self, listener: int, wall: dict[str, object]) -> None:
        self._listener = listener
        self._port = int(str(wall["port"]))
        names, writable = wall["referred"], wall["write"]
        assert isinstance(names, dict)
        assert isinstance(writable, tuple)
        self._names: dict[int, str] = {int(number): name for number, name in names.items()}
        self._writable: tuple[str, ...] = writable
        self._deeds: dict[str, Callable[[Note], None]] = {
            "connect": self._connect,
            "chmod": lambda note: self._chmod(note, AT_FDCWD, 0, 1),
            "fchmod": self._fchmod,
            "fchmodat": lambda note: self._chmod(note, note.number(0), 1, 2),
            "fchmodat2": lambda note: self._chmod(note, note.number(0), 1, 2, 3),
            "chown": lambda note: self._chown(note, AT_FDCWD, 0),
            "lchown": lambda note: self._chown(note, AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW),
            "fchown": lambda note: self._chown(note, note.number(0), None),
            "fchownat": lambda note: self._chown(note, note.number(0), 1, note.number(4)),
            "utime": lambda note: self._touch(note, AT_FDCWD, 0, "seconds"),
            "utimes": lambda note: self._touch(note, AT_FDCWD, 0, "micro"),
            "futimesat": lambda note: self._touch(note, note.number(0), 1, "micro"),
            "utimensat": lambda note: self._touch(note, note.number(0), 1, "nano", 3),
        }

    def serve(self) -> None:
        """Answer until nobody is left to ask."""
        waiting = select.poll()
        waiting.register(self._listener, select.POLLIN)
        while True:
            for _, events in waiting.poll():
                if not events & select.POLLIN:
                    return
            asked = bytearray(BYTES)
            try:
                fcntl.ioctl(self._listener, RECEIVE, asked)
            except OSError:
                continue  # the one who asked is gone
            note = Note(bytes(asked), self._listener)
            with Suppressed(OSError):
                answer = struct.pack("=QqiI", note.id, 0, -self._answer(note), 0)
                fcntl.ioctl(self._listener, SEND, answer)

    def _answer(self, note: Note) -> int:
        try:
            self._deeds[self._names[note.call]](note)
        except Refused as refused:
            return refused.code
        except OSError as error:
            return error.errno or errno.EPERM
        except (KeyError, ValueError, struct.error):
            return errno.EPERM
        return 0

    def _connect(self, note: Note) -> None:
        address = note.memory(1, min(note.number(2), ADDRESS_BYTES_MAX))
        line = note.descriptor(0)
        try:
            self._check(address)
            if LIBC.connect(line, address, len(address)) != 0:
                raise Refused(ctypes.get_errno())
        finally:
            os.close(line)

    def _check(self, address: bytes) -> None:
        family = struct.unpack_from("=H", address)[0]
        if family == AF_UNSPEC:
            return  # gives a connection up
        if family == AF_INET:
            port, host = struct.unpack_from("!H4s", address, 2)
            here = host[0] == 127
            is_ours = host == b"\x7f\x00\x00\x01"
        elif family == AF_INET6:
            port, host = struct.unpack_from("!H4x16s", address, 2)
            here = host == bytes(15) + b"\x01"
            is_ours = host == bytes(10) + b"\xff\xff\x7f\x00\x00\x01"
        else:
            raise Refused(errno.EACCES)
        if not (is_ours and self._port and port == self._port):
            raise Refused(errno.ECONNREFUSED if here or is_ours else errno.ENETUNREACH)

    def _fchmod(self, note: Note) -> None:
        file = note.descriptor(0)
        try:
            self._check_place(file)
            os.fchmod(file, note.number(1) & MODE_BITS)
        finally:
            os.close(file)

    def _chmod(self, note: Note, at: int, path: int, mode: int, flags: int | None = None) -> None:
        said = 0 if flags is None else note.number(flags)
        place = self._place(note, at, path, said)
        try:
            if stat.S_ISLNK(os.fstat(place).st_mode):
                raise Refused(errno.EOPNOTSUPP)
            os.chmod(f"/proc/self/fd/{place}", note.number(mode) & MODE_BITS)
        finally:
            os.close(place)

    def _chown(self, note: Note, at: int, path: int | None, flags: int = 0) -> None:
        """Give a file to whom the kernel lets it: without a right, to one's own groups alone."""
        owner = 1 if path is None else path + 1
        place = note.descriptor(0) if path is None else self._place(note, at, path, flags)
        try:
            self._check_place(place)
            wanted = (note.number(owner), note.number(owner + 1))
            if LIBC.fchownat(place, b"", *wanted, AT_EMPTY_PATH) != 0:
                raise Refused(ctypes.get_errno())
        finally:
            os.close(place)

    def _touch(self, note: Note, at: int, path: int, unit: str, flags: int | None = None) -> None:
        said = 0 if flags is None else note.number(flags)
        times = _times(note, path + 1, unit)
        place = self._place(note, at, path, said)
        try:
            if LIBC.utimensat(place, b"", times, AT_EMPTY_PATH) != 0:
                raise Refused(ctypes.get_errno())
        finally:
            os.close(place)

    def _place(self, note: Note, at: int, path: int, flags: int) -> int:
        """Open what is meant, as a place and no more, and see that the box may write there."""
        text = b"" if note.is_null(path) else note.text(path)
        if not text and at != AT_FDCWD and (flags & AT_EMPTY_PATH or note.is_null(path)):
            file = note.descriptor_of(at)
        else:
            file = note.open(at, text, follow=not flags & AT_SYMLINK_NOFOLLOW)
        try:
            self._check_place(file)
        except BaseException:
            os.close(file)
            raise
        return file

    def _check_place(self, file: int) -> None:
        real = os.readlink(f"/proc/self/fd/{file}")
        if not any(real == it or real.startswith(it + "/") for it in self._writable):
            raise Refused(errno.EPERM)


def _times(note: Note, place: int, unit: str) -> bytes | None:
    if note.is_null(place):
        return None
    if unit == "seconds":
        first, second = struct.unpack("=qq", note.memory(place, 16))
        return struct.pack("=qqqq", first, 0, second, 0)
    raw = note.memory(place, 32)
    if unit == "nano":
        return raw
    seconds, micro, seconds2, micro2 = struct.unpack("=qqqq", raw)
    return struct.pack("=qqqq", seconds, micro * 1000, seconds2, micro2 * 1000)
