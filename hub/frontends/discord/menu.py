"""The slash commands: made from the one command table, and read back into what a person would type.

Both ways go through `parsing`, so that a command means the same wherever it is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from hub.frontends.commands import BY_NAME, COMMANDS, Argument, Command, Shape
from hub.frontends.inbox import PRIVATE_COMMANDS
from hub.frontends.parsing import parse
from shared.errors import AppError

SUMMARY_CHARS_MAX = 100
COMMANDS_MAX = 100
OPTIONS_MAX = 25
COMPUTER = "computer"
"""The option that pins a machine, as @name does where one types."""
NEEDED = frozenset({"answer", "task"})
"""Where the bot does not hear words, these are the way to say them."""

Value = str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    name: str
    summary: str
    is_required: bool = False
    is_switch: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One slash command."""

    name: str
    summary: str
    options: tuple[Option, ...]
    is_private: bool
    """Offered in direct messages alone."""


def menu() -> tuple[Entry, ...]:
    """The commands as Discord lists them."""
    listed = [c for c in COMMANDS if c.in_menu or c.name in NEEDED]
    return tuple(_entry(command) for command in listed[:COMMANDS_MAX])


def said_by_options(name: str, values: Mapping[str, Value]) -> str:
    """What somebody would have typed who chose a command and filled its options."""
    command = BY_NAME.get(name)
    if command is None:
        return f"/{name}"
    told = {key: _word(command, key, value) for key, value in values.items()}
    told = {key: word for key, word in told.items() if word}
    ways = [_typed(command, told, is_named=is_named) for is_named in (True, False)]
    return next((way for way in ways if _means(way, told)), ways[1])


def _entry(command: Command) -> Entry:
    options = [_option(argument) for argument in command.arguments]
    if command.kind and COMPUTER not in [option.name for option in options]:
        options.append(Option(name=COMPUTER, summary="which of your computers; any if left out"))
    # Discord takes what is required before what is not.
    options.sort(key=lambda option: not option.is_required)
    return Entry(
        name=command.name,
        summary=command.summary[:SUMMARY_CHARS_MAX],
        options=tuple(options[:OPTIONS_MAX]),
        is_private=command.name in PRIVATE_COMMANDS,
    )


def _option(argument: Argument) -> Option:
    is_switch = argument.shape is Shape.FLAG
    return Option(
        name=argument.name,
        summary=(argument.summary or argument.name.capitalize())[:SUMMARY_CHARS_MAX],
        is_required=argument.required,
        is_switch=is_switch,
        choices=() if is_switch else argument.choices,
    )


def _word(command: Command, key: str, value: Value) -> str:
    if isinstance(value, bool):
        return key if value else ""
    rest = any(a.name == key and a.shape is Shape.REST for a in command.arguments)
    return value.strip() if rest else " ".join(value.split())


def _typed(command: Command, told: Mapping[str, str], *, is_named: bool) -> str:
    """Write what was chosen as one line: named options and the machine first, free words last."""
    arguments = [a for a in command.arguments if a.name in told]
    named = [a for a in arguments if a.named_only]
    placed = [a for a in arguments if not a.named_only and a.shape is not Shape.REST]
    rest = [told[a.name] for a in arguments if a.shape is Shape.REST]
    words = chain(
        (f"/{command.name}",),
        (f"{a.name}={_quoted(told[a.name])}" for a in named),
        (f"@{told[COMPUTER]}",) if told.get(COMPUTER) else (),
        (_placed(a, told[a.name], is_named=is_named) for a in placed),
        rest,
    )
    return " ".join(words)


def _placed(argument: Argument, word: str, *, is_named: bool) -> str:
    is_bare = argument.shape is Shape.FLAG or not is_named
    return _quoted(word) if is_bare else f"{argument.name}={_quoted(word)}"


def _quoted(word: str) -> str:
    """Keep a word together; a name with both kinds of quotes loses one."""
    if word and not any(sign in word for sign in " \t\"'“”„‘’="):
        return word
    if '"' not in word and not set(word) & set("“”„"):
        return f'"{word}"'
    kept = "".join(character for character in word if character not in "'‘’")
    return f"'{kept}'"


def _means(typed: str, told: Mapping[str, str]) -> bool:
    """Whether a line is read as what was chosen."""
    try:
        spoken = parse(typed)
    except AppError:
        return False
    chosen = {key for key in told if key != COMPUTER}
    if spoken is None or set(spoken.values) != chosen:
        return False
    plain = [a for a in spoken.command.arguments if a.shape in (Shape.WORD, Shape.REST)]
    return all(
        spoken.values[a.name] == told[a.name] for a in plain if a.name in chosen and not a.choices
    )
