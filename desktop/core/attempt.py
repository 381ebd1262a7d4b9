"""One attempt in the worker's hands.

    offer ──▶ ACCEPTED ── grant ──▶ RUNNING ◀──────▶ ASKING
                 │                   ▲ │                │
                 │   unasked grant ──┤ │                │
              forgotten     a slot ──┘ ▼                │
      asked here, no hub ──▶ GRANTED   ENDED ◀──────────┘
                  postponed ───▶ │     │ outcome acknowledged
                                    forgotten

All of them stand in the journal; nothing starts before RUNNING is committed there. A job that is
asked for here while no hub is to be had is this worker's own from the beginning: attempt 1 under
fence 1, which nobody else can have been given. Each function returns the attempt after a step, or
None when the step does not fit its state: a repeated or late message, which is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.errors import BadInput, ErrorBody
from shared.ids import JobId
from shared.jobs import JobSpec
from shared.messages import Held, HeldState
from shared.questions import Asking


class AttemptState(StrEnum):
    ACCEPTED = "accepted"
    GRANTED = "granted"
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
    is_kept: bool = False
    """Asked for at this machine and begun without a hub."""
    crashes: int = 0
    """How often it was begun again after this program had stopped in the middle of it."""
    postponed: int = 0
    """How often it could not go on and waited for another start."""
    not_before: datetime | None = None
    """GRANTED and postponed: when it may start again, by the wall clock."""
    wait_seconds: float = 0.0
    """How long that wait was meant to be."""
    part_of: JobId | None = None
    """The job here that had it made as one of its parts."""

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
    """The grant arrived, or a slot for what this worker was granted from the beginning."""
    is_granted = attempt.state is AttemptState.GRANTED and fence == attempt.fence
    if not is_granted and (attempt.state is not AttemptState.ACCEPTED or fence < 1):
        return None
    return replace(attempt, state=AttemptState.RUNNING, fence=fence, not_before=None)


def granted(spec: JobSpec, number: int, fence: int) -> Attempt:
    """A grant arrived that was not asked for, of what this worker has said yes to ahead."""
    return Attempt(spec=spec, number=number, state=AttemptState.RUNNING, fence=fence)


def begin_again(attempt: Attempt, answers: Mapping[str, str]) -> Attempt:
    """Have an attempt wait for another start here, after this program stopped in the middle.

    Args:
        attempt: alive, of a kind whose second run harms nothing.
        answers: what its person told it by now, so that nothing is asked twice.
    """
    assert attempt.is_alive
    spec = attempt.spec.model_copy(update={"answers": {**attempt.spec.answers, **answers}})
    return replace(attempt, spec=spec, state=AttemptState.GRANTED, crashes=attempt.crashes + 1)


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
    if not attempt.is_alive and attempt.state is not AttemptState.GRANTED:
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


def answer_unfit(asking: Asking, value: str) -> BadInput:
    return BadInput(
        "answer_unfit",
        f"'{value.strip()[:100]}' is none of the answers to this question.",
        "Answer with one of: " + ", ".join(choice.label for choice in asking.choices) + ".",
    )


def answer_invalid() -> ErrorBody:
    return ErrorBody(
        code="answer_invalid",
        message="The hub passed on an answer that is none of those the job offered.",
        hint="Run it again and choose one of the answers shown.",
    )
