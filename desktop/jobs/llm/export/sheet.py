"""A run as CSV: a cell a row, its first question and its last answer; for a spreadsheet."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator

from desktop.jobs.llm.export.lines import moment
from desktop.jobs.llm.formulas import harmless
from desktop.store.transcripts.records import Run
from desktop.store.transcripts.streaming import Conversation, conversations
from shared.plain_text import plain

CELL_CHARS_MAX = 32_000
"""A spreadsheet's cell holds 32,767 characters; JSON Lines have all of a text."""
COLUMNS = (
    "run",
    "index",
    "scenario",
    "cluster",
    "model",
    "model_reported",
    "repeat",
    "state",
    "choice",
    "value",
    "fault",
    "message",
    "turns",
    "attempts",
    "calls",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "is_estimated",
    "cost_usd",
    "first_token_ms",
    "total_ms",
    "finish_reason",
    "request_id",
    "prompt_sha256",
    "ended_at",
    "asked",
    "answered",
)


def rows(connection: sqlite3.Connection, run: Run) -> Iterator[str]:
    """Write a run as RFC 4180 says, row by row, its heads first."""
    yield _row(COLUMNS)
    for told in conversations(connection, run.run_id):
        yield _row([_written(one) for one in _cells(told)])


def _cells(told: Conversation) -> tuple[object, ...]:
    facts, usage = told.facts, told.facts.usage
    first = told.turns[0] if told.turns else None
    last = told.turns[-1] if told.turns else None
    return (
        facts.cell.run_id,
        facts.cell.index,
        facts.cell.scenario,
        told.scenario.cluster,
        facts.cell.model,
        facts.model_reported,
        facts.cell.repeat,
        facts.state.value,
        facts.choice,
        told.value,
        facts.fault,
        facts.message,
        len(told.turns),
        facts.attempts,
        sum(turn.attempts for turn in told.turns),
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
        usage.is_estimated,
        facts.cost_usd,
        first and first.reply.first_token_ms,
        facts.total_ms,
        last and last.reply.finish_reason,
        last and last.reply.request_id,
        first and first.reply.prompt_sha256,
        moment(facts.ended_at),
        first and first.asked,
        last and last.reply.text,
    )


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return harmless(plain(str(value)[:CELL_CHARS_MAX]))


def _row(cells: tuple[str, ...] | list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
