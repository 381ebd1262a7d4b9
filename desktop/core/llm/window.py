"""How many calls may be in flight at one endpoint: found out, and held just below its limit.

    trying ──good──▶ doubling ──limit, or as far as was good before──▶ holding
                         ▲                                              │  ▲
                         └── good again, after an outage ◀── cut ◀──limit──┘

It begins with one call, so that a wrong key costs one. Below two in flight the size says how far
starts are apart: 0.5 is one call per two round trips. The size at which a limit was met is not
tried again before many calls went well; every time this fails it takes longer, and every time
it succeeds the next step is bigger.
"""

from __future__ import annotations

SIZE_FIRST = 4.0
"""After the first call that went well."""
CUT = 0.85
CUT_AGAIN = 0.5
"""When not one call went well since the last cut."""
HOLD = 0.95
"""Of the size at which a limit was met."""
PATIENCE_MIN = 150
"""Calls that went well before a limit is tried again."""
PATIENCE_AGAIN_MIN = 50
"""While trials succeed."""
PATIENCE_MAX = 1600
STRIDE_MIN = 0.05
STRIDE_MAX = 1.0
EVENNESS = 0.8
"""Of the even gap between starts, that is kept once a limit was met: some count by moments."""
GAP_SECONDS_MAX = 10.0
"""Between two starts, as far as it is for the window to say."""
ROUND_TRIP_SECONDS_FIRST = 1.0
ROUND_TRIP_WEIGHT = 0.1


class Window:
    """Grown and cut by how calls end. Times are seconds of one clock that never goes back."""

    def __init__(self, size_max: int) -> None:
        self._size_max = float(size_max)
        self.size = 1.0
        self.round_trip_seconds = ROUND_TRIP_SECONDS_FIRST
        self._is_tried = False
        self._is_doubling = True
        self._threshold = self._size_max
        """Where doubling ends."""
        self._ceiling = float("inf")
        """The size at which a limit was met."""
        self._cut_at = float("-inf")
        self._cuts = 0
        """Since the last call that went well."""
        self._size_before = 1.0
        """When the first of these cuts was made."""
        self._quiet = 0
        """Calls that went well since the last limit, or since it was tried anew."""
        self._patience = PATIENCE_MIN
        self._stride = STRIDE_MIN

    @property
    def flying_max(self) -> int:
        """Calls that may be in flight at once."""
        if self.size >= 2.0:
            return int(self.size)
        return 2 if self.size > 1.0 else 1

    @property
    def gap_seconds(self) -> float:
        """Between two starts, at least."""
        if not self._is_tried or (self.size >= 2.0 and self._ceiling == float("inf")):
            return 0.0
        evenness = EVENNESS if self.size >= 2.0 else 1.0
        return min(GAP_SECONDS_MAX, evenness * self.round_trip_seconds / self.size)

    def good(self, started_at: float, now: float, *, was_full: bool) -> None:
        """A call went well.

        Args:
            started_at: when it left.
            now: when it was answered.
            was_full: others waited for this window meanwhile; a size nobody uses proves nothing.
        """
        self._measure(now - started_at)
        self._quiet += 1
        if self._cuts > 1 and self._is_doubling:
            self._grow_to(max(self.size, 1.0))  # an outage is over: as in the beginning
        self._cuts = 0
        if not self._is_tried:
            self._is_tried = True
            self._grow_to(SIZE_FIRST)
        elif was_full and self._is_doubling:
            self._double()
        elif was_full:
            self._add()

    def limited(self, started_at: float, now: float, *, is_rate: bool) -> None:
        """A call was turned away; what left before the last cut says nothing new.

        Args:
            started_at: when it left.
            now: when it was answered.
            is_rate: a limit of ours was met; otherwise the other side has too much to do.
        """
        if started_at < self._cut_at:
            return
        self._cut_at = now
        self._cuts += 1
        if self._cuts == 1:
            self._size_before = self.size
        size = self.size
        self._cut(CUT if self._cuts == 1 else CUT_AGAIN)
        if is_rate:
            self._remember(size)
        elif self._cuts > 1:
            self._is_doubling, self._threshold = True, self._size_before * CUT

    def _measure(self, seconds: float) -> None:
        weight = ROUND_TRIP_WEIGHT if self._is_tried else 1.0
        self.round_trip_seconds += weight * (seconds - self.round_trip_seconds)

    def _grow_to(self, size: float) -> None:
        self.size = min(size, self._size_max)

    def _double(self) -> None:
        self._grow_to(self.size + min(1.0, self.size))
        if self.size >= min(self._threshold, self._ceiling * HOLD):
            self._is_doubling = False

    def _add(self) -> None:
        """Add one per round trip, a tenth where one would be much; up to the limit's hold."""
        if self.size >= self._ceiling * HOLD and self._quiet >= self._patience:
            if self._stride > STRIDE_MIN:  # the last trial held: the limit is elsewhere now
                self._patience = max(PATIENCE_AGAIN_MIN, self._patience // 2)
            self._ceiling += max(1.0 if self.size >= 2.0 else 0.0, self._ceiling * self._stride)
            self._stride = min(STRIDE_MAX, self._stride * 2)
            self._quiet = 0
        step = min(1.0, self.size * 0.1 if self.size < 4.0 else 1.0) / max(1.0, self.size)
        self._grow_to(max(self.size, min(self.size + step, self._ceiling * HOLD)))

    def _cut(self, factor: float) -> None:
        floor = min(1.0, self.round_trip_seconds / GAP_SECONDS_MAX)
        self.size = max(floor, self.size * factor)

    def _remember(self, size: float) -> None:
        self._is_doubling = False
        self._patience = (
            min(PATIENCE_MAX, max(PATIENCE_MIN, self._patience * 2))
            if self._stride > STRIDE_MIN
            else PATIENCE_MIN
        )
        self._stride, self._quiet = STRIDE_MIN, 0
        self._ceiling = size
