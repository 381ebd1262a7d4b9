"""Webhooks: where a person wants events told, how a message is signed, and what a try's end means.

    waiting ──▶ delivered            waiting: the lane stands at it, all later events wait behind it
       │ refused often                aside:   refused here, tried again by itself later
       ▼                             failed:  given up; its person may have it sent again
     aside ──▶ delivered, failed     dropped: what it would tell was purged

Messages of one endpoint are told in the log's order. An endpoint that is away (no connection, no
answer, 429, 502, 503, 504) keeps its place, for days. One that answers and refuses a message is
asked a few times; then that message is put aside, and the others go on. Signatures: Standard
Webhooks, standardwebhooks.com, symmetric.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.backoff import Backoff
from shared.errors import Conflict
from shared.ids import PersonId, WebhookId

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES = 32
SECRETS_MAX = 3
"""That sign at the same time, while they are exchanged."""
OVERLAP_SECONDS = 24 * 3600
OVERLAP_SECONDS_MAX = 7 * 24 * 3600
VERSION_DIGITS = 32
WEBHOOKS_MAX = 20
"""Of one person."""
DESCRIPTION_CHARS_MAX = 200
REFUSED_TRIES = 6
"""As often is a message tried in its place that is refused: about eleven minutes."""
ASIDE_WAITS = tuple(timedelta(hours=hours) for hours in (1, 6, 24))
"""What was put aside is tried again after these."""
FAILING_MAX = timedelta(days=5)
"""After as long without one success the hub stops telling an endpoint."""
FAILURES_MIN = 50
"""And not before as many tries: a clock that jumps by years must not look like days of absence."""
RETRY_AFTER_SECONDS_MAX = 24 * 3600.0
WAITS = Backoff(first_seconds=2.0, factor=4.0, max_seconds=3600.0)
WAIT_SECONDS_MAX = 24 * 3600.0
"""Nothing is ever waited for longer."""
GONE = 410
AWAY = frozenset({408, 425, 429, 502, 503, 504})
"""Answers that mean: not now, whatever the message."""


class Stopped(StrEnum):
    """Why an endpoint is told nothing."""

    BY_PERSON = "by_person"
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """It took nothing for days."""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    ASIDE = "aside"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"

    @property
    def is_open(self) -> bool:
        return self in (DeliveryState.WAITING, DeliveryState.ASIDE)


@dataclass(frozen=True, slots=True)
class Secret:
    """What signs, and until when; the newest of a webhook has no end."""

    key: bytes = field(repr=False)
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint of a person's: an address that their events are told to."""

    webhook_id: WebhookId
    person_id: PersonId
    url: str
    types: tuple[str, ...] = ()
    """Public event types; all when empty."""
    description: str = ""
    stopped: Stopped | None = None
    """None: it is told."""
    created_at: datetime
    cursor: int
    """The hub_seq up to which events were told, put aside, or are none of its types."""
    failing_since: datetime | None = None
    """The first failure since the last success."""
    failures: int = 0
    """Since the last success."""
    succeeded_at: datetime | None = None

    @property
    def version(self) -> str:
        """Another one whenever its person, or the hub, decided otherwise about it."""
        facts = (self.webhook_id, self.url, self.types, self.description, self.stopped)
        return hashlib.sha256(repr((*map(str, facts),)).encode()).hexdigest()[:VERSION_DIGITS]

    def wants(self, public_type: str) -> bool:
        return not self.types or public_type in self.types


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message for one endpoint, and how telling it went."""

    delivery_id: str
    webhook_id: WebhookId
    message_id: str
    """The webhook-id header: the same at every try."""
    type: str
    hub_seq: int
    """Where the event stands in the log; 0 for a test."""
    happened_at: datetime
    state: DeliveryState
    tries: int = 0
    due_at: datetime | None = None
    """The next try; None when there will be none by itself."""
    tried_at: datetime | None = None
    status: int | None = None
    """The last answer; None when there was none."""
    error: str = ""
    """What was wrong with the last try, as a sentence."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The endpoint said something."""

    status: int
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody there, or nobody that may be called."""

    error: str
    """As a sentence."""


Outcome = Answered | Unanswered


def sign(secrets: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Write the webhook-signature header: one signature for each secret, the newest first."""
    told = f"{message_id}.{timestamp}.".encode() + body
    made = (hmac.digest(key, told, hashlib.sha256) for key in secrets)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


def write_secret(key: bytes) -> str:
    """Write a secret as its person is shown it, once."""
    assert len(key) == SECRET_BYTES
    return SECRET_PREFIX + base64.b64encode(key).decode()


def check_version(webhook: Webhook, expected: frozenset[str] | None) -> None:
    """Let a change pass that was decided on what stands there now; None: on anything.

    Raises:
        Conflict: `webhook_changed`.
    """
    if expected is not None and webhook.version not in expected:
        raise Conflict(
            "webhook_changed",
            "The webhook has changed since it was read.",
            "Read it again and decide anew.",
        )


def in_force(secrets: Sequence[Secret], now: datetime) -> tuple[Secret, ...]:
    return tuple(s for s in secrets if s.ends_at is None or s.ends_at > now)


def rotated(
    secrets: Sequence[Secret], key: bytes, now: datetime, overlap: timedelta
) -> tuple[Secret, ...]:
    """Put a new secret in front; those before it sign for a while longer, then no more."""
    ends_at = now + overlap
    older = (
        replace(secret, ends_at=min(secret.ends_at or ends_at, ends_at))
        for secret in in_force(secrets, now)
    )
    kept = in_force(tuple(older), now)[: SECRETS_MAX - 1]
    return (Secret(key), *kept)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a try leaves behind."""

    webhook: Webhook
    delivery: Delivery


def settle(
    webhook: Webhook, delivery: Delivery, outcome: Outcome, now: datetime, random: float
) -> Settled:
    """Decide what a try's end means for its message and its endpoint.

    Args:
        webhook: before the try.
        delivery: before the try; one that is new is WAITING.
        outcome: of the try.
        now: when.
        random: in [0, 1), for the jitter.
    """
    tried = replace(
        delivery,
        tries=delivery.tries + 1,
        tried_at=now,
        due_at=None,
        status=outcome.status if isinstance(outcome, Answered) else None,
        error=_fault(outcome),
    )
    if isinstance(outcome, Answered) and 200 <= outcome.status < 300:
        told = replace(tried, state=DeliveryState.DELIVERED)
        return Settled(_past(_succeeded(webhook, now), told), told)

    since = webhook.failing_since or now
    webhook = replace(webhook, failing_since=since, failures=webhook.failures + 1)
    if isinstance(outcome, Answered) and outcome.status == GONE:
        webhook = replace(webhook, stopped=Stopped.GONE)
    elif now - since >= FAILING_MAX and webhook.failures >= FAILURES_MIN:
        webhook = replace(webhook, stopped=Stopped.FAILING)
    again = _again(tried, outcome, now, random)
    return Settled(_past(webhook, again), again)


def due_in(delivery: Delivery, now: datetime) -> float:
    """Return in how many seconds a message that is open is to be tried.

    A due time that was decided on by a clock that has gone back since is not waited for.
    """
    assert delivery.due_at is not None
    if delivery.tried_at is None or delivery.tried_at > now:
        return 0.0
    seconds = (delivery.due_at - now).total_seconds()
    return max(0.0, seconds) if seconds <= WAIT_SECONDS_MAX else 0.0


def _succeeded(webhook: Webhook, now: datetime) -> Webhook:
    return replace(webhook, failing_since=None, failures=0, succeeded_at=now)


def _again(tried: Delivery, outcome: Outcome, now: datetime, random: float) -> Delivery:
    """Say when a message that was not taken is tried again, and whether in its place."""
    wait = timedelta(seconds=_wait_seconds(tried.tries, outcome, random))
    if tried.hub_seq == 0:
        # Somebody sits there and looks: a test is tried once.
        return replace(tried, state=DeliveryState.FAILED)
    if tried.state is DeliveryState.WAITING:
        if _is_away(outcome) or tried.tries < REFUSED_TRIES:
            return replace(tried, due_at=now + wait)
        return replace(tried, state=DeliveryState.ASIDE, due_at=now + ASIDE_WAITS[0])
    if _is_away(outcome):
        return replace(tried, due_at=now + max(wait, ASIDE_WAITS[0]), tries=tried.tries - 1)
    done = tried.tries - REFUSED_TRIES
    if done < len(ASIDE_WAITS):
        return replace(tried, due_at=now + ASIDE_WAITS[max(done, 0)])
    return replace(tried, state=DeliveryState.FAILED)


def _past(webhook: Webhook, delivery: Delivery) -> Webhook:
    """The lane stands at what waits, and has gone past all else."""
    if delivery.state is DeliveryState.WAITING:
        return webhook
    return replace(webhook, cursor=max(webhook.cursor, delivery.hub_seq))


def _is_away(outcome: Outcome) -> bool:
    return isinstance(outcome, Unanswered) or outcome.status in AWAY


def _wait_seconds(tries: int, outcome: Outcome, random: float) -> float:
    wait = WAITS.wait_seconds(tries, random)
    if isinstance(outcome, Answered) and outcome.retry_after_seconds is not None:
        wait = max(wait, min(outcome.retry_after_seconds, RETRY_AFTER_SECONDS_MAX))
    return wait


def _fault(outcome: Outcome) -> str:
    match outcome:
        case Unanswered(error):
            return error
        case Answered(status) if 300 <= status < 400:
            return f"It answered {status}: redirects are not followed."
        case Answered(status) if not 200 <= status < 300:
            return f"It answered {status}."
        case _:
            return ""
