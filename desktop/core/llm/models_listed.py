"""Reads the names out of an endpoint's list of models, which is anybody's text."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shared.kinds.llm import NAME_CHARS_MAX
from shared.plain_text import plain_line

MODELS_MAX = 5000


def models_in(body: bytes) -> tuple[str, ...] | None:
    """Read the names out of a list of models; None when it is none, or only its first page."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("has_more") or told.get("nextPageToken"):
        return None
    listed = told.get("data", told.get("models"))
    if not isinstance(listed, list):
        return None
    return tuple(dict.fromkeys(_names(listed[:MODELS_MAX])))


def _names(listed: list[object]) -> Iterator[str]:
    for one in listed:
        if not isinstance(one, dict):
            continue
        for name in (one.get("id"), one.get("name"), *_others(one)):
            if isinstance(name, str) and 0 < len(name) <= NAME_CHARS_MAX:
                yield plain_line(name).removeprefix("models/")


def _others(one: dict[str, object]) -> list[object]:
    """llama.cpp and Mistral list further names of a model."""
    aliases = one.get("aliases")
    return aliases[:100] if isinstance(aliases, list) else []
