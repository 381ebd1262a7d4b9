"""Deskhand's own side of the training benchmark: the job as a worker runs it, then the model."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.jobs.data.reading import read_table
from desktop.jobs.ml import model_folder
from desktop.jobs.ml.model import Prediction
from desktop.jobs.ml.train import load_tools, run
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds.ml import TrainInputs
from shared.questions import Asking

MEMORY_BYTES = 2 * 2**30


@dataclass
class Quiet:
    """A context in which everything is given and nobody watches."""

    workdir: Path
    models_folder: Path
    folders: tuple[Path, ...]
    data_folder: Path = Path()
    origin: Origin = Origin.LOCAL
    profile: Path | None = None
    session: Mapping[str, str] = field(default_factory=dict)
    is_planned: bool = False
    job_id: JobId = field(default=JobId("01900000-0000-7000-8000-00000000cccc"))
    memory_bytes_max: int = MEMORY_BYTES
    threads_max: int = 1
    read_at: float = field(default=0.0)
    """When the file had been read: the budget begins."""
    first_at: float = field(default=0.0)
    """When the first quick model was stored."""

    @property
    def workspace(self) -> Path:
        return self.workdir

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        if stage == "reading the file" and done >= total:
            self.read_at = time.perf_counter()

    def log(self, line: str) -> None:
        self.first_at = self.first_at or time.perf_counter()

    def ask(self, asking: Asking) -> str:
        raise AssertionError(f"asked {asking.key}")

    def find_file(self, name: str) -> Path:
        return Path(name)

    def place_file(self, name: str) -> Path:
        return Path(name)

    def check_sending(self) -> None:
        pass

    def send(self, path: Path, *, name: str = "") -> None:
        raise AssertionError(f"sent {path} {name}")

    def wrote(self, path: Path) -> None:
        pass

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        return []


def cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system


def train_and_predict(
    train: Path, test: Path, target: str, budget: float, seed: int
) -> dict[str, Any]:
    """Train on one file with the job's own code, open the stored model, predict the other.

    The time is that of the whole job: reading, fitting, explaining, drawing and storing.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        context = Quiet(home, home / "models", (train.parent,))
        # Every tool of this benchmark is imported before its clock starts.
        load_tools()
        wall, cpu = time.perf_counter(), cpu_seconds()
        output = run(
            context,
            TrainInputs(file=str(train), target=target, budget_seconds=budget, seed=seed),
        )
        facts: dict[str, Any] = {
            "fit_seconds": time.perf_counter() - wall,
            "fit_cpu_seconds": cpu_seconds() - cpu,
        }
        stored = home / "models"
        disk = sum(file.stat().st_size for file in stored.rglob("*") if file.is_file())
        told = {
            "disk_mb": disk / 2**20,
            "told_score": output.model.score,
            "told_spread": output.model.score_spread,
            "complete": output.model.complete,
            "first_seconds": context.first_at - context.read_at,
        }
        columns = read_table(train, free_ram_bytes=MEMORY_BYTES).columns
        asked = read_table(test, free_ram_bytes=MEMORY_BYTES, columns=columns)
        wall = time.perf_counter()
        opened = model_folder.open_model(stored, output.model.model_id)
        told["open_seconds"] = time.perf_counter() - wall
        predicted = opened.predict(asked.frame)
        told["predict_seconds"] = time.perf_counter() - wall
    if predicted.probabilities is None:
        told["covered"] = covered(predicted, asked.frame[target].to_numpy())
        return {**facts, "values": predicted.values, "classes": None, "facts": told}
    classes = list(predicted.classes)
    return {**facts, "values": predicted.probabilities, "classes": classes, "facts": told}


def covered(predicted: Prediction, truth: npt.NDArray[np.float64]) -> float:
    """Tell the share of true values inside of their interval."""
    assert predicted.lower is not None
    assert predicted.upper is not None
    return float(np.mean((truth >= predicted.lower) & (truth <= predicted.upper)))
