"""From a model's name as a person writes it to the endpoint that knows it.

    "endpoint:model" > models that the machine's policy lists > patterns > UNSUPPORTED_PROVIDER

A colon alone decides nothing: "llama3:8b" and "ft:gpt-4o:acme::x" are whole names. Only the name of
a known endpoint before the first colon is one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.locality import check
from desktop.core.llm.types import Endpoint, Model
from shared.kinds.llm import NAME_CHARS_MAX
from shared.plain_text import plain_line

_ALIASES = {"gemini": "google", "x-ai": "xai", "grok": "xai", "claude": "anthropic"}
"""Other words for an endpoint, as in names written for other programs."""

_TAG = re.compile(
    r"[\w./-]+:(latest|e?\d+(\.\d+)?(x\d+)?[bBmM]\b[\w.-]*|[\w.-]*-?q\d[\w.]*|instruct\b[\w.-]*"
    r"|text\b[\w.-]*|chat\b[\w.-]*|mini|medium|small|large)",
)
"""Name and tag as Ollama writes them."""

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (endpoint, re.compile(pattern))
    for endpoint, pattern in (
        # Open weights that people run themselves, under a maker's prefix: local on purpose.
        ("local", r"gpt-oss-[\w.-]+"),
        (
            "openai",
            r"(gpt-[\w.-]+|chatgpt-[\w.-]+|o[1-9](-[\w.-]+)?|codex-[\w.-]+|computer-use[\w.-]*"
            r"|(text-)?(ada|babbage|curie|davinci)(-\d{3})?|text-embedding-(3|ada)-[\w.-]+"
            r"|(omni-)?moderation[\w.-]*|tts-1(-[\w.-]+)?|whisper-1|dall-e-\d|sora-\d[\w.-]*)"
            r"(:(extended|free))?",
        ),
        ("openai", r"ft:(gpt|o\d|babbage|davinci)[\w.-]*(:[\w.-]*){0,3}"),
        ("anthropic", r"claude-[\w.-]+"),
        ("google", r"(gemini|gemma|learnlm|imagen|veo)-[\w.-]+"),
        ("xai", r"grok-[\w.-]+"),
        ("deepseek", r"deepseek-(?!r1-distill)[\w.-]+"),
        (
            "mistral",
            r"(mistral|ministral|mixtral|codestral|devstral|magistral|pixtral|voxtral|zai-glm"
            r"|open-(mistral|mixtral)|leanstral|mathstral)(-[\w.-]+)?(:free)?",
        ),
    )
)
"""Anchored at both ends; the first that fits counts."""

_EXAMPLES = (
    "openai:gpt-5-mini",
    "anthropic:claude-sonnet-5",
    "google:gemini-2.5-flash",
    "xai:grok-4.3",
    "deepseek:deepseek-chat",
    "mistral:mistral-small-latest",
    "ollama:llama3:8b",
    "local:tiny",
)


def find_model(text: str, endpoints: tuple[Endpoint, ...]) -> Model:
    """Return the model that a name means.

    Args:
        text: as a person wrote it, or a definition.
        endpoints: those of the policy, then the built-in ones; the first of a name counts.

    Raises:
        LlmFault: UNSUPPORTED_PROVIDER, with the known endpoints and the nearest name.
        NotLocal: it is where nothing may be sent to now.
    """
    name = text.strip()
    if not name or len(name) > NAME_CHARS_MAX or plain_line(name) != name or " " in name:
        raise _unsupported(name, endpoints)
    by_name: dict[str, Endpoint] = {}
    for endpoint in endpoints:
        by_name.setdefault(endpoint.name, endpoint)
    found = _listed(name, endpoints) or _explicit(name, by_name) or _by_pattern(name, by_name)
    if found is None:
        raise _unsupported(name, endpoints)
    check(found.endpoint, found.name)
    return found


def _listed(name: str, endpoints: tuple[Endpoint, ...]) -> Model | None:
    """A whole name that the policy lists is that model, even with an endpoint before a colon.

    "mistral:7b" is Ollama's name for a model, and its owner who wrote it down means that.
    """
    for endpoint in endpoints:
        if name in endpoint.models:
            return Model(endpoint, name)
    return None


def _explicit(name: str, by_name: dict[str, Endpoint]) -> Model | None:
    prefix, colon, rest = name.partition(":")
    if not colon or not rest:
        return None
    prefix = prefix.lower()
    endpoint = by_name.get(prefix) or by_name.get(_ALIASES.get(prefix, ""))
    if endpoint is None:
        return None
    if not endpoint.is_local and _TAG.fullmatch(name) and prefix not in rest:
        raise LlmFault(
            FaultClass.UNSUPPORTED_PROVIDER,
            f"“{name}” can mean two things: the model “{rest}” at '{endpoint.name}',"
            f" or Ollama's “{name}”.",
            f"Write ollama:{name}, or the model's full name at '{endpoint.name}'.",
            endpoint=endpoint.name,
        )
    return Model(endpoint, rest)


def _by_pattern(name: str, by_name: dict[str, Endpoint]) -> Model | None:
    if _TAG.fullmatch(name) and not name.startswith("ft:"):
        return _at("ollama", name, by_name)
    for endpoint, pattern in _PATTERNS:
        if pattern.fullmatch(name):
            return _at(endpoint, name, by_name)
    return None


def _at(endpoint: str, name: str, by_name: dict[str, Endpoint]) -> Model | None:
    known = by_name.get(endpoint)
    return None if known is None else Model(known, name)


def _unsupported(name: str, endpoints: tuple[Endpoint, ...]) -> LlmFault:
    shown = plain_line(name)[:60]
    prefixes = ", ".join(dict.fromkeys(f"{endpoint.name}:" for endpoint in endpoints))
    near = nearest(name, endpoints)
    meant = f" Did you mean {near}?" if near else ""
    return LlmFault(
        FaultClass.UNSUPPORTED_PROVIDER,
        f"Nobody here is known to have a model “{shown}”.{meant}",
        f"Write the place before the model, as in openai:gpt-5-mini. Known: {prefixes}",
    )


def nearest(name: str, endpoints: tuple[Endpoint, ...]) -> str:
    """Return the likeliest full name for one that nobody knows; empty without a likeness."""
    name = name[:NAME_CHARS_MAX]
    swapped = name.replace("/", ":", 1)
    for candidate in (swapped, swapped.rpartition(":")[2], swapped.lower()):
        # "openai/gpt-5" and "GPT-5" are habits from other programs.
        if candidate != name and (model := _quietly(candidate, endpoints)):
            return model.full_name
    candidates = list(dict.fromkeys(_full_names(endpoints)))
    close = difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.6)
    if close:
        return close[0]
    bare = {full.partition(":")[2]: full for full in reversed(candidates)}
    close = difflib.get_close_matches(name.lower(), bare, n=1, cutoff=0.6)
    return bare[close[0]] if close else ""


def _quietly(name: str, endpoints: tuple[Endpoint, ...]) -> Model | None:
    by_name = {endpoint.name: endpoint for endpoint in reversed(endpoints)}
    if not name or " " in name:
        return None
    try:
        return _listed(name, endpoints) or _explicit(name, by_name) or _by_pattern(name, by_name)
    except LlmFault:
        return None


def _full_names(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    for endpoint in endpoints:
        yield from (f"{endpoint.name}:{model}" for model in endpoint.models)
    known = {endpoint.name for endpoint in endpoints}
    yield from (example for example in _EXAMPLES if example.partition(":")[0] in known)
