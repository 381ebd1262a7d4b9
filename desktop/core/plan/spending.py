"""What a plan may use and what it has used: tokens, money, seconds, jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field

from shared.plan import Step

TOKENS_OF_A_MODEL_MIN = 500
"""What a step that calls a model is expected to use at least, whatever the plan says."""


class Budget(BaseModel):
    """The most that a plan may use, its own calls of models among it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens_max: int = Field(ge=0)
    cost_usd_max: float = Field(ge=0)
    seconds_max: float = Field(ge=0)
    """Of work; waiting for a person is not counted."""
    jobs_max: int = Field(ge=0)
    usd_per_token: float | None = Field(default=None, ge=0)
    """What the plan's model costs at most; 0 for a model that costs nothing, None for unknown."""


class Spent(BaseModel):
    """What a plan has used so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0)
    is_cost_known: bool = True
    """No call was without a price."""
    seconds: float = Field(default=0.0, ge=0)
    jobs: int = Field(default=0, ge=0)
    """Begun."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            tokens=self.tokens + other.tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            is_cost_known=self.is_cost_known and other.is_cost_known,
            seconds=self.seconds + other.seconds,
            jobs=self.jobs + other.jobs,
        )


def of_output(output: Mapping[str, object]) -> Spent:
    """Read what a step's job used from its result; nothing where it tells nothing.

    Its seconds are not counted: steps run side by side, and the plan has a clock of its own.
    """
    usage = output.get("usage")
    told = usage if isinstance(usage, Mapping) else {}
    tokens = sum(_count(told.get(name)) for name in ("input_tokens", "output_tokens"))
    cost = output.get("cost_usd")
    is_known = isinstance(cost, int | float) and not isinstance(cost, bool) and cost >= 0
    return Spent(
        tokens=tokens,
        cost_usd=float(cost) if is_known and isinstance(cost, int | float) else 0.0,
        is_cost_known=is_known or not tokens,
    )


def shortage(budget: Budget, spent: Spent, step: Step, *, running: Iterable[Step] = ()) -> str:
    """Say what a step's beginning would go over; empty when there is room for it.

    Args:
        budget: the most.
        spent: so far.
        step: what is to begin; it is held to its own estimate, for one try.
        running: steps in hand, whose estimates are set aside for them.
    """
    tokens = spent.tokens + step.est_tokens + sum(one.est_tokens for one in running)
    cost = spent.cost_usd + (tokens - spent.tokens) * (budget.usd_per_token or 0.0)
    if spent.jobs + 1 > budget.jobs_max:
        return f"all {budget.jobs_max:,} jobs are used"
    if tokens > budget.tokens_max:
        return f"{tokens:,} tokens would be more than {budget.tokens_max:,}"
    if cost > budget.cost_usd_max:
        return f"{cost:.2f} $ would be more than {budget.cost_usd_max:.2f} $"
    if spent.seconds >= budget.seconds_max:
        return f"{budget.seconds_max:,.0f} s are over"
    return ""


def seconds_left(budget: Budget, spent: Spent, step: Step) -> float:
    """Return how long a step may run: as long as it says, and no longer than the plan may."""
    return max(0.0, min(float(step.max_seconds), budget.seconds_max - spent.seconds))


def estimate(steps: Iterable[Step]) -> int:
    """Return the tokens of steps if each of their tries is needed."""
    return sum(step.est_tokens * step.max_attempts for step in steps)


def _count(told: object) -> int:
    return told if isinstance(told, int) and not isinstance(told, bool) and told > 0 else 0
