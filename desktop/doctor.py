"""`deskhand doctor`: looks at everything the worker stands on, and says what is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.core.policy import DISK_FREE_BYTES_MIN, Policy
from desktop.runner.inside import load
from desktop.store import facts
from desktop.system import hardware
from desktop.system.credentials import load_secret
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from shared.database import peek
from shared.errors import AppError

SQLITE_SOUND = (3, 51, 3)
"""Earlier versions can corrupt a store that two connections checkpoint; ours has only one."""


@dataclass(frozen=True, slots=True)
class Finding:
    is_well: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'✓' if self.is_well else '⚠'} {self.sentence}"


def well(sentence: str) -> Finding:
    return Finding(is_well=True, sentence=sentence)


def wrong(sentence: str) -> Finding:
    return Finding(is_well=False, sentence=sentence)


def examine(paths: Paths) -> int:
    """Print the findings; return 0 when all is well, 1 otherwise."""
    findings = list(_findings(paths))
    for finding in findings:
        print(finding)
    troubles = sum(not finding.is_well for finding in findings)
    print("All is well." if not troubles else f"{troubles} to look at.")
    return 1 if troubles else 0


def _findings(paths: Paths) -> Iterator[Finding]:
    yield from _store(paths)
    yield from _policy(paths)
    yield from _tools()
    free = hardware.disk_free_bytes(paths.data if paths.data.exists() else Path(paths.data.anchor))
    room = f"{free / 1e9:.0f} GB free on the disk"
    yield well(room) if free > DISK_FREE_BYTES_MIN else wrong(room)


def _store(paths: Paths) -> Iterator[Finding]:
    if not paths.store.exists():
        yield wrong("Not paired with a hub yet: deskhand pair CODE --hub URL")
        return
    try:
        with peek(paths.store) as connection:
            sound = _integrity(connection)
            pairing = facts.pairing(connection)
    except AppError as error:
        yield wrong(f"{error.message} Move it away to start afresh.")
        return
    yield well(f"Store is sound ({paths.store.name})") if sound == "ok" else wrong(sound)
    version = ".".join(map(str, sqlite3.sqlite_version_info))
    note = "" if sqlite3.sqlite_version_info >= SQLITE_SOUND else "; one connection, as it must be"
    yield well(f"SQLite {version}{note}")
    if pairing is None:
        yield wrong("Not paired with a hub yet: deskhand pair CODE --hub URL")
        return
    has_token = load_secret(entry=pairing.worker_id, file=paths.token) is not None
    yield well("Key is there") if has_token else wrong("Key is gone: pair again")
    yield _hub(pairing.hub_url)


def _integrity(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def _hub(base: str) -> Finding:
    import httpx

    try:
        answer = httpx.get(f"{base}/api/v1/health", timeout=5.0)
        is_well = answer.status_code == 200
    except httpx.HTTPError:
        return wrong(f"Hub {base} cannot be reached: does it run, and is this machine online?")
    return well(f"Hub {base} answers") if is_well else wrong(f"{base} is no Deskhand hub")


def _policy(paths: Paths) -> Iterator[Finding]:
    try:
        policy: Policy = load_policy(paths)
    except AppError as error:
        yield wrong(f"{error} ({paths.policy})")
        return
    yield well(f"Policy {paths.policy}: {policy.slots} jobs at once")
    if not policy.folders:
        yield wrong("No folder may be used: name some as `folders` in the policy")
    for folder in policy.folders:
        is_there = Path(folder).expanduser().is_dir()
        yield well(f"Folder {folder}") if is_there else wrong(f"Folder {folder} is missing")


def _tools() -> Iterator[Finding]:
    from desktop.agent import EXECUTORS_AT, KINDS_AT

    kinds, executors = load(KINDS_AT), load(EXECUTORS_AT)
    ready = hardware.kinds_ready(kinds, executors)
    if ready:
        yield well(f"Can do: {', '.join(sorted(ready))}")
    missing = [lack.kind for lack in hardware.lacking(kinds, executors, ready)]
    if missing:
        yield wrong(f"Cannot do {', '.join(missing)}: {hardware.SETUP_COMMAND} adds the tools")
