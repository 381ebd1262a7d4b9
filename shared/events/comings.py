"""Who and what belongs to a hub: people, computers, accounts, browsers, keys, webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.events.envelope import Body
from shared.ids import COUNT_MAX, ConversationId, PersonId, WebhookId, WorkerId


class PersonLocked(Body):
    """A person stopped everything that chats can start, until they unlock it elsewhere."""

    type: Literal["person_locked"] = "person_locked"
    person_id: PersonId
    by: str


class PersonUnlocked(Body):
    type: Literal["person_unlocked"] = "person_unlocked"
    person_id: PersonId
    by: str


class WorkerPaired(Body):
    type: Literal["worker_paired"] = "worker_paired"
    worker_id: WorkerId
    name: str
    public_key: str = Field(default="", max_length=64)
    """Its Ed25519, base64url: what the person's other computers know its events by."""
    pulls: bool = False
    """It fetches its work over REST and keeps no log: what it reports, the hub writes down."""
    is_fleet: bool = False
    """It stands for the fleet, which the hub's owner lets a person use."""


class WorkerOffers(Body):
    """What a worker can run has changed; the newest counts."""

    type: Literal["worker_offers"] = "worker_offers"
    worker_id: WorkerId
    name: str
    kinds: tuple[str, ...]


class WorkerLost(Body):
    """A worker has been away for longer than a nap of its network."""

    type: Literal["worker_lost"] = "worker_lost"
    worker_id: WorkerId
    name: str
    since: datetime
    was_stopped: bool = False
    """It said goodbye: somebody ended it."""
    jobs: int = Field(default=0, ge=0, le=COUNT_MAX)
    """How many jobs stay with it."""


class WorkerBack(Body):
    """A worker is here again whose absence was told."""

    type: Literal["worker_back"] = "worker_back"
    worker_id: WorkerId
    name: str
    since: datetime
    until: datetime


class WorkerRevoked(Body):
    """A person showed a worker out."""

    type: Literal["worker_revoked"] = "worker_revoked"
    worker_id: WorkerId
    name: str
    by: str
    is_fleet: bool = False
    """It stood for the fleet, which the hub's settings let a person use no more."""


class WorkerMistrusted(Body):
    """Reports of a worker do not carry its signature, and are not counted."""

    type: Literal["worker_mistrusted"] = "worker_mistrusted"
    worker_id: WorkerId
    name: str
    code: str
    """`event_unsigned` or `event_forged`."""


class JoinRequested(Body):
    """A computer, or a chat account, waits for a person to let it in."""

    type: Literal["join_requested"] = "join_requested"
    join_id: str
    kind: Literal["worker", "account"]
    name: str
    platform: str = ""
    kinds: tuple[str, ...] = ()
    """What a computer can run."""
    words: str = ""
    """The check words a computer shows, too."""
    frontend: str = ""
    account: str = ""
    """The platform's own id of a chat account."""


class JoinSettled(Body):
    type: Literal["join_settled"] = "join_settled"
    join_id: str
    kind: Literal["worker", "account"]
    name: str
    state: Literal["approved", "rejected", "expired"]
    by: str = ""


class AccountLinked(Body):
    """One more chat account speaks for its person."""

    type: Literal["account_linked"] = "account_linked"
    frontend: str
    account: str
    name: str
    conversation: ConversationId


class PersonAdmitted(Body):
    """A chat account that nobody knew was let in, as a person of its own."""

    type: Literal["person_admitted"] = "person_admitted"
    frontend: str
    conversation: ConversationId


class PairingPaused(Body):
    """Somebody tries codes; told to the hub's owner."""

    type: Literal["pairing_paused"] = "pairing_paused"
    tries: int = Field(ge=0, le=COUNT_MAX)
    addresses: int = Field(ge=0, le=COUNT_MAX)
    minutes: int = Field(ge=0, le=COUNT_MAX)


class WebhookChanged(Body):
    """Where a person's events are told on the web was changed, or the hub stopped telling."""

    type: Literal["webhook_changed"] = "webhook_changed"
    webhook_id: WebhookId
    host: str
    """Of its address; the rest of an address may be a secret."""
    change: Literal["created", "updated", "rotated", "deleted", "stopped"]
    by: str = ""
    """Who did it, in words; empty when the hub did."""
    reason: Literal["", "gone", "failing"] = ""
    """Why the hub stopped: it was told that nobody wants it, or nobody was there for days."""


class KeyMade(Body):
    """A key for a program was made, or took an older one's place."""

    type: Literal["key_made"] = "key_made"
    key_id: str
    name: str
    scope: str
    by: str
    replaces: str = ""
    """The key it took the place of, which goes on until `until`."""
    until: datetime | None = None


class KeyRevoked(Body):
    """A key works no more."""

    type: Literal["key_revoked"] = "key_revoked"
    key_id: str
    name: str
    scope: str
    by: str


class BrowserSignedIn(Body):
    """A person's browser was let into the dashboard."""

    type: Literal["browser_signed_in"] = "browser_signed_in"
    sign_in_id: str = Field(max_length=64)
    browser: str
    """In words: "Firefox on Linux"."""
    address: str = ""
    """Where it was then."""


class BrowserSignedOut(Body):
    """A browser sees nothing of its person any more."""

    type: Literal["browser_signed_out"] = "browser_signed_out"
    sign_in_id: str = Field(max_length=64)
    browser: str
    by: str


class RoleChanged(Body):
    """A person runs the hub from now on, or does so no more."""

    type: Literal["role_changed"] = "role_changed"
    person_id: PersonId
    role: str
    """"owner" or "member"."""
    by: str
