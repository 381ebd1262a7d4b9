"""The models of this machine, as a person handles them: look, compare, rename, remove, undo.

Only manifests, plots and column lists are read; the numbers of a model stay closed. What is
removed lies aside for a while, so that it can come back.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
import shutil
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import JsonValue, ValidationError

from desktop.charts.shapes import PLOTS, Plot
from desktop.jobs.ml import model_files, model_folder
from desktop.jobs.ml.manifest import Manifest, Metric
from desktop.jobs.ml.model_folder import BrokenModel
from shared.errors import AppError, BadInput, NotFound, Unavailable
from shared.plain_text import plain_line

__all__ = [
    "BrokenModel",
    "Column",
    "Detail",
    "Manifest",
    "Metric",
    "Models",
    "Preview",
    "Removed",
    "preview",
]

REMOVED = ".removed"
REMOVED_DAYS = 7
"""How long a removed model can come back."""
NAME_CHARS_MAX = 200
PREVIEW_ROWS_MAX = 50
PREVIEW_CELLS_MAX = 60
PREVIEW_CELL_CHARS_MAX = 300
PREVIEW_BYTES_MAX = 1024 * 1024
Entry = Manifest | BrokenModel
_ASIDE = re.compile(r"\d+-(?P<slug>.+)-(?P<model>\d{8}-\d{6}-[0-9a-f]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    kind: str
    """"number", "category", "date", "text", …; empty when it is not known."""
    drop: float | None
    """How much the score falls without it; None when that was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """All there is to see of one model."""

    manifest: Manifest
    folder: Path
    plots: dict[str, Plot]
    columns: tuple[Column, ...]
    """The ones that matter most first."""
    trouble: str = ""
    """What could not be read, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A model that lies aside; `Models.restore` brings it back."""

    model_id: str
    name: str
    place: Path
    aside: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first rows of a result file."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_whole: bool


class Models:
    """The shelf. Every function reads the disk in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def entries(self) -> tuple[Entry, ...]:
        """All models, the newest first; broken ones say why they are."""
        return await asyncio.to_thread(self._entries)

    async def homes(self) -> tuple[Path, ...]:
        """The folders in which models come and go: the shelf's, and one for each name."""
        return await asyncio.to_thread(lambda: (self.folder, *model_folder.homes(self.folder)))

    async def detail(self, model_id: str) -> Detail:
        """One model with its plots and columns.

        Raises:
            NotFound: `model_missing`.
            BadInput: what is wrong with it.
        """
        return await asyncio.to_thread(self._detail, model_id)

    async def rename(self, model_id: str, name: str) -> None:
        """Call a model by another name from now on.

        Raises:
            BadInput: `model_name_invalid`.
            NotFound: `model_missing`.
        """
        await asyncio.to_thread(self._rename, model_id, name)

    async def remove(self, model_id: str) -> Removed:
        """Put a model aside. It is gone for good after a week.

        Raises:
            NotFound: `model_missing`.
        """
        return await asyncio.to_thread(self._remove, model_id)

    async def restore(self, removed: Removed) -> None:
        """Bring a removed model back.

        Raises:
            Unavailable: `model_gone`, it was too late.
        """
        await asyncio.to_thread(_restore, removed)

    def _entries(self) -> tuple[Entry, ...]:
        self._forget_old()
        return model_folder.manifests(self.folder)

    async def last_removed(self) -> Removed | None:
        """What was put aside last and can still come back; None when nothing is."""
        return await asyncio.to_thread(self._last_removed)

    def _last_removed(self) -> Removed | None:
        self._forget_old()
        for aside in sorted((self.folder / REMOVED).glob("*-*"), reverse=True):
            found = _ASIDE.fullmatch(aside.name)
            if found is not None:
                place = self.folder / found["slug"] / found["model"]
                return Removed(
                    model_id=found["model"],
                    name=_name_in(aside) or found["slug"],
                    place=place,
                    aside=aside,
                )
        return None

    def _place(self, model_id: str) -> Path:
        """Find a model's folder by its id alone, broken ones, too."""
        for place in model_folder.places(self.folder):
            if place.name == model_id:
                return place
        raise NotFound("model_missing", "This model is not there any more.", "Look at the list.")

    def _detail(self, model_id: str) -> Detail:
        folder = self._place(model_id)
        manifest = model_files.read_manifest(folder)
        troubles: list[str] = []

        def side(name: str) -> dict[str, JsonValue]:
            try:
                return model_files.read_json(folder, manifest, name)
            except AppError as error:
                troubles.append(error.message)
                return {}

        plots, columns = side("plots.json"), _columns(side("schema.json"), side("importance.json"))
        try:
            shapes = PLOTS.validate_python(plots)
        except ValidationError:
            shapes = {}
            troubles.append("Its plots cannot be read.")
        return Detail(
            manifest=manifest,
            folder=folder,
            plots=shapes,
            columns=columns,
            trouble=" ".join(troubles),
        )

    def _rename(self, model_id: str, name: str) -> None:
        told = plain_line(name).strip()
        if not 0 < len(told) <= NAME_CHARS_MAX:
            raise BadInput(
                "model_name_invalid", f"A name has 1 to {NAME_CHARS_MAX} characters.", "Shorten it."
            )
        folder = self._place(model_id)
        manifest = model_files.read_manifest(folder).model_copy(update={"name": told})
        aside = folder / "manifest.json.new"
        aside.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        aside.replace(folder / "manifest.json")
        # Old versions go when a new one of their name is saved: under its old name it would, too.
        home = self.folder / model_folder.slug(told)
        if home != folder.parent:
            home.mkdir(exist_ok=True)
            folder.rename(home / model_id)

    def _remove(self, model_id: str) -> Removed:
        place = self._place(model_id)
        entry = model_folder.entry(place)
        aside = self.folder / REMOVED / f"{int(time.time())}-{place.parent.name}-{place.name}"
        aside.parent.mkdir(exist_ok=True)
        place.rename(aside)
        return Removed(model_id=model_id, name=entry.name, place=place, aside=aside)

    def _forget_old(self) -> None:
        then = time.time() - REMOVED_DAYS * 24 * 3600
        for aside in (self.folder / REMOVED).glob("*"):
            at = aside.name.partition("-")[0]
            if at.isdecimal() and int(at) < then:
                shutil.rmtree(aside, ignore_errors=True)


def _name_in(aside: Path) -> str:
    """Read what a removed model was called; its folder is not where a model is looked for."""
    try:
        return Manifest.model_validate_json((aside / "manifest.json").read_bytes()).name
    except (OSError, ValidationError):
        return ""


def _restore(removed: Removed) -> None:
    try:
        removed.place.parent.mkdir(exist_ok=True)
        removed.aside.rename(removed.place)
    except OSError as error:
        raise Unavailable(
            "model_gone", f"{removed.name} cannot be brought back ({error.strerror})."
        ) from error


def _columns(schema: dict[str, JsonValue], importance: dict[str, JsonValue]) -> tuple[Column, ...]:
    """Put together what both files say of each column; whatever does not fit is left out."""
    drops = {
        str(one["column"]): float(drop)
        for one in _dicts(importance.get("columns"))
        if "column" in one and isinstance(drop := one.get("drop"), int | float)
    }
    target = schema.get("target")
    found = [
        Column(name=name, kind=str(one.get("kind", "")), drop=drops.get(name))
        for one in _dicts(schema.get("columns"))
        if (name := str(one.get("name", ""))) and name != target
    ]
    known = {column.name for column in found}
    found += [Column(name=n, kind="", drop=drop) for n, drop in drops.items() if n not in known]
    return tuple(sorted(found, key=lambda c: -(c.drop if c.drop is not None else -1.0)))


def _dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _short(cell: str) -> str:
    """One line of a cell; a whole book in it would make the table as wide as the book."""
    told = plain_line(cell[: PREVIEW_CELL_CHARS_MAX + 1])
    return told if len(told) <= PREVIEW_CELL_CHARS_MAX else told[:PREVIEW_CELL_CHARS_MAX] + "…"


async def preview(path: Path) -> Preview:
    """Read the first rows of a CSV that a job wrote, as plain text.

    Raises:
        NotFound: `file_missing`.
        BadInput: `file_unreadable`.
    """
    return await asyncio.to_thread(_preview, path)


def _preview(path: Path) -> Preview:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            text = file.read(PREVIEW_BYTES_MAX)
    except OSError as error:
        raise NotFound(
            "file_missing", f"{path.name} cannot be read ({error.strerror}).", "Was it moved?"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [
            tuple(_short(cell) for cell in row[:PREVIEW_CELLS_MAX])
            for row in islice(reader, PREVIEW_ROWS_MAX + 2)
        ]
    except csv.Error as error:
        raise BadInput(
            "file_unreadable", f"{path.name} cannot be shown ({error}).", "Open it elsewhere."
        ) from error
    head, body = (rows[0] if rows else ()), tuple(rows[1 : PREVIEW_ROWS_MAX + 1])
    return Preview(head=head, rows=body, is_whole=len(rows) <= PREVIEW_ROWS_MAX + 1)
