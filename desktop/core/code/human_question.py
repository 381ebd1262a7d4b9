"""What an agent asks its person with `ask_human`: checked, bounded, and made a question of ours.

Every word of it is a model's: it is shown to people as plain text, and is never an approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.plain_text import plain, plain_line
from shared.questions import Asking, Choice, QuestionKind

AGENT_ASKS = "The agent asks: "
"""Before all words of an agent's that ask for something: nobody shall take them for Deskhand's."""
QUESTION_CHARS_MAX = 2000
WHY_CHARS_MAX = 1500
OPTION_CHARS_MAX = 200
OPTIONS_MAX = 8
DEFAULT_CHARS_MAX = 1000


class HumanQuestion(BaseModel):
    """One question of an agent's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(min_length=1, max_length=20_000)
    options: tuple[str, ...] = Field(default=(), max_length=50)
    default: str | None = Field(default=None, max_length=20_000)
    """What the agent would do by itself; taken when nobody answers in time."""
    why: str = Field(default="", max_length=20_000)

    @field_validator("options", mode="before")
    @classmethod
    def _no_options(cls, options: object) -> object:
        return () if options is None else options

    @field_validator("why", mode="before")
    @classmethod
    def _no_reason(cls, why: object) -> object:
        return "" if why is None else why

    @property
    def text(self) -> str:
        """The question as people read it."""
        asked = AGENT_ASKS + (plain(self.question)[:QUESTION_CHARS_MAX].strip() or "?")
        why = plain(self.why)[:WHY_CHARS_MAX].strip()
        return f"{asked}\n\nWhy: {why}" if why else asked

    @property
    def key(self) -> str:
        """The same for the same question, so that an agent that asks again hears the answer."""
        words = [" ".join(self.question.split()).casefold(), list(self._options())]
        told = json.dumps(words, ensure_ascii=False).encode()
        return f"ask:{hashlib.sha256(told).hexdigest()[:32]}"

    def asking(self) -> Asking:
        """Make it a question for the person."""
        options = self._options()
        default = plain(self.default)[:DEFAULT_CHARS_MAX].strip() if self.default else ""
        return Asking(
            key=self.key,
            kind=QuestionKind.CLARIFICATION,
            text=self.text,
            choices=tuple(Choice(value=option, label=option) for option in options),
            allow_text=True,
            default=default or None,
        )

    def _options(self) -> Sequence[str]:
        shown = (plain_line(option)[:OPTION_CHARS_MAX].strip() for option in self.options)
        return tuple(dict.fromkeys(filter(None, shown)))[:OPTIONS_MAX]
