"""Reads what somebody typed as a command of the table, or says what is wrong with it."""

from __future__ import annotations

import difflib
import re

from hub.frontends.commands import BY_NAME, Argument, Command, Shape, Spoken
from shared.errors import BadInput, LimitReached

TEXT_CHARS_MAX = 4000
"""Longer messages are refused: no command needs them, and a file is the place for a novel."""
SECONDS_BY_UNIT = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}

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
            place = self._next_place(token[0])
            is_rest = place is not None and place.shape is Shape.REST
            if place and is_rest and not (self._is_named_only(token) or self._is_machine(token)):
                # Curly quotes stay as typed here: the rest is a person's own text.
                self._values[place.name] = rest[token.start() :].strip()
                break
            self._take(token, place)
            at = token.end()
        self._check_complete()
        return Spoken(command=self._command, values=self._values, worker=self._worker)

    def _next_place(self, word: str) -> Argument | None:
        open_places = (
            a for a in self._command.arguments if not a.named_only and a.name not in self._values
        )
        return next((a for a in open_places if not a.is_exact or _looks_like(a, word)), None)

    def _fitting_place(self, word: str) -> Argument | None:
        open_places = (a for a in self._command.arguments if a.name not in self._values)
        return next((a for a in open_places if a.looks_like and a.looks_like.fullmatch(word)), None)

    def _is_named_only(self, token: re.Match[str]) -> bool:
        """Say whether a word names an argument that has no place: it is not part of the rest."""
        key = token["key"] or (token["bare"] or "").partition("=")[0]
        named = self._named(key.lower()) if "=" in token[0] else None
        return named is not None and named.named_only

    def _is_machine(self, token: re.Match[str]) -> bool:
        """Say whether a word pins a computer; of commands that make no job, none does."""
        return bool(self._command.kind and re.fullmatch(r"@[^\s@]+", token["bare"] or ""))

    def _take(self, token: re.Match[str], place: Argument | None) -> None:
        bare = token["bare"]
        if bare is None:
            word = token["double"] if token["double"] is not None else token["single"]
            key = token["key"] or ""
        elif self._is_machine(token):
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


def _looks_like(argument: Argument, word: str) -> bool:
    return argument.looks_like is not None and bool(argument.looks_like.fullmatch(word))


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


def _article(name: str) -> str:
    words = {"id": "a job's four characters", "text": "some words", "value": "an answer"}
    return words.get(name, f"a {name}")
