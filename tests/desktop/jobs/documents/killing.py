"""A program that is killed between any two steps of a change, and told to go on: prints what is
left, a JSON line for each step.

    python -m tests.desktop.jobs.documents.killing FOLDER edit|new|gone
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from desktop.jobs.documents.changes import Changes
from shared.ids import JobId

BEFORE, AFTER = b"before\n", b"after\n"
WORDS = {"edit": (BEFORE, AFTER), "new": (None, AFTER), "gone": (BEFORE, None)}


def main(root: Path, word: str) -> None:
    before, after = WORDS[word]
    for number in range(100):
        folder = root / str(number)
        (folder / "files").mkdir(parents=True)
        path = folder / "files" / "notes.md"
        if before is not None:
            path.write_bytes(before)
            path.chmod(0o640)
        job_id = JobId(f"01900000-0000-7000-8000-{number:012x}")
        was_killed = killed_at(number, folder, path, job_id, before, after)
        between = path.read_bytes() if path.exists() else None
        changes = Changes(folder / "data")
        change = changes.find(job_id) or changes.begin(job_id, path, before, after, now=0.0)
        done = changes.carry_out(change)
        inode = path.stat().st_ino if path.exists() else 0
        again = changes.carry_out(changes.find(job_id) or done)
        told = {
            "was_killed": was_killed,
            "between": between in (before, after),
            "is_after": (path.read_bytes() if path.exists() else None) == after,
            "is_once": again.is_done and inode == (path.stat().st_ino if path.exists() else 0),
            "left": sorted(one.name for one in path.parent.iterdir()),
            "can_undo": changes.content(done, "before") == before,
            "mode": oct(path.stat().st_mode & 0o777) if path.exists() else "",
        }
        print(json.dumps(told), flush=True)
        if not was_killed:
            return


def killed_at(
    number: int, folder: Path, path: Path, job_id: JobId, before: bytes | None, after: bytes | None
) -> bool:
    """Do it in a process that dies before its step of that number; False when it has fewer."""
    child = os.fork()
    if child == 0:
        steps = countdown(number)
        changes = Changes(folder / "data", between=lambda _step: next(steps))
        changes.carry_out(changes.begin(job_id, path, before, after, now=0.0))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def countdown(number: int) -> Iterator[None]:
    for _ in range(number):
        yield
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
