"""One attempt in the worker's hands.

    offer ──▶ ACCEPTED ── grant ──▶ RUNNING ◀──────▶ ASKING
                 │                     │                │
              forgotten              ENDED ◀────────────┘
                                       │ outcome acknowledged
                                    forgotten

ACCEPTED, RUNNING, ASKING and ENDED stand in the journal; nothing starts before RUNNING is
committed there. Each function returns the attempt after a step, or None when the step does not
fit its state: a repeated or late message, which is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.jobs import JobSpec
from shared.messages import Held, HeldState
from shared.questions import Asking


class AttemptState(StrEnum):
    ACCEPTED = "accepted"
    RUNNING = "running"
    ASKING = "asking"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    spec: JobSpec
    number: int
    state: AttemptState = AttemptState.ACCEPTED
    fence: int = 0
    outcome_seq: int = 0
    """The event number of its outcome, once ENDED."""

    @property
    def held(self) -> Held:
        """How the hub is told of it."""
        return Held(
            job_id=self.spec.job_id,
            attempt=self.number,
            fence=self.fence,
            state=HeldState(self.state.value),
        )

    @property
    def takes_slot(self) -> bool:
        return self.state in (AttemptState.ACCEPTED, AttemptState.RUNNING)

    @property
    def is_alive(self) -> bool:
        return self.state in (AttemptState.RUNNING, AttemptState.ASKING)


def start(attempt: Attempt, fence: int) -> Attempt | None:
    """The grant arrived."""
    if attempt.state is not AttemptState.ACCEPTED or fence < 1:
        return None
    return replace(attempt, state=AttemptState.RUNNING, fence=fence)


def ask(attempt: Attempt) -> Attempt | None:
    if attempt.state is not AttemptState.RUNNING:
        return None
    return replace(attempt, state=AttemptState.ASKING)


def resume(attempt: Attempt) -> Attempt | None:
    if attempt.state is not AttemptState.ASKING:
        return None
    return replace(attempt, state=AttemptState.RUNNING)


def end(attempt: Attempt, outcome_seq: int) -> Attempt | None:
    """Its outcome is written as event `outcome_seq`."""
    if not attempt.is_alive:
        return None
    return replace(attempt, state=AttemptState.ENDED, outcome_seq=outcome_seq)


def is_answer(asking: Asking, value: str) -> bool:
    """Say whether a value answers what was asked; the hub's word for it is not enough."""
    if value == asking.default or asking.allow_text or not asking.choices:
        return True
    return any(value == choice.value for choice in asking.choices)


def is_forgotten(attempt: Attempt, acked_seq: int) -> bool:
    """Say whether nobody needs the journal's entry any more."""
    return attempt.state is AttemptState.ENDED and attempt.outcome_seq <= acked_seq
