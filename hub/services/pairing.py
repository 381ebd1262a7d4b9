"""Brings new workers in by a code: one code, one worker, ten minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.core.access import SECRET_BYTES, Access, Scope, digest, make_secret, write_key
from hub.core.pairing import (
    CODE_RANDOM_BYTES,
    INVITATION_LIFE,
    Invitation,
    Throttle,
    code_digest,
    code_wrong,
    make_code,
    normalized,
)
from hub.core.worker import Worker
from hub.store import people, workers
from hub.store.ledger import Entry, Ledger
from shared.capabilities import Capability
from shared.errors import BadInput, LimitReached
from shared.events import WorkerPaired
from shared.ids import PersonId, WorkerId
from shared.messages import NAME_CHARS_MAX

INVITATIONS_MAX = 10
"""Codes of one person that may be open at once."""
WORKERS_MAX = 100
"""Workers of one person."""
NUMBER_CHARS = 4
"""Room for the number that tells two machines of one name apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a new worker says of itself."""

    code: str
    name: str
    platform: str
    app_version: str
    capabilities: tuple[Capability, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    worker_id: WorkerId
    token: str
    """Told once, here; the store keeps its hash."""
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

    async def invite(self, person_id: PersonId) -> Invitation:
        """Make a code, good for one worker within 10 minutes.

        Raises:
            LimitReached: `too_many_invitations`.
        """
        environment = self._ledger.environment
        code = make_code(environment.entropy(CODE_RANDOM_BYTES))
        hashed = code_digest(normalized(code), self._pepper)

        def run(entry: Entry) -> Invitation:
            people.drop_old_invitations(entry)
            if people.invitation_count(entry.connection, person_id) >= INVITATIONS_MAX:
                raise LimitReached(
                    "too_many_invitations",
                    f"{INVITATIONS_MAX} codes are open already.",
                    "Use one of them, or wait 10 minutes.",
                )
            expires_at = entry.now + INVITATION_LIFE
            people.add_invitation(entry, hashed, person_id, expires_at)
            return Invitation(code=code, expires_at=expires_at)

        return await self._ledger.write(run)

    async def claim(self, claim: Claim, address: str) -> Paired:
        """Turn a code into a worker with a token.

        Args:
            claim: what came in; `code` as typed.
            address: the caller's, for the throttle.

        Raises:
            BadInput: `pairing_code_wrong`, `worker_name_invalid`.
            LimitReached: `pairing_paused`, with `retry_after_seconds`; `too_many_workers`.
        """
        name = worker_name(claim.name)
        environment = self._ledger.environment
        # Charged before the look-up, so that tries at the same moment are all counted.
        self._throttle.admit(address, environment.monotonic())
        try:
            hashed = code_digest(normalized(claim.code), self._pepper)
            secret = make_secret(environment.entropy(SECRET_BYTES))
            worker_id = WorkerId(environment.new_id())
            paired = await self._ledger.write(
                lambda entry: _admit(entry, replace(claim, name=name), hashed, worker_id, secret)
            )
        except BadInput:
            self._throttle.note_wrong(address, environment.monotonic())
            raise
        self._throttle.note_right(address)
        return paired


def worker_name(name: str) -> str:
    """Clean a machine's name.

    Raises:
        BadInput: `worker_name_invalid`.
    """
    cleaned = " ".join("".join(c for c in name if c.isprintable()).split())
    if not 0 < len(cleaned) <= NAME_CHARS_MAX - NUMBER_CHARS:
        raise BadInput(
            "worker_name_invalid",
            f"A computer's name has 1 to {NAME_CHARS_MAX - NUMBER_CHARS} printable characters.",
            "Choose another name.",
        )
    return cleaned


def _admit(entry: Entry, claim: Claim, hashed: str, worker_id: WorkerId, secret: str) -> Paired:
    person = people.use_invitation(entry, hashed)
    if person is None:
        raise code_wrong()
    others = workers.of_person(entry.connection, person.person_id)
    if len(others) >= WORKERS_MAX:
        raise LimitReached(
            "too_many_workers",
            f"{person.name} has {len(others)} computers connected already.",
            "Disconnect one that is not needed any more.",
        )
    name = _free_name(claim.name, {other.name.casefold() for other in others})
    workers.insert(
        entry,
        Worker(
            worker_id=worker_id,
            person_id=person.person_id,
            name=name,
            platform=claim.platform,
            app_version=claim.app_version,
            capabilities=claim.capabilities,
            paired_at=entry.now,
            last_seen_at=entry.now,
        ),
    )
    access = Access(person_id=person.person_id, scope=Scope.WORKER, key_id=worker_id)
    people.add_key(entry, access, digest(secret))
    body = WorkerPaired(worker_id=worker_id, name=name)
    entry.tell(person.person_id, body, entity=worker_id)
    return Paired(
        worker_id=worker_id,
        token=write_key(Scope.WORKER, worker_id, secret),
        person_id=person.person_id,
        person_name=person.name,
        worker_name=name,
    )


def _free_name(name: str, taken: set[str]) -> str:
    if name.casefold() not in taken:
        return name
    number = next(n for n in range(2, len(taken) + 3) if f"{name} {n}".casefold() not in taken)
    return f"{name} {number}"
