"""A job waiting for a person: what is asked, which answers fit, and what was answered.

There is no conversation code in any frontend. An executor asks; each frontend renders the
question its own way (buttons, a form, numbered lines) and returns the same Answer.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

QUESTION_SECONDS = 30 * 60
"""How long a question stays open before its default is taken or its job is parked."""
CHOICES_MAX = 50
TEXT_CHARS_MAX = 4000


class QuestionKind(StrEnum):
    CLARIFICATION = "clarification"
    """Something is missing or unclear; free text is usually welcome."""
    CHOICE = "choice"
    """One of the choices."""
    APPROVAL = "approval"
    """May an effect happen? Never has "yes" as its default."""


class Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str = Field(max_length=TEXT_CHARS_MAX)
    """What the job gets when this is chosen."""
    label: str = Field(max_length=200)
    """What the person reads on the button."""
    detail: str = Field(default="", max_length=400)
    """A few more words where there is room: "2.1 MB · yesterday"."""


class Asking(BaseModel):
    """What an executor wants to know; it becomes a Question once the worker has journalled it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=1, max_length=100)
    """Names the answer within the job ("file", "target"). A later attempt of the same job that
    asks the same key gets the answer already given, without asking again."""
    kind: QuestionKind
    text: str = Field(min_length=1, max_length=TEXT_CHARS_MAX)
    choices: tuple[Choice, ...] = Field(default=(), max_length=CHOICES_MAX)
    allow_text: bool = False
    """Whether an answer that is none of the choices is welcome."""
    default: str | None = None
    """Taken when nobody answers in time; None parks the job until someone does."""
    more: str = Field(default="", max_length=100, exclude_if=lambda more: not more)
    """A kind of job that shows what this is about, made when the person wants it: "code.diff".
    It gets the asking job's id as its input "job". Empty, and then not written, for none."""

    def label_of(self, value: str) -> str:
        """Say an answer's value as people read it."""
        return next((c.label for c in self.choices if c.value == value), value)


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str = Field(max_length=TEXT_CHARS_MAX)
    by: str = Field(max_length=100)
    """Who answered, in words: "anna on Telegram", "default"."""


def match(asking: Asking, reply: str) -> str | None:
    """Turn what a person typed into an answer's value, or None when it fits nothing.

    Accepts a choice's value or label (any case), its number counted from 1, a prefix that only
    one label has, and free text where the question welcomes it.
    """
    text = reply.strip()
    folded = text.casefold()
    for choice in asking.choices:
        if folded in (choice.value.casefold(), choice.label.casefold()):
            return choice.value
    if text.isdecimal() and 1 <= int(text) <= len(asking.choices):
        return asking.choices[int(text) - 1].value
    starting = [c for c in asking.choices if c.label.casefold().startswith(folded)]
    if folded and len(starting) == 1:
        return starting[0].value
    return text if asking.allow_text and text else None
