"""One request after another to each site, with a pause between: a guest does not hammer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

SITES_MAX = 1_000
"""Remembered at once; who was longest not gone to is forgotten."""


class Pace:
    """All sites of one process."""

    def __init__(self) -> None:
        self._next_at: OrderedDict[str, float] = OrderedDict()

    async def turn(self, origin: str, pause_seconds: float) -> None:
        """Wait until a site may be asked again. Whoever waits has their place in line at once."""
        now = asyncio.get_running_loop().time()
        mine = max(now, self._next_at.get(origin, now))
        self._next_at[origin] = mine + pause_seconds
        self._next_at.move_to_end(origin)
        if len(self._next_at) > SITES_MAX:
            self._next_at.popitem(last=False)
        if mine > now:
            await asyncio.sleep(mine - now)
