"""Changes of the transcripts, as steps of a transaction. Each may be done again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from desktop.core.llm.types import CellEnd, CellState, Turn
from desktop.store.transcripts.records import NewRun
from desktop.store.transcripts.tables import OF_A_RUN
from shared.errors import NotFound
from shared.times import to_ms

SUMS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
"""Columns that turns, cells and tallies have in common."""


def make_run(connection: sqlite3.Connection, run: NewRun) -> bool:
    """Keep a run, its scenarios and its cells; return False when it was there already."""
    made = connection.execute(
        "insert or ignore into run (run_id, name, definition, sha256, models, repeats, seed,"
        " total, created_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.run_id,
            storable(run.name),
            storable(run.definition),
            run.sha256,
            json.dumps(run.models),
            run.repeats,
            run.seed,
            run.total,
            to_ms(run.at),
        ),
    )
    if not made.rowcount:
        return False
    key = key_of(connection, run.run_id)
    connection.executemany(
        "insert into scenario (run_key, number, id, cluster, options, body)"
        " values (?, ?, ?, ?, ?, ?)",
        (
            (
                key,
                number,
                one.id,
                one.cluster,
                json.dumps([(option.label, option.value) for option in one.options]),
                storable(one.model_dump_json()),
            )
            for number, one in enumerate(run.scenarios)
        ),
    )
    connection.executemany(
        "insert into cell (run_key, idx, scenario, model, repeat) values (?, ?, ?, ?, ?)",
        ((key, *cell) for cell in _cells(run)),
    )
    return True


def save_turn(connection: sqlite3.Connection, run_id: str, index: int, turn: Turn) -> bool:
    """Keep a turn; the first of its number counts, and False tells that there was one."""
    reply, usage = turn.reply, turn.reply.usage
    made = connection.execute(
        "insert or ignore into turn (run_key, idx, number, asked, answered, model_reported,"
        " request_id, fingerprint, finish_reason, is_refusal, input_tokens, output_tokens,"
        " cached_tokens, cache_write_tokens, reasoning_tokens, is_estimated, first_token_ms,"
        " total_ms, sent, prompt_sha256, attempts, at_ms)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key_of(connection, run_id),
            index,
            turn.number,
            storable(turn.asked),
            storable(reply.text),
            storable(reply.model_reported),
            storable(reply.request_id),
            storable(reply.fingerprint),
            storable(reply.finish_reason),
            reply.is_refusal,
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
            usage.is_estimated,
            reply.first_token_ms,
            reply.total_ms,
            json.dumps(reply.sent),
            reply.prompt_sha256,
            turn.attempts,
            to_ms(turn.at),
        ),
    )
    return made.rowcount > 0


def end_cell(
    connection: sqlite3.Connection, run_id: str, index: int, end: CellEnd, at_ms: int
) -> bool:
    """Say how a cell came out; the first end counts, and False tells that there was one."""
    assert end.state != CellState.OPEN
    key = key_of(connection, run_id)
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in SUMS)
    told = connection.execute(
        f"select count(*), coalesce(max(is_estimated), 0), coalesce(sum(total_ms), 0), {sums}"
        " from turn where run_key = ? and idx = ?",
        (key, index),
    ).fetchone()
    last = connection.execute(
        "select model_reported from turn where run_key = ? and idx = ?"
        " order by number desc limit 1",
        (key, index),
    ).fetchone()
    made = connection.execute(
        "update cell set state = ?, choice = ?, fault = ?, message = ?, cost_usd = ?,"
        " attempts = ?, model_reported = ?, ended_ms = ?, turns = ?, is_estimated = ?,"
        f" total_ms = ?, {', '.join(f'{name} = ?' for name in SUMS)}"
        " where run_key = ? and idx = ? and state = 'open'",
        (
            end.state.value,
            storable(end.choice),
            end.fault,
            storable(end.message),
            end.cost_usd,
            end.attempts,
            last[0] if last else "",
            at_ms,
            *told,
            key,
            index,
        ),
    )
    if not made.rowcount:
        return False
    _count(connection, key, index, 1)
    connection.execute(
        "update run set ended_ms = max(coalesce(ended_ms, 0), ?) where run_key = ?", (at_ms, key)
    )
    return True


def note_fault(
    connection: sqlite3.Connection, run_id: str, index: int, fault: str, message: str
) -> None:
    """Say why a cell that is still open has to wait."""
    connection.execute(
        "update cell set fault = ?, message = ? where run_key = ? and idx = ? and state = 'open'",
        (fault, storable(message), key_of(connection, run_id), index),
    )


def reopen_cells(
    connection: sqlite3.Connection,
    run_id: str,
    *,
    indexes: Sequence[int] | None = None,
    models: Sequence[str] | None = None,
    faults: Sequence[str] | None = None,
) -> int:
    """Open failed cells again; their finished turns stay, and are not asked again.

    Args:
        connection: of the transcripts.
        run_id: of the run.
        indexes: only these, when given.
        models: only those of these models ("endpoint:model"), when given.
        faults: only those that failed by these classes, when given.

    Returns:
        How many are open again.
    """
    key = key_of(connection, run_id)
    known = json.loads(
        connection.execute("select models from run where run_key = ?", (key,)).fetchone()[0]
    )
    found = connection.execute(
        "select idx, model, fault from cell where run_key = ? and state = 'failed'", (key,)
    ).fetchall()
    chosen = [
        index
        for index, model, fault in found
        if (indexes is None or index in set(indexes))
        and (models is None or known[model] in models)
        and (faults is None or fault in faults)
    ]
    for index in chosen:
        _count(connection, key, index, -1)
    zeros = ", ".join(f"{name} = 0" for name in ("turns", "is_estimated", "total_ms", *SUMS))
    connection.executemany(
        "update cell set state = 'open', choice = '', fault = '', message = '', cost_usd = null,"
        f" attempts = 0, model_reported = '', ended_ms = null, {zeros}"
        " where run_key = ? and idx = ?",
        [(key, index) for index in chosen],
    )
    return len(chosen)


def purge(connection: sqlite3.Connection, run_ids: Iterable[str]) -> int:
    """Delete runs and all that was said in them; return how many there were."""
    # What is freed from here on leaves nothing in the file (sqlite.org/pragma).
    connection.execute("pragma secure_delete = on")
    count = 0
    for run_id in run_ids:
        row = connection.execute("select run_key from run where run_id = ?", (run_id,)).fetchone()
        if row is not None:
            count += 1
            for table in OF_A_RUN:
                connection.execute(f"delete from {table} where run_key = ?", row)
    return count


def key_of(connection: sqlite3.Connection, run_id: str) -> int:
    """Return the number under which a run's rows stand.

    Raises:
        NotFound: `run_unknown`.
    """
    row = connection.execute("select run_key from run where run_id = ?", (run_id,)).fetchone()
    if row is None:
        raise run_unknown(run_id)
    return int(row[0])


def run_unknown(name: str) -> NotFound:
    return NotFound(
        "run_unknown",
        f"This machine has no transcripts of a run {storable(name)[:64]}.",
        "/runs, or deskhand runs, lists those that there are.",
    )


def storable(text: str) -> str:
    """Replace halves of characters, which a model's JSON may hold and no file takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _cells(run: NewRun) -> Iterator[tuple[int, int, int, int]]:
    """Number the cells so that neighbours are of different models."""
    index = 0
    for scenario in range(len(run.scenarios)):
        for repeat in range(run.repeats):
            for model in range(len(run.models)):
                yield index, scenario, model, repeat
                index += 1


def _count(connection: sqlite3.Connection, key: int, index: int, sign: int) -> None:
    """Take an ended cell into its tally, or out of it again."""
    sums = ", ".join(f"? * {name}" for name in SUMS)
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)
    connection.execute(
        "insert into tally (run_key, model, state, fault, cells, unpriced, cost_usd, estimated,"
        f" {', '.join(SUMS)})"
        " select run_key, model, state, fault, ?, ? * (cost_usd is null),"
        f" ? * coalesce(cost_usd, 0), ? * is_estimated, {sums}"
        " from cell where run_key = ? and idx = ?"
        " on conflict do update set cells = cells + excluded.cells,"
        " unpriced = unpriced + excluded.unpriced, cost_usd = cost_usd + excluded.cost_usd,"
        f" estimated = estimated + excluded.estimated, {added}",
        (sign,) * (4 + len(SUMS)) + (key, index),
    )
