"""Names are told from values whatever they are called."""

from __future__ import annotations

import pytest

from desktop.jobs.data.header import find_header

TOWNS = ["Oslo", "Rome", "Bonn"]


def rows(*columns: list[str]) -> list[list[str]]:
    return [list(cells) for cells in zip(*columns, strict=True)]


def repeated(*cells: str) -> list[str]:
    return list(cells) * (30 // len(cells))


NUMBERS = [str(n * 7 % 30) for n in range(30)]


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (["town", "count"], rows(repeated(*TOWNS), NUMBERS)),
        (["Al", "Na"], rows(NUMBERS, NUMBERS)),
        (["None", "Missing", "count"], rows(NUMBERS, NUMBERS, NUMBERS)),
        (["effect", "n"], rows(repeated("effect", "none"), NUMBERS)),
        (["town", "mark"], rows(repeated(*TOWNS), repeated("red", "blue"))),
        (["", "town", "count"], rows(NUMBERS, repeated(*TOWNS), NUMBERS)),
        (["town", "2019", "2020"], rows(repeated(*TOWNS), NUMBERS, NUMBERS)),
    ],
)
def test_names_are_taken_for_names(header: list[str], body: list[list[str]]) -> None:
    place = find_header([header, *body], len(header))
    assert place.first_row == 1
    assert place.names is not None
    assert [name for name, cell in zip(place.names, header, strict=True) if cell] == [
        cell for cell in header if cell
    ]


@pytest.mark.parametrize(
    "body",
    [
        rows(repeated(*TOWNS), NUMBERS),
        rows(repeated(*TOWNS), repeated("red", "blue")),
        rows(repeated(*TOWNS), repeated("NA", "red", "blue")),
        rows(repeated("-", "red", "blue"), repeated(*TOWNS)),
        rows([f"Anna {chr(97 + n % 26)}" for n in range(30)], repeated("red", "blue")),
        rows(repeated(*TOWNS), [f"2024-01-{n % 28 + 1:02d}" for n in range(30)]),
    ],
)
def test_values_are_not_taken_for_names(body: list[list[str]]) -> None:
    place = find_header(body, len(body[0]))
    assert place.names is None
    assert place.first_row == 0
