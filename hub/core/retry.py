"""Whether a failed attempt is followed by another, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.job import Life
from shared.backoff import RETRY
from shared.errors import ErrorBody
from shared.jobs import ATTEMPTS_MAX
from shared.kinds import Kind

RETRY_AFTER_SECONDS_MAX = 6 * 3600.0
"""A Retry-After beyond this is not waited for: nobody expects the result by then."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    not_before: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No retry mends this failure."""


@dataclass(frozen=True, slots=True)
class Bury:
    """It might pass, but the tries are used up: a dead letter."""


def decide(
    life: Life, kind: Kind | None, error: ErrorBody, now: datetime, random: float
) -> TryAgain | GiveUp | Bury:
    """Decide what follows a failure.

    Args:
        life: before this failure is counted.
        kind: of the job; None when this hub does not know it any more.
        error: what went wrong.
        now: when.
        random: in [0, 1), for the jitter.
    """
    if not error.retryable or kind is None or not kind.retries:
        return GiveUp()
    failures = life.failures + 1
    if failures >= ATTEMPTS_MAX:
        return Bury()
    wait_seconds = RETRY.wait_seconds(failures, random)
    if error.retry_after_seconds is not None:
        if error.retry_after_seconds > RETRY_AFTER_SECONDS_MAX:
            return GiveUp()
        wait_seconds = max(wait_seconds, error.retry_after_seconds)
    return TryAgain(now + timedelta(milliseconds=round(wait_seconds * 1000)))
