"""The text of a definition read into plain values, and nothing else: no tag, no merge, no bomb.

YAML comes in as events and is put together here, so that depth, size and copies are bounded and
every fault has its line. Scalars are read as YAML 1.2's core schema says (yaml.org/spec/1.2.2,
section 10.3.2): `yes`, `no` and `on` are words, as an answer's label wants them; dates are, too.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import JsonValue

from shared.errors import BadInput, LimitReached
from shared.kinds import JsonObject
from shared.plain_text import plain_line

if TYPE_CHECKING:
    import yaml

Place = tuple[str | int, ...]
"""Names and numbers that lead to a value: ("scenarios", 3, "prompt")."""

TEXT_BYTES_MAX = 8 * 1024 * 1024
VALUES_MAX = 1_000_000
"""Values of one definition, those that aliases repeat counted again."""
CHARS_MAX = 4 * TEXT_BYTES_MAX
"""Of all its texts, counted likewise: a few bytes of alias repeat megabytes."""
DEPTH_MAX = 32
NUMBER_CHARS_MAX = 100
"""Longer digits are no number that anybody means, and slow to read."""
SHOWN_CHARS_MAX = 80

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, JsonValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TAGS = frozenset({None, "!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))})
HINT = "Mend the file there; docs/probe-definition.md has an example to start from."


def read_text(raw: bytes) -> JsonObject:
    """Read a definition's bytes: YAML or JSON, in UTF-8.

    Raises:
        BadInput: `definition_unreadable`, naming the line.
        LimitReached: `definition_too_large`.
    """
    if len(raw) > TEXT_BYTES_MAX:
        raise _too_large(f"it has more than {TEXT_BYTES_MAX // 1024**2} MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _fault(line, "it is not written in UTF-8", "Save it as UTF-8.") from None
    value = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    if not isinstance(value, dict):
        raise _fault(1, "it has to be a list of names and values, as in 'name: dilemmas'")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # JSON can write halves of characters, which no file and no provider takes.
        raise BadInput(
            "definition_unreadable", "The definition has half a character (\\ud800) in it.", HINT
        ) from None
    return value


def lines_of(raw: bytes) -> dict[Place, int]:
    """Find the line of each value; nothing for JSON, and for what cannot be read."""
    text = raw.decode("utf-8-sig", "replace")
    lines: dict[Place, int] = {}
    if raw and not text.lstrip().startswith("{"):
        with contextlib.suppress(BadInput, LimitReached):
            _Build(lines).read(text)
    return lines


def line_of(lines: Mapping[Place, int], place: Place) -> int | None:
    """Return the line where a value stands, or the nearest around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


def _yaml(text: str) -> JsonValue:
    return _Build().read(text)


@dataclass(slots=True)
class _Open:
    """A list or a mapping that is not closed yet."""

    value: list[JsonValue] | dict[str, JsonValue]
    anchor: str | None
    values_before: int
    chars_before: int
    place: Place
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A complete value that aliases may repeat, and how much is in it."""

    value: JsonValue
    count: int
    chars: int


@dataclass(slots=True)
class _Build:
    """Puts the events of one document together."""

    lines: dict[Place, int] | None = None
    """Where each value stands, if somebody wants to know."""
    count: int = 0
    chars: int = 0
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    """An open value is not there yet, so that nothing can hold itself."""
    root: list[JsonValue] = field(default_factory=list)

    def read(self, text: str) -> JsonValue:
        import yaml

        try:
            for event in _events(text):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise _fault(_line(mark), error.problem or "it is no YAML") from None
        except yaml.YAMLError as error:
            raise _fault(1, str(error)) from None
        return self.root[0] if self.root else None

    def _take(self, event: yaml.Event) -> None:
        import yaml

        line = _line(event.start_mark)
        match event:
            case yaml.DocumentStartEvent() if self.root:
                raise _fault(line, "a second document begins", "Write one definition a file.")
            case yaml.ScalarEvent():
                self._take_scalar(event, line)
            case yaml.AliasEvent():
                self._take_alias(str(event.anchor), line)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                _check_tag(event.tag, line)
                self._begin([] if isinstance(event, yaml.SequenceStartEvent) else {}, event, line)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                ended = self.open.pop()
                if ended.anchor is not None:
                    count = self.count - ended.values_before
                    chars = self.chars - ended.chars_before
                    self.anchors[ended.anchor] = _Anchored(ended.value, count, chars)
            case _:
                pass

    def _take_scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        _check_tag(event.tag, line)
        if self._is_at_key():
            # A key is a name, whatever it looks like: a label may be `1` or `true`.
            self._take_key(event, line)
            return
        value = _scalar(event.value, line) if event.implicit[0] else event.value
        self._count(1, len(event.value), line)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(value, 1, len(event.value))
        self._put(value, line)

    def _take_key(self, event: yaml.ScalarEvent, line: int) -> None:
        here = self.open[-1]
        assert isinstance(here.value, dict)
        key = str(event.value)
        if key == "<<" and event.implicit[0]:
            raise _fault(line, "'<<' is not supported", "Write the fields out.")
        if event.anchor is not None:
            raise _fault(line, "a name cannot have an anchor", "Put it before the value.")
        if key in here.value:
            raise _fault(line, f"'{_shown(key)}' stands twice", "Keep one of them.")
        self._count(0, len(key), line)
        here.key = key

    def _take_alias(self, anchor: str, line: int) -> None:
        if self._is_at_key():
            raise _fault(line, "a name cannot be an alias", "Write it out.")
        if anchor not in self.anchors:
            raise _fault(line, f"'*{_shown(anchor)}' stands for nothing that is complete here")
        known = self.anchors[anchor]
        self._count(known.count, known.chars, line)
        self._put(known.value, line)

    def _begin(
        self,
        value: list[JsonValue] | dict[str, JsonValue],
        event: yaml.SequenceStartEvent | yaml.MappingStartEvent,
        line: int,
    ) -> None:
        if self._is_at_key():
            raise _fault(line, "a list cannot be a name", "Put quotes around it.")
        if len(self.open) == DEPTH_MAX:
            raise _too_large(f"line {line} is nested deeper than {DEPTH_MAX} levels")
        before, chars_before = self.count, self.chars
        self._count(1, 0, line)
        place = self._put(value, line)
        self.open.append(_Open(value, event.anchor, before, chars_before, place))

    def _is_at_key(self) -> bool:
        here = self.open[-1] if self.open else None
        return here is not None and isinstance(here.value, dict) and here.key is None

    def _put(self, value: JsonValue, line: int) -> Place:
        """Put a value where it belongs, and return that place."""
        place: Place = ()
        if not self.open:
            self.root.append(value)
        else:
            here = self.open[-1]
            if isinstance(here.value, list):
                place = (*here.place, len(here.value))
                here.value.append(value)
            else:
                assert here.key is not None
                place = (*here.place, here.key)
                here.value[here.key] = value
                here.key = None
        if self.lines is not None:
            self.lines[place] = line
        return place

    def _count(self, count: int, chars: int, line: int) -> None:
        self.count += count
        self.chars += chars
        if self.count > VALUES_MAX:
            raise _too_large(f"up to line {line} it holds more than {VALUES_MAX:,} values")
        if self.chars > CHARS_MAX:
            raise _too_large(f"up to line {line} it holds more than {CHARS_MAX:,} characters")


def _events(text: str) -> Iterator[yaml.Event]:
    """Parse; the C parser where PyYAML brings one, which is ten times as fast."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.parse(text, Loader=loader)


def _line(mark: yaml.Mark | yaml._yaml.Mark | None) -> int:
    return 1 if mark is None else mark.line + 1


def _check_tag(tag: str | None, line: int) -> None:
    if tag not in _TAGS:
        raise _fault(line, f"'{_shown(str(tag))}' is not supported", "Leave the tag out.")


def _scalar(text: str, line: int) -> JsonValue:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > NUMBER_CHARS_MAX:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        value = float(text)
        if not math.isfinite(value):
            raise _fault(line, f"{_shown(text)} is too large a number")
        return value
    return text


def _json(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_number, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise _fault(error.lineno, f"{error.msg} in its JSON") from None
    except RecursionError:
        raise _too_large("it is nested too deeply") from None
    if _depth_is_over(value):
        raise _too_large(f"it is nested deeper than {DEPTH_MAX} levels")
    return value


def _unique(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadInput(
            "definition_unreadable",
            f"The definition cannot be read: '{_shown(twice)}' stands twice in one object.",
            "Keep one of them.",
        )
    return found


def _no_number(word: str) -> JsonValue:
    raise BadInput(
        "definition_unreadable", f"The definition cannot be read: {word} is no number.", HINT
    )


def _whole(digits: str) -> int:
    if len(digits) > NUMBER_CHARS_MAX:
        raise _too_large("a number has too many digits")
    return int(digits)


def _depth_is_over(value: JsonValue) -> bool:
    level: list[JsonValue] = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [
            below
            for one in level
            for below in (one.values() if isinstance(one, dict) else one)  # type: ignore[union-attr]
            if isinstance(below, (dict, list))
        ]
        if not level:
            return False
    return True


def _shown(text: str) -> str:
    one_line = plain_line(text)
    return one_line if len(one_line) <= SHOWN_CHARS_MAX else f"{one_line[:SHOWN_CHARS_MAX]}…"


def _fault(line: int, what: str, hint: str = HINT) -> BadInput:
    return BadInput(
        "definition_unreadable",
        f"The definition cannot be read: in line {line} {_shown(what)}.",
        hint,
    )


def _too_large(what: str) -> LimitReached:
    return LimitReached(
        "definition_too_large",
        f"The definition is too large: {what}.",
        "Split it into several runs, or let 'vary' make its scenarios.",
    )
