"""When to ask a hub again for the token of a pairing, and when to give up."""

from __future__ import annotations

from shared.backoff import RECONNECT
from shared.errors import AppError, Unavailable

WAITING = "pairing_waiting"
HOT_SECONDS = 1.0
"""A hub holds a question open for 20 s; one that answers faster than this is slowed down."""
RETRY_AFTER_SECONDS_MAX = 60.0
WAIT_SECONDS_MAX = 20 * 60.0
"""A pairing lasts 10 minutes by the hub's clock; this bound is for a hub that never says so."""


def pause_seconds(error: AppError, *, took_seconds: float, failures: int, random: float) -> float:
    """Return how long to wait before asking again.

    Args:
        error: what the last question came to; it must be retryable.
        took_seconds: how long the hub held it open.
        failures: how many in a row were no answer at all, 0 after an answer.
        random: in [0, 1).
    """
    assert error.retryable
    if error.code == WAITING:
        return 0.0 if took_seconds >= HOT_SECONDS else HOT_SECONDS
    if error.retry_after_seconds is not None:
        return min(max(HOT_SECONDS, error.retry_after_seconds), RETRY_AFTER_SECONDS_MAX)
    return RECONNECT.wait_seconds(max(1, failures), random)


def ran_out() -> AppError:
    """Say what it means that nobody decided."""
    return Unavailable(
        "pairing_expired",
        "Nobody approved this computer in time.",
        "Ask for a new code with /connect, and pair again.",
    )
