"""How a child's end phrases itself."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

from desktop.core.sending import Wish
from shared.errors import AppError, ErrorBody
from shared.kinds import JsonObject

TAIL_LINES_SHOWN = 3
CODE_CHARS_MAX = 100
MESSAGE_CHARS_MAX = 2000


class Ending(StrEnum):
    RESULT = "result"
    """It wrote its output and went."""
    REFUSED = "refused"
    """It told an expected failure."""
    CANCELLED = "cancelled"
    PARKED = "parked"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    BROKE_PROTOCOL = "broke_protocol"
    GONE = "gone"
    """It ended without a word."""
    POSTPONED = "postponed"
    """It cannot go on now and wants to be begun again later."""


@dataclass(frozen=True, slots=True)
class Following:
    """A job that a job wants to be made when it ends well."""

    kind: str
    inputs: JsonObject


@dataclass(frozen=True, slots=True)
class PartsWanted:
    """Jobs that a job wants to be made, one per index, and waits for."""

    kind: str
    inputs: JsonObject
    indexes: tuple[int, ...]


def no_place(error: OSError | AppError) -> ErrorBody:
    """Say why a job's child could not be started at all."""
    if isinstance(error, AppError):
        return error.body
    return AppError(
        "job_unplaceable",
        f"The job could not be started: {error.strerror}.",
        "Look at the disk of that computer.",
        retryable=True,
    ).body


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that is known of how a child ended."""

    ending: Ending
    exit_code: int | None = None
    """Negative: the signal that ended it."""
    output: JsonObject | None = None
    error: ErrorBody | None = None
    tail: tuple[str, ...] = ()
    """The last lines it wrote to standard error."""
    wishes: tuple[Wish, ...] = ()
    """Files it wants to hand over."""
    wrote: str = ""
    """The file it wrote for its person; empty when none."""
    follows: tuple[Following, ...] = ()
    """Jobs to be made together with its good end."""
    running_seconds: float = 0.0
    seconds: float = 0.0
    """Of POSTPONED: until the earliest useful next try."""
    limit: float = 0.0
    """Of the ending: seconds for TIMED_OUT, bytes for OUT_OF_MEMORY."""

    def failure(self) -> ErrorBody:
        """Phrase a failure for the person who waits for the job."""
        assert self.ending not in (Ending.RESULT, Ending.CANCELLED, Ending.PARKED)
        match self.ending:
            case Ending.REFUSED | Ending.POSTPONED:
                assert self.error is not None
                return _sayable(self.error)
            case Ending.TIMED_OUT:
                return AppError(
                    "timed_out",
                    f"It was stopped after {self.limit:,.0f} s, the limit for this kind of work.",
                    "Ask for less at once, or raise the limit.",
                ).body
            case Ending.OUT_OF_MEMORY:
                return AppError(
                    "out_of_memory",
                    f"It was stopped because it needed more than {gigabytes(self.limit)}.",
                    "Use a smaller file, or raise memory_bytes_max in the machine's policy.",
                ).body
            case Ending.BROKE_PROTOCOL:
                return AppError(
                    "child_unreadable",
                    f"The job wrote what the worker could not read.{last_words(self.tail)}",
                    "This is a fault of the program; please report it with the job's log.",
                ).body
            case _:
                return self._gone()

    def _gone(self) -> ErrorBody:
        if self.exit_code is not None and self.exit_code < 0:
            name = signal_name(-self.exit_code)
            return AppError(
                "job_killed",
                f"It was stopped from outside ({name}).{last_words(self.tail)}",
                "It is tried again; if this repeats, the machine may be short of memory.",
                retryable=True,
            ).body
        return AppError(
            "job_crashed",
            f"It ended without a result (exit code {self.exit_code}).{last_words(self.tail)}",
            "The job's log on that machine has the details.",
        ).body


def child_lost(
    exit_code: int | None, tail: tuple[str, ...], *, is_too_large: bool = False
) -> ErrorBody:
    """Say why a job lost the process that it shared with others; it is begun again."""
    if is_too_large:
        what = "needed more memory than the machine's policy allows"
    elif exit_code is not None and exit_code < 0:
        what = f"was ended ({signal_name(-exit_code)})"
    else:
        what = f"ended (exit code {exit_code})"
    words = last_words(tail)
    return AppError(
        "child_lost",
        f"The process that it shared with other jobs {what}.{words}",
        "It is begun again by itself.",
        retryable=True,
    ).body


def last_words(tail: tuple[str, ...]) -> str:
    """Quote the end of what a child wrote to standard error; empty when it wrote nothing."""
    lines = [line.strip() for line in tail if line.strip()][-TAIL_LINES_SHOWN:]
    return f" Its last words: {' / '.join(lines)[:400]}" if lines else ""


def _sayable(error: ErrorBody) -> ErrorBody:
    """Cut what a child says to what people read: it must fit a frame whatever the child says."""
    return error.model_copy(
        update={
            "code": error.code[:CODE_CHARS_MAX],
            "message": error.message[:MESSAGE_CHARS_MAX],
            "hint": error.hint[:MESSAGE_CHARS_MAX],
        }
    )


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def gigabytes(count: float) -> str:
    """Say a size as people do: "4 GB", "700 MB"."""
    if count >= 1024**3:
        return f"{count / 1024**3:.3g} GB"
    return f"{count / 1024**2:.0f} MB"
