"""A run as JSON Lines: the run, a cell a line with all its turns, the end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from desktop.core.llm.types import Turn
from desktop.store.transcripts import reading
from desktop.store.transcripts.records import Run
from desktop.store.transcripts.streaming import Conversation, conversations
from shared.kinds import JsonObject

FORMAT = "deskhand-transcripts"
FORMAT_VERSION = 1


def lines(
    connection: sqlite3.Connection, run: Run, *, now: datetime, program: str
) -> Iterator[str]:
    """Write a run, line by line."""
    yield _line(_header(connection, run, now, program))
    for told in conversations(connection, run.run_id):
        yield _line(cell(told))
    yield _line({"record": "end"})


def cell(told: Conversation) -> JsonObject:
    """Tell a cell and everything that was said in it."""
    facts, scenario = told.facts, told.scenario
    return {
        "record": "cell",
        "run": facts.cell.run_id,
        "index": facts.cell.index,
        "scenario": scenario.id,
        "cluster": scenario.cluster,
        "model": facts.cell.model,
        "repeat": facts.cell.repeat,
        "state": facts.state.value,
        "choice": facts.choice,
        "value": told.value,
        "fault": facts.fault,
        "message": facts.message,
        "attempts": facts.attempts,
        "cost_usd": facts.cost_usd,
        "ended_at": moment(facts.ended_at),
        "preamble": scenario.preamble,
        "preamble_as": scenario.preamble_as,
        "options": [option.model_dump(mode="json") for option in scenario.options],
        "metadata": scenario.metadata,
        "turns": [turn(one) for one in told.turns],
    }


def turn(one: Turn) -> JsonObject:
    """Tell a turn, as it was asked and answered."""
    reply = one.reply
    return {
        "number": one.number,
        "asked": one.asked,
        "answered": reply.text,
        "model_reported": reply.model_reported,
        "request_id": reply.request_id,
        "fingerprint": reply.fingerprint,
        "finish_reason": reply.finish_reason,
        "is_refusal": reply.is_refusal,
        "attempts": one.attempts,
        "first_token_ms": reply.first_token_ms,
        "total_ms": reply.total_ms,
        "usage": reply.usage.model_dump(mode="json"),
        "sent": reply.sent,
        "prompt_sha256": reply.prompt_sha256,
        "at": moment(one.at),
    }


def moment(at: datetime | None) -> str | None:
    """Write a moment as RFC 3339, UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _header(connection: sqlite3.Connection, run: Run, now: datetime, program: str) -> JsonObject:
    return {
        "record": "run",
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "made_at": moment(now),
        "program": program,
        "run": run.run_id,
        "name": run.name,
        "created_at": moment(run.created_at),
        "models": list(run.models),
        "repeats": run.repeats,
        "seed": run.seed,
        "total": run.total,
        "definition_sha256": run.sha256,
        "definition": json.loads(reading.definition(connection, run.run_id)),
    }


def _line(told: JsonObject) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"
