"""Which models a person can choose from: what endpoints list, those of this machine first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from desktop.core.llm.types import Endpoint
from desktop.jobs.context import SharedContext
from desktop.jobs.llm.reach import Look, look_at
from desktop.system.way import Way
from shared.kinds.llm import NAME_CHARS_MAX

OFFERED_MAX = 12
PER_ENDPOINT_MAX = 6


async def offered(context: SharedContext) -> tuple[str, ...]:
    """Return full names ("local:tiny"); what the owner's policy lists comes before what is found.

    Local servers are asked for their list; providers are asked only where there is a key.
    """
    endpoints = _callable(context)
    way = Way(context.network)
    looks = await asyncio.gather(
        *(look_at(one, context.keys.get(one.key_name, ""), way) for one in endpoints)
    )
    names = (
        f"{endpoint.name}:{model}"
        for endpoint, look in zip(endpoints, looks, strict=True)
        for model in _models(endpoint, look)
    )
    return tuple(dict.fromkeys(n for n in names if len(n) <= NAME_CHARS_MAX))[:OFFERED_MAX]


def _callable(context: SharedContext) -> list[Endpoint]:
    by_name: dict[str, Endpoint] = {}
    for endpoint in context.endpoints:
        if endpoint.is_local or not endpoint.key_name or context.keys.get(endpoint.key_name):
            by_name.setdefault(endpoint.name, endpoint)
    return sorted(by_name.values(), key=lambda endpoint: not endpoint.is_local)


def _models(endpoint: Endpoint, look: Look) -> Iterator[str]:
    if not look.is_answering or look.fault is not None:
        return
    yield from endpoint.models
    yield from (look.models or ())[:PER_ENDPOINT_MAX]
