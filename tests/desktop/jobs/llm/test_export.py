"""Exports: other programs read them, all is in them, and they take little memory."""

from __future__ import annotations

import csv
import json
import sqlite3
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jsonschema_rs
import pytest

from desktop.core.llm.types import CellEnd, CellState
from desktop.jobs.llm.export import sheet
from desktop.jobs.llm.export.writing import Form, stem, write
from desktop.store.transcripts import opening, reading, writing
from desktop.store.transcripts.records import Run
from shared.errors import BadInput, Conflict
from shared.times import to_ms
from tests.desktop.store.transcripts.world import (
    MODELS,
    NOW,
    RUN,
    answered,
    failed,
    new_run,
    turn,
)

NASTY = '=HYPERLINK("http://evil","A")\r\n\x1b[31m, "quoted" 🙂'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Transcripts of a run of twelve cells: two turns, a refusal, a failure, one open."""
    folder = tmp_path / "data"
    folder.mkdir()

    def fill(connection: sqlite3.Connection) -> None:
        writing.make_run(connection, new_run(repeats=2))
        writing.save_turn(connection, RUN, 0, turn(0))
        writing.save_turn(connection, RUN, 0, turn(1, NASTY))
        done = CellEnd(state=CellState.ANSWERED, choice="A", cost_usd=0.25, attempts=2)
        writing.end_cell(connection, RUN, 0, done, to_ms(NOW + timedelta(seconds=9)))
        refused = CellEnd(state=CellState.REFUSED, message="I cannot.")
        answered(connection, RUN, 1, refused)
        writing.end_cell(connection, RUN, 2, failed(), to_ms(NOW))
        for index in range(3, 11):
            answered(connection, RUN, index)

    with opening.open_to_write(folder, NOW) as database:
        database.submit(fill).result()
    return folder


@pytest.fixture
def run(data: Path) -> Iterator[Run]:
    with opening.reading(data) as connection:
        yield reading.run(connection, RUN)


def exported(data: Path, form: Form, target: Path) -> tuple[Path, ...]:
    return write(data, RUN, form, target, now=NOW, program="0.1")


# What a library warns of when it is imported is its own affair.
@pytest.mark.filterwarnings("ignore")
def test_inspect_reads_its_logs(data: Path, tmp_path: Path) -> None:
    from inspect_ai.log import read_eval_log

    first, second = exported(data, Form.INSPECT, tmp_path / "logs")

    log = read_eval_log(str(first))
    assert log.status == "success"
    assert (log.eval.model, log.eval.run_id, log.eval.task) == ("local/tiny", RUN, "dilemmas")
    assert log.eval.config.epochs == 2
    assert log.samples is not None
    assert len(log.samples) == 6
    sample = log.samples[0]
    assert (sample.id, sample.epoch) == ("s0", 1)
    assert [message.role for message in sample.messages] == ["user", "assistant"] * 2
    assert sample.messages[-1].text == NASTY
    assert sample.output.model == "tiny-2026-11-01"
    assert sample.output.time == pytest.approx(0.08025)
    assert sample.output.stop_reason == "stop"
    assert sample.output.usage is not None
    assert sample.output.usage.input_tokens_cache_read == 8
    assert sample.scores is not None
    assert (sample.scores["choice"].value, sample.scores["choice"].answer) == ("honesty", "A")
    assert sample.scores["refused"].value == 0
    assert sample.metadata["cluster"] == "c0"
    assert sample.metadata["turns"][1]["request_id"] == "req-1"
    assert sample.error_retries is not None
    assert len(sample.error_retries) == 2
    failed_one = next(one for one in log.samples if one.error is not None)
    assert failed_one.error is not None
    assert failed_one.error.message == "RATE_LIMIT: Too many."
    other = read_eval_log(str(second))
    assert other.status == "cancelled"
    assert other.samples is not None
    scores = [one.scores for one in other.samples if one.scores]
    assert [score["refused"].value for score in scores] == [1, 0, 0, 0, 0]


@pytest.mark.filterwarnings("ignore")
def test_inspect_makes_a_table_of_them_and_its_own_kind_of_file(data: Path, tmp_path: Path) -> None:
    from inspect_ai.analysis import samples_df
    from inspect_ai.log import read_eval_log, write_eval_log

    paths = exported(data, Form.INSPECT, tmp_path / "logs")
    frame = samples_df(str(tmp_path / "logs"))

    assert len(frame) == 11
    assert set(frame["score_choice"].dropna()) == {"honesty", "refused"}
    assert (frame["error"] != "").sum() == 1
    write_eval_log(read_eval_log(str(paths[0])), str(tmp_path / "own.eval"))
    again = read_eval_log(str(tmp_path / "own.eval"))
    assert again.samples is not None
    assert len(again.samples) == 6


def test_json_lines_have_every_cell_with_every_turn(data: Path, tmp_path: Path) -> None:
    (path,) = exported(data, Form.JSONL, tmp_path / "run.jsonl")

    header, *cells, end = map(json.loads, path.read_text().splitlines())

    assert (header["record"], header["format"], header["version"]) == (
        "run",
        "deskhand-transcripts",
        1,
    )
    assert header["definition"]["scenarios"][0]["id"] == "s0"
    assert end == {"record": "end"}
    assert [cell["index"] for cell in cells] == list(range(12))
    first = cells[0]
    assert (first["state"], first["choice"], first["value"]) == ("answered", "A", "honesty")
    assert [one["answered"] for one in first["turns"]] == ["A, because it is true.", NASTY]
    assert first["turns"][0]["usage"]["reasoning_tokens"] == 5
    assert (cells[2]["fault"], cells[2]["turns"]) == ("RATE_LIMIT", [])
    assert (cells[11]["state"], cells[11]["ended_at"]) == ("open", None)


def test_the_published_schema_fits_every_line(data: Path, tmp_path: Path) -> None:
    docs = Path(__file__).parents[4] / "docs"
    schema = jsonschema_rs.validator_for(
        json.loads((docs / "probe-transcripts.schema.json").read_text())
    )
    (path,) = exported(data, Form.JSONL, tmp_path / "run.jsonl")

    for line in path.read_text().splitlines():
        schema.validate(json.loads(line))

    told = (docs / "probe-transcripts.md").read_text()
    for line in path.read_text().splitlines():
        record = json.loads(line)
        for name in (*record, *(name for one in record.get("turns", ()) for name in one)):
            assert f"`{name}`" in told, name
    for name in sheet.COLUMNS:
        assert f"`{name}`" in told, name


def test_no_spreadsheet_takes_an_answer_for_a_formula(data: Path, tmp_path: Path) -> None:
    (path,) = exported(data, Form.CSV, tmp_path / "run.csv")

    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 12
    assert rows[0]["answered"].startswith("'=HYPERLINK")
    assert "\x1b" not in rows[0]["answered"]
    assert (rows[0]["value"], rows[0]["cost_usd"], rows[0]["calls"]) == ("honesty", "0.25", "4")
    assert (rows[11]["state"], rows[11]["answered"], rows[11]["cost_usd"]) == ("open", "", "")


def test_a_file_that_is_there_is_left_alone(data: Path, tmp_path: Path, run: Run) -> None:
    (path,) = exported(data, Form.CSV, tmp_path)
    assert path.name == f"{stem(run)}.csv"

    with pytest.raises(Conflict, match="already"):
        exported(data, Form.CSV, path)
    with pytest.raises(BadInput, match="no folder"):
        exported(data, Form.CSV, tmp_path / "nowhere" / "x.csv")
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".part"] == []


def test_the_models_of_a_run_have_a_log_each(data: Path, tmp_path: Path) -> None:
    paths = exported(data, Form.INSPECT, tmp_path / "logs")

    endings = [f"_{number}-{model.replace(':', '-')}.json" for number, model in enumerate(MODELS)]
    assert all(path.name.endswith(end) for path, end in zip(paths, endings, strict=True))


@pytest.mark.parametrize("form", list(Form))
def test_a_large_run_takes_little_memory(tmp_path: Path, form: Form) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    text = "word " * 2000

    def fill(connection: sqlite3.Connection) -> None:
        writing.make_run(connection, new_run(scenarios=1000))
        for index in range(2000):
            answered(connection, RUN, index, text=text)

    with opening.open_to_write(folder, NOW) as database:
        database.submit(fill).result()

    tracemalloc.start()
    paths = exported(folder, form, tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(path.stat().st_size for path in paths) > 2000 * len(text)
    assert peak < 5_000_000
