"""A real table that ships with the program, for trying it out; where it is from: LICENCE.txt."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
TARGET = "arrival"


def training_file() -> Path:
    """Return the path of 3,800 flights, of which TARGET tells whether they arrived late."""
    return FOLDER / "flights.csv"


def new_rows_file() -> Path:
    """Return the path of 700 other flights, without TARGET."""
    return FOLDER / "flights_new.csv"
