"""Fetches what a copy lacks of the hub's log at once, instead of piece by piece over the line.

    fetch ──▶ a file of this machine's ──▶ read through and checked ──▶ read again, block by block

What a hub sends is bounded on every side: its size packed and unpacked, its lines, its time.
Without a snapshot (an older hub, one that is busy) the log comes over the line as ever.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import structlog
from pydantic import ValidationError

from desktop.link.hub_post import client_options
from desktop.system.way import Way
from shared.errors import AppError, Unavailable
from shared.messages import Events, Numbered
from shared.protocol import FRAME_BYTES_MAX
from shared.snapshot import SNAPSHOT_PATH, SnapshotEnd, SnapshotHead

log = structlog.get_logger(__name__)

PACKED_BYTES_MAX = 1024 * 1024 * 1024
LINE_BYTES_MAX = FRAME_BYTES_MAX
UNPACKED_AT_ONCE = 1024 * 1024
STEP_SECONDS = 60.0
"""How long connecting, or the next piece, may take; a hub makes a snapshot before it answers."""
WHOLE_SECONDS = 30 * 60.0
BLOCK_EVENTS = 2000
"""Taken in as one transaction; a crash costs at most one of them."""


class Snapshots:
    """Snapshots of one hub, for one worker. What it does blocks: it is for a thread."""

    def __init__(self, base: str, token: str, file: Path) -> None:
        """`file` is where a snapshot lies while it is taken in."""
        self._base = base
        self._token = token
        self._file = file

    def fetch(self, way: Way, hub_epoch: str, hub_seq: int) -> SnapshotHead:
        """Bring the snapshot of what comes after a place, and check it; return its head.

        Raises:
            AppError: there is none, or none that can be used: the log comes over the line.
        """
        import httpx

        url = f"{self._base}{SNAPSHOT_PATH}"
        asked = {"hub_epoch": hub_epoch, "hub_seq": str(hub_seq)}
        headers = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
        try:
            options = client_options(way, self._base)
            with (
                httpx.Client(timeout=STEP_SECONDS, follow_redirects=False, **options) as client,
                client.stream("GET", url, params=asked, headers=headers) as answer,
            ):
                if answer.status_code != 200:
                    raise unusable(f"HTTP {answer.status_code}")
                self._save(answer.iter_raw())
            return self._check(hub_epoch, hub_seq)
        except (httpx.HTTPError, OSError, zlib.error, ValidationError) as error:
            raise unusable(type(error).__name__) from error

    def blocks(self, head: SnapshotHead) -> Iterator[Events]:
        """Read the snapshot again, as stretches of the log that follow each other.

        Raises:
            AppError: the file cannot be read any more.
        """
        after = head.after
        block: list[Numbered] = []
        for line in self._lines(head):
            block.append(Numbered.model_validate_json(line))
            if len(block) == BLOCK_EVENTS:
                yield _stretch(after, block[-1].hub_seq, block)
                after, block = block[-1].hub_seq, []
        if head.upto > after:
            yield _stretch(after, head.upto, block)

    def drop(self) -> None:
        """Forget the snapshot. Idempotent."""
        self._file.unlink(missing_ok=True)

    def _save(self, pieces: Iterator[bytes]) -> None:
        ends_at, size = time.monotonic() + WHOLE_SECONDS, 0
        self._file.unlink(missing_ok=True)
        with self._file.open("xb") as file:
            self._file.chmod(0o600)
            for piece in pieces:
                size += len(piece)
                if size > PACKED_BYTES_MAX or time.monotonic() > ends_at:
                    raise unusable("it has no end")
                file.write(piece)

    def _check(self, hub_epoch: str, hub_seq: int) -> SnapshotHead:
        """Read it through: its head, every number in its order, its end."""
        lines = unpacked(self._file)
        first = next(lines, b"")
        head = SnapshotHead.model_validate_json(first)
        if hub_epoch == head.hub_epoch and head.after > hub_seq:
            raise unusable("it begins too late")
        told, count, last = hashlib.sha256(first + b"\n"), 0, b""
        for line in lines:
            if last:
                told.update(last + b"\n")
                count += 1
            last = line
        end = SnapshotEnd.model_validate_json(last)
        if not count == end.count == head.count or end.sha256 != told.hexdigest():
            raise unusable("it is not whole")
        return head

    def _lines(self, head: SnapshotHead) -> Iterator[bytes]:
        try:
            lines = unpacked(self._file)
            next(lines)
            for _ in range(head.count):
                yield next(lines)
        except (OSError, zlib.error, StopIteration) as error:
            raise unusable(type(error).__name__) from error


def unpacked(path: Path) -> Iterator[bytes]:
    """Read the lines of a packed file, without their ends, never more than a little at a time.

    Raises:
        AppError: a line is too long.
        zlib.error: it is not packed.
        OSError: it cannot be read.
    """
    unpacker = zlib.decompressobj(wbits=31)
    rest = b""
    with path.open("rb") as file:
        packed = b""
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail or file.read(UNPACKED_AT_ONCE)
            if not packed:
                break
            *lines, rest = (rest + unpacker.decompress(packed, UNPACKED_AT_ONCE)).split(b"\n")
            yield from lines
            if len(rest) > LINE_BYTES_MAX:
                raise unusable("a line of it is too long")
    if rest or not unpacker.eof:
        raise unusable("it is cut off")


def unusable(why: str) -> AppError:
    return Unavailable(
        "snapshot_unusable",
        f"The hub's log cannot be had at once: {why}.",
        "It comes piece by piece instead.",
    )


def _stretch(after: int, upto: int, numbered: list[Numbered]) -> Events:
    # Not of the wire: larger than a message may be.
    return Events.model_construct(type="events", after=after, upto=upto, events=tuple(numbered))
