"""The cells of one column before their kind is known: distinct texts and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from desktop.jobs.data.numbers import NULLS

Codes = npt.NDArray[np.int32]
Weights = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of text."""

    name: str
    texts: pa.LargeStringArray
    """Distinct values that are not missing."""
    codes: Codes
    """[rows]: place among the texts, -1 where missing."""
    weights: Weights
    """[distinct]: rows that have each text."""
    is_plain: bool = False
    """Whether the file itself says that these are numbers: a dot is a decimal point."""

    @classmethod
    def of(cls, name: str, parts: Sequence[pa.LargeStringArray]) -> Cells:
        """Take a column's parts together; cells that say "no value" become missing."""
        whole = pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())
        encoded = whole.dictionary_encode()
        del whole
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        texts = encoded.dictionary
        lower = pc.utf8_lower(texts)
        is_null = pc.is_in(lower, pa.array(sorted(NULLS), pa.large_string()))
        is_known = ~np.asarray(is_null.to_numpy(zero_copy_only=False), dtype=bool)
        return cls(name, texts, codes, np.zeros(0, np.int64)).only(is_known)

    def only(self, is_known: npt.NDArray[np.bool_]) -> Cells:
        """Make the other values missing: bool [distinct]."""
        places = np.full(len(is_known) + 1, -1, dtype=np.int32)
        places[:-1][is_known] = np.arange(int(is_known.sum()), dtype=np.int32)
        codes = places[self.codes]
        texts = self.texts.filter(pa.array(is_known, pa.bool_()))
        weights = np.bincount(codes[codes >= 0], minlength=len(texts)).astype(np.int64)
        return Cells(self.name, texts, codes, weights)

    @property
    def rows(self) -> int:
        return len(self.codes)

    @property
    def known_rows(self) -> int:
        return int(self.weights.sum())

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same value, without a gap."""
        return len(self.texts) == 1 and self.known_rows == self.rows

    def series(self) -> pd.Series:
        """Give the column as pandas' str, NaN where missing."""
        places = pa.array(self.codes, pa.int32(), mask=self.codes < 0)
        taken = self.texts.take(places)
        return pd.Series(pd.array(taken, dtype=pd.StringDtype("pyarrow", na_value=np.nan)))
