"""Which models a person can choose from: what endpoints list, those of this machine first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from desktop.core.llm.types import Endpoint
from desktop.jobs.context import SharedContext
from desktop.jobs.llm.health import Health
from desktop.jobs.llm.reach import Look
from desktop.system.way import Way
from shared.kinds.llm import NAME_CHARS_MAX
from shared.questions import Choice

OFFERED_MAX = 12
PER_ENDPOINT_MAX = 6
LABEL_CHARS_MAX = 200
HERE = "on this machine"


async def choices(context: SharedContext) -> tuple[Choice, ...]:
    """Offer models by their full names ("local:tiny").

    Local servers are asked for their list; providers are asked only where there is a key. What the
    owner's policy lists comes before what is found, and what is on this machine before the rest.
    """
    endpoints = _callable(context)
    way = Way(context.network)
    health = context.shared(Health, Health)
    looks = await asyncio.gather(
        *(health.look(one, context.keys.get(one.key_name, ""), way) for one in endpoints)
    )
    found: dict[str, Choice] = {}
    for endpoint, look in zip(endpoints, looks, strict=True):
        for model in _models(endpoint, look):
            name = f"{endpoint.name}:{model}"
            if len(name) <= NAME_CHARS_MAX:
                detail = HERE if endpoint.is_local else endpoint.label
                found.setdefault(name, Choice(value=name, label=name, detail=detail))
    return tuple(found.values())[:OFFERED_MAX]


def _callable(context: SharedContext) -> list[Endpoint]:
    by_name: dict[str, Endpoint] = {}
    for endpoint in context.endpoints:
        if endpoint.is_barred:
            continue
        if endpoint.is_local or not endpoint.key_name or context.keys.get(endpoint.key_name):
            by_name.setdefault(endpoint.name, endpoint)
    return sorted(by_name.values(), key=lambda endpoint: not endpoint.is_local)


def _models(endpoint: Endpoint, look: Look) -> Iterator[str]:
    if not look.is_answering or look.fault is not None:
        return
    yield from endpoint.models
    yield from (look.models or ())[:PER_ENDPOINT_MAX]
