"""ml.predict: predict a file with a trained model and write the result beside it.

    model, file (asked for when missing) → read as at training → check and repair
    → predict in blocks → `<stem>.predictions.csv` → sentences

Reading and checking are left to `desktop.jobs.data`, predicting to `model`, the file to
`result_file`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from desktop.jobs import asking, wording
from desktop.jobs.context import Context
from desktop.jobs.ml import model_files, model_folder
from desktop.jobs.ml.asking_model import model_of
from desktop.jobs.ml.budget import Bar
from desktop.jobs.ml.manifest import Manifest
from shared.errors import LimitReached
from shared.kinds.ml import PredictInputs, PredictOutput

if TYPE_CHECKING:
    from pathlib import Path

    from desktop.jobs.data.schema import Repaired, Schema
    from desktop.jobs.data.table import Table
    from desktop.jobs.ml.budget import Progress
    from desktop.jobs.ml.model import Prediction
    from desktop.jobs.ml.model_folder import OpenedModel

READ_AT, PREDICTED_AT = 0.3, 0.8
"""Where on the bar reading and predicting end."""
READING = "reading the file"
PREDICTING = "predicting"
WRITING = "writing the result"
ROWS_MAX = 20_000_000
NOTES_MAX = 12


def run(context: Context, inputs: PredictInputs) -> PredictOutput:
    """Predict a file.

    Raises:
        NotFound: `models_none`, `model_missing`, and what finding the file raises.
        BadInput: what reading the file, fitting it to the model, or opening the model raises.
        LimitReached: `file_too_long`, `disk_full`, and what reading raises.
        NotAllowed: `folder_read_only`, and what finding the file raises.
    """
    manifest = model_of(context, inputs.model)
    path = asking.file_of(context, inputs.file, text=f"Which file should {manifest.name} predict?")
    bar = Bar(context.progress)
    reading = bar.stretch(0.0, READ_AT)
    reading(READING, 0.0, 1.0)
    opened = model_folder.open_model(context.models_folder, manifest.model_id)
    schema = _schema_of(opened)
    table = _read(context, path, schema, reading)
    return _predicted(context, opened, table, path, _fitted_to(table, schema), bar)


def _schema_of(opened: OpenedModel) -> Schema:
    from pydantic import ValidationError

    from desktop.jobs.data.schema import Schema
    from desktop.jobs.ml.packed import damaged

    try:
        schema = Schema.model_validate_json(model_files.json_text(opened.schema))
    except ValidationError as error:
        raise damaged(f"schema.json has {error.error_count()} faults") from None
    known = {column.name for column in schema.columns}
    if not known.issuperset(opened.model.columns):
        raise damaged("schema.json does not know all of the model's columns")
    return schema


def _read(context: Context, path: Path, schema: Schema, told: Progress) -> Table:
    import psutil

    from desktop.jobs.data.reading import read_table

    table = read_table(
        path,
        free_ram_bytes=min(psutil.virtual_memory().available, context.memory_bytes_max),
        columns=schema.as_columns,
        rows_max=ROWS_MAX,
        progress=lambda done, total: told(READING, done, total),
    )
    if table.report.sampled_of is not None:
        raise LimitReached(
            "file_too_long",
            f"{table.report.file} has {table.report.sampled_of:,} rows; only "
            f"{table.report.rows:,} of them fit into this machine's memory at once.",
            "Split the file into parts and predict each.",
        )
    return table


def _fitted_to(table: Table, schema: Schema) -> tuple[Repaired, list[str]]:
    """Make the table fit the model; give also the sentences to tell, warnings first."""
    from desktop.jobs.data.drift import drift
    from desktop.jobs.data.schema import Severity, check_and_repair

    repaired = check_and_repair(table, schema)
    warned = {one.column for one in repaired.findings if one.severity is Severity.WARNING}
    told = [f"⚠ {one.sentence}" for one in repaired.findings if one.severity is Severity.WARNING]
    told += [
        f"⚠ {one.sentence}" for one in drift(schema, repaired.frame) if one.column not in warned
    ]
    told += [one.sentence for one in repaired.findings if one.severity is Severity.NOTE]
    told += [f"⚠ {warning}" for warning in table.report.warnings]
    return repaired, told


def _predicted(
    context: Context,
    opened: OpenedModel,
    table: Table,
    path: Path,
    fitted: tuple[Repaired, list[str]],
    bar: Bar,
) -> PredictOutput:
    repaired, told = fitted
    rows = len(repaired.frame)
    unseen = int(opened.model.unseen_rows(repaired.frame).sum())
    predicting, writing = bar.stretch(READ_AT, PREDICTED_AT), bar.stretch(PREDICTED_AT, 1.0)
    predicting(PREDICTING, 0, rows)
    prediction = opened.model.predict(
        repaired.frame, lambda done: predicting(PREDICTING, done, rows)
    )
    place = _write(
        opened.manifest,
        table,
        path,
        prediction,
        memory=context.models_folder / model_folder.WRITTEN_FOLDER,
        told=lambda done: writing(WRITING, done, rows),
    )
    context.wrote(place)
    return PredictOutput(
        headline=f"{wording.count(rows, 'row')} predicted → {place.name} next to your file.",
        notes=tuple(_shortened([*_of_unseen(unseen), *told])),
        files=(place.name,),
        model_id=opened.manifest.model_id,
        rows=rows,
        written=place.name,
        unseen_rows=unseen,
    )


def _write(
    manifest: Manifest,
    table: Table,
    path: Path,
    prediction: Prediction,
    *,
    memory: Path,
    told: Callable[[int], None],
) -> Path:
    from desktop.jobs.ml import result_file

    whole = frozenset(column.name for column in table.columns if column.is_integer)
    result = result_file.with_predictions(table.frame, prediction, manifest.target, whole)
    dialect = result_file.Dialect.like(table.report.delimiter, table.report.encoding)
    return result_file.write_beside(path, result, dialect, memory, told)


def _of_unseen(rows: int) -> Iterator[str]:
    if rows:
        has = "has" if rows == 1 else "have"
        yield f"{wording.count(rows, 'row')} {has} values never seen in training."


def _shortened(notes: list[str]) -> list[str]:
    if len(notes) <= NOTES_MAX:
        return notes
    return [*notes[: NOTES_MAX - 1], f"… and {len(notes) - NOTES_MAX + 1} more remarks."]
