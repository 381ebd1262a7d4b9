"""What keeps jobs from starting here: a pause of the person's, then the owner's rules.

It wakes only when something may change: a pause or the hours end, or, while a rule needs a sense
of the machine, twice a minute. A wait is cut into pieces, because a computer that sleeps stops
the clock that waits are measured by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime, tzinfo

from desktop.core import run_policy
from desktop.core.run_policy import LOOK_SECONDS, Readings, RunRules, Sense
from shared.environment import Environment
from shared.errors import ErrorBody

PAUSED = "paused"
"""The code of a pause that the person asked for."""
FOREVER = "until resumed"
NOTHING = Readings()

Read = Callable[[AbstractSet[Sense]], Readings]


class Holding:
    """Decides `why`; tells `changed` whenever it says something else."""

    def __init__(
        self,
        environment: Environment,
        read: Read,
        changed: Callable[[], None],
        zone: Callable[[], tzinfo | None] = lambda: None,
    ) -> None:
        """Make it; nothing is looked at before `run`.

        Args:
            environment: whose clock counts.
            read: senses the machine; called in a thread.
            changed: called on the loop.
            zone: the machine's time zone; None for the offset that holds now.
        """
        self.why: ErrorBody | None = None
        self.looked_at: datetime | None = None
        """When the senses were read last."""
        self._environment = environment
        self._read = read
        self._changed = changed
        self._zone = zone
        self._rules = RunRules()
        self._readings = NOTHING
        self._paused_until: datetime | None = None
        self._is_paused = False
        self._bell = asyncio.Event()

    @property
    def is_paused(self) -> bool:
        """Whether the person paused it; `why` may also come of a rule."""
        return self._is_paused

    @property
    def next_look_at(self) -> datetime | None:
        """When something changes by itself, as far as that is known."""
        wait = self._wait_seconds()
        now = self._environment.now()
        return None if wait is None else datetime.fromtimestamp(now.timestamp() + wait, now.tzinfo)

    def pause(self, told: str) -> None:
        """Go by a pause as it is written down: a moment, FOREVER, or nothing."""
        self._paused_until = None if told in ("", FOREVER) else datetime.fromisoformat(told)
        self._is_paused = bool(told)
        self._decide()
        self._bell.set()

    def adopt(self, rules: RunRules) -> None:
        """Go by other rules; `run` reads the senses they need at once."""
        self._rules = rules
        if not rules.senses:
            self._readings = NOTHING
        self._decide()
        self._bell.set()

    async def run(self) -> None:
        """Look whenever it is due, until cancelled."""
        while True:
            self._bell.clear()
            await self.look()
            wait = self._wait_seconds()
            try:
                async with asyncio.timeout(None if wait is None else min(wait, LOOK_SECONDS)):
                    await self._bell.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Read the senses the rules need, and decide."""
        if senses := self._rules.senses:
            self._readings = await asyncio.to_thread(self._read, senses)
            self.looked_at = self._environment.now()
        self._decide()

    def _decide(self) -> None:
        now = self._environment.now()
        if self._paused_until is not None and self._paused_until <= now:
            self._is_paused, self._paused_until = False, None
        before = self.why
        if self._is_paused:
            self.why = paused(self._paused_until)
        else:
            local = now.astimezone(self._zone())
            self.why = run_policy.held_back(self._rules, self._readings, local)
        if told(self.why) != told(before):
            self._changed()

    def _wait_seconds(self) -> float | None:
        """Return how long nothing can change by itself; None for ever."""
        now = self._environment.now()
        waits = [LOOK_SECONDS] if self._rules.senses and not self._is_paused else []
        if self._paused_until is not None:
            waits.append(run_policy.seconds_between(now, self._paused_until))
        edge = run_policy.next_edge(self._rules, now.astimezone(self._zone()))
        if edge is not None and not self._is_paused:
            waits.append(run_policy.seconds_between(now, edge))
        return max(0.0, min(waits)) if waits else None


def told(why: ErrorBody | None) -> tuple[str, str] | None:
    """Return what a person sees of it; the seconds that are left are no news."""
    return None if why is None else (why.code, why.message)


def paused(until: datetime | None) -> ErrorBody:
    """Say why nothing starts while the person has paused this machine."""
    when = f" until {until.astimezone():%H:%M}" if until else ""
    return ErrorBody(
        code=PAUSED,
        message=f"This computer is paused{when}.",
        hint="Resume it in the tray menu, or with: deskhand resume",
        retryable=True,
    )
