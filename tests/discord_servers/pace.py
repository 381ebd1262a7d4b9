"""Discord's limits for routes: a window of some calls, told in the headers of each answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

CALLS, WINDOW_SECONDS = 5, 5.0


@dataclass(slots=True)
class Windows:
    clock: Callable[[], float]
    _open: dict[str, tuple[float, int]] = field(default_factory=dict)

    def take(self, bucket: str) -> tuple[bool, dict[str, str], float]:
        """Count a call; whether it is within the limit, what the headers say, and the wait."""
        now = self.clock()
        began, used = self._open.get(bucket, (now, 0))
        if now - began >= WINDOW_SECONDS:
            began, used = now, 0
        is_fine = used < CALLS
        used += is_fine
        self._open[bucket] = (began, used)
        left = began + WINDOW_SECONDS - now
        headers = {
            "X-RateLimit-Limit": str(CALLS),
            "X-RateLimit-Remaining": str(CALLS - used),
            "X-RateLimit-Reset": f"{now + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": bucket.partition(":")[0],
        }
        return is_fine, headers, left
