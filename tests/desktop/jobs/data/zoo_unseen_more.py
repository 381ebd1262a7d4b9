"""A second batch of messy files, made when the first was read right: 22 of 25 at the first run.

One of the three that failed was wrongly expected: a column of one row is a constant, and text.
"""

from __future__ import annotations

from tests.desktop.jobs.data.zoo_kit import (
    BASE,
    BASE_HEADER,
    BASE_KINDS,
    FIRST_COUNT,
    MONTHS,
    ROWS,
    Case,
    case_of,
    german,
    numbers_in,
    text_of,
    with_column,
)


def _shapes() -> dict[str, Case]:
    spaced = [line for row in BASE for line in (row, [])]
    quoted = [[f'"{row[0]}"', f'"{row[1]}"', f'"{row[2]}"'] for row in BASE]
    long = with_column(BASE, 3, ["a long story. " * 700, "another one. " * 500, "the end"])
    comments = "# exported by a logger, version 3, all units SI\n# station: north, mast 2\n"
    return {
        "line breaks in the header": case_of(
            '"town\n(as of today)";count;mark',
            BASE,
            {"a": "category", "count": "number", "mark": "category"},
            ";",
            names_matter=False,
            cells={(0, "count"): FIRST_COUNT},
        ),
        "comments above": Case(
            content=(comments + text_of(BASE_HEADER, BASE, ",")).encode(), kinds=BASE_KINDS
        ),
        "an empty line after each row": case_of(BASE_HEADER, spaced, BASE_KINDS),
        "all quoted behind a byte order mark": Case(
            content=text_of('"town","count","mark"', quoted, ",", "\r\n").encode("utf-8-sig"),
            kinds=BASE_KINDS,
            cells={(0, "town"): "Zürich"},
        ),
        "cells of ten thousand letters": case_of(
            BASE_HEADER + ",story", long, {**BASE_KINDS, "story": "category|text"}
        ),
        "one row": case_of(
            BASE_HEADER,
            BASE[:1],
            dict.fromkeys(BASE_KINDS, "number|category|constant|id|text"),
            rows=1,
            cells={(0, "count"): BASE[0][1]},
        ),
        "blanks around everything": case_of(
            " town , count , mark ",
            [[f" {cell} " for cell in row] for row in BASE],
            BASE_KINDS,
            cells={(0, "town"): "Zürich", (0, "count"): FIRST_COUNT},
        ),
        "empty columns at the right": case_of(
            BASE_HEADER + ",,", [[*row, "", ""] for row in BASE], BASE_KINDS
        ),
        "no header in a table of words and numbers": case_of(
            "",
            BASE,
            {"a": "category", "b": "number", "c": "category"},
            names_matter=False,
        ),
    }


def _cells() -> dict[str, Case]:
    def column(values: list[str], kinds: str, first: object, delimiter: str = ";") -> Case:
        return case_of(
            delimiter.join(("town", "extra", "count", "mark")),
            with_column(BASE, 1, values),
            {"town": "category", "extra": kinds, "count": "number", "mark": "category"},
            delimiter,
            cells={(0, "extra"): first},
        )

    days = range(ROWS)
    english = [f'"{MONTHS[d % 12]} {d % 28 + 1}, 2024"' for d in days]
    json = '"{""a"": 1, ""b"": [2, 3]}"'
    return {
        "objects in cells": column([json, '"{}"'], "category|text", '{"a": 1, "b": [2, 3]}', ","),
        "currency codes in front": column(
            [f"USD {value}" for value in numbers_in(1000, 9000, "{:,.2f}")],
            "number",
            float(numbers_in(1000, 9000, "{:.2f}")[0]),
        ),
        "indian grouping": column(
            ["12,34,567.50", "1,23,456.75", "98,765.25", "765.00"], "number", 1234567.5
        ),
        "plain blanks as thousands": column(
            [value.replace(",", " ") for value in numbers_in(1000, 99000, "{:,.0f}")],
            "number",
            float(numbers_in(1000, 99000, "{:.0f}")[0]),
            ",",
        ),
        "plus signs": column(
            [f"{float(value):+}" for value in numbers_in(-9, 9, "{:.2f}")],
            "number",
            float(numbers_in(-9, 9, "{:.2f}")[0]),
        ),
        "german numbers in quotes": column(
            ['"' + german(value) + '"' for value in numbers_in(1000, 9000, "{:,.1f}")],
            "number",
            float(numbers_in(1000, 9000, "{:.1f}")[0]),
        ),
        "english dates in quotes": column(english, "date", "2024-01-01", ","),
        "dates with slashes, year first": column(
            [f"2024/{d % 12 + 1}/{d % 28 + 1}" for d in days], "date", "2024-01-01"
        ),
        "dates in eight digits": column(
            [f"2024{d % 12 + 1:02d}{d % 28 + 1:02d}" for d in days], "date", "2024-01-01"
        ),
        "minutes without seconds": column(
            [f"2024-03-{d % 28 + 1:02d}T{d % 24:02d}:15" for d in days],
            "date",
            "2024-03-01 00:15:00",
        ),
        "fractions that are no dates": column(["1/2", "3/4", "2/3", "1/8"], "category", "1/2"),
        "durations that are no dates": column(
            [f"{d % 3}:{d % 60:02d}:30" for d in days], "category|text", "0:00:30"
        ),
        "addresses of machines": column(
            [f"192.168.{d // 50}.{d % 50}" for d in days], "text|id|category", "192.168.0.0"
        ),
        "product codes with an E": column(["1E5", "2A7", "3B9", "4E2"], "category", "1E5"),
        "pictures in words": column(["😀 good", "😡 bad", "日本 fine"], "category", "😀 good"),
        "zero and one": column(["0", "1", "1"], "number|category", 0.0),
    }


CASES = {**_shapes(), **_cells()}
