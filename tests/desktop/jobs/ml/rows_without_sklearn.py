"""Rows for a child process in which scikit-learn cannot be imported."""

from __future__ import annotations

import numpy as np
import pandas as pd


def rows() -> pd.DataFrame:
    """Some rows of the small table, written out by rule."""
    count = 50
    number = np.arange(count)
    return pd.DataFrame(
        {
            "age": np.where(number % 7 == 0, np.nan, 20.0 + number),
            "plan": np.array(["basic", "plus", "pro", None], dtype=object)[number % 4],
            "town": [f"town {one % 35}" for one in number],
            "note": ["refund again", "great thanks", "unheard words", ""] * 12 + ["late"] * 2,
            "since": pd.Timestamp("2021-06-01") + pd.to_timedelta(number * 9, unit="D"),
        }
    )
