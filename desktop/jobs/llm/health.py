"""`llm.health`: is everything there that asking models needs? Told before the first probe.

What an endpoint said is remembered for some minutes, for this key, in this process alone; what
did not go well is looked at anew each time.
"""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.machinery import PathFinder
from pathlib import Path

from desktop.core.llm.broken import missing_key
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.model_name import find_model
from desktop.core.llm.types import Endpoint, Format, Model
from desktop.core.policy import DISK_FREE_BYTES_MIN
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import tokens
from desktop.jobs.llm.reach import LASTING, Look, look_at
from desktop.system import hardware
from desktop.system.way import Way
from shared.kinds.llm import HealthInputs, HealthLine, HealthOutput

KEEP_SECONDS = 600.0
CLOCK_OFF_MAX = timedelta(minutes=2)
"""More makes certificates, and waits that are told as a moment, go wrong."""
NEAR_MAX = 3
PACKAGES: Mapping[Format, str] = {
    Format.OPENAI: "openai",
    Format.ANTHROPIC: "anthropic",
    Format.GOOGLE: "google.genai",
}
SETUP_HINT = "deskhand setup llm adds what is missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is to be looked at."""

    endpoints: tuple[Endpoint, ...]
    keys: Mapping[str, str]
    data_folder: Path
    way: Way
    models: tuple[str, ...] | None = None
    """Only what these need; None for all."""


class Health:
    """What was seen of endpoints, shared by the jobs of a child."""

    def __init__(
        self,
        look: Callable[[Endpoint, str, Way], Awaitable[Look]] = look_at,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._clock = clock
        self._seen: dict[tuple[Endpoint, bytes], tuple[float, Look]] = {}
        self._salt = secrets.token_bytes(16)

    async def aclose(self) -> None:
        """Forget everything."""
        self._seen.clear()

    async def check(self, asked: Checked, *, is_fresh: bool = False) -> tuple[HealthLine, ...]:
        """Look at everything; takes two seconds at most.

        Args:
            asked: what to look at.
            is_fresh: look again, whatever is remembered.
        """
        models, unknown = _models_of(asked)
        seen, lines = await self._endpoints(asked, models, is_fresh=is_fresh)
        needed = {model.endpoint for model in models}
        return (*_of_machine(asked, needed or set(seen)), *unknown, *lines)

    async def look(self, endpoint: Endpoint, key: str, way: Way) -> Look:
        """Look at one endpoint now."""
        return await self._look(endpoint, key, way)

    async def endpoints(self, asked: Checked) -> tuple[HealthLine, ...]:
        """Look at endpoints and the clock alone; imports nothing that is heavy."""
        _, lines = await self._endpoints(asked, [], is_fresh=True)
        return tuple(lines)

    async def _endpoints(
        self, asked: Checked, models: list[Model], *, is_fresh: bool
    ) -> tuple[dict[Endpoint, Look], list[HealthLine]]:
        wanted = _wanted(asked, models)
        looks = await asyncio.gather(
            *(self._seen_or_looked(e, key, asked, is_fresh=is_fresh) for e, key in wanted)
        )
        seen = {endpoint: look for (endpoint, _), look in zip(wanted, looks, strict=True)}
        needed = {model.endpoint for model in models}
        lines = [_line(e, look, models, is_needed=e in needed) for e, look in seen.items()]
        return seen, [_clock(seen), *lines, *_without_key(asked, needed)]

    async def _seen_or_looked(
        self, endpoint: Endpoint, key: str, asked: Checked, *, is_fresh: bool
    ) -> Look:
        name = endpoint, hashlib.sha256(self._salt + key.encode()).digest()
        at, look = self._seen.get(name, (float("-inf"), None))
        if look is not None and not is_fresh and self._clock() - at < KEEP_SECONDS:
            return look
        look = await self._look(endpoint, key, asked.way)
        self._seen.pop(name, None)
        if look.is_answering and look.fault is None:
            self._seen[name] = self._clock(), look
        return look


async def check(
    context: SharedContext, models: Sequence[str] | None = None, *, is_fresh: bool = False
) -> tuple[HealthLine, ...]:
    """Look whether models can be asked from here, for a job; a run does so before it begins.

    Args:
        context: of the job.
        models: only what these need, as people write them; None for all.
        is_fresh: look again, whatever is remembered.
    """
    health = context.shared(Health, Health)
    asked = Checked(
        endpoints=context.endpoints,
        keys=context.keys,
        data_folder=context.data_folder,
        way=Way(context.network),
        models=None if models is None else tuple(models),
    )
    return await health.check(asked, is_fresh=is_fresh)


async def run(context: SharedContext, inputs: HealthInputs) -> HealthOutput:
    """Do the job `llm.health`."""
    began = time.perf_counter()
    lines = await check(context, inputs.models, is_fresh=inputs.fresh)
    bad = [line for line in lines if line.is_good is False]
    headline = "Models can be asked." if not bad else bad[0].sentence
    if len(bad) > 1:
        headline = f"{len(bad)} things are in the way of asking models."
    return HealthOutput(
        headline=headline,
        lines=lines,
        is_good=not bad,
        seconds=time.perf_counter() - began,
    )


def _models_of(asked: Checked) -> tuple[list[Model], list[HealthLine]]:
    """Find the models that are asked for; those that nobody knows have a line at once."""
    models, lines = [], []
    for name in asked.models or ():
        try:
            models.append(find_model(name, asked.endpoints))
        except LlmFault as fault:
            lines.append(HealthLine(name="model", is_good=False, sentence=str(fault)))
    return models, lines


def _wanted(asked: Checked, models: list[Model]) -> list[tuple[Endpoint, str]]:
    """Return the endpoints to look at, with their keys: those that can be called."""
    of_models = [model.endpoint for model in models]
    wanted = of_models if asked.models is not None else _first_of_each(asked.endpoints)
    keys = {endpoint: asked.keys.get(endpoint.key_name, "") for endpoint in wanted}
    return [(e, key) for e, key in keys.items() if key or e.is_local or not e.key_name]


def _first_of_each(endpoints: tuple[Endpoint, ...]) -> list[Endpoint]:
    by_name: dict[str, Endpoint] = {}
    for endpoint in endpoints:
        by_name.setdefault(endpoint.name, endpoint)
    return [endpoint for endpoint in by_name.values() if not endpoint.is_barred]


def _without_key(asked: Checked, needed: set[Endpoint]) -> Iterator[HealthLine]:
    for endpoint in _first_of_each(asked.endpoints) if asked.models is None else needed:
        if endpoint.key_name and not endpoint.is_local and not asked.keys.get(endpoint.key_name):
            told = str(missing_key(endpoint))
            if endpoint not in needed:
                told = f"No key {endpoint.key_name} is kept here."
            is_good = False if endpoint in needed else None
            yield HealthLine(name=endpoint.name, is_good=is_good, sentence=told)


def _of_machine(asked: Checked, endpoints: set[Endpoint]) -> Iterator[HealthLine]:
    told = ".".join(map(str, sys.version_info[:3]))
    yield HealthLine(
        name="python", is_good=sys.version_info >= (3, 11), sentence=f"This is Python {told}."
    )
    yield _packages(endpoints)
    free = hardware.disk_free_bytes(asked.data_folder)
    room = f"{free / 1e9:.1f} GB are free on the disk."
    yield HealthLine(name="disk", is_good=free > DISK_FREE_BYTES_MIN, sentence=room)
    counted = "counted by a table on this machine" if tokens.has_table() else "estimated by letters"
    yield HealthLine(
        name="tokenizer",
        is_good=True,
        sentence=f"Tokens that nobody reports are {counted}; this works without a network.",
    )


def _packages(endpoints: set[Endpoint]) -> HealthLine:
    wanted = {"pydantic_ai", *(PACKAGES[endpoint.format] for endpoint in endpoints)}
    missing = sorted(name for name in wanted if not _is_there(name))
    if missing:
        told = f"{', '.join(missing)} cannot be found; {SETUP_HINT}."
        return HealthLine(name="packages", is_good=False, sentence=told)
    return HealthLine(name="packages", is_good=True, sentence="All packages are there.")


def _is_there(name: str) -> bool:
    """Look for a package without importing it: some take a second."""
    path: Sequence[str] | None = None
    for part in name.split("."):
        found = PathFinder.find_spec(part, path)
        if found is None:
            return False
        path = found.submodule_search_locations
    return True


def _clock(seen: Mapping[Endpoint, Look]) -> HealthLine:
    """Compare this machine's clock with those of others; the one that agrees most counts."""
    aheads = [
        look.clock_ahead
        for endpoint, look in seen.items()
        if look.clock_ahead is not None and not endpoint.is_local
    ]
    ahead = min(aheads, key=abs, default=None)
    if ahead is None:
        told = "Nobody told the time, so the clock could not be compared."
        return HealthLine(name="clock", is_good=None, sentence=told)
    seconds = abs(ahead).total_seconds()
    if abs(ahead) <= CLOCK_OFF_MAX:
        return HealthLine(name="clock", is_good=True, sentence="The clock is right.")
    way = "ahead" if ahead > timedelta() else "behind"
    told = f"This machine's clock is {seconds / 60:.0f} minutes {way}; set it right."
    return HealthLine(name="clock", is_good=False, sentence=told)


def _line(endpoint: Endpoint, look: Look, models: list[Model], *, is_needed: bool) -> HealthLine:
    name = endpoint.name
    if not look.is_answering:
        is_good = None if not is_needed or (look.is_late and not endpoint.is_local) else False
        told = f"'{name}' at {endpoint.base_url} does not answer ({look.reason})."
        return HealthLine(name=name, is_good=is_good, sentence=told)
    if look.fault is not None:
        is_good = False if look.fault.fault in LASTING else None
        return HealthLine(name=name, is_good=is_good, sentence=str(look.fault.for_good()))
    wrong = [m.name for m in models if m.endpoint == endpoint and not has(look.models, m.name)]
    if wrong:
        told = " ".join(_unknown(name, model, look.models or ()) for model in wrong)
        return HealthLine(name=name, is_good=False, sentence=told)
    key = f" and takes the key {endpoint.key_name}" if endpoint.key_name else ""
    count = "" if look.models is None else f"; it lists {len(look.models)} models"
    return HealthLine(name=name, is_good=True, sentence=f"'{name}' answers{key}{count}.")


def has(listed: tuple[str, ...] | None, name: str) -> bool:
    """Return whether a model is listed, by its name or a longer one with its date or tag.

    True when nothing is known of the list: what is not known is no fault.
    """
    if listed is None or name in listed:
        return True
    return any(one.startswith((f"{name}-", f"{name}:", f"{name}@")) for one in listed)


def _unknown(endpoint: str, model: str, listed: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(model, listed, n=NEAR_MAX, cutoff=0.5) or listed[:NEAR_MAX]
    known = f" It has {', '.join(near)}." if near else " It lists no model at all."
    return f"'{endpoint}' has no model “{model}”.{known}"
