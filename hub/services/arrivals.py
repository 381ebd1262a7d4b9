"""What is written when a computer or a chat account asks, is let in, or is turned away.

Steps of somebody's transaction: pairing (codes, keys, tokens) and admissions (people's decisions)
must write the same things.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from hub.core.access import Access, Person, Scope, account_locked, digest, write_key
from hub.core.joining import (
    JoinRequest,
    check_may_have_token,
    key_taken,
    pairing_unknown,
    printable,
)
from hub.core.key import Key
from hub.core.view import Sender
from hub.core.worker import Worker
from hub.store import joins, keys, people, workers
from hub.store.ledger import Entry
from shared.errors import BadInput, Conflict, LimitReached
from shared.events import JoinRequested, JoinSettled, WorkerPaired
from shared.ids import ConversationId, PersonId, WorkerId
from shared.messages import NAME_CHARS_MAX
from shared.pairing import JoinKind, JoinState, b64

WORKERS_MAX = 100
"""Workers of one person."""
NUMBER_CHARS = 4
"""Room for the number that tells two machines of one name apart."""
ACCOUNT_NAME_CHARS_MAX = 100


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


def ask(entry: Entry, request: JoinRequest) -> None:
    """Put a request before its person."""
    assert request.person_id is not None
    entry.tell(request.person_id, requested(request), entity=request.join_id)


def requested(request: JoinRequest) -> JoinRequested:
    """Say who wants in, as its person is told."""
    return JoinRequested(
        join_id=request.join_id,
        kind=_kind(request),
        name=request.name,
        platform=request.platform,
        kinds=tuple(capability.kind for capability in request.capabilities),
        words=request.words,
        frontend=request.frontend,
        account=request.external_id,
    )


def settle(entry: Entry, request: JoinRequest) -> None:
    """Write down how a request ended, and say so to its person if it has one."""
    joins.save(entry, request)
    if request.person_id is None:
        return
    states: dict[JoinState, Literal["approved", "rejected", "expired"]] = {
        JoinState.APPROVED: "approved",
        JoinState.REJECTED: "rejected",
        JoinState.EXPIRED: "expired",
    }
    body = JoinSettled(
        join_id=request.join_id,
        kind=_kind(request),
        name=request.name,
        state=states[request.state],
        by=request.decided_by,
    )
    entry.tell(request.person_id, body, entity=request.join_id)


def _kind(request: JoinRequest) -> Literal["worker", "account"]:
    return "worker" if request.kind is JoinKind.WORKER else "account"


def check_room(entry: Entry, person: Person, public_key: bytes) -> Worker | None:
    """Look whether a key may work for a person; return the machine it belongs to already.

    Raises:
        Conflict: `worker_key_taken`.
        LimitReached: `too_many_workers`.
    """
    known = workers.of_key(entry.connection, public_key)
    if any(w.person_id != person.person_id and not w.is_revoked for w in known):
        raise key_taken()
    own = [worker for worker in known if worker.person_id == person.person_id]
    if own:
        return own[-1]
    check_count(entry, person)
    return None


def check_count(entry: Entry, person: Person) -> None:
    """Look whether a person may have one more worker.

    Raises:
        LimitReached: `too_many_workers`.
    """
    count = len(workers.of_person(entry.connection, person.person_id))
    if count >= WORKERS_MAX:
        raise LimitReached(
            "too_many_workers",
            f"{person.name} has {count} computers connected already.",
            "Disconnect one that is not needed any more.",
        )


def give_token(
    entry: Entry, join_id: str, new_id: WorkerId, secret: str
) -> tuple[Worker, Person, str]:
    """Make an approved computer a worker, or give it a new token in place of one that got lost.

    Returns the worker, whose it is, and its token.

    Raises:
        AppError: `pairing_waiting`, `pairing_rejected`, `pairing_expired`, `pairing_unknown`,
            `worker_key_taken`, `too_many_workers`, `account_locked`.
    """
    request = joins.load(entry.connection, join_id)
    if request is None:
        raise pairing_unknown()
    check_may_have_token(request, entry.now)
    person = people.load(entry.connection, request.person_id) if request.person_id else None
    assert person is not None, "only a person can have approved it"
    if person.locked_at is not None:
        raise account_locked(person)
    if request.worker_id is not None:
        worker = workers.load(entry.connection, request.worker_id)
        if worker is None or worker.is_revoked:
            raise pairing_unknown()
    else:
        worker = _enrol(entry, request, person, new_id)
        joins.save(entry, replace(request, worker_id=worker.worker_id))
        body = WorkerPaired(
            worker_id=worker.worker_id, name=worker.name, public_key=b64(worker.public_key)
        )
        entry.tell(person.person_id, body, entity=worker.worker_id)
    keys.remove(entry, worker.worker_id)
    access = Access(
        person_id=person.person_id, scope=Scope.WORKER, key_id=worker.worker_id, is_machine=True
    )
    keys.insert(entry, Key(access=access, digest=digest(secret), created_at=entry.now))
    return worker, person, write_key(Scope.WORKER, worker.worker_id, secret)


def _enrol(entry: Entry, request: JoinRequest, person: Person, new_id: WorkerId) -> Worker:
    """Write a worker down: a new one, or the one that had this key before it was set up anew."""
    known = check_room(entry, person, request.public_key)
    others = workers.of_person(entry.connection, person.person_id)
    taken = {o.name.casefold() for o in others if known is None or o.worker_id != known.worker_id}
    worker = Worker(
        worker_id=known.worker_id if known else new_id,
        person_id=person.person_id,
        name=free_name(request.name, taken),
        platform=request.platform,
        app_version=request.app_version,
        capabilities=request.capabilities,
        paired_at=known.paired_at if known else entry.now,
        last_seen_at=entry.now,
        public_key=request.public_key,
    )
    (workers.update if known else workers.insert)(entry, worker)
    return worker


def free_name(name: str, taken: set[str]) -> str:
    """Tell a machine apart from others of its name, by a number."""
    if name.casefold() not in taken:
        return name
    number = next(n for n in range(2, len(taken) + 3) if f"{name} {n}".casefold() not in taken)
    return f"{name} {number}"


def link(entry: Entry, person: Person, sender: Sender, conversation: ConversationId) -> bool:
    """Let an account speak for a person; False when it did already.

    Raises:
        Conflict: `identity_taken`, it speaks for somebody else.
    """
    known = people.of_identity(entry.connection, sender.frontend, sender.external_id)
    if known is not None and known.person_id != person.person_id:
        raise Conflict(
            "identity_taken",
            f"This {sender.frontend} account speaks for {known.name} already.",
            "Use another account, or let that person undo it.",
        )
    name = printable(sender.name, ACCOUNT_NAME_CHARS_MAX)
    people.link(entry, person.person_id, sender.frontend, sender.external_id, name, conversation)
    return known is None


def owner(entry: Entry) -> PersonId | None:
    """The hub's owner, who is the first person there was; None before a hub's first start."""
    everyone = people.everyone(entry.connection)
    return everyone[0].person_id if everyone else None
