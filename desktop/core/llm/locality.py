"""Keeping it local: which endpoints may be called, and which local ones are looked for.

A job that is to be kept local, and every job of a machine whose owner says `local_only`, sees all
other endpoints barred. A barred endpoint is found by name, so that the refusal can be told, and
is called by nobody: whoever would send something asks `check` first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from desktop.core.llm.endpoints import LOCAL_ENDPOINTS
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.rules import LlmRules
from desktop.core.llm.types import Endpoint
from shared.plain_text import plain_line

MODELS_TOLD_MAX = 24
NAME_CHARS_MAX = 100
LOCAL = "local"
"""What a worker with a model of its own has as a tool, and what a job that is kept local needs."""


class NotLocal(LlmFault):
    """What would have been called is not local; nothing was sent."""

    def __init__(self, endpoint: Endpoint, model: str = "") -> None:
        shown = f"{endpoint.name}:{plain_line(model)[:60]}" if model else endpoint.name
        super().__init__(
            FaultClass.UNSUPPORTED_PROVIDER,
            f"“{shown}” is not on this machine or in its own network, and this is kept local.",
            "Name a local model, as in local:tiny; or do not ask for it to be kept local, if the "
            "machine's owner allows that ([llm] local_only in its policy file).",
            endpoint=endpoint.name,
        )
        self.code = "model_not_local"


def kept_local(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Bar every endpoint that is not local."""
    return tuple(
        endpoint if endpoint.is_local else endpoint.model_copy(update={"is_barred": True})
        for endpoint in endpoints
    )


def check(endpoint: Endpoint, model: str = "") -> None:
    """Raise NotLocal for an endpoint that may not be called."""
    if endpoint.is_barred:
        raise NotLocal(endpoint, model)


@dataclass(frozen=True, slots=True)
class Found:
    """A local endpoint that answers."""

    endpoint: str
    """Its name."""
    models: tuple[str, ...]


def to_look_at(rules: LlmRules) -> tuple[Endpoint, ...]:
    """Return the endpoints that a worker looks at without being asked to: local ones alone.

    The built-in ones listen on this machine; others are looked at because the owner named them.
    Nothing is looked at by TLS, and nothing where the owner says so.
    """
    if not rules.find_local:
        return ()
    named = tuple(endpoint for endpoint in rules.endpoints if endpoint.is_local)
    taken = {endpoint.name for endpoint in rules.endpoints}
    places = {_place(endpoint) for endpoint in named}
    own = tuple(
        endpoint
        for endpoint in LOCAL_ENDPOINTS
        if endpoint.name not in taken and _place(endpoint) not in places
    )
    return tuple(one for one in named + own if one.base_url.startswith("http://"))


def told(found: Iterable[Found]) -> tuple[str, ...]:
    """Return the full names of found models, as a worker tells them."""
    names = (f"{one.endpoint}:{plain_line(model)}" for one in found for model in one.models)
    short = (name.casefold() for name in names if len(name) <= NAME_CHARS_MAX)
    return tuple(dict.fromkeys(short))[:MODELS_TOLD_MAX]


def _place(endpoint: Endpoint) -> tuple[str, int | None]:
    parts = urlsplit(endpoint.base_url)
    return parts.hostname or "", parts.port
