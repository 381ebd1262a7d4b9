"""Who this worker is, beside its store: what a new store starts from when the old one is damaged.

It is a copy of single values (`desktop.store.facts`), brought up to date when the program starts
and when the machine joins or leaves a hub. No secret is in it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

Facts = dict[str, str]
"""Names and values as `desktop.store.facts` keeps them."""

LEFT_OUT = frozenset({"hub_epoch", "hub_seq", "copy_starts"})
"""How far the hub's log has come here: a new store begins with none of it."""
_FACTS = TypeAdapter(Facts)


def path_beside(store: Path) -> Path:
    return store.with_name(f"{store.name}.identity")


def told(connection: sqlite3.Connection) -> Facts:
    """Read the values that are worth keeping."""
    rows = connection.execute("select name, value from fact order by name")
    return {name: value for name, value in rows if name not in LEFT_OUT and value is not None}


def note(store: Path, known: Facts) -> None:
    """Keep the values beside the store; nothing is written when they are there already.

    What is only a convenience must not fail: a full disk leaves the old ones.
    """
    if load(store) != known:
        with contextlib.suppress(OSError):
            write_whole(path_beside(store), to_json(known))


def load(store: Path) -> Facts:
    """Read the values back; none when there is no such file, or it is damaged, too."""
    try:
        return _FACTS.validate_json(path_beside(store).read_bytes())
    except (OSError, ValidationError):
        return {}


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file, so that a power cut leaves the old or the new one, never half.

    Raises:
        OSError: the old one is as it was.
    """
    aside = path.with_name(f"{path.name}.new")
    with aside.open("wb") as file:
        aside.chmod(0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
