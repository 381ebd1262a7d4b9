"""`deskhand-hub restore`: the hub as it was when a backup was made, as a new life of its store.

    lock ──▶ read the backup ──▶ unpack it aside, begin a new hub epoch ──▶ keep what stands there
         ──▶ put the new store in its place (one rename) ──▶ say what this means

Until that rename everything is as it was; after it, everything is done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.backup import describe
from hub.frontends.figures import ago, plural
from hub.store import aftermath, backup_folder
from hub.store.aftermath import Aftermath, Record
from hub.store.backup import Contents, read_contents, unpack
from hub.store.database import STORE_NAME, open_store
from hub.store.ledger import begin_epoch
from hub.store.lock import lock_hub
from shared.environment import Environment
from shared.errors import Conflict, NotFound, Unavailable
from shared.plain_text import plain_line
from shared.store_file import trust
from shared.times import utc_words

if TYPE_CHECKING:
    from hub.settings import Settings

LINE_CHARS = 88
LEFTOVERS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done."""

    backup: Path
    contents: Contents
    kept_in: Path | None
    """Where the store is that stood there before; None when there was none."""
    after: Aftermath | None
    """What came after the backup; None when that store cannot be read, or there was none."""


def restore(settings: Settings, backup: Path | None, *, is_latest: bool) -> int:
    """Bring a backup back, and say in plain words what that means.

    Raises:
        NotFound: `backup_unknown`.
        BadInput: `backup_unreadable`, `backup_damaged`.
        Conflict: `hub_running`.
        Unavailable: `restore_failed`, `store_newer`.
    """
    chosen = _chosen(settings.data, backup, is_latest=is_latest)
    environment = Environment()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock_hub(settings.data):
        done = bring_back(settings.data, chosen, environment)
    _tell(done, environment)
    return 0


def bring_back(data: Path, backup: Path, environment: Environment) -> Restored:
    """Replace a data folder's store; the caller has its lock."""
    contents = read_contents(backup)
    store = data / STORE_NAME
    _settle(store)
    lost = aftermath.record_of(store)
    aside = data / "restoring"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    try:
        files = unpack(backup, aside / STORE_NAME)
        after = _begin(aside, contents, lost, environment)
        kept_in = _keep(data, files, environment)
        for name, content in files.items():
            _write_secret(data / name, content)
        for ending in LEFTOVERS:
            store.with_name(f"{STORE_NAME}{ending}").unlink(missing_ok=True)
        (aside / STORE_NAME).replace(store)
        trust(store)
    except OSError as error:
        raise Unavailable(
            "restore_failed",
            f"The backup could not be brought back: {error}.",
            "See that the disk has room and the folder can be written, and try again.",
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Restored(backup=backup, contents=contents, kept_in=kept_in, after=after)


def _chosen(data: Path, backup: Path | None, *, is_latest: bool) -> Path:
    found = backup_folder.backups_in(data)
    if backup is not None and not is_latest:
        return backup
    if is_latest and found:
        return found[-1][1]
    listed = ", ".join(path.name for _, path in reversed(found[-7:])) or "none"
    raise NotFound(
        "backup_unknown",
        f"Which backup? In {data / backup_folder.FOLDER}: {listed}.",
        "Name a file, or take the newest with --latest.",
    )


def _settle(store: Path) -> None:
    """Write what stands in the store's log into the store, if it can be; it is one file then.

    Raises:
        Conflict: `hub_running`, also for a hub of before there was a lock.
    """
    if not store.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(store, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise Conflict(
                "hub_running",
                "Another program has the hub's store open.",
                "Stop the hub first, then restore.",
            ) from error
    except sqlite3.DatabaseError:
        pass  # It cannot be read; that may be why it is replaced.


def _begin(
    aside: Path, contents: Contents, lost: Record | None, environment: Environment
) -> Aftermath | None:
    """Make the unpacked store a new life, and keep out whoever was shown out since."""
    with open_store(aside) as database:
        backup = database.submit(aftermath.read).result()
        after = None if lost is None else aftermath.compare(lost, backup)

        def begin(connection: sqlite3.Connection) -> None:
            others = after.others if after is not None else ()
            begin_epoch(connection, environment, backup_at=contents.made_at, others=others)
            if after is not None and lost is not None:
                aftermath.keep_out(connection, after, lost)

        database.submit(begin).result()
    return after


def _keep(data: Path, names: Iterable[str], environment: Environment) -> Path | None:
    """Keep what stands there; it is whole until the new store takes its place."""
    if not (data / STORE_NAME).exists():
        return None
    folder = data / f"before-restore-{environment.now():%Y%m%d-%H%M%S}"
    folder.mkdir(mode=0o700, exist_ok=True)
    stores = [STORE_NAME, *(f"{STORE_NAME}{ending}" for ending in LEFTOVERS)]
    for name in (*stores, *names):
        if (data / name).exists():
            (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _link(data / name, folder / name)
    return folder


def _link(path: Path, place: Path) -> None:
    """Give a file a second name; the first is replaced later, never written into."""
    place.unlink(missing_ok=True)
    try:
        os.link(path, place)
    except OSError:
        shutil.copy2(path, place)


def _write_secret(path: Path, content: bytes) -> None:
    """Replace a file whole; its second name keeps the old one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _tell(done: Restored, environment: Environment) -> None:
    made_at = done.contents.made_at
    lines = [
        f"✓ The hub is as it was on {utc_words(made_at)}, {ago(made_at, environment.now())}.",
        f"  from      {done.backup}",
        f"  holds     {describe(done.contents)}",
    ]
    if done.kept_in is not None:
        lines.append(f"  before    kept in {done.kept_in}; delete it when all is well")
    lines += ["", "What this means:"]
    for sentence in meaning(done.after):
        lines += textwrap.wrap(
            plain_line(sentence), LINE_CHARS, initial_indent="  · ", subsequent_indent="    "
        )
    lines += ["", "Start the hub again: deskhand-hub serve"]
    sys.stdout.write("".join(f"{plain_line(line)}\n" for line in lines))


def meaning(after: Aftermath | None) -> Iterable[str]:
    """Say what a restore means, as sentences; `after` is None when nothing is known of since."""
    yield (
        "Jobs that waited when the backup was made may have run since. Those that must not run "
        "twice ask their person: run again, mark done, or give up."
    )
    if after is None:
        yield "Computers tell again by themselves what they did since, as far back as 30 days."
        yield "What was asked for in chats since, and no computer has begun, is lost: ask again."
        yield (
            "Computers and keys that were shown out since are let in again: look with /workers, "
            "and disconnect them anew."
        )
        yield "Computers that were connected since must be connected again."
        return
    if not after.events:
        yield "Nothing else has happened since."
        return
    yield f"After the backup came {plural(after.events, 'event')} and {plural(after.jobs, 'job')}."
    for name, events in after.coming_back:
        if events > 0:
            yield f"{name} brings back {plural(events, 'event')} by itself when it connects."
    yield "What was asked for in chats since, and no computer has begun, is lost: ask again."
    if after.paired:
        yield f"Must be connected again, for they came after it: {', '.join(after.paired)}."
    if after.revoked:
        yield f"Stay shown out, although they were not yet: {', '.join(after.revoked)}."
    if after.keys_gone:
        yield f"{plural(len(after.keys_gone), 'key')} withdrawn since stay withdrawn."
