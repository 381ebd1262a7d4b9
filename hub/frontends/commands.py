"""One command table for every frontend: names, arguments, help, and who may.

Chat menus, `/help` and the parsing of what people type come from this table. What a command
does is the inbox's part; a command that names a kind simply makes a job of it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.errors import BadInput, LimitReached

TEXT_CHARS_MAX = 4000
"""Longer messages are refused: no command needs them, and a file is the place for a novel."""
SECONDS_BY_UNIT = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


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


_FILE = Argument(
    name="file",
    summary="a file in an allowed folder, by name or path",
    looks_like=re.compile(r"(?i).*\.(csv|tsv|txt|xlsx|xls|parquet)"),
)
_ID = Argument(name="id", summary="the four characters after #", required=True)

_REQUEST = Argument(name="id", summary="who waits, as told", required=True)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="start",
        summary="What this is, and what to do first",
        who=Who.ANYONE,
        arguments=(Argument(name="code", summary="an invitation"),),
    ),
    Command(
        name="help",
        summary="All commands, or one in detail",
        who=Who.ANYONE,
        arguments=(Argument(name="command"),),
        example="/help train",
    ),
    Command(name="connect", summary="Get a code that pairs a computer"),
    Command(
        name="pair",
        summary="Connect the computer that shows a code",
        arguments=(Argument(name="code", summary="what it shows", required=True),),
        example="/pair WDJB-MJHT",
    ),
    Command(
        name="approve",
        summary="Let a computer or a person in; buttons say this",
        arguments=(_REQUEST,),
        example="/approve K7Q2",
        in_menu=False,
    ),
    Command(
        name="reject",
        summary="Turn a computer or a person away; buttons say this",
        arguments=(_REQUEST,),
        example="/reject K7Q2",
        in_menu=False,
    ),
    Command(
        name="unlink",
        summary="Let a chat account speak for you no more; buttons say this",
        arguments=(
            Argument(name="frontend", required=True),
            Argument(name="account", required=True),
        ),
        example="/unlink telegram 4711",
        in_menu=False,
    ),
    Command(
        name="disconnect",
        summary="Disconnect a computer, or this chat",
        arguments=(
            Argument(name="name", summary="a computer's name, or: chat"),
            Argument(name="sure", choices=("yes",)),
        ),
        example="/disconnect studio-mac",
    ),
    Command(name="lock", summary="Stop everything and let no chat start anything"),
    Command(name="workers", summary="Your computers and how they are"),
    Command(
        name="worker",
        summary="Look at one computer; pause, revoke, start at login",
        arguments=(
            Argument(name="name", required=True),
            Argument(name="action", choices=("pause", "resume", "revoke", "autostart")),
            Argument(name="switch", summary="of autostart", choices=("on", "off", "status")),
        ),
        example="/worker anna-pc pause",
    ),
    Command(
        name="train",
        summary="Train a model on a table",
        arguments=(
            _FILE,
            Argument(name="target", summary="the column to predict"),
            Argument(
                name="budget",
                summary="how long it may take: 60, 10m, 1h",
                shape=Shape.DURATION,
                named_only=True,
                input="budget_seconds",
            ),
            Argument(name="name", summary="what to call the model", named_only=True),
        ),
        example="/train sales.csv Revenue budget=5m",
        kind="ml.train",
    ),
    Command(
        name="predict",
        summary="Predict the rows of a file with a trained model",
        arguments=(Argument(name="model", summary="a model's name or number"), _FILE),
        example="/predict churn new.csv",
        kind="ml.predict",
    ),
    Command(
        name="describe",
        summary="Say what is in a table: columns, gaps, trouble",
        arguments=(_FILE,),
        example='/describe "sales 2025.xlsx"',
        kind="data.describe",
    ),
    Command(
        name="head",
        summary="Show the first rows of a table",
        arguments=(_FILE,),
        example="/head sales.csv",
        kind="files.head",
        in_menu=False,
    ),
    Command(name="models", summary="List the trained models", kind="ml.models"),
    Command(
        name="model",
        summary="Look at one model, or get its plots",
        arguments=(
            Argument(name="model", summary="its name, or its number in /models"),
            Argument(
                name="plot",
                shape=Shape.FLAG,
                choices=("plot",),
                looks_like=re.compile(r"(?i)plots?"),
            ),
        ),
        example="/model 3 plot",
        kind="ml.model",
    ),
    Command(
        name="send",
        summary="Send a file of your computer into this chat",
        arguments=(
            Argument(
                name="file", summary="a file in an allowed folder; #K7Q2: the one that job wrote"
            ),
        ),
        example="/send sales.predictions.csv",
        kind="files.send",
    ),
    Command(name="jobs", summary="What runs, waits and has run"),
    Command(name="job", summary="One job with its history", arguments=(_ID,), example="/job K7Q2"),
    Command(name="cancel", summary="Stop a job", arguments=(_ID,), example="/cancel K7Q2"),
    Command(
        name="retry", summary="Run a failed job again", arguments=(_ID,), example="/retry K7Q2"
    ),
    Command(
        name="move",
        summary="Let another computer run a waiting job",
        arguments=(_ID, Argument(name="name", summary="the computer's name", required=True)),
        example="/move K7Q2 studio-mac",
        in_menu=False,
    ),
    Command(name="dead", summary="Jobs that ran out of tries"),
    Command(
        name="task",
        summary="Say in your own words what you want",
        arguments=(Argument(name="text", shape=Shape.REST, required=True),),
        example="/task summarize the report in Documents/acme",
        # A menu promises; nothing can plan from plain words yet.
        in_menu=False,
    ),
    Command(
        name="answer",
        summary="Answer a question; buttons say this",
        arguments=(_ID, Argument(name="value", shape=Shape.REST, required=True)),
        in_menu=False,
    ),
)

BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}

_TOKEN = re.compile(
    r'(?:(?P<key>[A-Za-z_]+)=)?(?:"(?P<double>[^"]*)"|\'(?P<single>[^\']*)\')(?=\s|$)'
    r"|(?P<bare>\S+)"
)
_CURLY = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})
_NAME = re.compile(r"/(?P<name>[A-Za-z_]\w*)(?:@\S*)?(?:\s+|$)", re.ASCII)
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]*)", re.IGNORECASE)


def parse(text: str) -> Spoken | None:
    """Read what somebody typed; None when it is plain text and no command.

    Quotes (also the curly ones phones make) keep words together; a quote that is never closed
    is an ordinary character, and so is a backslash: file names are common here, shells are not.

    Raises:
        BadInput: `command_unknown`, `argument_missing`, `argument_unknown`,
            `arguments_too_many`, `argument_invalid`.
        LimitReached: `text_too_long`.
    """
    text = text.strip()
    if len(text) > TEXT_CHARS_MAX:
        raise LimitReached(
            "text_too_long",
            f"That message has {len(text):,} characters; at most {TEXT_CHARS_MAX:,} can be read.",
            "Put long material into a file and name the file.",
        )
    if not text.startswith("/"):
        return None
    match = _NAME.match(text)
    if match is not None:
        return _Reader(command_named(match["name"])).read(text[match.end() :])
    word = text[1:].partition(" ")[0]
    if "/" in word:
        # A path, most likely the answer to "Which file?".
        return None
    raise _unknown_command(word)


def command_named(name: str) -> Command:
    """Find a command, in any case.

    Raises:
        BadInput: `command_unknown`, with the nearest one as the hint.
    """
    command = BY_NAME.get(name.lower())
    if command is None:
        raise _unknown_command(name)
    return command


def _unknown_command(name: str) -> BadInput:
    asked = name.lower()
    near = difflib.get_close_matches(asked, BY_NAME, n=1, cutoff=0.6)
    return BadInput(
        "command_unknown",
        f"There is no command /{asked[:40]}.",
        f"Did you mean /{near[0]}?" if near else "/help lists what there is.",
    )


class _Reader:
    """Fills one command's arguments from the words behind its name."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._values: dict[str, str] = {}
        self._worker = ""

    def read(self, rest: str) -> Spoken:
        at = 0
        while (token := _TOKEN.search(rest.translate(_CURLY), at)) is not None:
            place = self._next_place()
            if place is not None and place.shape is Shape.REST:
                # Curly quotes stay as typed here: the rest is a person's own text.
                self._values[place.name] = rest[token.start() :].strip()
                break
            self._take(token, place)
            at = token.end()
        self._check_complete()
        return Spoken(command=self._command, values=self._values, worker=self._worker)

    def _next_place(self) -> Argument | None:
        open_places = (
            a for a in self._command.arguments if not a.named_only and a.name not in self._values
        )
        return next(open_places, None)

    def _fitting_place(self, word: str) -> Argument | None:
        open_places = (a for a in self._command.arguments if a.name not in self._values)
        return next((a for a in open_places if a.looks_like and a.looks_like.fullmatch(word)), None)

    def _take(self, token: re.Match[str], place: Argument | None) -> None:
        bare = token["bare"]
        if bare is None:
            word = token["double"] if token["double"] is not None else token["single"]
            key = token["key"] or ""
        elif re.fullmatch(r"@[^\s@]+", bare) and self._command.kind:
            self._worker = bare[1:]
            return
        else:
            key, _, word = bare.partition("=") if "=" in bare else ("", "", bare)
        named = self._named(key.lower()) if key else None
        if named is not None:
            self._put(named, word)
        elif key and bare is not None and place is not None and not self._looks_misspelt(key):
            # A file may well be called "a=b.csv".
            self._put(place, bare)
        elif key:
            raise self._unknown_argument(key)
        elif place is not None:
            self._put(self._fitting_place(word) or place, word)
        else:
            raise BadInput(
                "arguments_too_many",
                f"/{self._command.name} does not know what to do with '{word[:100]}'.",
                f"It goes like this: {self._command.usage}. Names with spaces need quotes.",
            )

    def _named(self, key: str) -> Argument | None:
        return next((a for a in self._command.arguments if a.name == key), None)

    def _looks_misspelt(self, key: str) -> bool:
        names = [a.name for a in self._command.arguments]
        return bool(difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.75))

    def _put(self, argument: Argument, word: str) -> None:
        self._values[argument.name] = _checked(self._command, argument, word)

    def _unknown_argument(self, key: str) -> BadInput:
        names = [a.name for a in self._command.arguments]
        near = difflib.get_close_matches(key.lower(), names, n=1)
        return BadInput(
            "argument_unknown",
            f"/{self._command.name} has no argument '{key[:40]}'.",
            f"Did you mean {near[0]}=?" if near else f"It goes like this: {self._command.usage}.",
        )

    def _check_complete(self) -> None:
        for argument in self._command.arguments:
            if argument.required and not self._values.get(argument.name):
                example = self._command.example or self._command.usage
                raise BadInput(
                    "argument_missing",
                    f"/{self._command.name} needs {_article(argument.name)}.",
                    f"For example: {example}",
                )


def _checked(command: Command, argument: Argument, word: str) -> str:
    if argument.shape is Shape.FLAG and argument.looks_like and argument.looks_like.fullmatch(word):
        return argument.name
    if argument.choices and word.lower() not in argument.choices:
        near = difflib.get_close_matches(word.lower(), argument.choices, n=1)
        raise BadInput(
            "argument_invalid",
            f"/{command.name} cannot '{word[:40]}'.",
            f"Did you mean {near[0]}?" if near else f"It can: {', '.join(argument.choices)}.",
        )
    if argument.choices:
        return word.lower()
    return _seconds(argument, word) if argument.shape is Shape.DURATION else word


def _seconds(argument: Argument, word: str) -> str:
    match = _DURATION.fullmatch(word.strip())
    scale = SECONDS_BY_UNIT.get(match["unit"].lower()) if match else None
    if match is not None and scale is not None and float(match["number"]) <= 0:
        raise BadInput(
            "argument_invalid",
            f"{argument.name} must be longer than 0.",
            "Write 60 for seconds, 10m for minutes or 1h for an hour.",
        )
    if match is None or scale is None:
        raise BadInput(
            "argument_invalid",
            f"'{word[:40]}' is no time I can read for {argument.name}.",
            "Write 60 for seconds, 10m for minutes or 1h for an hour.",
        )
    return f"{float(match['number']) * scale:g}"


def _usage(argument: Argument) -> str:
    if argument.named_only:
        text = f"{argument.name}=…"
    elif argument.choices:
        text = "|".join(argument.choices)
    else:
        text = argument.name.upper()
    return text if argument.required else f"[{text}]"


def _article(name: str) -> str:
    words = {"id": "a job's four characters", "text": "some words", "value": "an answer"}
    return words.get(name, f"a {name}")
