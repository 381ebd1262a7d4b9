"""What a command is: its name, its arguments, who may say it, and the kind of job it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Who(StrEnum):
    ANYONE = "anyone"
    """Also somebody the hub does not know."""
    PERSON = "person"
    """Somebody with an account here."""


class Shape(StrEnum):
    """What an argument looks like."""

    WORD = "word"
    """One word, or several in quotes."""
    REST = "rest"
    """All that is left, quotes and all."""
    DURATION = "duration"
    """90, 90s, 10m or 1h; becomes seconds."""
    FLAG = "flag"
    """The argument's own name, said or not; becomes true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    name: str
    summary: str = ""
    shape: Shape = Shape.WORD
    required: bool = False
    choices: tuple[str, ...] = ()
    named_only: bool = False
    """Only as name=value, never by place."""
    input: str = ""
    """The kind's input it fills; the argument's own name when empty."""
    looks_like: re.Pattern[str] | None = None
    """A word of this look goes here even when an earlier place is still free."""
    is_exact: bool = False
    """Only a word of that look goes here; any other belongs to the next place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    summary: str
    """One line, for menus."""
    arguments: tuple[Argument, ...] = ()
    example: str = ""
    who: Who = Who.PERSON
    kind: str = ""
    """The kind of job it makes; empty when the hub answers by itself."""
    in_menu: bool = True

    @property
    def usage(self) -> str:
        """How to type it: "/train [FILE] [TARGET] [budget=…]"."""
        return " ".join((f"/{self.name}", *(_usage(a) for a in self.arguments)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A command as somebody said it."""

    command: Command
    values: Mapping[str, str] = field(default_factory=dict)
    """By argument name; what was left out is missing."""
    worker: str = ""
    """The machine pinned by @name; empty when none was."""


def _usage(argument: Argument) -> str:
    if argument.named_only:
        text = f"{argument.name}=…"
    elif argument.choices:
        text = "|".join(argument.choices)
    else:
        text = argument.name.upper()
    return text if argument.required else f"[{text}]"
