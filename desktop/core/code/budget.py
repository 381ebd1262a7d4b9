"""What a coding job may use: tokens, money, minutes of work; and what it has used.

Pure: times are seconds of one clock that never goes back, and come in. While a person is asked no
time counts, however many questions are open at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from shared.kinds.code import CodeInputs
from shared.kinds.llm import UsageFacts
from shared.money import dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimits:
    """None for what nobody limits."""

    tokens_max: int | None = None
    """Read and written together, cached parts included."""
    cost_usd_max: float | None = None
    minutes_max: float | None = None
    """Of work; time spent asking is not counted."""

    @classmethod
    def of(cls, inputs: CodeInputs) -> BudgetLimits:
        """Read them from a work order."""
        return cls(
            tokens_max=inputs.tokens_max,
            cost_usd_max=inputs.cost_usd_max,
            minutes_max=inputs.minutes_max,
        )


class Spent(BaseModel):
    """What a job has used so far; kept with its state, so that a new attempt goes on counting."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    usage: UsageFacts = UsageFacts()
    cost_usd: float = Field(default=0.0, ge=0)
    """Of the calls that have a price."""
    calls: int = Field(default=0, ge=0)
    unpriced_calls: int = Field(default=0, ge=0)
    """Calls that used tokens and have no price in the table."""
    seconds: float = Field(default=0.0, ge=0)
    """Of work."""

    @property
    def tokens(self) -> int:
        return self.usage.input_tokens + self.usage.output_tokens

    @property
    def cost_usd_known(self) -> float | None:
        """The cost, for results: None when it is not known of every call."""
        return None if self.unpriced_calls else self.cost_usd

    @property
    def line(self) -> str:
        """What a person who watches reads: "12,300 tokens, $0.04"."""
        parts = [f"{self.tokens:,} tokens"] if self.tokens else []
        if self.cost_usd:
            parts.append(f"{dollars(self.cost_usd)}{' and more' if self.unpriced_calls else ''}")
        elif self.unpriced_calls:
            parts.append("price not known")
        return ", ".join(parts)


class Limit(StrEnum):
    TOKENS = "tokens"
    MONEY = "money"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that is reached."""

    limit: Limit
    message: str
    """With the figures, for a person and for the agent."""


class Budget:
    """The limits of one job against what it has used."""

    def __init__(self, limits: BudgetLimits, now: float, spent: Spent | None = None) -> None:
        """Begin to count.

        Args:
            limits: of the work order.
            now: the work begins here.
            spent: by earlier attempts.
        """
        self.limits = limits
        self._before = spent or Spent()
        self._spent = self._before
        self._since = now
        self._worked = 0.0
        """Seconds of this attempt until `_since`."""
        self._questions = 0

    def charge(self, usage: UsageFacts, cost_usd: float | None) -> None:
        """Count one call; `cost_usd` is None when it has no price."""
        old = self._spent
        has_tokens = bool(usage.input_tokens or usage.output_tokens)
        self._spent = old.model_copy(
            update={
                "usage": added(old.usage, usage),
                "cost_usd": old.cost_usd + (cost_usd or 0.0),
                "calls": old.calls + 1,
                "unpriced_calls": old.unpriced_calls + (cost_usd is None and has_tokens),
            }
        )

    def asking(self, now: float) -> None:
        """A person is asked: time stands still until as many `answered`."""
        if self._questions == 0:
            self._worked += now - self._since
        self._questions += 1

    def answered(self, now: float) -> None:
        assert self._questions > 0
        self._questions -= 1
        if self._questions == 0:
            self._since = now

    def spent(self, now: float) -> Spent:
        """Tell what was used, by earlier attempts, too."""
        running = 0.0 if self._questions else now - self._since
        seconds = self._before.seconds + self._worked + running
        return self._spent.model_copy(update={"seconds": seconds})

    def excess(self, now: float) -> Excess | None:
        """Return the limit that is reached; None when the job may go on."""
        spent, limits = self.spent(now), self.limits
        if limits.tokens_max is not None and spent.tokens >= limits.tokens_max:
            return Excess(
                Limit.TOKENS,
                f"This job has used {spent.tokens:,} tokens; its budget is {limits.tokens_max:,}.",
            )
        if limits.cost_usd_max is not None and spent.cost_usd >= limits.cost_usd_max:
            used, most = dollars(spent.cost_usd), dollars(limits.cost_usd_max)
            return Excess(Limit.MONEY, f"This job has cost {used}; its budget is {most}.")
        left = self.seconds_left(now)
        if left is not None and left <= 0:
            most = f"{limits.minutes_max:g} min"
            return Excess(Limit.MINUTES, f"This job has worked for the {most} of its budget.")
        return None

    def seconds_left(self, now: float) -> float | None:
        """Return how long the job may work on; None when nobody limits that."""
        if self.limits.minutes_max is None:
            return None
        return self.limits.minutes_max * 60 - self.spent(now).seconds

    def seconds_to_run(self, now: float) -> float | None:
        """Return when the time will be over if nothing changes; None for never."""
        return None if self._questions else self.seconds_left(now)


def added(one: UsageFacts, other: UsageFacts) -> UsageFacts:
    """Return the sum of two counts."""
    return UsageFacts(
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cache_write_tokens=one.cache_write_tokens + other.cache_write_tokens,
        reasoning_tokens=one.reasoning_tokens + other.reasoning_tokens,
        is_estimated=one.is_estimated or other.is_estimated,
    )
