"""What a homeserver, or the way to it, refuses: as our errors, in our words."""

from __future__ import annotations

from shared.errors import AppError, BadInput, NotFound, Unavailable
from shared.plain_text import plain_line
from shared.redaction import redact_text

DESCRIPTION_CHARS_MAX = 200
BUSY_SECONDS = 5.0
"""How long to wait when the homeserver does not say."""
BUSY_SECONDS_MAX = 600.0
OUTAGE_HINT = "It is tried again by itself. Check HUB_MATRIX_HOMESERVER if this stays."
PACE_HINT = (
    "A homeserver lets its admin take a bot's account out of its limits: see docs/matrix.md."
)
LOGIN_HINT = "Check HUB_MATRIX_USER and HUB_MATRIX_PASSWORD, or HUB_MATRIX_TOKEN."
TOKEN_WRONG = "matrix_token_wrong"  # noqa: S105 - a code
LOGIN_REFUSED = "matrix_login_refused"
BLOCKED = "chat_blocked"


def refusal(code: str, message: str, retry_after_ms: int | None = None) -> AppError:
    """Say a homeserver's error (spec.matrix.org, client-server API, 2.2) in our words."""
    match code:
        case "M_LIMIT_EXCEEDED" | "429":
            wait = (retry_after_ms or BUSY_SECONDS * 1000) / 1000
            return busy(min(max(wait, 0.05), BUSY_SECONDS_MAX))
        case "M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN":
            return Unavailable(
                TOKEN_WRONG,
                "The homeserver does not know this login any more.",
                LOGIN_HINT,
                retryable=True,
            )
        case "M_USER_DEACTIVATED" | "M_USER_LOCKED" | "M_USER_SUSPENDED":
            return Unavailable(
                LOGIN_REFUSED,
                "The homeserver has shut the bot's account.",
                "Ask its admin, or give the bot another account.",
                retryable=True,
            )
        case "M_FORBIDDEN":
            return blocked()
        case "M_NOT_FOUND":
            return NotFound("room_gone", "The homeserver does not know this any more.")
        case "M_TOO_LARGE":
            return BadInput("matrix_refused", "The homeserver takes nothing as large as this.")
        case _ if code.startswith("M_") and code != "M_UNKNOWN":
            return BadInput("matrix_refused", f"The homeserver refused it: {described(message)}.")
        case _:
            return unreachable()


def busy(seconds: float) -> Unavailable:
    return Unavailable(
        "matrix_busy",
        f"The homeserver asks to wait {seconds:.1f} s.",
        PACE_HINT,
        retryable=True,
        retry_after_seconds=seconds,
    )


def blocked() -> Unavailable:
    return Unavailable(
        BLOCKED,
        "The bot may not write in that room: it was removed from it, or may not speak there.",
        "Whoever wants to hear from it again invites it.",
        retryable=True,
    )


def not_private() -> Unavailable:
    return Unavailable(
        BLOCKED,
        "Others joined that room, or could; what is for one person alone is not shown there.",
        "Open a new room with the bot, for the two of you.",
        retryable=True,
    )


def unreachable() -> Unavailable:
    return Unavailable(
        "matrix_unreachable",
        "The homeserver cannot be reached, or answers with a fault.",
        OUTAGE_HINT,
        retryable=True,
    )


def slow() -> Unavailable:
    return Unavailable(
        "matrix_slow", "The homeserver did not answer in time.", OUTAGE_HINT, retryable=True
    )


def login_refused(message: str) -> Unavailable:
    return Unavailable(
        LOGIN_REFUSED,
        f"The homeserver does not let the bot in: {described(message)}.",
        LOGIN_HINT,
        retryable=True,
    )


def described(message: str) -> str:
    """A homeserver's description, fit for a log."""
    return plain_line(redact_text(message))[:DESCRIPTION_CHARS_MAX].rstrip(".") or "no reason told"
