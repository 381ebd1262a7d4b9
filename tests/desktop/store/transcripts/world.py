"""Runs, turns and ends for tests of the transcripts."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from desktop.core.llm import definition
from desktop.core.llm.scenarios import expand
from desktop.core.llm.types import CellEnd, CellState, Reply, Turn
from desktop.store.transcripts import writing
from desktop.store.transcripts.records import NewRun
from shared.kinds import JsonObject
from shared.kinds.llm import UsageFacts
from shared.times import to_ms

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RUN = "0199a000-0000-7000-8000-000000000001"
OTHER = "0199a000-0000-7000-8000-000000000002"
MODELS = ("local:tiny", "openai:gpt-5-mini")
DONE = CellEnd(state=CellState.ANSWERED, choice="A", cost_usd=0.25)
USAGE = UsageFacts(
    input_tokens=30, output_tokens=12, cached_tokens=8, cache_write_tokens=2, reasoning_tokens=5
)


def new_run(
    run_id: str = RUN, *, scenarios: int = 3, repeats: int = 1, at: datetime = NOW
) -> NewRun:
    values: JsonObject = {
        "name": "dilemmas",
        "models": list(MODELS),
        "scenarios": [
            {
                "id": f"s{number}",
                "prompt": f"Question {number}?",
                "cluster": f"c{number // 2}",
                "options": {"A": "honesty", "B": "care"},
            }
            for number in range(scenarios)
        ],
    }
    read = definition.parse(values)
    return NewRun(
        run_id=run_id,
        name=read.name,
        definition=definition.snapshot(read),
        sha256=definition.digest(read),
        scenarios=expand(read),
        models=MODELS,
        repeats=repeats,
        seed=7,
        at=at,
    )


def turn(number: int = 0, text: str = "A, because it is true.") -> Turn:
    reply = Reply(
        text=text,
        model_reported="tiny-2026-11-01",
        request_id=f"req-{number}",
        fingerprint="fp",
        finish_reason="stop",
        usage=USAGE,
        first_token_ms=12.5,
        total_ms=80.25,
        sent={"temperature": 0.0, "model": "tiny"},
        prompt_sha256="0" * 64,
    )
    return Turn(
        number=number,
        asked=f"Question {number}?",
        reply=reply,
        attempts=2,
        at=NOW + timedelta(seconds=number),
    )


def answered(
    connection: sqlite3.Connection,
    run_id: str,
    index: int,
    end: CellEnd = DONE,
    *,
    text: str = "A, because it is true.",
) -> None:
    writing.save_turn(connection, run_id, index, turn(text=text))
    writing.end_cell(connection, run_id, index, end, to_ms(NOW))


def failed(fault: str = "RATE_LIMIT") -> CellEnd:
    return CellEnd(state=CellState.FAILED, fault=fault, message="Too many.", attempts=3)
