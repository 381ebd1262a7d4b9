"""Amounts as people read them."""

from __future__ import annotations

import pytest

from shared.money import dollars


@pytest.mark.parametrize(
    ("usd", "told"),
    [
        (0.0, "$0.00"),
        (1234.5, "$1,234.50"),
        (0.1, "$0.10"),
        (0.0123, "$0.012"),
        (0.00123, "$0.0012"),
        (0.00012, "$0.00012"),
        (0.00001, "< $0.0001"),
    ],
)
def test_small_amounts_keep_digits_that_say_something(usd: float, told: str) -> None:
    assert dollars(usd) == told
