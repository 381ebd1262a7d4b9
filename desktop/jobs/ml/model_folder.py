"""The folder of trained models: save, list, open.

    <models>/<name as a slug>/<yyyymmdd-hhmmss-xxxxxx>/
        manifest.json  schema.json  model.npz  plots.json  importance.json  card.md  train.log

A model appears whole or not at all: it is written under a name starting with a dot, forced to
disk and renamed. Listing reads manifests only and needs no numpy. What stands in the files is
left to `manifest`, `model` and `card`, reading and checking them to `model_files`.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import secrets
import shutil
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.jobs.ml import model_files
from desktop.jobs.ml.manifest import Manifest, ManifestFacts, Status
from desktop.jobs.ml.model_files import JsonDict
from shared.errors import AppError, NotFound
from shared.kinds.ml import ModelFacts

if TYPE_CHECKING:
    import pandas as pd

    from desktop.jobs.ml.fitted import Fitted
    from desktop.jobs.ml.model import Model, Prediction

WRITTEN_FOLDER = ".written"
"""Where predictions remember which result files are ours; no model stands in it."""
VERSIONS_KEPT = 5
"""Models of one name; the oldest goes when a further one is saved."""
SLUG_CHARS_MAX = 60
_RESERVED_ON_WINDOWS = re.compile(r"con|prn|aux|nul|com\d|lpt\d")


@dataclass(frozen=True, slots=True)
class BrokenModel:
    """A folder that should be a model and cannot be used; shown greyed, never loaded."""

    model_id: str
    name: str
    error: AppError

    @property
    def reason(self) -> str:
        return str(self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What is stored beside the numbers of a model."""

    schema: JsonDict
    plots: JsonDict = field(default_factory=dict)
    importance: JsonDict = field(default_factory=dict)
    log: str = ""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model that was checked and can predict."""

    manifest: Manifest
    schema: JsonDict
    model: Model

    def predict(self, frame: pd.DataFrame) -> Prediction:
        """Predict rows that fit the schema."""
        return self.model.predict(frame)


def save(
    models_folder: Path,
    fitted: Fitted,
    facts: ManifestFacts,
    *,
    status: Status,
    extras: Extras,
    replaces: str | None = None,
    now: datetime | None = None,
) -> ModelFacts:
    """Store a model, then remove the one it replaces and versions beyond `VERSIONS_KEPT`.

    Args:
        models_folder: where this machine keeps its models; made when missing.
        fitted: what `blend` fitted.
        facts: what training knows for people.
        status: "quick" for a first model that a later one replaces.
        extras: schema, plots, importance and the training log.
        replaces: id of the quick model this one takes the place of.
        now: aware time of saving; None takes the clock's.

    Raises:
        LimitReached: `disk_full`, `model_too_large`.
        NotAllowed: `models_folder_closed`.
    """
    from desktop.jobs.ml import array_file
    from desktop.jobs.ml.model import parts_of

    moment = (now or datetime.now(UTC)).astimezone(UTC)
    model_id = f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    place = models_folder / slug(facts.name)
    half_done = place / f".tmp-{model_id}"
    try:
        half_done.mkdir(parents=True)
        structure, arrays = parts_of(fitted)
        array_file.write(half_done / "model.npz", arrays, structure)
        manifest = _written(half_done, fitted, facts, extras, (model_id, status, moment))
        model_files.force_to_disk(half_done)
        half_done.rename(place / model_id)
        model_files.force_folder(place)
    except OSError as error:
        raise model_files.save_failed(error, models_folder) from None
    finally:
        shutil.rmtree(half_done, ignore_errors=True)
    _tidy(place, replaces)
    return manifest.facts


def _written(
    folder: Path,
    fitted: Fitted,
    facts: ManifestFacts,
    extras: Extras,
    birth: tuple[str, Status, datetime],
) -> Manifest:
    """Write all but the model itself; the manifest comes last and names every other file."""
    from desktop.jobs.ml.card import card_text

    model_id, status, moment = birth
    manifest = Manifest(
        **facts.model_dump(),
        model_id=model_id,
        task=fitted.task,
        classes=tuple(fitted.classes or ()),
        threshold=fitted.threshold,
        status=status,
        created_at=moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        versions=model_files.versions(),
    )
    texts = {
        "schema.json": model_files.json_text(extras.schema),
        "plots.json": model_files.json_text(extras.plots),
        "importance.json": model_files.json_text(extras.importance),
        "card.md": card_text(manifest, extras.importance),
        "train.log": extras.log,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    files = {path.name: model_files.facts_of(path) for path in sorted(folder.iterdir())}
    manifest = manifest.model_copy(update={"files": files})
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return manifest


def list_models(models_folder: Path) -> tuple[ModelFacts | BrokenModel, ...]:
    """List the models of a machine, the newest first; broken ones say why they are."""
    return tuple(
        entry.facts if isinstance(entry, Manifest) else entry for entry in manifests(models_folder)
    )


def manifests(models_folder: Path) -> tuple[Manifest | BrokenModel, ...]:
    """Read all manifests, the newest first. Sizes are checked here, hashes when opened."""
    return tuple(entry for _, entry in _entries(models_folder))


def find(models_folder: Path, id_or_name: str) -> Manifest:
    """Find a model by its id, the newest of a name, or by its number as `numbers` counts.

    Raises:
        NotFound: `model_missing`, `models_none`.
        BadInput: what is wrong with it, when it is there but broken.
    """
    return _find(models_folder, id_or_name)[1]


def open_model(models_folder: Path, id_or_name: str) -> OpenedModel:
    """Open a model after checking that the files it needs are as they were saved.

    Raises:
        NotFound: `model_missing`, `models_none`.
        BadInput: `model_damaged`, `model_changed`, `model_too_new`.
    """
    from desktop.jobs.ml import array_file
    from desktop.jobs.ml.model import Model

    folder, manifest = _find(models_folder, id_or_name)
    schema = model_files.read_json(folder, manifest, "schema.json")
    model_files.check(folder, manifest, "model.npz")
    return OpenedModel(manifest, schema, Model.of(*array_file.read(folder / "model.npz")))


def read_side_file(models_folder: Path, id_or_name: str, name: str) -> JsonDict:
    """Read plots.json or importance.json of a model.

    Raises:
        NotFound: `model_missing`, `models_none`.
        BadInput: `model_damaged`, `model_changed`, `model_too_new`.
    """
    folder, manifest = _find(models_folder, id_or_name)
    return model_files.read_json(folder, manifest, name)


def numbers(count: int) -> range:
    """Number models that are listed the newest first: the oldest is 1.

    So a model keeps its number when later ones are trained, and "/model 3" means the same today
    and tomorrow; numbers move down only when an older model is removed.
    """
    return range(count, 0, -1)


def homes(models_folder: Path) -> list[Path]:
    """List the folders that hold the versions of one name each."""
    return _folders(models_folder)


def places(models_folder: Path) -> list[Path]:
    """List the folders of models, the newest first."""
    found = [folder for home in homes(models_folder) for folder in _folders(home)]
    found.sort(key=lambda folder: folder.name, reverse=True)
    return found


def entry(folder: Path) -> Manifest | BrokenModel:
    """Read one model's manifest, or say why it cannot be used."""
    try:
        return model_files.read_manifest(folder)
    except AppError as error:
        return BrokenModel(folder.name, folder.parent.name, error)


def _entries(models_folder: Path) -> list[tuple[Path, Manifest | BrokenModel]]:
    entries = [(folder, entry(folder)) for folder in places(models_folder)]
    # One that was replaced while we looked is not broken, it is gone.
    return [(folder, found) for folder, found in entries if folder.is_dir()]


def _folders(parent: Path) -> list[Path]:
    """List folders; what starts with a dot is half written or on its way out."""
    try:
        return [one for one in parent.iterdir() if one.is_dir() and not one.name.startswith(".")]
    except OSError:
        return []


def _find(models_folder: Path, id_or_name: str) -> tuple[Path, Manifest]:
    entries = _entries(models_folder)
    if not entries:
        raise NotFound("models_none", "No models yet.", "/train makes one.")
    wanted = id_or_name.strip().casefold()
    by_id = [found for found in entries if found[1].model_id.casefold() == wanted]
    by_name = [found for found in entries if found[1].name.casefold() == wanted]
    by_number = [
        found
        for found, number in zip(entries, numbers(len(entries)), strict=True)
        if str(number) == wanted.removeprefix("#")
    ]
    for folder, entry in by_id or by_name or by_number:
        if isinstance(entry, BrokenModel):
            raise entry.error
        return folder, entry
    names = sorted({entry.name for _, entry in entries})
    near = difflib.get_close_matches(id_or_name, names, n=3, cutoff=0.4) or names[:3]
    raise NotFound(
        "model_missing",
        f"There is no model called '{id_or_name[:100]}' on this machine.",
        f"There is: {', '.join(near)}.",
    )


def _tidy(place: Path, replaced: str | None) -> None:
    """Remove the replaced model and the oldest versions; what cannot be removed stays."""
    whole = sorted(folder.name for folder in place.iterdir() if not folder.name.startswith("."))
    outdated = [name for name in whole if name == replaced]
    rest = [name for name in whole if name != replaced]
    for name in outdated + rest[:-VERSIONS_KEPT]:
        leaving = place / f".old-{name}"
        with contextlib.suppress(OSError):
            (place / name).rename(leaving)
        shutil.rmtree(leaving, ignore_errors=True)
    for leftover in place.glob(".*-*"):
        if model_files.is_leftover(leftover):
            shutil.rmtree(leftover, ignore_errors=True)


def slug(name: str) -> str:
    """Make a folder name of a model's name; letters of any script stay."""
    folded = unicodedata.normalize("NFC", name).casefold()
    plain = re.sub(r"[\W_]+", "-", folded).strip("-")[:SLUG_CHARS_MAX].strip("-")
    if not plain or _RESERVED_ON_WINDOWS.fullmatch(plain):
        return f"model-{plain}".strip("-")
    return plain
