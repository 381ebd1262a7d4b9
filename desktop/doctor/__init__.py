"""`deskhand doctor`: looks at everything the worker stands on, and says what is wrong.

Blocks for some seconds when a network is slow: call `findings` in a thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from desktop.core.policy import Policy
from desktop.doctor.code import examine_code
from desktop.doctor.copy import examine_copy, examine_standing
from desktop.doctor.finding import Finding, well, wrong
from desktop.doctor.machine import examine_machine
from desktop.doctor.models import examine_models
from desktop.doctor.network import examine_way
from desktop.doctor.signatures import examine_signatures
from desktop.store import facts, salvage
from desktop.system.credentials import load_secret
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from desktop.system.way import Way
from shared.database import peek
from shared.errors import AppError
from shared.store_file import sqlite_note

MEND_HINT = "Start Deskhand: it sets the store aside and asks the hub for everything anew."
PAIR_HINT = "Pair it: deskhand pair CODE --hub URL"


def examine(paths: Paths, *, as_json: bool = False) -> int:
    """Print the findings; return 0 when all is well, 1 otherwise."""
    found = list(findings(paths))
    troubles = sum(not finding.is_well for finding in found)
    if as_json:
        print(json.dumps([finding.facts() for finding in found], ensure_ascii=False, indent=1))
    else:
        print(*found, sep="\n")
        print("All is well." if not troubles else f"{troubles} to look at.")
    return 1 if troubles else 0


def findings(paths: Paths) -> Iterator[Finding]:
    """Look at one thing after another, what is near first."""
    yield from _store(paths)
    yield from _policy(paths)
    yield from examine_machine(paths)


def _store(paths: Paths) -> Iterator[Finding]:
    if not paths.store.exists():
        yield wrong("pairing", "Not paired with a hub yet", PAIR_HINT)
        return
    try:
        with peek(paths.store) as connection:
            sound = _integrity(connection)
            pairing = facts.pairing(connection)
            mended = salvage.mended(connection, paths.data)
            copied = list(examine_copy(connection)) if sound == "ok" else []
            if pairing is not None and sound == "ok":
                copied += examine_signatures(connection, paths)
    except AppError as error:
        yield wrong("store", error.message, MEND_HINT)
        return
    yield (
        well("store", f"Store is sound ({paths.store.name})")
        if sound == "ok"
        else wrong("store", f"The store is damaged: {sound}", MEND_HINT)
    )
    if mended is not None:
        yield wrong("mended", mended.message.rstrip("."), mended.hint)
    yield from copied
    yield well("sqlite", sqlite_note())
    if pairing is None:
        yield wrong("pairing", "Not paired with a hub yet", PAIR_HINT)
        return
    token = load_secret(entry=pairing.worker_id, file=paths.token)
    yield (
        well("key", "Key is there")
        if token is not None
        else wrong("key", "Key is gone, or the safe is locked", "Unlock the safe, or pair again.")
    )
    yield from examine_way(pairing.hub_url, _way(paths))
    if token is not None:
        with peek(paths.store) as connection:
            yield from examine_standing(connection, pairing.hub_url, token, _way(paths))


def _way(paths: Paths) -> Way:
    try:
        return Way(load_policy(paths).network)
    except AppError:  # told by itself
        return Way()


def _integrity(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def _policy(paths: Paths) -> Iterator[Finding]:
    try:
        policy: Policy = load_policy(paths)
    except AppError as error:
        yield wrong("policy", error.message.rstrip("."), f"{error.hint} It is {paths.policy}")
        return
    yield well("policy", f"Policy {paths.policy}: {policy.slots} jobs at once")
    if not policy.folders:
        yield wrong("folders", "No folder may be used", "Name some as `folders` in the policy.")
    for folder in policy.folders:
        is_there = Path(folder).expanduser().is_dir()
        yield (
            well("folders", f"Folder {folder}")
            if is_there
            else wrong(
                "folders",
                f"Folder {folder} is missing",
                "Make it, mount it, or take it out of the policy.",
            )
        )
    yield from examine_models(paths, policy)
    yield from examine_code(paths, policy)
