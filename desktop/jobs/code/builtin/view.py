"""What of a conversation the model is told again: all of it, until its window gets full.

Then old outputs of tools are shortened, far enough that the next turns change nothing (providers
keep what stays the same); if that is not enough, the oldest work is left out. What is kept in the
session's file is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from desktop.core.llm.message import Message, ToolCall
from desktop.jobs.code.builtin import prompts

CHARS_PER_TOKEN = 3.2
"""Of code; fewer than of prose, to be on the safe side."""
WINDOW_TOKENS = 100_000
"""Of a model that nobody knows the window of; a smaller one says so, and is believed."""
FULL, ROOMY = 0.75, 0.5
"""Of the window: when something is done, and how far it goes."""
WINDOW_TOKENS_MIN = 1000
LAST_KEPT = 6
"""Messages at the end that are told as they are, if they fit at all."""
SHORT_CHARS = 300
ARGUMENT_CHARS = 200
SHRINK = 0.6
"""Of what was told, when it was too much."""


@dataclass(slots=True)
class View:
    """One session's view of its past; only ever shortens more."""

    window_tokens: int = WINDOW_TOKENS
    _short_before: int = 0
    _gone_before: int = 0
    _told: int = field(default=0)
    """Characters of the last view."""

    def of(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Return what is told of these: the task and the newest always."""
        size = self.window_tokens * CHARS_PER_TOKEN
        shown = self._shown(messages)
        if chars_of(shown) > size * FULL:
            self._make_room(messages, size)
            shown = self._shown(messages)
        self._told = chars_of(shown)
        return shown

    def was_too_much(self) -> None:
        """Learn that the last view did not fit into the model's window."""
        said = int(self._told / CHARS_PER_TOKEN * SHRINK)
        self.window_tokens = max(WINDOW_TOKENS_MIN, min(said, int(self.window_tokens * SHRINK)))

    def _make_room(self, messages: Sequence[Message], size: float) -> None:
        """Shorten the old, then leave it out, then shorten what is new."""
        last = max(1, len(messages) - LAST_KEPT)
        whole = [chars_of([message]) for message in messages]
        short = [chars_of([_short(message)]) for message in messages]
        total = sum(short[: self._short_before]) + sum(whole[self._short_before :])
        while self._short_before < last and total > size * ROOMY:
            total -= whole[self._short_before] - short[self._short_before]
            self._short_before += 1
        place = self._gone_before
        while place < last and total > size * ROOMY:
            total -= short[place] if place and messages[place].role != "user" else 0
            place += 1
            # What is left has to begin with a reply, so that each result has its call.
            if place < len(messages) and messages[place].role == "assistant":
                self._gone_before = place
        while self._short_before < len(messages) and total > size * FULL:
            total -= whole[self._short_before] - short[self._short_before]
            self._short_before += 1

    def _shown(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        whole = [
            _short(message) if place < self._short_before else message
            for place, message in enumerate(messages)
        ]
        gone = whole[1 : self._gone_before]
        if not gone:
            return tuple(whole)
        # What the person said is short, and is why all this is done.
        said = [message for message in gone if message.role == "user"]
        left_out = Message("user", prompts.LEFT_OUT.format(count=len(gone) - len(said)))
        return (whole[0], *said, left_out, *whole[self._gone_before :])


def chars_of(messages: Sequence[Message]) -> int:
    return sum(
        len(one.text) + 20 + sum(len(call.arguments) + 40 for call in one.calls) for one in messages
    )


def _short(message: Message) -> Message:
    if message.role == "tool" and len(message.text) > SHORT_CHARS:
        left = prompts.SHORTENED.format(count=len(message.text) - SHORT_CHARS)
        return replace(message, text=f"{message.text[:SHORT_CHARS]}\n{left}")
    if message.calls:
        return replace(message, calls=tuple(_short_call(call) for call in message.calls))
    return message


def _short_call(call: ToolCall) -> ToolCall:
    """Shorten long texts among a call's arguments; they have to stay a JSON object."""
    try:
        told = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return replace(call, arguments="{}")
    if not isinstance(told, dict):
        return call
    short = {
        name: value[:ARGUMENT_CHARS] + "… [left out]"
        if isinstance(value, str) and len(value) > 2 * ARGUMENT_CHARS
        else value
        for name, value in told.items()
    }
    return replace(call, arguments=json.dumps(short, ensure_ascii=False))
