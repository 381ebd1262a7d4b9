"""JSON objects that every reader reads alike.

JSON can write numbers that nobody holds (1e400), and readers take NaN and Infinity along, which
are no JSON. They come back as null from every store, so that a body would not be what was signed.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, JsonValue


def check_finite(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Pass on an object whose numbers are numbers.

    Raises:
        ValueError: one is not.
    """
    if not _is_finite(value):
        raise ValueError("a number is not finite")
    return value


def _is_finite(value: JsonValue) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return True


FiniteObject = Annotated[dict[str, JsonValue], AfterValidator(check_finite)]
