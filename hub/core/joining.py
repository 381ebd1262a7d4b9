"""A request to come in, from a computer or from a chat account, and what a person decides on it.

    waiting ──approve──▶ approved ──its worker connects──▶ joined
       │ └────reject───▶ rejected      │
       └──── time over ──▶ expired ◀───┘

The first decision counts; a second one is told whose that was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.capabilities import Capability
from shared.errors import Conflict, LimitReached, NotAllowed, NotFound
from shared.ids import ConversationId, PersonId, WorkerId
from shared.pairing import JoinKind, JoinState, check_words, token_request

WORKER_LIFE = timedelta(minutes=10)
"""To be approved, and after that once more to fetch the token."""
ACCOUNT_LIFE = timedelta(hours=24)
DENIED_LIFE = timedelta(hours=24)
"""How long a no to a chat account is final."""
KNOCK_WAIT = timedelta(hours=1)
"""Between two requests of one chat account."""
ACCOUNTS_WAITING_MAX = 3
STRAYS_MAX = 100
"""Computers that showed a code of their own and belong to nobody yet."""
STRAYS_PER_ADDRESS_MAX = 3
NAME_CHARS_MAX = 60
PLATFORM_CHARS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    join_id: str
    kind: JoinKind
    person_id: PersonId | None
    """Who decides; None while a computer that showed a code of its own waits for its person."""
    state: JoinState = JoinState.WAITING
    name: str
    platform: str = ""
    app_version: str = ""
    capabilities: tuple[Capability, ...] = ()
    public_key: bytes = b""
    """Of a computer."""
    salt: bytes = b""
    frontend: str = ""
    """Of a chat account, with the three below."""
    external_id: str = ""
    conversation: ConversationId | None = None
    asked_at: datetime
    expires_at: datetime
    decided_by: str = ""
    worker_id: WorkerId | None = None
    """Once it has a token."""

    @property
    def words(self) -> str:
        """What the computer shows, too; empty for a chat account."""
        return check_words(self.public_key, self.salt) if self.public_key else ""


def decide(request: JoinRequest, *, is_approved: bool, by: str, now: datetime) -> JoinRequest:
    """Let in or turn away.

    Raises:
        Conflict: `join_decided`, `join_expired`.
    """
    match request.state:
        case JoinState.WAITING if request.expires_at > now:
            pass
        case JoinState.WAITING | JoinState.EXPIRED:
            raise Conflict(
                "join_expired",
                f"{request.name} waited too long; its request has expired.",
                "Let it ask once more, with a new code from /connect."
                if request.kind is JoinKind.WORKER
                else "Let them write to this hub once more.",
            )
        case JoinState.APPROVED | JoinState.JOINED | JoinState.REJECTED:
            raise Conflict(
                "join_decided",
                f"{request.name} was {_verb(request.state)} before, by {request.decided_by}.",
                "The first decision counts. /workers lists your computers."
                if request.kind is JoinKind.WORKER
                else "The first decision counts.",
            )
    # The computer may be asleep while its person decides, and has to fetch its token.
    later = now + WORKER_LIFE if is_approved else request.expires_at
    return replace(
        request,
        state=JoinState.APPROVED if is_approved else JoinState.REJECTED,
        decided_by=by,
        expires_at=later,
    )


def _verb(state: JoinState) -> str:
    return "turned away" if state is JoinState.REJECTED else "let in"


def check_may_have_token(request: JoinRequest, now: datetime) -> None:
    """Say whether a computer may fetch its token now.

    Raises:
        Conflict: `pairing_waiting` (retryable), `pairing_expired`.
        NotAllowed: `pairing_rejected`.
    """
    if request.state is JoinState.REJECTED:
        raise NotAllowed(
            "pairing_rejected",
            "Your person said no to this computer.",
            "If that was a mistake, pair again with a new code.",
        )
    is_over = request.state in (JoinState.EXPIRED, JoinState.JOINED)
    if is_over or request.expires_at <= now:
        raise Conflict(
            "pairing_expired",
            "This pairing is over.",
            "Pair again with a new code: /connect in the chat, or `deskhand-hub invite`.",
        )
    if request.state is JoinState.WAITING:
        raise waiting()


def waiting() -> Conflict:
    return Conflict(
        "pairing_waiting",
        "Nobody has decided yet.",
        "Approve it in the chat.",
        retryable=True,
    )


def proves_key(request: JoinRequest, signature: bytes) -> bool:
    """Whether whoever asks for the token has the key it was asked with (RFC 8032)."""
    # Drawn in here: a hub that nobody pairs with needs no cryptography.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(request.public_key)
        key.verify(signature, token_request(request.join_id, request.salt))
    except (InvalidSignature, ValueError):
        return False
    return True


def printable(text: str, chars_max: int) -> str:
    """Take out what could hide or turn around other words: control, format, bidi characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:chars_max]


def signature_wrong() -> NotAllowed:
    return NotAllowed(
        "pairing_signature_wrong",
        "The signature does not belong to the key this pairing began with.",
        "Pair again from the computer itself.",
    )


def pairing_unknown() -> NotFound:
    return NotFound(
        "pairing_unknown",
        "This hub knows no such pairing.",
        "Pair again with a new code: /connect in the chat, or `deskhand-hub invite`.",
    )


def join_unknown() -> NotFound:
    """Say the same for what never was and what is somebody else's."""
    return NotFound(
        "join_unknown",
        "Nobody of that id waits to join.",
        "`deskhand-hub approve list` shows who does.",
    )


def key_taken() -> Conflict:
    return Conflict(
        "worker_key_taken",
        "This computer's key is connected to somebody else on this hub.",
        "They can revoke it there; or make a new key by pairing under another user account.",
    )


def too_many_strays() -> LimitReached:
    return LimitReached(
        "too_many_pairings",
        "Too many computers wait to be paired.",
        "Try again in 10 minutes, or pair with a code from /connect.",
        retry_after_seconds=60,
    )
