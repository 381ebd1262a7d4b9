"""The folders that work happens in: a clone, the agent's home, and what was said to it.

A clone stays where it was made, because agents remember their conversations by its path. The first
job of a session leaves a note in the session's workspace; the next one finds the clone by it, and
takes it if nobody works there. A clone goes when neither the session nor an unfinished job that
used it is there any more, or when nobody touched it for as long as its owner keeps things.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.jobs.code.removing import remove
from shared.errors import Conflict
from shared.file_lock import FileLock

NOTE = "clone.json"
FACTS = "facts.json"
LOCK = "lock"
NAME = re.compile(r"[0-9a-f-]{36}(-[0-9]{1,3})?")
FRESH_SECONDS = 600.0
"""A folder that was just made has no user yet, and is no leftover."""
DAY_SECONDS = 86_400.0


class CloneFacts(BaseModel):
    """What is known of a clone: whose it is, and what an agent has in its memory of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    base: str = ""
    base_commit: str = ""
    clone_commit: str = ""
    """What was checked out when the clone was made."""
    tip: str = ""
    """What the last job that ended well committed; empty until there is one."""
    branch: str = ""
    agent: str = ""
    agent_session: str = ""
    worker: str = ""
    """Folder of the job that works in it, or stopped in the middle; empty when none does."""
    users: tuple[str, ...] = ()
    """Folders of a session or of jobs; the clone may go when none of them is there."""


@dataclass(frozen=True, slots=True)
class CloneFolder:
    """One clone's folder; held while its lock is."""

    path: Path

    @property
    def tree(self) -> Path:
        return self.path / "clone"

    @property
    def home(self) -> Path:
        """The agent's own home."""
        return self.path / "home"

    @property
    def suite_home(self) -> Path:
        """The tests' own home: nothing that the agent planted is in it."""
        return self.path / "suite-home"

    @property
    def check(self) -> Path:
        """Where a commit is tested as it would be delivered."""
        return self.path / "check"

    @property
    def base(self) -> Path:
        """Where the tests are run as they were."""
        return self.path / "base"

    @property
    def base_home(self) -> Path:
        return self.path / "base-home"

    def clear(self, folder: Path) -> None:
        """Remove one of the folders in it, whatever tests left there."""
        assert folder.parent == self.path, folder
        remove(folder)

    def facts(self) -> CloneFacts | None:
        try:
            return CloneFacts.model_validate_json((self.path / FACTS).read_bytes())
        except (OSError, ValidationError):
            return None

    def put(self, facts: CloneFacts) -> None:
        _write(self.path / FACTS, facts.model_dump_json())


class CloneFolders:
    """All clones of a machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def held(self, name: str, *user_folders: Path) -> Iterator[CloneFolder]:
        """Hold a clone's folder, made if need be, for as long as a job works in it.

        Raises:
            Conflict: `clone_taken`, when another job works there.
        """
        folder = self._folder / name
        assert NAME.fullmatch(name), name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = Conflict("clone_taken", "Another job works in this clone.", "Wait for its end.")
        with FileLock(folder / LOCK, taken):
            os.utime(folder)
            held = CloneFolder(folder)
            for made in (held.home, held.suite_home, held.base_home):
                made.mkdir(exist_ok=True, mode=0o700)
            self._use(held, user_folders)
            yield held

    def noted(self, workspace: Path) -> str:
        """Return which clone a session works in; empty when there is none to be found."""
        try:
            name = json.loads((workspace / NOTE).read_text())["clone"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        is_there = isinstance(name, str) and NAME.fullmatch(name) and self._is_there(name)
        return name if is_there else ""

    def note(self, workspace: Path, name: str) -> None:
        """Let the session's next jobs find a clone."""
        workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(workspace / NOTE, json.dumps({"clone": name}))

    def sweep(self, keep_days: float) -> int:
        """Remove what nobody will use again; return how many clones that were."""
        return sum(self._swept(folder, keep_days) for folder in self._all())

    def _use(self, held: CloneFolder, folders: tuple[Path, ...]) -> None:
        facts = held.facts() or CloneFacts(repository="")
        users = tuple(dict.fromkeys((*facts.users, *map(str, folders))))
        held.put(facts.model_copy(update={"users": users}))

    def _swept(self, folder: Path, keep_days: float) -> bool:
        with contextlib.suppress(Conflict, OSError):
            busy = Conflict("clone_taken", "Another job works in this clone.")
            with FileLock(folder / LOCK, busy):
                if not _may_go(CloneFolder(folder), keep_days):
                    return False
                remove(folder)
                return True
        return False

    def _is_there(self, name: str) -> bool:
        return (self._folder / name / FACTS).is_file()

    def _all(self) -> list[Path]:
        try:
            found = sorted(self._folder.iterdir())
        except OSError:
            return []
        return [one for one in found if NAME.fullmatch(one.name) and one.is_dir()]


def _may_go(folder: CloneFolder, keep_days: float) -> bool:
    try:
        untouched = time.time() - folder.path.stat().st_mtime
    except OSError:
        return False
    facts = folder.facts()
    is_used = facts is not None and any(Path(user).is_dir() for user in facts.users)
    return untouched > max(keep_days * DAY_SECONDS, FRESH_SECONDS) or (
        not is_used and untouched > FRESH_SECONDS
    )


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
