"""Keeps files that people asked for, from their upload until they were sent: at most a day.

Only what a committed result announced is taken in, at the size and with the hash it announced,
and only from a worker of the same person. When the last file of a job is here, an event says so,
and the outbox shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import structlog

from hub.core.stored_file import (
    KEPT_SECONDS,
    PERSON_BYTES_MAX,
    TOTAL_BYTES_MAX,
    FileState,
    StoredFile,
)
from hub.store import files
from hub.store.ledger import Entry, Ledger
from hub.store.shelf import Part, Shelf
from shared.errors import AppError, BadInput, Conflict, LimitReached, NotFound, Unavailable
from shared.events import FilesArrived, FilesMissed
from shared.ids import JobId, PersonId
from shared.kinds import FileRef

log = structlog.get_logger()

WRITE_BYTES = 1024 * 1024
"""Written and hashed at once, in a thread."""
CHUNK_SECONDS = 30.0
"""How long the next piece of an upload may take."""
SWEEP_SECONDS = 60.0
FULL_RETRY_SECONDS = 600.0
NAME_DIGITS_MIN = 6
"""Of a hash, when a file is asked for by its beginning."""


class Files:
    """Implements the port of the same name."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger = ledger
        self._shelf = Shelf(folder)
        self._coming: dict[tuple[PersonId, str], int] = {}
        """Uploads under way and their sizes."""

    async def wanted(self, person_id: PersonId, sha256: str) -> FileRef | None:
        """Say what is waited for; None when it is here.

        Raises:
            NotFound: `file_unannounced`; `file_unwanted` when it was here, or is not waited for
                any longer.
        """
        found = await self._ledger.read(lambda c: files.of_content(c, person_id, sha256))
        return _wanted(found)

    async def take(self, person_id: PersonId, sha256: str, content: AsyncIterator[bytes]) -> bool:
        """Take an upload in; False when it was here already.

        Raises:
            NotFound: as `wanted`.
            BadInput: `file_mismatch`, the content is not what was announced.
            Conflict: `file_uploading`.
            LimitReached: `files_full`.
            Unavailable: `upload_stalled`, `disk_full`.
        """
        ref = await self.wanted(person_id, sha256)
        if ref is None:
            return False
        await self._reserve(person_id, ref)
        part: Part | None = None
        try:
            part = await asyncio.to_thread(self._shelf.begin, person_id)
            await _pour(content, part, ref)
            await asyncio.to_thread(part.finish)
            finished = part
            await self._ledger.write(lambda entry: self._put(entry, person_id, finished))
        except OSError as error:
            raise Unavailable(
                "disk_full",
                f"The hub cannot keep the file: {error.strerror}.",
                "Its operator has to make room.",
                retryable=True,
                retry_after_seconds=FULL_RETRY_SECONDS,
            ) from None
        finally:
            del self._coming[person_id, sha256]
            if part is not None:
                part.drop()
        return True

    async def path(self, sha256: str) -> Path:
        """Where the content lies until it was sent (the port's only method).

        Raises:
            NotFound: `file_gone`.
        """
        found = await self._ledger.read(lambda c: files.here(c, sha256))
        place = self._shelf.place_of(found.person_id, sha256) if found else None
        if place is None or not place.is_file():
            raise _gone()
        return place

    async def find(self, person_id: PersonId, name: str) -> tuple[StoredFile, Path]:
        """Find a person's file by its name, or by the first digits of its hash; the newest wins.

        Raises:
            NotFound: `file_gone`, `file_unknown`.
            Unavailable: `file_not_here`, it is on its way.
        """
        kept = await self._ledger.read(lambda c: files.of_person(c, person_id))
        wanted = name.casefold()
        is_digits = len(wanted) >= NAME_DIGITS_MIN
        for file in kept:
            by_hash = is_digits and file.ref.sha256.startswith(wanted)
            if not by_hash and file.ref.name.casefold() != wanted:
                continue
            if file.state is FileState.ANNOUNCED:
                raise Unavailable(
                    "file_not_here",
                    f"{file.ref.name} is still on its way from the computer that has it.",
                    "Try again in a moment.",
                    retryable=True,
                )
            place = self._shelf.place_of(person_id, file.ref.sha256)
            if not place.is_file():
                raise _gone()
            return file, place
        raise NotFound(
            "file_unknown",
            f"No file called '{name[:100]}' waits for you here.",
            "Ask for it in the chat with /send; files are kept for a day at most.",
        )

    async def of_job(self, job_id: JobId) -> tuple[StoredFile, ...]:
        """Files that a job handed over, wherever they are now."""
        return tuple(await self._ledger.read(lambda c: files.of_job(c, job_id)))

    async def shown(self, job_id: JobId) -> None:
        """A frontend has sent a job's files: what no other message needs is removed."""

        def run(entry: Entry) -> None:
            for file in files.of_job(entry.connection, job_id):
                is_due = files.is_waiting_to_be_shown(entry.connection, file.ref.sha256)
                if file.state is FileState.HERE and not is_due:
                    self._remove(entry, file)

        await self._ledger.write(run)

    async def sweep(self) -> None:
        """Give up what did not come in time, and remove what was kept long enough."""
        await self._ledger.write(self._sweep)

    async def rebuild(self) -> None:
        """Remove what a killed hub left on the shelf.

        Before anything is taken in: a file that comes meanwhile looks like one nobody knows of.
        """
        kept = await self._ledger.read(files.all_here)
        known = frozenset((file.person_id, file.ref.sha256) for file in kept)
        await asyncio.to_thread(self._shelf.tidy, known)

    async def run(self) -> None:
        """Sweep now and then."""
        while True:
            try:
                await self.sweep()
            except AppError as error:
                log.warning("files_unswept", code=error.code, error=str(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _reserve(self, person_id: PersonId, ref: FileRef) -> None:
        taken = await self._ledger.read(files.bytes_here)
        if (person_id, ref.sha256) in self._coming:
            raise Conflict(
                "file_uploading", "This file is being uploaded already.", "Wait.", retryable=True
            )
        mine = taken.get(person_id, 0) + ref.size_bytes
        mine += sum(size for (whose, _), size in self._coming.items() if whose == person_id)
        total = sum(taken.values()) + sum(self._coming.values()) + ref.size_bytes
        if mine > PERSON_BYTES_MAX or total > TOTAL_BYTES_MAX:
            raise LimitReached(
                "files_full",
                "The hub keeps as many files as it may; they leave once they were sent.",
                f"At most {PERSON_BYTES_MAX // 10**6} MB a person wait at a time.",
                retryable=True,
                retry_after_seconds=FULL_RETRY_SECONDS,
            )
        self._coming[person_id, ref.sha256] = ref.size_bytes

    def _put(self, entry: Entry, person_id: PersonId, part: Part) -> None:
        """Put a whole file in its place and tell of the jobs that have all of theirs now.

        The place is taken inside of the transaction, in the thread that also removes: a file
        that comes back cannot be taken for the one that goes.
        """
        connection, sha256 = entry.connection, part.sha256
        found = files.of_content(connection, person_id, sha256)
        _wanted(found)
        self._shelf.put(part, person_id)
        waiting = [file for file in found if file.state is FileState.ANNOUNCED]
        for file in waiting:
            files.move(connection, file, FileState.HERE)
        for job_id in dict.fromkeys(file.job_id for file in waiting):
            whole = files.of_job(connection, job_id)
            if all(file.state is FileState.HERE for file in whole):
                refs = tuple(file.ref for file in whole)
                entry.tell(person_id, FilesArrived(job_id=job_id, files=refs))

    def _sweep(self, entry: Entry) -> None:
        then = entry.now - timedelta(seconds=KEPT_SECONDS)
        missed: dict[JobId, list[StoredFile]] = {}
        for file in files.older(entry.connection, then):
            if file.state is FileState.ANNOUNCED:
                missed.setdefault(file.job_id, []).append(file)
            self._remove(entry, file)
        for job_id, lost in missed.items():
            refs = tuple(file.ref for file in lost)
            entry.tell(lost[0].person_id, FilesMissed(job_id=job_id, files=refs))
        files.forget(entry.connection, then - timedelta(seconds=KEPT_SECONDS))

    def _remove(self, entry: Entry, file: StoredFile) -> None:
        person_id, sha256 = file.person_id, file.ref.sha256
        files.move(entry.connection, file, FileState.GONE)
        kept = files.of_content(entry.connection, person_id, sha256)
        if not any(other.state is FileState.HERE for other in kept):
            self._shelf.remove(person_id, sha256)


async def _pour(content: AsyncIterator[bytes], part: Part, ref: FileRef) -> None:
    """Write an upload down, and no byte more than was announced."""
    waiting = bytearray()
    stream = aiter(content)
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Unavailable(
                "upload_stalled",
                f"Nothing came for {CHUNK_SECONDS:.0f} s.",
                "Begin again.",
                retryable=True,
            ) from None
        waiting += chunk or b""
        if part.size_bytes + len(waiting) > ref.size_bytes:
            raise _mismatch()
        if len(waiting) >= WRITE_BYTES or chunk is None:
            await asyncio.to_thread(part.add, bytes(waiting))
            waiting.clear()
        if chunk is None:
            break
    if part.size_bytes != ref.size_bytes or part.sha256 != ref.sha256:
        raise _mismatch()


def _wanted(found: list[StoredFile]) -> FileRef | None:
    if not found:
        raise NotFound("file_unannounced", "No result of yours announced this file.")
    # An older request for the same content may still be waiting, or have been served.
    announced = [file for file in found if file.state is FileState.ANNOUNCED]
    if announced:
        return announced[0].ref
    if any(file.state is FileState.HERE for file in found):
        return None
    raise NotFound("file_unwanted", "This file is not waited for any longer.")


def _mismatch() -> BadInput:
    return BadInput(
        "file_mismatch",
        "The content is not the one that was announced: its size or its hash differs.",
    )


def _gone() -> NotFound:
    return NotFound(
        "file_gone",
        "The hub does not have this file any more; it keeps one for a day at most.",
        "Ask for it again with /send.",
    )
