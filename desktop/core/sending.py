"""What may leave this machine: only files somebody asked for, and only as its owner allows.

Executors name files; whether one leaves is decided by the worker after the child is gone, with
what is written here. A child's word is a wish.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.policy import Policy
from shared.errors import AppError, BadInput, LimitReached, NotAllowed
from shared.jobs import Origin
from shared.kinds import FILE_BYTES_MAX, SENDS_MAX

KEPT_SECONDS = 24 * 3600.0
"""A copy that could not be brought to the hub is given up after this."""
OUTGOING_BYTES_MAX = 20 * FILE_BYTES_MAX
"""What all copies on their way may take on this machine."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A file that a job wants to hand over."""

    path: str
    """As the job names it: absolute, nothing to be resolved."""
    name: str
    """What the person is shown; the file's own name when empty."""


def refusal(origin: Origin, policy: Policy) -> AppError | None:
    """Return why nothing may leave for this origin, or None when files may."""
    return None if origin in policy.send_files else sending_refused(origin)


def sending_refused(origin: Origin) -> NotAllowed:
    return NotAllowed(
        "sending_refused",
        f"The owner of this machine does not let files leave it for {_WORDS[origin]}.",
        "send_files in the policy file on that machine decides; `deskhand doctor` there shows "
        "where it is.",
    )


def too_many() -> LimitReached:
    return LimitReached(
        "files_too_many",
        f"A job hands over {SENDS_MAX} files at most.",
        "Ask for fewer at once.",
    )


def too_large(name: str) -> LimitReached:
    return LimitReached(
        "file_too_large",
        f"{name} is larger than {FILE_BYTES_MAX // 10**6} MB, the most a chat takes.",
        "Fetch it on that machine, or send a smaller part of it.",
    )


def not_plain(name: str) -> BadInput:
    return BadInput("file_not_plain", f"{name} is no ordinary file.", "Name a file.")


def changing(name: str) -> BadInput:
    return BadInput(
        "file_changing",
        f"{name} was written to while it was read.",
        "Ask again once that program is done.",
    )


_WORDS = {
    Origin.LOCAL: "the chat window",
    Origin.CHAT: "a chat",
    Origin.GROUP: "a group",
    Origin.API: "the API",
}
