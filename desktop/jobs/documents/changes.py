"""What jobs wrote: written down before it happens, done once, taken back from the same record.

    begin ─▶ the record, with the content before and after, is on disk
          ─▶ carry_out: the file is still as before ─▶ replaced in one step ─▶ marked as done
                        it is as after already      ─▶ marked as done
                        it is anything else         ─▶ somebody else changed it: refused

A process that dies between any two steps leaves a record that a second run goes on with. The hash
of the content decides, never a guess.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import AppError, Conflict, LimitReached, NotAllowed, Unavailable
from shared.ids import JobId, is_uuid

FOLDER = "changes"
RECORD, BEFORE, AFTER = "record.json", "before", "after"
BYTES_MAX = 50 * 1000 * 1000
"""Of a file that is changed, or made."""
KEPT_MAX = 200
KEPT_BYTES_MAX = 500 * 1000 * 1000
KEPT_SECONDS = 30 * 24 * 3600.0
"""How long a change can be taken back."""
GONE = ""
"""Stands for the hash of a file that is not there."""


class Change(BaseModel):
    """One change of one file by one job."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: JobId
    path: str
    before: str
    """SHA-256 of the content; GONE where there was no file."""
    after: str
    at: float
    """Seconds since the epoch."""
    is_done: bool = False
    note: str = ""
    """The executor's own: what it has to tell again after a crash."""
    undone_by: str = ""
    """Id of the job that took it back."""

    @property
    def name(self) -> str:
        return Path(self.path).name


def _nothing(_step: str) -> None:
    return


class Changes:
    """All changes that jobs of one worker made and still can take back."""

    def __init__(
        self,
        data_folder: Path,
        *,
        between: Callable[[str], None] = _nothing,
        kept_max: int = KEPT_MAX,
    ) -> None:
        """Look at nothing yet. `between` is told each step before it is done."""
        self._folder = data_folder / FOLDER
        self._kept_max = kept_max
        self._between = between

    def find(self, job_id: str) -> Change | None:
        """Return what a job has begun or done; None when it has not."""
        if not is_uuid(job_id):
            return None
        try:
            text = (self._folder / job_id / RECORD).read_text(encoding="utf-8")
            return Change.model_validate_json(text)
        except (OSError, ValidationError, UnicodeDecodeError):
            return None

    def done(self) -> list[Change]:
        """Return what can be taken back, the newest first."""
        found = [one for one in self._all() if one.is_done and not one.undone_by]
        return sorted(found, key=lambda one: -one.at)

    def content(self, change: Change, which: str) -> bytes | None:
        """Return the bytes BEFORE or AFTER a change; None where there was no file.

        Raises:
            Unavailable: `change_lost`, when the copy is damaged.
        """
        wanted = change.before if which == BEFORE else change.after
        if wanted == GONE:
            return None
        try:
            content = (self._folder / change.job_id / which).read_bytes()
        except OSError:
            content = b""
        if sha256(content) != wanted:
            raise Unavailable(
                "change_lost",
                f"The copy of {change.name} that this needs is damaged.",
                "Nothing was changed.",
            )
        return content

    def begin(
        self,
        job_id: JobId,
        path: Path,
        before: bytes | None,
        after: bytes | None,
        *,
        now: float,
        note: str = "",
    ) -> Change:
        """Write a change down; nothing of it has happened yet.

        Raises:
            LimitReached: `file_too_large`.
            Unavailable: `changes_unwritable`.
        """
        for content in (before, after):
            if content is not None and len(content) > BYTES_MAX:
                raise _too_large(path)
        change = Change(
            job_id=job_id, path=str(path), before=hash_of(before), after=hash_of(after), at=now,
            note=note,
        )  # fmt: skip
        place = self._folder / job_id
        try:
            self._make_room(now)
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name, content in ((BEFORE, before), (AFTER, after)):
                self._between(f"keep {name}")
                if content is not None:
                    _put(place / name, content, mode=0o600)
            self._record(change)
        except OSError as error:
            raise Unavailable(
                "changes_unwritable",
                f"{path.name} was left as it is: what is changed cannot be kept"
                f" ({error.strerror}).",
                "Free some space on that machine.",
                retryable=True,
            ) from error
        return change

    def carry_out(self, change: Change, *, check: Callable[[], None] = lambda: None) -> Change:
        """Do what was written down, unless it is done; a second call changes nothing.

        Args:
            change: as `begin` returned it, or found after a crash.
            check: raises when the place may no longer be written to; called last.

        Raises:
            Conflict: `file_changed`, when the file is neither as before nor as after.
            NotAllowed: `file_unwritable`.
        """
        if change.is_done:
            return change
        path = Path(change.path)
        now = hash_at(path)
        if now == change.before != change.after:
            content = self.content(change, AFTER)
            check()
            try:
                self._replace(change, path, content)
            except FileExistsError:
                raise changed_since(path.name) from None
            except OSError as error:
                raise NotAllowed(
                    "file_unwritable",
                    f"{path.name} cannot be written ({error.strerror}).",
                    "Close it in other programs, or see who may write there.",
                ) from error
        elif now != change.after:
            raise changed_since(path.name)
        _part(change).unlink(missing_ok=True)
        return self._mark(change, is_done=True)

    def undone(self, change: Change, by: JobId) -> Change:
        """Mark a change as taken back."""
        return self._mark(change, undone_by=by)

    def stands(self, change: Change) -> Change:
        """Mark a change as not taken back any more."""
        return self._mark(change, undone_by="")

    def _replace(self, change: Change, path: Path, content: bytes | None) -> None:
        if content is None:
            self._between("remove")
            path.unlink(missing_ok=True)
            return
        self._between("make folders")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = _part(change)
        part.unlink(missing_ok=True)
        self._between("write part")
        mode = path.stat().st_mode & 0o777 if change.before != GONE else 0o666
        try:
            _put(part, content, mode=mode, is_exact=change.before != GONE)
            self._between("replace")
            if change.before == GONE:
                _put_new(part, path)
            elif hash_at(path) != change.before:
                raise FileExistsError
            else:
                part.replace(path)
            self._between("settle")
        finally:
            part.unlink(missing_ok=True)
        _sync(path.parent)

    def _mark(self, change: Change, **facts: object) -> Change:
        marked = change.model_copy(update=facts)
        # The effect is there; a record that cannot be marked is looked at by its hashes again.
        with contextlib.suppress(OSError):
            self._record(marked)
        return marked

    def _record(self, change: Change) -> None:
        place = self._folder / change.job_id
        self._between("record")
        part = place / f"{RECORD}.part"
        part.unlink(missing_ok=True)
        _put(part, change.model_dump_json().encode(), mode=0o600)
        part.replace(place / RECORD)
        _sync(place)

    def _all(self) -> Iterator[Change]:
        with contextlib.suppress(OSError):
            for place in sorted(self._folder.iterdir()):
                if (change := self.find(place.name)) is not None:
                    yield change

    def _make_room(self, now: float) -> None:
        """Forget the oldest changes when there are too many, or they are too large or too old."""
        kept = sorted(self._all(), key=lambda one: -one.at)
        total = 0
        for number, change in enumerate(kept, start=1):
            place = self._folder / change.job_id
            total += sum(_size(place / name) for name in (BEFORE, AFTER))
            is_old = now - change.at > KEPT_SECONDS
            if change.is_done and (number >= self._kept_max or total > KEPT_BYTES_MAX or is_old):
                shutil.rmtree(place, ignore_errors=True)


def _part(change: Change) -> Path:
    """Where the new content is until it takes its place: beside it, for a rename is one step."""
    return Path(change.path).parent / f".deskhand-{change.job_id}.part"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hash_of(content: bytes | None) -> str:
    return GONE if content is None else sha256(content)


def hash_at(path: Path) -> str:
    """Return the hash of a file's content; GONE when there is none.

    Raises:
        LimitReached: `file_too_large`.
    """
    return hash_of(read_bytes(path))


def read_bytes(path: Path) -> bytes | None:
    """Read a file that may be changed; None when it is not there.

    Raises:
        LimitReached: `file_too_large`.
        NotAllowed: `file_unreadable`.
    """
    try:
        if path.stat().st_size > BYTES_MAX:
            raise _too_large(path)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotAllowed(
            "file_unreadable", f"{path.name} cannot be read ({error.strerror}).", ""
        ) from error


def changed_since(name: str) -> AppError:
    return Conflict(
        "file_changed",
        f"{name} was changed by somebody else meanwhile; it was left as it is.",
        "Look at it, and ask again.",
    )


def _too_large(path: Path) -> LimitReached:
    return LimitReached(
        "file_too_large",
        f"{path.name} is larger than {BYTES_MAX // 10**6} MB, the most that is changed here.",
        "Change it on that machine.",
    )


def _put(path: Path, content: bytes, *, mode: int, is_exact: bool = True) -> None:
    """Write a file that is not there yet, down to the disk. `is_exact`: against the umask, too."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0), mode), "wb") as file:
        if is_exact and hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_new(part: Path, path: Path) -> None:
    """Give a file its name, unless something has it."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, as on sticks
        if path.exists():
            raise FileExistsError from None
        part.rename(path)


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return
    # Some file systems know no such thing; the content itself is on the disk.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
