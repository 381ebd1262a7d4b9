"""What messy files are made of: rows of towns, counts and marks, and what is right about them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

ROWS = 120
TOWNS = ("Zürich", "Genève", "Köln", "Málaga", "Århus")
POLISH = ("Łódź", "Kraków", "Gdańsk", "Częstochowa", "Świnoujście")
RUSSIAN = ("Тверь", "Омск", "Нижний Новгород", "Пермь", "Уфа")
CHINESE = ("北京市", "上海市", "广州市", "成都市", "武汉市")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True)
class Case:
    content: bytes
    kinds: dict[str, str]
    """Column -> kinds that are right, as "category|text"; names and their order count."""
    cells: dict[tuple[int, str], object] = field(default_factory=dict)
    """(row, column) -> value; dates as "2024-03-01" or "2024-03-01 10:00:00", None is missing."""
    rows: int = ROWS
    skipped: int = 0
    suffix: str = ".csv"
    names_matter: bool = True


def made_rows(*makers: str, seed: int = 1) -> list[list[str]]:
    """Make ROWS rows; each maker is a word that names what a column holds."""
    rng = random.Random(seed)
    return [[_cell(maker, number, rng) for maker in makers] for number in range(ROWS)]


def _cell(maker: str, number: int, rng: random.Random) -> str:
    day, month, year = number % 28 + 1, number % 12 + 1, 2019 + number % 5
    match maker:
        case "town":
            return TOWNS[number % 5]
        case "count":
            return str(rng.randint(0, 900))
        case "price":
            return f"{rng.uniform(1, 900):.2f}"
        case "mark":
            return ("red", "green", "blue")[number % 3]
        case "iso":
            return f"{year}-{month:02d}-{day:02d}"
        case "dotted":
            return f"{day}.{month}.{year}"
        case "american":
            return f"{month}/{day}/{year % 100:02d}"
        case _:
            raise AssertionError(maker)


def text_of(header: str, rows: list[list[str]], delimiter: str, end: str = "\n") -> str:
    lines = [header] if header else []
    return end.join([*lines, *(delimiter.join(row) for row in rows)]) + end


def case_of(
    header: str,
    lines: list[list[str]],
    kinds: dict[str, str],
    delimiter: str = ",",
    **facts: object,
) -> Case:
    """Make a case of plain UTF-8 lines."""
    return Case(content=text_of(header, lines, delimiter).encode(), kinds=kinds, **facts)  # type: ignore[arg-type]


def with_column(rows: list[list[str]], place: int, values: list[str]) -> list[list[str]]:
    return [[*row[:place], values[i % len(values)], *row[place:]] for i, row in enumerate(rows)]


def numbers_in(low: float, high: float, form: str, seed: int = 2) -> list[str]:
    rng = random.Random(seed)
    return [form.format(rng.uniform(low, high)) for _ in range(ROWS)]


BASE = made_rows("town", "count", "mark")
BASE_KINDS = {"town": "category", "count": "number", "mark": "category"}
BASE_HEADER = "town,count,mark"
FIRST_COUNT = float(BASE[0][1])


def german(value: str) -> str:
    return value.replace(",", "_").replace(".", ",").replace("_", ".")
