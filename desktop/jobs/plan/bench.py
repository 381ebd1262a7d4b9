"""What every stage of one task works with: its context, its inputs, its state, its calls."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from desktop.core.llm.model_name import find_model
from desktop.core.llm.types import Model
from desktop.core.plan.scope import Scope
from desktop.core.plan.spending import Budget, Spent
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import prices
from desktop.jobs.llm.choosing import chosen_model
from desktop.jobs.plan.calls import Calls
from desktop.jobs.plan.state import State, StateFile
from desktop.jobs.plan.surroundings import scope_of
from shared.kinds.llm import UsageFacts
from shared.kinds.plan import PlanInputs

PRICED_TOKENS = 1000
"""A price is read from so many written ones: they cost most."""


@dataclass(slots=True)
class Bench:
    """One attempt at one task."""

    context: SharedContext
    inputs: PlanInputs
    task: str
    state: StateFile
    calls: Calls

    @classmethod
    def of(cls, context: SharedContext, inputs: PlanInputs, task: str) -> Bench:
        """Take up what an earlier attempt left, if there was one."""
        state = StateFile(context.workdir, State(is_local=inputs.local))
        return cls(context, inputs, task, state, Calls(context))

    async def model(self) -> Model:
        """Return the model that plans; asked for once, and anew when the task is to stay here.

        Raises:
            AppError: as `chosen_model`.
        """
        now = self.state.now
        if now.model:
            return find_model(now.model, self.context.endpoints)
        given = self.inputs.model
        if now.is_local and not self.inputs.local:
            given = None  # it was said later: what was named before may be elsewhere
        model = await chosen_model(self.context, given, is_local=now.is_local)
        self.state.put(model=model.full_name)
        return model

    def budget(self, model: Model, raises: int) -> Budget:
        """Return the most that the task may use, as often more as its person said."""
        more = 1 + raises
        return Budget(
            tokens_max=self.inputs.tokens_max * more,
            cost_usd_max=self.inputs.cost_usd_max * more,
            seconds_max=float(self.inputs.seconds_max * more),
            jobs_max=self.inputs.jobs_max * more,
            usd_per_token=usd_per_token(model),
        )

    async def scope(self) -> Scope:
        """Return what a plan is held to now; what is done of an earlier one is among it."""
        now, model = self.state.now, await self.model()
        ledger = now.ledger
        return scope_of(
            self.context,
            self.budget(model, now.raises) if ledger is None else ledger.budget,
            spent=self.calls.spent if ledger is None else ledger.spent + self.calls.spent,
            is_local=now.is_local,
            done=dict(ledger.done) if ledger is not None else None,
        )

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Count the time of what is done in here, people's answers aside."""
        began = time.monotonic()
        try:
            yield
        finally:
            clock = self.state.now.clock
            own = clock.own + time.monotonic() - began
            self.state.note(clock=clock.model_copy(update={"own": own}))


def usd_per_token(model: Model) -> float | None:
    """Return what a token costs at most; None when nobody knows."""
    usage = UsageFacts(output_tokens=PRICED_TOKENS)
    cost = prices.cost_usd(model, usage, datetime.now(UTC))
    return None if cost is None else cost / PRICED_TOKENS


def spent_so_far(bench: Bench) -> Spent:
    """Add up what steps and the plan's own calls used."""
    ledger = bench.state.now.ledger
    return bench.calls.spent if ledger is None else ledger.spent + bench.calls.spent
