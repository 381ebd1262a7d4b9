"""Takes copies of files that may leave this machine: opened once, below a folder, by no link.

Whoever names the file is not trusted, and neither is the moment: between a look at a name and the
opening of it, a link may have taken its place. So every step from an allowed folder down is
opened by its handle and may not be a link (POSIX openat with O_NOFOLLOW); what is open is then
judged, hashed and copied in one pass.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from desktop.core import sending
from desktop.core.file_name import is_trap
from desktop.core.sending import Wish
from desktop.store.outgoing import Parcel
from shared.errors import AppError, LimitReached, NotAllowed, NotFound, Unavailable
from shared.kinds import FILE_BYTES_MAX, SENDS_MAX, FileRef, file_name_of

BLOCK_BYTES = 1024 * 1024
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LEFTOVER_SECONDS = 24 * 3600.0


class OutgoingFolder:
    """The folder of copies on their way to the hub."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place_of(self, copy: str) -> Path:
        return self._folder / copy

    def take(self, wishes: Iterable[Wish], roots: tuple[Path, ...]) -> tuple[Parcel, ...]:
        """Copy what a job hands over; all of it or nothing.

        Args:
            wishes: what it names.
            roots: folders, resolved, in which files may lie.

        Raises:
            NotAllowed: `file_outside_folders`.
            NotFound: `file_missing`.
            BadInput: `file_not_plain`, `file_changing`.
            LimitReached: `files_too_many`, `file_too_large`, `outgoing_full`.
            Unavailable: `copy_failed`.
        """
        named = tuple(wishes)
        if len(named) > SENDS_MAX:
            raise sending.too_many()
        parcels: list[Parcel] = []
        try:
            for wish in named:
                parcels.append(self._take_one(wish, roots))  # noqa: PERF401 - undone on failure
        except BaseException:
            for parcel in parcels:
                self.remove(parcel.copy)
            raise
        return tuple(parcels)

    def remove(self, copy: str) -> None:
        with contextlib.suppress(OSError):
            self.place_of(copy).unlink(missing_ok=True)

    def tidy(self, known: frozenset[str]) -> None:
        """Remove copies nobody knows of: a job was ended before it could tell of them."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                is_old = time.time() - path.stat().st_mtime > LEFTOVER_SECONDS
                if path.name not in known and is_old:
                    path.unlink(missing_ok=True)

    def _take_one(self, wish: Wish, roots: tuple[Path, ...]) -> Parcel:
        path = Path(wish.path)
        shown = file_name_of(path.name)
        try:
            with open_below(roots, path) as source:
                facts = os.fstat(source.fileno())
                if facts.st_size > FILE_BYTES_MAX:
                    raise sending.too_large(shown)
                self._check_room(facts.st_size)
                copy = secrets.token_hex(16)
                try:
                    digest, size_bytes = self._copy(source, copy, shown)
                    _check_unchanged(facts, os.fstat(source.fileno()), size_bytes, shown)
                except BaseException:
                    self.remove(copy)
                    raise
        except OSError as error:
            raise _failed(error, shown) from None
        ref = FileRef(
            name=file_name_of(wish.name or path.name),
            sha256=digest,
            size_bytes=size_bytes,
            media_type=MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"),
        )
        return Parcel(copy=copy, ref=ref)

    def _copy(self, source: BinaryIO, copy: str, shown: str) -> tuple[str, int]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.place_of(copy), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        digest = hashlib.sha256()
        size_bytes = 0
        with os.fdopen(handle, "wb") as target:
            while block := source.read(BLOCK_BYTES):
                size_bytes += len(block)
                if size_bytes > FILE_BYTES_MAX:
                    raise sending.too_large(shown)
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        return digest.hexdigest(), size_bytes

    def _check_room(self, size_bytes: int) -> None:
        taken = 0
        if self._folder.is_dir():
            taken = sum(path.stat().st_size for path in self._folder.iterdir())
        if taken + size_bytes > sending.OUTGOING_BYTES_MAX:
            raise LimitReached(
                "outgoing_full",
                f"{taken // 10**6} MB of files already wait to be brought to the hub.",
                "Try again once the hub has taken them.",
                retryable=True,
            )


@contextlib.contextmanager
def open_below(roots: tuple[Path, ...], path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading that lies in one of the folders, without following any link.

    Raises:
        NotAllowed: `file_outside_folders`.
        BadInput: `file_not_plain`.
        OSError: it cannot be opened.
    """
    outside = _outside(path)
    if not path.is_absolute() or ".." in path.parts:
        raise outside
    if is_trap(str(path), is_windows=os.name == "nt"):
        raise outside
    root = next((root for root in roots if path.is_relative_to(root) and path != root), None)
    if root is None:
        raise outside
    try:
        handle = _open_steps(root, path) if os.name != "nt" else _open_resolved(root, path)
    except OSError as error:
        # A link on the way, or as the last step: nothing tells where it leads.
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
            raise outside from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise sending.not_plain(file_name_of(path.name))
    with os.fdopen(handle, "rb", buffering=0) as stream:
        yield stream


def _open_steps(root: Path, path: Path) -> int:
    *folders, name = path.relative_to(root).parts
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            below = os.open(
                folder,
                os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                dir_fd=here,
            )
            os.close(here)
            here = below
        # Not to wait for the other end of a pipe.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(name, flags, dir_fd=here)
    finally:
        os.close(here)


def _open_resolved(root: Path, path: Path) -> int:
    """Windows knows no openat: open, then see that the name still leads to what is open."""
    resolved = path.resolve(strict=True)
    if not resolved.is_relative_to(root):
        raise _outside(path)
    handle = os.open(resolved, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    again = path.resolve(strict=True)
    if again != resolved or not os.path.samestat(os.fstat(handle), again.stat()):
        os.close(handle)
        raise _outside(path)
    return handle


def _check_unchanged(
    before: os.stat_result, after: os.stat_result, size_bytes: int, shown: str
) -> None:
    """See that what was copied is one state of the file, and not parts of two."""
    is_same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not is_same or size_bytes != after.st_size:
        raise sending.changing(shown)


def _outside(path: Path) -> NotAllowed:
    return NotAllowed(
        "file_outside_folders",
        f"{file_name_of(path.name)} is outside the folders Deskhand may use on this machine.",
        "The owner adds folders in the machine's policy file.",
    )


def _failed(error: OSError, shown: str) -> AppError:
    if error.errno == errno.ENOENT:
        return NotFound("file_missing", f"{shown} is not there any more.", "Check its name.")
    return Unavailable(
        "copy_failed",
        f"{shown} could not be copied for sending: {error.strerror or error}.",
        "Check the disk and the file's permissions on that machine.",
    )
