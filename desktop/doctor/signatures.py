"""Whether this machine signs what it reports, and what of the hub's log lacks a signature."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from desktop.doctor.finding import Finding, well, wrong
from desktop.store import facts, peers
from desktop.system.device_key import load_signer
from desktop.system.paths import Paths

LOST_HINT = "Unlock the safe; a key that is gone for good comes back by pairing again."
FORGED_HINT = "They are not counted. Ask whoever runs the hub what happened."


def examine_signatures(connection: sqlite3.Connection, paths: Paths) -> Iterator[Finding]:
    yield _own_key(connection, paths)
    for doubt in peers.doubts(connection):
        if doubt.count:
            told = f"{doubt.count:,} events of {doubt.name} do not carry its signature"
            yield wrong("signatures", told, FORGED_HINT)
        if doubt.other_key:
            told = f"The hub tells another key for {doubt.name} than it did at first"
            yield wrong("signatures", told, FORGED_HINT)
    if sealed := peers.sealed_count(connection):
        yield well("sealed", f"{sealed:,} events are sealed; only those with their key read them")


def _own_key(connection: sqlite3.Connection, paths: Paths) -> Finding:
    public = facts.signs_as(connection)
    if not public:
        return well("signing", "Reports are not signed; pairing again gives this machine a key")
    if load_signer(public, file=paths.device_key) is None:
        told = "The key that signs reports is gone, or the safe is locked"
        return wrong("signing", f"{told}: a hub that knows it counts none of them", LOST_HINT)
    return well("signing", "Reports are signed by this machine's key")
