"""All that was said in a run, cell after cell, read as it is written: a run of any size fits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from desktop.core.llm.scenarios import Scenario
from desktop.core.llm.types import Turn
from desktop.store.transcripts import pages, reading
from desktop.store.transcripts.records import CellFacts
from desktop.store.transcripts.writing import key_of


@dataclass(frozen=True, slots=True)
class Conversation:
    """A cell with its scenario and its turns."""

    facts: CellFacts
    scenario: Scenario
    turns: tuple[Turn, ...]

    @property
    def value(self) -> str:
        """What the chosen option stands for; empty when none was chosen."""
        return next((o.value for o in self.scenario.options if o.label == self.facts.choice), "")


def conversations(
    connection: sqlite3.Connection, run_id: str, *, model: str = ""
) -> Iterator[Conversation]:
    """Read a run's cells in the order of their indexes; those of one model when it is named.

    Raises:
        NotFound: `run_unknown`.
    """
    key = key_of(connection, run_id)
    models = list(reading.run(connection, run_id).models)
    number = models.index(model) if model else None
    width = len(pages.COLUMNS.split(","))
    found = connection.execute(
        f"select {pages.COLUMNS}, {_turn_columns()} from cell"
        " join scenario on scenario.run_key = cell.run_key and scenario.number = cell.scenario"
        " left join turn on turn.run_key = cell.run_key and turn.idx = cell.idx"
        " where cell.run_key = ? and (? is null or cell.model = ?)"
        " order by cell.idx, turn.number",
        (key, number, number),
    )
    scenario: Scenario | None = None
    for _, rows in groupby(found, key=lambda row: row[0]):
        cell_rows = list(rows)
        facts = pages.facts(cell_rows[0][:width], run_id, models)
        # Neighbours are mostly of the same scenario.
        if scenario is None or scenario.id != facts.cell.scenario:
            scenario = _scenario(connection, key, facts.cell.scenario)
        turns = [row[width:] for row in cell_rows if row[width] is not None]
        yield Conversation(facts, scenario, tuple(map(reading.turn, turns)))


def _turn_columns() -> str:
    return ", ".join(f"turn.{name.strip()}" for name in reading.TURN_COLUMNS.split(","))


def _scenario(connection: sqlite3.Connection, key: int, name: str) -> Scenario:
    (body,) = connection.execute(
        "select body from scenario where run_key = ? and id = ?", (key, name)
    ).fetchone()
    return Scenario.model_validate_json(body)
