"""Lets computers and accounts in by codes: a code, a key, two words, a token.

invite ─code─▶ ask ─words─▶ (a person decides: `admissions`) ─▶ token
ask without a code ─▶ adopt, by the person that sends the code the computer shows ─▶ …
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from hub.core.access import SECRET_BYTES, Person, make_secret
from hub.core.joining import (
    PLATFORM_CHARS_MAX,
    STRAYS_MAX,
    STRAYS_PER_ADDRESS_MAX,
    WORKER_LIFE,
    JoinRequest,
    pairing_unknown,
    printable,
    proves_key,
    signature_wrong,
    too_many_strays,
)
from hub.core.pairing import (
    CODE_RANDOM_BYTES,
    INVITATION_LIFE,
    PAUSE_SECONDS,
    Invitation,
    Throttle,
    bucket,
    code_digest,
    code_wrong,
    make_code,
    normalized,
)
from hub.core.view import Sender
from hub.services import arrivals, locked
from hub.services.lines import Lines
from hub.store import joins, people
from hub.store.ledger import Entry, Ledger
from shared.capabilities import Capability
from shared.errors import AppError, NotFound
from shared.events import AccountLinked, JoinSettled, PairingPaused
from shared.ids import ConversationId, PersonId, WorkerId
from shared.pairing import SALT_BYTES, JoinKind, JoinState, Purpose

log = structlog.get_logger()

Result = TypeVar("Result")

HELD_SECONDS = 20.0
"""How long a computer that asks for its token is kept on the line."""
JOIN_SETTLED: str = JoinSettled.model_fields["type"].default
LOOK_SECONDS = 5.0
"""How often requests that wait are looked at for having run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a computer says of itself; nothing of it is proven yet."""

    public_key: bytes
    name: str
    platform: str = ""
    app_version: str = ""
    capabilities: tuple[Capability, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    join_id: str
    salt: bytes
    user_code: str
    """To be sent by the person; empty when the computer came with a code."""
    expires_at: datetime
    person_name: str
    """Empty while nobody is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    worker_id: WorkerId
    token: str
    """Told here; the store keeps its hash."""
    person_id: PersonId
    person_name: str
    worker_name: str
    """As registered: a name that was taken gets a number ("anna-pc 2")."""


class Pairing:
    def __init__(self, ledger: Ledger, pepper: bytes) -> None:
        """Take the pepper that keys the codes' hashes; it must not come from the store."""
        self._ledger = ledger
        self._pepper = pepper
        self._throttle = Throttle()
        self._lines = Lines()
        self._waits = asyncio.Event()
        """Somebody waits to be decided on."""
        self._waits.set()
        self.token_listeners: list[Callable[[WorkerId], None]] = []
        """Told of a worker whose token was replaced; must not wait."""
        ledger.listeners.append(self._note_settled)

    async def invite(
        self, person_id: PersonId, purpose: Purpose = Purpose.WORKER, *, is_approved: bool = False
    ) -> Invitation:
        """Make a code, good once within 10 minutes; it ends the older one of its person.

        Args:
            person_id: for whom.
            purpose: what comes in with it.
            is_approved: nobody is asked any more when a computer comes with it.

        Raises:
            NotFound: `person_unknown`.
            NotAllowed: `account_locked`.
        """
        code = make_code(self._ledger.environment.entropy(CODE_RANDOM_BYTES))
        hashed = code_digest(normalized(code), self._pepper)

        def run(entry: Entry) -> Invitation:
            locked.check_unlocked(entry, person_id)
            if people.load(entry.connection, person_id) is None:
                raise NotFound("person_unknown", "This hub does not know that person.")
            expires_at = entry.now + INVITATION_LIFE
            people.add_invitation(
                entry, hashed, person_id, purpose, expires_at, is_approved=is_approved
            )
            return Invitation(code=code, expires_at=expires_at)

        return await self._ledger.write(run)

    async def ask(self, told: Introduction, code: str | None, address: str) -> Asked:
        """A computer wants in.

        Args:
            told: what it says of itself.
            code: as typed; None for a computer that shows one itself.
            address: the caller's, for the throttle.

        Raises:
            BadInput: `pairing_code_wrong`, `worker_name_invalid`.
            Conflict: `worker_key_taken`.
            LimitReached: `pairing_paused`, `too_many_workers`, `too_many_pairings`.
        """
        environment = self._ledger.environment
        request = JoinRequest(
            join_id=environment.new_id(),
            kind=JoinKind.WORKER,
            person_id=None,
            name=arrivals.worker_name(told.name),
            platform=printable(told.platform, PLATFORM_CHARS_MAX),
            app_version=printable(told.app_version, PLATFORM_CHARS_MAX),
            capabilities=told.capabilities,
            public_key=told.public_key,
            salt=environment.entropy(SALT_BYTES),
            asked_at=environment.now(),
            expires_at=environment.now() + WORKER_LIFE,
        )
        if code is None:
            return await self._show_code(request, bucket(address))
        return await self._try(code, address, lambda entry, hashed: _ask(entry, request, hashed))

    async def adopt(self, person_id: PersonId, code: str, address: str) -> JoinRequest:
        """A person sends the code that a computer shows; it waits for their yes from now on.

        Raises:
            BadInput: `pairing_code_wrong`.
            Conflict: `worker_key_taken`.
            LimitReached: `pairing_paused`, `too_many_workers`.
        """
        return await self._try(
            code,
            address,
            lambda entry, hashed: _adopt(entry, person_id, hashed),
            is_known=True,
        )

    async def link(self, code: str, sender: Sender, conversation: ConversationId) -> Person:
        """Let the account that sends a code speak for the code's person.

        Raises:
            BadInput: `pairing_code_wrong`.
            Conflict: `identity_taken`.
            LimitReached: `pairing_paused`.
        """
        address = f"{sender.frontend}:{sender.external_id}"
        return await self._try(
            code, address, lambda entry, hashed: _link(entry, sender, conversation, hashed)
        )

    async def token(self, join_id: str, signature: bytes) -> Paired:
        """Give a computer its token, once its person said yes; waits for that up to 20 s.

        Raises:
            AppError: `pairing_unknown`, `pairing_signature_wrong`, `pairing_waiting` (retryable),
                `pairing_rejected`, `pairing_expired`, `worker_key_taken`, `too_many_workers`.
        """
        request = await self._load(join_id)
        if not proves_key(request, signature):
            raise signature_wrong()
        await self._until_settled(join_id)
        environment = self._ledger.environment
        secret = make_secret(environment.entropy(SECRET_BYTES))
        new_id = WorkerId(environment.new_id())
        worker, person, token = await self._ledger.write(
            partial(arrivals.give_token, join_id=join_id, new_id=new_id, secret=secret)
        )
        for listener in self.token_listeners:
            listener(worker.worker_id)
        return Paired(
            worker_id=worker.worker_id,
            token=token,
            person_id=person.person_id,
            person_name=person.name,
            worker_name=worker.name,
        )

    def close(self) -> None:
        """The hub ends: whoever waits on the line is asked to call again."""
        self._lines.close()

    async def run(self) -> None:
        """End requests that nobody decided on."""
        while True:
            await self._waits.wait()
            try:
                self._waits.clear()
                if await self.run_once():
                    self._waits.set()
            except AppError as error:
                self._waits.set()
                log.warning("joins_unended", code=error.code, error=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def run_once(self) -> bool:
        """End requests whose time is over; whether others still wait."""
        return await self._ledger.write(_end_old)

    async def _show_code(self, request: JoinRequest, address: str) -> Asked:
        code = make_code(self._ledger.environment.entropy(CODE_RANDOM_BYTES))
        hashed = code_digest(normalized(code), self._pepper)

        def run(entry: Entry) -> None:
            mine, total = joins.stray_count(entry, address)
            if mine >= STRAYS_PER_ADDRESS_MAX or total >= STRAYS_MAX:
                raise too_many_strays()
            joins.insert(entry, request, user_code=hashed, address=address)

        await self._ledger.write(run)
        self._waits.set()
        return _asked(request, user_code=code)

    async def _try(
        self,
        code: str,
        address: str,
        run: Callable[[Entry, str], Result],
        *,
        is_known: bool = False,
    ) -> Result:
        """Spend a code, if it is one; tries are counted before they are looked at."""
        now = self._ledger.environment.monotonic()
        try:
            self._throttle.admit(address, now, is_known=is_known)
        except AppError:
            await self._raise_alarm()
            raise
        try:
            hashed = code_digest(normalized(code), self._pepper)
            result = await self._ledger.write(lambda entry: run(entry, hashed))
        except AppError as error:
            if error.code == code_wrong().code:
                self._throttle.note_wrong(address, now)
            else:
                self._throttle.note_unused(address)
            raise
        self._throttle.note_right(address)
        self._waits.set()
        return result

    async def _raise_alarm(self) -> None:
        alarm = self._throttle.take_alarm()
        if alarm is None:
            return
        log.warning("pairing_paused", tries=alarm.tries, addresses=alarm.addresses)
        body = PairingPaused(
            tries=alarm.tries, addresses=alarm.addresses, minutes=round(PAUSE_SECONDS / 60)
        )

        def run(entry: Entry) -> None:
            if (owner := arrivals.owner(entry)) is not None:
                entry.tell(owner, body)

        with contextlib.suppress(AppError):
            await self._ledger.write(run)

    async def _load(self, join_id: str) -> JoinRequest:
        request = await self._ledger.read(lambda c: joins.load(c, join_id))
        if request is None or request.kind is not JoinKind.WORKER:
            raise pairing_unknown()
        return request

    async def _until_settled(self, join_id: str) -> None:
        with self._lines.line(join_id) as bell:
            # Read again: what was settled before the line stood rings no bell.
            request = await self._load(join_id)
            left = (request.expires_at - self._ledger.environment.now()).total_seconds()
            if request.state is not JoinState.WAITING or bell is None:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(HELD_SECONDS, left)):
                    await bell.wait()

    def _note_settled(self, entry: Entry) -> None:
        for fact in entry.facts:
            # By its type first: to read what each fact says would cost more than all else here.
            if fact.type == JOIN_SETTLED and isinstance(fact.body, JoinSettled):
                self._lines.ring(fact.body.join_id)


def _ask(entry: Entry, request: JoinRequest, hashed: str) -> Asked:
    found = people.use_invitation(entry, hashed, Purpose.WORKER)
    if found is None:
        raise code_wrong()
    person, is_approved = found
    arrivals.check_room(entry, person, request.public_key)
    asked = replace(request, person_id=person.person_id)
    if is_approved:
        asked = replace(asked, state=JoinState.APPROVED, decided_by="the code")
    joins.insert(entry, asked)
    if not is_approved:
        arrivals.ask(entry, asked)
    return _asked(asked, person_name=person.name)


def _adopt(entry: Entry, person_id: PersonId, hashed: str) -> JoinRequest:
    locked.check_unlocked(entry, person_id)
    request = joins.of_user_code(entry.connection, hashed, entry.now)
    person = people.load(entry.connection, person_id)
    if request is None or person is None:
        raise code_wrong()
    arrivals.check_room(entry, person, request.public_key)
    adopted = replace(request, person_id=person_id)
    joins.save(entry, adopted)
    arrivals.ask(entry, adopted)
    return adopted


def _link(entry: Entry, sender: Sender, conversation: ConversationId, hashed: str) -> Person:
    found = people.use_invitation(entry, hashed, Purpose.ACCOUNT)
    if found is None:
        raise code_wrong()
    person, _ = found
    if arrivals.link(entry, person, sender, conversation):
        body = AccountLinked(
            frontend=sender.frontend,
            account=sender.external_id,
            name=printable(sender.name, arrivals.ACCOUNT_NAME_CHARS_MAX),
            conversation=conversation,
        )
        entry.tell(person.person_id, body)
    return person


def _end_old(entry: Entry) -> bool:
    for request in joins.run_out(entry.connection, entry.now):
        arrivals.settle(entry, replace(request, state=JoinState.EXPIRED))
    return joins.any_waiting(entry)


def _asked(request: JoinRequest, *, user_code: str = "", person_name: str = "") -> Asked:
    return Asked(
        join_id=request.join_id,
        salt=request.salt,
        user_code=user_code,
        expires_at=request.expires_at,
        person_name=person_name,
    )
