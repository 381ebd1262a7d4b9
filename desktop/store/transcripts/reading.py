"""What was asked and answered, read on any connection, also beside the one that writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from desktop.core.llm.scenarios import Scenario
from desktop.core.llm.types import Cell, CellEnd, CellState, ProbeRow, Reply, Turn
from desktop.store.transcripts.records import Probe, Run, Tally
from desktop.store.transcripts.writing import SUMS, key_of, run_unknown
from shared.ids import short
from shared.kinds.llm import UsageFacts
from shared.times import from_ms

RUNS_SHOWN_MAX = 500

_RUN = (
    "select run_key, run_id, name, sha256, models, repeats, seed, total, created_ms, ended_ms"
    " from run"
)
TURN_COLUMNS = (
    "number, asked, answered, model_reported, request_id, fingerprint, finish_reason,"
    " is_refusal, first_token_ms, total_ms, sent, prompt_sha256, attempts, at_ms, is_estimated, "
) + ", ".join(SUMS)
_TURN = f"select {TURN_COLUMNS} from turn where run_key = ? and idx = ? order by number"


def run(connection: sqlite3.Connection, run_id: str) -> Run:
    """Read a run and how far it is.

    Raises:
        NotFound: `run_unknown`.
    """
    row = connection.execute(f"{_RUN} where run_id = ?", (run_id,)).fetchone()
    if row is None:
        raise run_unknown(run_id)
    return _run(connection, row)


def runs(connection: sqlite3.Connection, *, count_max: int = RUNS_SHOWN_MAX) -> tuple[Run, ...]:
    """List the runs of this machine, the newest first."""
    rows = connection.execute(
        f"{_RUN} order by created_ms desc, run_key desc limit ?", (count_max,)
    ).fetchall()
    return tuple(_run(connection, row) for row in rows)


def run_named(connection: sqlite3.Connection, name: str | None) -> str:
    """Find a run by its id, its short id, or its number in the list; without a name the newest.

    Raises:
        NotFound: `run_unknown`.
    """
    found = connection.execute(
        "select run_id from run order by created_ms desc, run_key desc"
    ).fetchall()
    ids = [str(run_id) for (run_id,) in found]
    wanted = (name or "1").strip().removeprefix("#")
    if wanted in ids:
        return wanted
    for run_id in ids:
        if short(run_id) == wanted.upper():
            return run_id
    if wanted.isdecimal() and len(wanted) < 10 and 1 <= int(wanted) <= len(ids):
        return ids[int(wanted) - 1]
    raise run_unknown(wanted)


def definition(connection: sqlite3.Connection, run_id: str) -> str:
    """Return the snapshot of a run's definition, as JSON."""
    key = key_of(connection, run_id)
    row = connection.execute("select definition from run where run_key = ?", (key,)).fetchone()
    return str(row[0])


def scenarios(connection: sqlite3.Connection, run_id: str) -> Iterator[Scenario]:
    """Read the scenarios of a run, in the definition's order."""
    rows = connection.execute(
        "select body from scenario where run_key = ? order by number",
        (key_of(connection, run_id),),
    )
    for (body,) in rows:
        yield Scenario.model_validate_json(body)


def open_cells(connection: sqlite3.Connection, run_id: str) -> list[int]:
    """List the indexes of the cells that have no end yet."""
    rows = connection.execute(
        "select idx from cell where run_key = ? and state = 'open' order by idx",
        (key_of(connection, run_id),),
    )
    return [index for (index,) in rows]


def cell(connection: sqlite3.Connection, run_id: str, index: int) -> Cell:
    """Read one cell.

    Raises:
        NotFound: `run_unknown`, `cell_unknown`.
    """
    return probe(connection, run_id, index, with_turns=False).cell


def turns(connection: sqlite3.Connection, run_id: str, index: int) -> tuple[Turn, ...]:
    """Read the finished turns of a cell, in their order."""
    return _turns(connection, key_of(connection, run_id), index)


def probe(
    connection: sqlite3.Connection, run_id: str, index: int, *, with_turns: bool = True
) -> Probe:
    """Read a cell with its scenario, its finished turns and its end.

    Raises:
        NotFound: `run_unknown`, `cell_unknown`.
    """
    row = connection.execute(
        "select run_key, models, seed, body, model, repeat, state, choice, fault, message,"
        " cost_usd, attempts, cell.ended_ms from run join cell using (run_key)"
        " join scenario using (run_key)"
        " where run_id = ? and idx = ? and scenario.number = cell.scenario",
        (run_id, index),
    ).fetchone()
    if row is None:
        raise _cell_unknown(connection, run_id, index)
    key, models, seed, body, model, repeat, state, *end, ended_ms = row
    scenario = Scenario.model_validate_json(body)
    is_open = state == CellState.OPEN
    return Probe(
        cell=Cell(
            run_id=run_id,
            index=index,
            scenario=scenario.id,
            model=json.loads(models)[model],
            repeat=repeat,
        ),
        scenario=scenario,
        seed=seed,
        turns=_turns(connection, key, index) if with_turns else (),
        end=None if is_open else _end(state, end),
        ended_at=None if ended_ms is None else from_ms(ended_ms),
    )


def rows(connection: sqlite3.Connection, run_id: str) -> Iterator[ProbeRow]:
    """Read all cells of a run as statistics want them; no text is touched."""
    key = key_of(connection, run_id)
    models = _models(connection, key)
    known = {
        number: (name, cluster, tuple((label, value) for label, value in json.loads(options)))
        for number, name, cluster, options in connection.execute(
            "select number, id, cluster, options from scenario where run_key = ?", (key,)
        )
    }
    found = connection.execute(
        "select idx, scenario, model, repeat, state, choice, fault,"
        " input_tokens + output_tokens, cost_usd, total_ms from cell where run_key = ?"
        " order by idx",
        (key,),
    )
    for index, scenario, model, repeat, state, choice, fault, tokens, cost, ms in found:
        name, cluster, options = known[scenario]
        yield ProbeRow(
            index=index,
            scenario=name,
            cluster=cluster,
            model=models[model],
            repeat=repeat,
            state=CellState(state),
            choice=choice,
            options=options,
            fault=fault,
            tokens=tokens,
            cost_usd=cost,
            total_ms=ms,
        )


def usage(row: tuple[int, ...], *, is_estimated: bool) -> UsageFacts:
    """Make the facts of the columns `SUMS`."""
    return UsageFacts(**dict(zip(SUMS, row, strict=True)), is_estimated=is_estimated)


def _run(connection: sqlite3.Connection, row: tuple[object, ...]) -> Run:
    key, run_id, name, sha256, models, repeats, seed, total, created, ended = row
    named = tuple(json.loads(str(models)))
    found = connection.execute(
        "select model, state, fault, cells, unpriced, cost_usd, estimated,"
        f" {', '.join(SUMS)} from tally where run_key = ? and cells > 0",
        (key,),
    )
    return Run(
        run_id=str(run_id),
        name=str(name),
        sha256=str(sha256),
        models=named,
        repeats=_int(repeats),
        seed=None if seed is None else _int(seed),
        total=_int(total),
        created_at=from_ms(_int(created)),
        ended_at=None if ended is None else from_ms(_int(ended)),
        tallies=tuple(
            Tally(
                model=named[model],
                state=CellState(state),
                fault=fault,
                cells=cells,
                unpriced=unpriced,
                cost_usd=cost,
                usage=usage(tuple(sums), is_estimated=estimated > 0),
            )
            for model, state, fault, cells, unpriced, cost, estimated, *sums in found
        ),
    )


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _models(connection: sqlite3.Connection, key: int) -> list[str]:
    row = connection.execute("select models from run where run_key = ?", (key,)).fetchone()
    return [str(name) for name in json.loads(row[0])]


def _end(state: str, told: list[object]) -> CellEnd:
    choice, fault, message, cost, attempts = told
    return CellEnd(
        state=CellState(state),
        choice=str(choice),
        fault=str(fault),
        message=str(message),
        cost_usd=cost if isinstance(cost, float) else None,
        attempts=_int(attempts),
    )


def _turns(connection: sqlite3.Connection, key: int, index: int) -> tuple[Turn, ...]:
    return tuple(map(turn, connection.execute(_TURN, (key, index))))


def turn(row: tuple[object, ...]) -> Turn:
    """Make a turn of the columns `TURN_COLUMNS`."""
    number, asked, answered, reported, request_id, fingerprint, finish = row[:7]
    refusal, first, total, sent, sha256, attempts, at_ms, estimated, *sums = row[7:]
    return Turn(
        number=_int(number),
        asked=str(asked),
        attempts=_int(attempts),
        at=from_ms(_int(at_ms)),
        reply=Reply(
            text=str(answered),
            model_reported=str(reported),
            request_id=str(request_id),
            fingerprint=str(fingerprint),
            finish_reason=str(finish),
            is_refusal=bool(refusal),
            usage=usage(tuple(map(_int, sums)), is_estimated=bool(estimated)),
            first_token_ms=first if isinstance(first, float) else None,
            total_ms=float(str(total)),
            sent=json.loads(str(sent)),
            prompt_sha256=str(sha256),
        ),
    )


def _cell_unknown(connection: sqlite3.Connection, run_id: str, index: int) -> Exception:
    from shared.errors import NotFound

    total = run(connection, run_id).total
    return NotFound(
        "cell_unknown",
        f"The run has no probe {index}: it has {total:,}, counted from 0.",
        "Name one of them.",
    )
