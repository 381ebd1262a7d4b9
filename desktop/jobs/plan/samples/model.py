"""A language model that answers by what a request says: the first rule that fits.

It speaks OpenAI's chat completions on loopback, as the sample of coding jobs does; requests that
offer tools come from agents, and get the next step of a repair that is known by heart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from desktop.jobs.code.samples.model import Answers, Steps, message_of

PLANS = "Capabilities:"
"""Stands in what planners are told."""
CLARIFIED = "The person says:"
"""Stands there, too, once the person has answered."""
COMPOSES = "You write the answer"
"""Stands in what is said for the answer."""
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said to requests that hold all of these words."""

    when: tuple[str, ...]
    says: str | Json
    """A text, or an object that is written as JSON."""


def answers(rules: Sequence[Rule], steps: Steps = ()) -> Answers:
    """Return what answers by these rules, and takes these steps with tools."""
    return partial(_answer, tuple(rules), steps)


def _answer(rules: Sequence[Rule], steps: Steps, body: Mapping[str, object]) -> Json:
    if body.get("tools"):
        return message_of(steps, body)
    text = _text_of(body)
    for rule in rules:
        if all(word in text for word in rule.when):
            said = rule.says if isinstance(rule.says, str) else json.dumps(rule.says)
            return {"role": "assistant", "content": said}
    return {"role": "assistant", "content": "I know nothing of that."}


def _text_of(body: Mapping[str, object]) -> str:
    told = body.get("messages")
    messages = told if isinstance(told, list) else []
    return "\n".join(_words(one.get("content")) for one in messages if isinstance(one, dict))


def _words(content: object) -> str:
    if isinstance(content, list):
        return "".join(_words(part) for part in content)
    if isinstance(content, dict):
        return _words(content.get("text"))
    return content if isinstance(content, str) else ""
