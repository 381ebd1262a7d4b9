"""Whether an attempt that cannot go on now waits for another start, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from desktop.core.attempt import Attempt, AttemptState
from desktop.core.llm.fault import hint_for_good
from shared.errors import ErrorBody

POSTPONES_MAX = 40
"""How often an attempt may be begun again; then what held it back is its end."""
WAIT_SECONDS_MAX = 6 * 3600.0
"""What is held back for longer fails at once: nobody expects the result by then."""


def refusal(attempt: Attempt, error: ErrorBody, seconds: float) -> ErrorBody | None:
    """Return what an attempt fails with that may not wait any more; None when it may."""
    if attempt.postponed >= POSTPONES_MAX:
        why = f"It was tried {attempt.postponed + 1} times."
    elif seconds > WAIT_SECONDS_MAX:
        why = f"The next try would be in {seconds / 3600:.0f} hours."
    else:
        return None
    told = {
        "message": f"{error.message} {why}",
        "hint": hint_for_good(error.hint),
        "retryable": False,
        "retry_after_seconds": None,
    }
    return error.model_copy(update=told)


def postpone(attempt: Attempt, seconds: float, now: datetime) -> Attempt:
    """Have an attempt that runs wait for another start.

    Args:
        attempt: alive, of a kind whose second run harms nothing.
        seconds: the earliest useful next try, from now.
        now: the wall clock.
    """
    assert attempt.is_alive
    return replace(
        attempt,
        state=AttemptState.GRANTED,
        postponed=attempt.postponed + 1,
        not_before=now + timedelta(seconds=seconds),
        wait_seconds=seconds,
    )


def seconds_left(attempt: Attempt, waited_seconds: float, now: datetime) -> float:
    """Return how long an attempt still waits; 0 when it may start.

    The wall clock alone would keep it waiting for days when it was set back; the other clock
    stands still while the machine sleeps, and begins anew with the program.

    Args:
        attempt: that waits.
        waited_seconds: how long it is known to wait, by a clock that never jumps.
        now: the wall clock.
    """
    if attempt.not_before is None:
        return 0.0
    by_wall = (attempt.not_before - now).total_seconds()
    return max(0.0, min(by_wall, attempt.wait_seconds - waited_seconds))
