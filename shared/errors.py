"""What went wrong, in the person's words: a stable code, a message with the facts, a hint.

AppError is the one shape an expected failure has in every program, log, frontend and on the wire:

- AppError
  - BadInput        the person (or a file of theirs) gave something that cannot work
  - NotAllowed      the machine owner's policy, or the sender's rights, say no
  - NotFound        the thing named does not exist (any more)
  - Conflict        the thing is in a state in which this cannot be done
  - LimitReached    a named limit was reached
  - Unavailable     something needed is not there now; trying again later may help

Programmer errors are assertions, not AppErrors.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

DISK_FULL = "disk_full"
STORE_FAILED = "store_failed"
STORE_CORRUPT = "store_corrupt"


class ErrorBody(BaseModel):
    """An error as it crosses the wire, is stored, and is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    code: str
    """Stable, snake_case; tests, translations and scripts rely on it."""
    message: str
    """What happened, with the facts, as one or two sentences for the person."""
    hint: str = ""
    """What to do next, as a sentence; empty only when nothing can be done."""
    retryable: bool = False
    """Whether the same attempt may succeed later without anyone changing anything."""
    retry_after_seconds: float | None = None
    """The earliest useful next try, when the other side named one (Retry-After)."""


class AppError(Exception):
    """An expected failure, told with facts and the next step."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        retryable: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def body(self) -> ErrorBody:
        return ErrorBody(
            code=self.code,
            message=self.message,
            hint=self.hint,
            retryable=self.retryable,
            retry_after_seconds=self.retry_after_seconds,
        )

    @classmethod
    def from_body(cls, body: ErrorBody) -> AppError:
        return AppError(
            body.code,
            body.message,
            body.hint,
            retryable=body.retryable,
            retry_after_seconds=body.retry_after_seconds,
        )


class BadInput(AppError):
    """The person, or a file of theirs, gave something that cannot work."""


class NotAllowed(AppError):
    """The machine owner's policy, or the sender's rights, say no."""


class NotFound(AppError):
    """The thing named does not exist, or no longer."""


class Conflict(AppError):
    """The thing is in a state in which this cannot be done."""


class LimitReached(AppError):
    """A named limit was reached."""


class Unavailable(AppError):
    """Something needed is not there now."""


def first_of(failures: BaseExceptionGroup[AppError]) -> AppError:
    """Return the error that came first, out of its nest of groups."""
    failure: BaseException = failures
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    assert isinstance(failure, AppError)
    return failure
