"""One scenario with one model, as a program for other systems: `python -m desktop.jobs.llm.probe`.

It reads one JSON object from standard input and writes one to standard output:

    {"scenario": {"prompt": …}, "model": "openai:gpt-5-mini", "endpoints": […], "turns": […]}
    {"result": {"state": "answered", "choice": "A", "turns": […], …}}     and exit code 0
    {"error": {"code": "RATE_LIMIT", "retryable": true, …}, "turns": […]}    and exit code 1

Its log is JSON lines on standard error. Keys are taken from the environment by the names that the
endpoints have (OPENAI_API_KEY), and nothing is written to the disk: whoever calls it keeps the
turns, and hands finished ones in again so that they are not asked twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from desktop.core.llm.endpoints import with_built_in
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.model_name import find_model
from desktop.core.llm.rules import fault_of
from desktop.core.llm.scenarios import Scenario, single
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Turn
from desktop.core.providers import PROVIDERS
from desktop.jobs.llm.conversation import Calls, converse, cost_usd, outcome, questions
from desktop.jobs.llm.speaker import Speaker
from shared import logs
from shared.errors import AppError
from shared.finite import FiniteObject
from shared.kinds import JsonObject
from shared.kinds.llm import NAME_CHARS_MAX

log = structlog.get_logger(__name__)

INPUT_CHARS_MAX = 8_000_000
OK, FAILED = 0, 1
_TURNS = TypeAdapter(list[Turn])
_HOMES = {one.key_name: urlsplit(one.base_url).hostname for one in PROVIDERS}
"""Where the keys of known makers may go."""


class Wish(BaseModel):
    """What comes in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: FiniteObject
    """As in a definition's list: prompt, followups, options, preamble, sampling …"""
    model: str = Field(min_length=1, max_length=NAME_CHARS_MAX)
    endpoints: tuple[Endpoint, ...] = Field(default=(), max_length=100)
    """Places that are not built in, or that take the place of one that is."""
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    stream: bool = True
    turns: tuple[Turn, ...] = ()
    """Finished ones of the same scenario and model, as an earlier call gave them back."""


def main() -> int:
    """Do what standard input asks; only its one JSON object ever stands on standard output."""
    out, sys.stdout = sys.stdout, sys.stderr
    logs.configure(json_lines=True, stream=sys.stderr)
    asked = sys.stdin.read(INPUT_CHARS_MAX + 1)
    return asyncio.run(answer(asked, out, os.environ))


async def answer(asked: str, out: TextIO, keys: Mapping[str, str]) -> int:
    """Write what comes of a wish; return the exit code."""
    speaker = Speaker()
    try:
        told, code = await _told(asked, speaker, keys)
    finally:
        await speaker.aclose()
    json.dump(told, out, ensure_ascii=False, separators=(",", ":"))
    out.write("\n")
    out.flush()
    return code


async def _told(asked: str, speaker: Speaker, keys: Mapping[str, str]) -> tuple[JsonObject, int]:
    turns: list[Turn] = []
    try:
        wish = _parsed(asked)
        _check_places(wish.endpoints)
        scenario = single(wish.scenario)
        turns.extend(_finished(wish, scenario))
        model = find_model(wish.model, with_built_in(wish.endpoints))
        await _converse(speaker, model, wish, scenario, keys, turns)
        return {"result": _result(model, scenario, turns)}, OK
    except AppError as error:
        log.warning("probe failed", code=error.code, message=error.message)
        return {"error": _error(error), "turns": _turns(turns)}, FAILED
    except Exception as error:  # whoever reads standard output gets no traceback
        log.exception("probe broken")
        broken = AppError(
            "internal",
            f"The probe broke ({type(error).__name__}).",
            "The log on standard error says where; please report it.",
        )
        return {"error": _error(broken), "turns": _turns(turns)}, FAILED


async def _converse(
    speaker: Speaker,
    model: Model,
    wish: Wish,
    scenario: Scenario,
    keys: Mapping[str, str],
    turns: list[Turn],
) -> None:
    sampling, key = scenario.with_seed(wish.seed), keys.get(model.endpoint.key_name, "")

    async def ask(messages: Sequence[Message]) -> Reply:
        return await speaker.say(model, messages, sampling, key=key, stream=wish.stream)

    async def keep(turn: Turn) -> None:
        turns.append(turn)
        log.info("turn finished", number=turn.number, total_ms=round(turn.reply.total_ms))

    await converse(scenario, tuple(turns), ask=ask, keep=keep, calls=Calls())


def _parsed(asked: str) -> Wish:
    if len(asked) > INPUT_CHARS_MAX:
        raise AppError(
            "input_too_long",
            f"The input has more than {INPUT_CHARS_MAX:,} characters.",
            "Make the texts shorter.",
        )
    try:
        return Wish.model_validate_json(asked)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the input"
        raise AppError(
            "input_wrong",
            f"The input does not fit: {place}: {first['msg']}.",
            'Give {"scenario": {"prompt": "…"}, "model": "openai:gpt-5-mini"}.',
        ) from None


def _check_places(endpoints: Sequence[Endpoint]) -> None:
    """See that a wish leads no key astray: who writes it need not be who has the keys."""
    for endpoint in endpoints:
        fault = fault_of(endpoint)
        home = _HOMES.get(endpoint.key_name)
        if not fault and home not in (None, urlsplit(endpoint.base_url).hostname):
            fault = f"{endpoint.key_name} is for {home} alone; keep this one's key by another name"
        if fault:
            raise AppError(
                "input_wrong",
                f"The input does not fit: the endpoint '{endpoint.name}': {fault}.",
                "Mend it there.",
            )


def _finished(wish: Wish, scenario: Scenario) -> tuple[Turn, ...]:
    asked = tuple(turn.asked for turn in wish.turns)
    if asked != questions(scenario)[: len(asked)]:
        raise AppError(
            "input_wrong",
            "The input does not fit: the turns are not those of the scenario.",
            "Hand in turns of the same scenario, from the first on.",
        )
    return wish.turns


def _result(model: Model, scenario: Scenario, turns: Sequence[Turn]) -> JsonObject:
    came = outcome(scenario, turns)
    return {
        "scenario": scenario.id,
        "model": model.full_name,
        "model_reported": turns[-1].reply.model_reported,
        "state": came.state.value,
        "choice": came.choice,
        "cost_usd": cost_usd(model, turns),
        "total_ms": sum(turn.reply.total_ms for turn in turns),
        "at": datetime.now(UTC).isoformat(),
        "turns": _turns(turns),
    }


_OF_TOOLS = {"__all__": {"reply": {"calls", "thoughts", "is_cut"}}}
"""What only replies of models with tools have."""


def _turns(turns: Sequence[Turn]) -> JsonValue:
    told: JsonValue = _TURNS.dump_python(list(turns), mode="json", exclude=_OF_TOOLS)
    return told


def _error(error: AppError) -> JsonObject:
    """Word an error as this program's readers know it: classes in upper case."""
    body: JsonObject = {
        "code": error.code.upper(),
        "message": error.message,
        "hint": error.hint,
        "retryable": error.retryable,
        "retry_after_seconds": error.retry_after_seconds,
    }
    if isinstance(error, LlmFault):
        body |= {
            "endpoint": error.endpoint,
            "http_status": error.http_status,
            "provider_code": error.provider_code,
            "request_id": error.request_id,
        }
    return body
