"""The budget of one job while it is worked on: counts calls, money, minutes; rings when over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from desktop.core.code.budget import Budget, BudgetLimits, Excess, Spent
from desktop.core.llm.types import Model
from shared.kinds.llm import UsageFacts


class Meter:
    """What is left of a budget."""

    def __init__(
        self, model: Model, limits: BudgetLimits, spent: Spent, hear: Callable[[Spent], None]
    ) -> None:
        """Begin to count.

        Args:
            model: whose prices count.
            limits: of the work order.
            spent: by earlier attempts.
            hear: told what has been used, after each call.
        """
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._budget = Budget(limits, self._loop.time(), spent)
        self._hear = hear
        self._changed = asyncio.Event()

    @property
    def spent(self) -> Spent:
        return self._budget.spent(self._loop.time())

    @property
    def excess(self) -> Excess | None:
        return self._budget.excess(self._loop.time())

    def count(self, usage: UsageFacts, model_reported: str = "") -> None:
        """Count one call of an agent's."""
        self.charge(usage, self._price(usage, model_reported))

    def charge(self, usage: UsageFacts, cost_usd: float | None) -> None:
        """Count one call whose price is known, or known to be unknown."""
        self._budget.charge(usage, cost_usd)
        self._ring()
        self._hear(self.spent)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Count no time meanwhile."""
        self._budget.asking(self._loop.time())
        self._ring()
        try:
            yield
        finally:
            self._budget.answered(self._loop.time())
            self._ring()

    async def over(self) -> Excess:
        """Wait until a limit is reached."""
        while (excess := self.excess) is None:
            self._changed.clear()
            try:
                async with asyncio.timeout(self._budget.seconds_to_run(self._loop.time())):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return excess

    def _ring(self) -> None:
        self._changed.set()

    def _price(self, usage: UsageFacts, model_reported: str) -> float | None:
        try:
            from desktop.jobs.llm import prices

            return prices.cost_usd(self._model, usage, datetime.now(UTC), model_reported)
        except ImportError:
            return 0.0 if self._model.endpoint.is_local else None
