"""Puts the pieces of a streamed reply together before a library reads them.

Nobody looks at a probe's words while they come; only when the first came is of interest. A
library takes 0.2 ms for every piece, a reply has hundreds. So pieces of one text become one piece,
and whatever else is in the stream, or is not understood, passes as it is.
"""

from __future__ import annotations

import json
from typing import Any

from desktop.core.llm.types import Format

HELD_BYTES_MAX = 8 * 1024 * 1024
"""An event that does not end before this goes on unread."""
TEXTS = ("content", "reasoning_content", "reasoning")
"""Where OpenAI's format, and those who added to it, put the pieces of a text."""
PIECES = {"text_delta": "text", "thinking_delta": "thinking"}
"""The same for Anthropic's."""
BREAK = b"\n\n"


class Gatherer:
    """The events of one stream, one after the other."""

    def __init__(self, format_: Format) -> None:
        self._format = format_
        self._rest = b""
        # The first event of a text, into which the pieces of those that follow go.
        self._held: dict[str, Any] | None = None
        self._place = ""
        self._pieces: list[str] = []
        self.has_begun = False
        """Whether a piece of text, or of reasoning, has come."""

    def feed(self, chunk: bytes) -> bytes:
        """Take what came; return what may go on."""
        *events, self._rest = (self._rest + chunk.replace(b"\r\n", b"\n")).split(BREAK)
        out = b"".join(self._take(event) for event in events)
        if len(self._rest) > HELD_BYTES_MAX:
            out, self._rest = out + self._flush() + self._rest, b""
        return out

    def end(self) -> bytes:
        """Return what is left when the stream has ended."""
        rest, self._rest = self._rest, b""
        return self._flush() + rest

    def _take(self, event: bytes) -> bytes:
        told = _data_of(event)
        if told is not None and self._held is not None and self._closes(self._held, told):
            return b""
        found = None if told is None else self._piece(told)
        if told is None or found is None:
            return self._flush() + event + BREAK
        place, piece = found
        self.has_begun = self.has_begun or bool(piece)
        out = b""
        if self._held is None or place != self._place:
            out, self._held, self._place = self._flush(), told, place
        self._pieces.append(piece)
        return out

    def _closes(self, held: dict[str, Any], told: dict[str, Any]) -> bool:
        """Put what closes a reply into the event of its text: why it ended, and what it used."""
        choices, usage = told.get("choices"), told.get("usage")
        if self._format is not Format.OPENAI or "error" in told or not isinstance(choices, list):
            return False
        if choices and not _is_end(choices):
            return False
        if not choices and not isinstance(usage, dict):
            return False
        if choices:
            held["choices"][0]["finish_reason"] = choices[0]["finish_reason"]
        if isinstance(usage, dict):
            held["usage"] = usage
        return True

    def _flush(self) -> bytes:
        told, self._held = self._held, None
        if told is None:
            return b""
        text, self._pieces = "".join(self._pieces), []
        if self._format is Format.ANTHROPIC:
            told["delta"][PIECES[told["delta"]["type"]]] = text
            return b"event: content_block_delta\ndata: " + json.dumps(told).encode() + BREAK
        told["choices"][0]["delta"][self._place] = text
        return b"data: " + json.dumps(told).encode() + BREAK

    def _piece(self, told: dict[str, Any]) -> tuple[str, str] | None:
        """Return which text an event is a piece of, and the piece; None for any other event."""
        if self._format is Format.ANTHROPIC:
            return _anthropic_piece(told)
        return _openai_piece(told)


class Whole:
    """A reply in OpenAI's format that came whole though a stream was asked for.

    Small servers know no streams. What comes is told as a stream of one piece.
    """

    has_begun = False

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        self._chunks.append(chunk)
        return b""

    def end(self) -> bytes:
        raw = b"".join(self._chunks)
        told = _object(raw)
        choices = told.get("choices") if told else None
        if told is None or not (isinstance(choices, list) or "error" in told):
            return raw
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and "message" in choice:
                choice["delta"] = choice.pop("message")
        return b"data: " + json.dumps(told).encode() + BREAK + b"data: [DONE]" + BREAK


def _openai_piece(told: dict[str, Any]) -> tuple[str, str] | None:
    choices = told.get("choices")
    if told.get("usage") or "error" in told or not isinstance(choices, list) or len(choices) != 1:
        return None
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") or choice.get("logprobs"):
        return None
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return None
    filled = [name for name, part in delta.items() if part is not None and name != "role"]
    if len(filled) != 1 or filled[0] not in TEXTS or not isinstance(delta[filled[0]], str):
        return None
    return filled[0], delta[filled[0]]


def _is_end(choices: list[Any]) -> bool:
    """Whether an event says why a reply ended, and nothing else."""
    choice = choices[0]
    if len(choices) != 1 or not isinstance(choice, dict) or choice.get("logprobs"):
        return False
    delta = choice.get("delta")
    if not isinstance(choice.get("finish_reason"), str) or not isinstance(delta, dict):
        return False
    return all(not part for name, part in delta.items() if name != "role")


def _anthropic_piece(told: dict[str, Any]) -> tuple[str, str] | None:
    delta = told.get("delta")
    if told.get("type") != "content_block_delta" or not isinstance(delta, dict):
        return None
    kind = delta.get("type")
    name = PIECES.get(kind) if isinstance(kind, str) else None
    if name is None or set(delta) != {"type", name} or not isinstance(delta[name], str):
        return None
    return f"{told.get('index')} {name}", delta[name]


def _data_of(event: bytes) -> dict[str, Any] | None:
    """Return what an event tells, if it is one JSON object on one line."""
    if b"\n" in event:
        lines = [line for line in event.split(b"\n") if line.startswith(b"data:")]
        event = lines[0] if len(lines) == 1 else b""
    if not event.startswith(b"data:"):
        return None
    return _object(event[5:])


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
