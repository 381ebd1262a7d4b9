"""How the deeds tell what they hold for committed: a line of JSON each, at once and in order."""

from __future__ import annotations

import json
import os
from pathlib import Path

from shared.store_file import Care
from tests.power.trace import SAID

Word = dict[str, str | int]


class Mouth:
    """Writes into `folder / SAID`, where strace sees it."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / SAID, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def say(self, what: str, **facts: str | int) -> None:
        os.write(self._file, (json.dumps({"what": what, **facts}) + "\n").encode())


def heard(said: tuple[str, ...]) -> list[Word]:
    return [json.loads(line) for line in said]


def care(synchronous: str) -> Care:
    """Look after a store so that a short program does all that a long one does.

    A checkpoint comes every few pages; the disk is trusted as `synchronous` says, which is FULL
    in the product and NORMAL where these tests are to find something.
    """
    return Care(
        ballast_seconds=3600.0,
        pragmas=("wal_autocheckpoint = 60", f"synchronous = {synchronous}"),
    )
