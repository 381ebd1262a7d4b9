"""What a person is shown, before any frontend lays it out.

Wording turns events into Views once for all frontends; `degraded` fits a View to what one
frontend can do (buttons become numbered lines, long text is cut with a note).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.ids import ConversationId, JobId, PersonId, QuestionId, short


class Tone(StrEnum):
    """State is always icon + word + colour; these are the words."""

    PLAIN = "plain"
    WAITING = "waiting"
    RUNNING = "running"
    ASKING = "asking"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    says: str
    """What tapping it says, as a command: "/answer 018f… Churn"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    stage: str
    done: float
    total: float
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One message to a person."""

    text: str
    """The message; plain text, lines separated by newlines."""
    tone: Tone = Tone.PLAIN
    buttons: tuple[Button, ...] = ()
    progress: Progress | None = None
    subject: str = ""
    """Views of one subject (a job, a question) replace each other where edits are possible."""
    final: bool = False
    """The last word on its subject; sent as a message of its own, so that the phone pings."""
    settles: str = ""
    """Of a last word: what the earlier message on its subject reads from now on; it is no longer
    the place to look at. Empty leaves that message as it is."""
    job_id: JobId | None = None
    question_id: QuestionId | None = None
    key: str = ""
    """Names this message: a frontend that can tell shows the same key once, however often it is
    sent. Empty for immediate answers, which are sent once."""

    @property
    def is_status(self) -> bool:
        """Whether it is the message on a job that is edited in place until the last word."""
        return self.subject.startswith("job:") and not self.final


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendCapabilities:
    """What a frontend can do; fixed for its lifetime."""

    buttons_max: int = 0
    """0: no buttons, choices become numbered lines."""
    edit: bool = False
    text_chars_max: int = 1600
    min_edit_interval_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who spoke, as far as the frontend can tell."""

    frontend: str
    external_id: str
    """The platform's own id of the account."""
    name: str
    person_id: PersonId | None = None
    """Set by the hub once the identity is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Something a person said, anywhere."""

    conversation: ConversationId
    sender: Sender
    text: str
    dedupe: str
    """The platform's id of the update: a second arrival is ignored."""
    in_group: bool = False


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def degraded(view: View, capabilities: FrontendCapabilities) -> View:
    """Fit a view to a frontend.

    Where there are too few buttons, the choices of a question become numbered lines, since a
    number answers it; any other button becomes the command it says.
    """
    text, buttons = view.text, view.buttons
    if len(buttons) > capabilities.buttons_max:
        if view.question_id is not None:
            lines = [f"{number}. {button.label}" for number, button in enumerate(buttons, start=1)]
        else:
            lines = [f"{button.label}: {_typed(button.says)}" for button in buttons]
        text = "\n".join([text, *lines])
        buttons = ()
    if len(text) > capabilities.text_chars_max:
        text = text[: capabilities.text_chars_max - 2].rstrip() + " …"
    return replace(view, text=text, buttons=buttons)


def _typed(says: str) -> str:
    """A command as a person would type it, ids in their short form."""
    return _ID.sub(lambda found: short(found[0]), says)
