"""A run's cells of one model as an eval log of inspect, in its JSON format, version 2.

What `inspect view` and `inspect_ai.log.read_eval_log` read (inspect.aisi.org.uk/eval-logs.html): a
cell is a sample, a repeat an epoch. Samples are written one by one; everything else of a log is
small and stands around them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

from pydantic import JsonValue

from desktop.core.llm.types import CellState, Message
from desktop.jobs.llm.conversation import messages
from desktop.jobs.llm.export.lines import moment, turn
from desktop.store.transcripts import reading
from desktop.store.transcripts.records import Run, Tally, usage_of
from desktop.store.transcripts.streaming import Conversation, conversations
from shared.kinds import JsonObject
from shared.kinds.llm import UsageFacts

VERSION = 2
RETRIES_MAX = 100
"""Entries for calls that brought nothing, of one sample."""
_STOPS = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "refusal": "content_filter",
}
"""Providers' words for why a reply ended, as inspect calls them."""


def log(connection: sqlite3.Connection, run: Run, model: str, *, program: str) -> Iterator[str]:
    """Write the log of one model, piece by piece."""
    own = tuple(tally for tally in run.tallies if tally.model == model)
    head = _head(connection, run, model, own, program)
    yield json.dumps(head, ensure_ascii=False)[:-1]
    yield ', "samples": ['
    separator = "\n"
    for told in conversations(connection, run.run_id, model=model):
        if told.facts.state != CellState.OPEN:
            yield separator + json.dumps(sample(told), ensure_ascii=False)
            separator = ",\n"
    yield "\n]}\n"


def sample(told: Conversation) -> JsonObject:
    """Tell a cell as inspect tells a sample."""
    facts, scenario = told.facts, told.scenario
    asked = messages(scenario, ())
    made: JsonObject = {
        "id": scenario.id,
        "epoch": facts.cell.repeat + 1,
        "uuid": f"{facts.cell.run_id}-{facts.cell.index}",
        "input": [_message(message) for message in asked],
        "choices": [option.text or option.label for option in scenario.options] or None,
        "target": "",
        "messages": _messages(told),
        "output": _output(told),
        "scores": _scores(told),
        "metadata": _metadata(told),
        "model_usage": {_named(facts.cell.model): _usage(facts.usage, facts.cost_usd)},
        "total_time": facts.total_ms / 1000,
        "working_time": facts.total_ms / 1000,
        "error_retries": _retries(told),
    }
    if told.turns:
        began = told.turns[0].at - timedelta(milliseconds=told.turns[0].reply.total_ms)
        made |= {"started_at": moment(began), "completed_at": moment(told.turns[-1].at)}
    if facts.state == CellState.FAILED:
        made["error"] = _error(f"{facts.fault}: {facts.message}")
    return made


def _head(
    connection: sqlite3.Connection, run: Run, model: str, own: tuple[Tally, ...], program: str
) -> JsonObject:
    done = sum(tally.cells for tally in own)
    total = run.total // len(run.models)
    failed = sum(tally.cells for tally in own if tally.state == CellState.FAILED)
    refused = sum(tally.cells for tally in own if tally.state == CellState.REFUSED)
    return {
        "version": VERSION,
        "status": "success" if done == total else "cancelled",
        "eval": {
            "run_id": run.run_id,
            "eval_id": f"{run.run_id}-{run.models.index(model)}",
            "created": moment(run.created_at),
            "task": run.name,
            "task_id": run.sha256[:22],
            "task_version": 0,
            "task_attribs": {},
            "task_args": {},
            "dataset": {"name": run.name, "samples": total // run.repeats, "shuffled": True},
            "model": _named(model),
            "model_args": {},
            "config": {"epochs": run.repeats, "fail_on_error": False},
            "packages": {"deskhand": program},
            "metadata": {
                "definition_sha256": run.sha256,
                "definition": json.loads(reading.definition(connection, run.run_id)),
                "seed": run.seed,
            },
        },
        "plan": {"name": "probe", "steps": [], "config": {}},
        "results": {
            "total_samples": total,
            "completed_samples": done - failed,
            "scores": [
                {
                    "name": "refused",
                    "scorer": "refused",
                    "metrics": {"mean": {"name": "mean", "value": refused / max(1, done)}},
                }
            ],
        },
        "stats": {
            "started_at": moment(run.created_at),
            "completed_at": moment(run.ended_at) or "",
            "model_usage": {_named(model): _usage(usage_of(own), _cost(own))},
        },
    }


def _messages(told: Conversation) -> list[JsonValue]:
    """Tell what was said, as it was asked then."""
    made = [_message(message) for message in messages(told.scenario, ())]
    for one in told.turns:
        if one.number:
            made.append(_message(Message("user", one.asked)))
        answer = Message("assistant", one.reply.text)
        made.append(_message(answer, one.reply.model_reported))
    return list(made)


def _message(message: Message, model: str = "") -> JsonObject:
    made: JsonObject = {"role": message.role, "content": message.text}
    if message.role == "assistant":
        return made | {"source": "generate", "model": model}
    return made | {"source": "input"}


def _output(told: Conversation) -> JsonObject:
    if not told.turns:
        return {"model": told.facts.cell.model, "choices": []}
    last = told.turns[-1].reply
    stop = (
        "content_filter" if last.is_refusal else _STOPS.get(last.finish_reason.lower(), "unknown")
    )
    text = Message("assistant", last.text)
    return {
        # The version that answered, which is not always the name that was asked for.
        "model": last.model_reported,
        "choices": [{"message": _message(text, last.model_reported), "stop_reason": stop}],
        "completion": last.text,
        "usage": _usage(last.usage, None),
        "time": last.total_ms / 1000,
        "response_id": last.request_id or None,
        "metadata": {"finish_reason": last.finish_reason, "fingerprint": last.fingerprint},
    }


def _scores(told: Conversation) -> JsonObject | None:
    facts = told.facts
    if facts.state == CellState.FAILED:
        return None
    is_refused = facts.state == CellState.REFUSED
    scores: JsonObject = {
        "refused": {"value": int(is_refused), "explanation": facts.message or None}
    }
    if told.scenario.options:
        scores["choice"] = {
            "value": told.value or ("refused" if is_refused else "none"),
            "answer": facts.choice or None,
        }
    return scores


def _metadata(told: Conversation) -> JsonObject:
    facts, scenario = told.facts, told.scenario
    return {
        **scenario.metadata,
        "cluster": scenario.cluster,
        "run_id": facts.cell.run_id,
        "index": facts.cell.index,
        "state": facts.state.value,
        "fault": facts.fault,
        "model_requested": facts.cell.model,
        "model_reported": facts.model_reported,
        "attempts": facts.attempts,
        "cost_usd": facts.cost_usd,
        "preamble_as": scenario.preamble_as,
        "options": [option.model_dump(mode="json") for option in scenario.options],
        "turns": [
            {name: value for name, value in turn(one).items() if name not in ("asked", "answered")}
            for one in told.turns
        ],
    }


def _retries(told: Conversation) -> list[JsonValue] | None:
    """Tell calls that brought nothing and were made again."""
    count = sum(max(0, one.attempts - 1) for one in told.turns)
    if not count:
        return None
    return [_error("A call brought no answer and was made again.")] * min(count, RETRIES_MAX)


def _error(message: str) -> JsonObject:
    return {"message": message, "traceback": "", "traceback_ansi": ""}


def _usage(usage: UsageFacts, cost: float | None) -> JsonObject:
    """Tell tokens as inspect counts them: those of a cache apart from the other input."""
    told: JsonObject = {
        "input_tokens": max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens),
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "input_tokens_cache_read": usage.cached_tokens or None,
        "input_tokens_cache_write": usage.cache_write_tokens or None,
        "reasoning_tokens": usage.reasoning_tokens or None,
    }
    return told if cost is None else told | {"total_cost": cost}


def _cost(own: tuple[Tally, ...]) -> float | None:
    priced = [tally.cost_usd for tally in own if tally.unpriced < tally.cells]
    return sum(priced) if priced else None


def _named(model: str) -> str:
    """Write "openai:gpt-5-mini" as inspect does: "openai/gpt-5-mini"."""
    return model.replace(":", "/", 1)
