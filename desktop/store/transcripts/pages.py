"""Pages of a run's cells for viewers: by index, filtered over an index each, searched in steps."""

from __future__ import annotations

import json
import sqlite3

from desktop.core.llm.types import Cell, CellState
from desktop.store.transcripts.reading import usage
from desktop.store.transcripts.records import CellFacts, CellPage, Wanted
from desktop.store.transcripts.writing import SUMS, key_of
from shared.times import from_ms

PAGE_CELLS = 100
PAGE_CELLS_MAX = 1000
CELLS_SEARCHED_MAX = 2000
"""Cells whose texts are looked through for one page: about 50 ms."""

COLUMNS = (
    "cell.idx, scenario.id, cell.model, cell.repeat, cell.state, cell.choice, cell.fault,"
    " cell.message, cell.cost_usd, cell.attempts, cell.turns, cell.total_ms, cell.model_reported,"
    " cell.ended_ms, cell.is_estimated, "
) + ", ".join(f"cell.{name}" for name in SUMS)


def cells(
    connection: sqlite3.Connection,
    run_id: str,
    wanted: Wanted | None = None,
    *,
    after: int = -1,
    count: int = PAGE_CELLS,
) -> CellPage:
    """Read the cells that follow one, in the order of their indexes.

    Raises:
        NotFound: `run_unknown`.
    """
    wanted = wanted or Wanted()
    count = min(count, PAGE_CELLS_MAX)
    key = key_of(connection, run_id)
    models = json.loads(
        connection.execute("select models from run where run_key = ?", (key,)).fetchone()[0]
    )
    where, values = _where(connection, key, wanted, models)
    if where is None:
        return CellPage(cells=(), next_after=None)
    limit = CELLS_SEARCHED_MAX if wanted.text else count + 1
    found = connection.execute(
        f"select {COLUMNS} from cell join scenario"
        " on scenario.run_key = cell.run_key and scenario.number = cell.scenario"
        f" where cell.run_key = ? and idx > ?{where} order by idx limit ?",
        (key, after, *values, limit),
    )
    if wanted.text:
        return _searched(connection, found, (key, run_id, models), wanted.text, count)
    page = [facts(row, run_id, models) for row in found]
    more = len(page) > count
    return CellPage(
        cells=tuple(page[:count]), next_after=page[count - 1].cell.index if more else None
    )


def _searched(
    connection: sqlite3.Connection,
    found: sqlite3.Cursor,
    of: tuple[int, str, list[str]],
    text: str,
    count: int,
) -> CellPage:
    key, run_id, models = of
    folded = text.casefold()
    page: list[CellFacts] = []
    seen, last = 0, -1
    for row in found:
        seen, last = seen + 1, row[0]
        if folded in row[1].casefold() or _says(connection, key, last, folded):
            page.append(facts(row, run_id, models))
            if len(page) == count:
                return CellPage(cells=tuple(page), next_after=last)
    is_end = seen < CELLS_SEARCHED_MAX
    return CellPage(cells=tuple(page), next_after=None if is_end else last)


def _says(connection: sqlite3.Connection, key: int, index: int, folded: str) -> bool:
    texts = connection.execute(
        "select asked, answered from turn where run_key = ? and idx = ? order by number",
        (key, index),
    )
    return any(folded in f"{asked}\n{answered}".casefold() for asked, answered in texts)


def _where(
    connection: sqlite3.Connection, key: int, wanted: Wanted, models: list[str]
) -> tuple[str | None, list[object]]:
    """Make the conditions; None when nothing can fit them."""
    where, values = "", list[object]()
    if wanted.state is not None:
        where, values = f"{where} and state = ?", [*values, wanted.state.value]
    if wanted.fault:
        # A partial index is used where its own condition stands in the question.
        where, values = f"{where} and fault != '' and fault = ?", [*values, wanted.fault]
    if wanted.model:
        if wanted.model not in models:
            return None, []
        where, values = f"{where} and model = ?", [*values, models.index(wanted.model)]
    if wanted.scenario:
        row = connection.execute(
            "select number from scenario where run_key = ? and id = ?", (key, wanted.scenario)
        ).fetchone()
        if row is None:
            return None, []
        where, values = f"{where} and cell.scenario = ?", [*values, row[0]]
    return where, values


def facts(row: tuple[object, ...], run_id: str, models: list[str]) -> CellFacts:
    """Make a cell of the columns `COLUMNS`."""
    index, scenario, model, repeat, state, choice, fault, message, cost, attempts, turns = row[:11]
    total_ms, reported, ended_ms, estimated, *sums = row[11:]
    assert isinstance(index, int)
    assert isinstance(model, int)
    assert isinstance(repeat, int)
    assert isinstance(attempts, int)
    assert isinstance(turns, int)
    return CellFacts(
        cell=Cell(
            run_id=run_id,
            index=index,
            scenario=str(scenario),
            model=models[model],
            repeat=repeat,
        ),
        state=CellState(str(state)),
        choice=str(choice),
        fault=str(fault),
        message=str(message),
        cost_usd=cost if isinstance(cost, float) else None,
        attempts=attempts,
        turns=turns,
        usage=usage(tuple(n for n in sums if isinstance(n, int)), is_estimated=bool(estimated)),
        total_ms=total_ms if isinstance(total_ms, float) else 0.0,
        model_reported=str(reported),
        ended_at=from_ms(ended_ms) if isinstance(ended_ms, int) else None,
    )
