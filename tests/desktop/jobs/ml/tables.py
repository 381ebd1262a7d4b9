"""Small made-up tables with a known answer, for the tests of training."""

from __future__ import annotations

import numpy as np
import pandas as pd

WORDS = ("late", "early", "broken", "fine", "blue", "red", "north", "south", "again", "never")


def mixed(rows: int, seed: int = 0) -> pd.DataFrame:
    """A number, a gappy number, a category, a date, a text; `bought` and `spent` depend on them."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, rows)
    income = rng.lognormal(3, 0.5, rows)
    town = rng.choice(["Oslo", "Bergen", "Tromsø"], rows, p=[0.6, 0.3, 0.1])
    words = rng.choice(WORDS, (rows, 5))
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, rows), unit="D")
    pull = (
        (age - 40) / 10
        + (town == "Bergen")
        + 1.5 * (words == "broken").any(axis=1)
        + rng.normal(0, 0.7, rows)
    )
    return pd.DataFrame(
        {
            "age": age,
            "income": np.where(rng.random(rows) < 0.2, np.nan, income),
            "town": pd.Series(town, dtype="str").mask(rng.random(rows) < 0.1),
            "since": day,
            "note": [" ".join(line) for line in words],
            "bought": np.where(pull > 1, "yes", "no"),
            "spent": 10 * pull + income,
            "grade": np.select([pull < 0, pull < 1.2], ["low", "middle"], "high"),
        }
    )


COLUMNS = {"age": "number", "income": "number", "town": "category", "since": "date", "note": "text"}
