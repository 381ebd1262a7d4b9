"""Gives what buttons say a short name, for platforms that carry only a few bytes per button.

A name is a keyed hash, so that nobody can make one up, and nobody learns from one what it says.
The same words in the same conversation always have the same name: a message that is edited keeps
its buttons, and an old message's buttons work after a restart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
from collections import OrderedDict
from collections.abc import Sequence

from hub.store import taps as store
from shared.database import Database
from shared.environment import Environment
from shared.ids import ConversationId
from shared.times import to_ms

KEPT_MS = 30 * 24 * 3600 * 1000
"""How long a name is understood after it was last given."""
FRESH_MS = 24 * 3600 * 1000
"""A name given within this time need not be written again."""
FRESH_MAX = 20_000
NAME_BYTES = 16


class TapNames:
    """The hub's `Taps`."""

    def __init__(self, database: Database, environment: Environment, pepper: bytes) -> None:
        self._database = database
        self._environment = environment
        self._key = hmac.digest(pepper, b"deskhand taps", "sha256")
        self._fresh: OrderedDict[str, int] = OrderedDict()
        """Names that are committed, and when."""

    async def names(self, conversation: ConversationId, says: Sequence[str]) -> tuple[str, ...]:
        """Name what each button says; committed before this returns.

        Raises:
            Unavailable: `disk_full`, `store_failed`.
        """
        named = [(self._name(conversation, words), words) for words in says]
        now_ms = to_ms(self._environment.now())
        new = [pair for pair in named if self._fresh.get(pair[0], -FRESH_MS) <= now_ms - FRESH_MS]
        if new:

            def run(connection: sqlite3.Connection) -> int:
                store.forget(connection, now_ms - KEPT_MS)
                return store.name(connection, conversation, new, now_ms)

            if await self._database.write(run):
                self._fresh.clear()
            for short, _ in new:
                self._fresh[short] = now_ms
                self._fresh.move_to_end(short)
            while len(self._fresh) > FRESH_MAX:
                self._fresh.popitem(last=False)
        return tuple(short for short, _ in named)

    async def said(self, conversation: ConversationId, name: str) -> str | None:
        """What a name stands for; None when it is unknown in this conversation, or too old."""
        since_ms = to_ms(self._environment.now()) - KEPT_MS
        return await self._database.read(lambda c: store.said(c, conversation, name, since_ms))

    def _name(self, conversation: ConversationId, says: str) -> str:
        # No conversation has a NUL in its name: what is hashed can be split in one way only.
        told = f"{conversation}\0{says}".encode()
        made = hmac.digest(self._key, told, hashlib.sha256)[:NAME_BYTES]
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
