"""`deskhand models`: the models on this machine; list, show, rename, delete, undo."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from desktop.commands import shapes
from desktop.commands.printing import say, say_json, say_table
from desktop.commands.worker import EXIT_OK
from desktop.desk.models import BrokenModel, Detail, Manifest, Models
from desktop.system.paths import Paths
from shared.errors import BadInput, NotFound
from shared.kinds import JsonObject

COLUMNS_SHOWN_MAX = 12
Entry = Manifest | BrokenModel


def run(paths: Paths, options: argparse.Namespace) -> int:
    asyncio.run(_do(Models(paths.models), options))
    return EXIT_OK


async def _do(models: Models, options: argparse.Namespace) -> None:
    if options.do == "list":
        _list(await models.entries(), is_json=options.json)
    elif options.do == "undo":
        await _undo(models)
    else:
        found = named(await models.entries(), options.model)
        match options.do:
            case "show":
                _show(await models.detail(found.model_id), is_json=options.json)
            case "rename":
                await models.rename(found.model_id, options.name or "")
                say(f"{found.name} is called {options.name} from now on.")
            case _:
                await models.remove(found.model_id)
                say(f"{found.name} is put aside for a week. Bring it back: deskhand models undo")


def named(entries: Sequence[Entry], name: str | None) -> Entry:
    """Find a model by its id, its name (the newest of that name) or its number in the list.

    Raises:
        BadInput: `model_not_named`.
        NotFound: `model_missing`.
    """
    if not name:
        raise BadInput("model_not_named", "Which model?", "deskhand models lists them.")
    for entry in entries:
        if name == entry.model_id or name.casefold() == entry.name.casefold():
            return entry
    if name.isdecimal() and 1 <= int(name) <= len(entries):
        return entries[int(name) - 1]
    raise NotFound(
        "model_missing", f"There is no model {name[:60]} here.", "deskhand models lists them."
    )


def _list(entries: Sequence[Entry], *, is_json: bool) -> None:
    if is_json:
        say_json([_facts(entry) for entry in entries])
    elif entries:
        rows = [(str(number), *_cells(entry)) for number, entry in enumerate(entries, start=1)]
        say_table(("#", "MODEL", "PREDICTS", "SCORE", "ROWS", "MADE"), rows, wide=1)
    else:
        say("No models yet. Train one: deskhand task ml.train file=FILE --wait")


def _cells(entry: Entry) -> tuple[str, ...]:
    if isinstance(entry, BrokenModel):
        return (f"{entry.name} – {entry.reason}", "", "", "", "")
    score = entry.metrics[0]
    return (
        entry.name,
        entry.target,
        f"{score.name} {score.mean:.3g} ± {score.spread:.2g}",
        f"{entry.rows:,}",
        entry.created_at[:10],
    )


def _facts(entry: Entry) -> JsonObject:
    if isinstance(entry, BrokenModel):
        return {
            "id": entry.model_id,
            "name": entry.name,
            "error": shapes.of_error(entry.error.body),
        }
    metrics: list[JsonValue] = [
        {
            "name": metric.name,
            "mean": metric.mean,
            "spread": metric.spread,
            "baseline": metric.baseline,
        }
        for metric in entry.metrics
    ]
    return {
        "id": entry.model_id,
        "name": entry.name,
        "error": None,
        "task": entry.task,
        "target": entry.target,
        "status": entry.status,
        "metrics": metrics,
        "rows": entry.rows,
        "columns": entry.columns,
        "strongest": list(entry.strongest),
        "warnings": list(entry.warnings),
        "created_at": entry.created_at,
    }


def _show(detail: Detail, *, is_json: bool) -> None:
    if is_json:
        columns: list[JsonValue] = [
            {"name": column.name, "kind": column.kind, "drop": column.drop}
            for column in detail.columns
        ]
        facts = _facts(detail.manifest)
        say_json({**facts, "folder": str(detail.folder), "inputs": columns})
        return
    for line in _lines(detail):
        say(line)


def _lines(detail: Detail) -> Iterator[str]:
    manifest = detail.manifest
    yield f"{manifest.name}: predicts {manifest.target} ({manifest.task}, {manifest.status})"
    for metric in manifest.metrics:
        guess = "" if metric.baseline is None else f" (always guessing: {metric.baseline:.3g})"
        yield f"  {metric.name} {metric.mean:.3g} ± {metric.spread:.2g}{guess}"
    source = f" of {manifest.source.name}" if manifest.source else ""
    yield f"From {manifest.rows:,} rows, {manifest.columns} columns{source}"
    yield from (f"⚠ {warning}" for warning in manifest.warnings)
    yield "Columns, the ones that matter most first:"
    for column in detail.columns[:COLUMNS_SHOWN_MAX]:
        drop = "" if column.drop is None else f", without it {-column.drop:+.3g}"
        yield f"  {column.name} ({column.kind}{drop})"
    if len(detail.columns) > COLUMNS_SHOWN_MAX:
        yield f"  and {len(detail.columns) - COLUMNS_SHOWN_MAX} more"
    if detail.trouble:
        yield f"⚠ {detail.trouble}"
    yield f"It is in {detail.folder}"


async def _undo(models: Models) -> None:
    removed = await models.last_removed()
    if removed is None:
        raise NotFound("model_gone", "No model was put aside in the last week.", "")
    await models.restore(removed)
    say(f"{removed.name} is back.")
