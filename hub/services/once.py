"""Lets a request under an Idempotency-Key take place once, and keeps its answer for a day.

The draft it follows: draft-ietf-httpapi-idempotency-key-header. What is kept is sealed under the
request's own key, which is kept nowhere: an answer may tell a secret, or a task that is purged.

Tasks do without this: their key stands in the transaction that makes them (`Request.dedupe`).
"""

from __future__ import annotations

import hashlib
import hmac

from hub.core.answer import KEPT, Answer, check_key, reused, still_running, unfinished
from hub.core.sealed import NONCE_BYTES, Sealer
from hub.store import answers
from hub.store.ledger import Entry, Ledger
from shared.ids import PersonId
from shared.times import to_ms


class Once:
    def __init__(self, ledger: Ledger, pepper: bytes) -> None:
        self._ledger = ledger
        self._pepper = pepper
        self._running: set[str] = set()
        """Requests that are being worked on in this life of the hub."""

    async def begin(self, person_id: PersonId, key: str, digest: str) -> Answer | None:
        """Note that a request begins; or return what it was answered before.

        Raises:
            BadInput: `dedupe_invalid`.
            Conflict: `dedupe_reused`, `dedupe_running`, `dedupe_unfinished`.
        """
        name = self._name(person_id, check_key(key))

        def run(entry: Entry) -> answers.Kept | None:
            answers.forget(entry, to_ms(entry.now - KEPT))
            kept = answers.load(entry.connection, name)
            if kept is None:
                answers.reserve(entry, name, digest)
            return kept

        is_ours = name not in self._running
        self._running.add(name)
        kept = None
        try:
            kept = await self._ledger.write(run)
        except BaseException:
            if is_ours:
                self._running.discard(name)
            raise
        if kept is None:
            # Another may have given it up meanwhile.
            self._running.add(name)
            return None
        if is_ours:
            self._running.discard(name)
        return self._kept(name, kept, digest, key, is_running=not is_ours)

    async def finish(self, person_id: PersonId, key: str, answer: Answer | None) -> None:
        """Keep the answer; None when nothing was made, and the request may take place again."""
        name = self._name(person_id, key)
        sealed = self._seal(name, key, answer) if answer else None

        def run(entry: Entry) -> None:
            if sealed is None:
                answers.drop(entry, name)
            else:
                answers.keep(entry, name, sealed)

        try:
            await self._ledger.write(run)
        finally:
            self._running.discard(name)

    def _kept(
        self, name: str, kept: answers.Kept, digest: str, key: str, *, is_running: bool
    ) -> Answer:
        if not hmac.compare_digest(kept.digest, digest):
            raise reused()
        if kept.sealed is None:
            raise still_running() if is_running else unfinished()
        opened = Sealer(self._pepper, f"answer {key}").open(kept.sealed, name)
        if opened is None:
            raise unfinished()  # sealed under another pepper: nobody can tell what it was
        return Answer.read(opened)

    def _seal(self, name: str, key: str, answer: Answer) -> bytes:
        nonce = self._ledger.environment.entropy(NONCE_BYTES)
        return Sealer(self._pepper, f"answer {key}").seal(answer.write(), name, nonce)

    def _name(self, person_id: PersonId, key: str) -> str:
        told = f"answer name\0{person_id}\0{key}".encode()
        return hmac.new(self._pepper, told, hashlib.sha256).hexdigest()
