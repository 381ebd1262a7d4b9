"""Messy files the reader was not written against: their bytes, and what a person sees in them.

Whoever adds a case has not read the reader, and writes down what is right before running it; of
these 47, 43 were right at the first run.
"""

from __future__ import annotations

from tests.desktop.jobs.data.zoo_kit import (
    BASE,
    BASE_HEADER,
    BASE_KINDS,
    CHINESE,
    FIRST_COUNT,
    MONTHS,
    POLISH,
    ROWS,
    RUSSIAN,
    Case,
    case_of,
    german,
    made_rows,
    numbers_in,
    text_of,
    with_column,
)


def _encodings() -> dict[str, Case]:
    def coded(words: tuple[str, ...], encoding: str, delimiter: str = ";") -> Case:
        rows = with_column(made_rows("count", "mark"), 1, list(words))
        return Case(
            content=text_of(delimiter.join(("count", "place", "mark")), rows, delimiter).encode(
                encoding
            ),
            kinds={"count": "number", "place": "category", "mark": "category"},
            cells={(0, "place"): words[0], (4, "place"): words[4]},
        )

    late = [["Oslo", "5", "red", "some plain words to fill a line"] for _ in range(8 * ROWS * 10)]
    late[-1][3] = "naïve"
    return {
        "polish in cp1250": coded(POLISH, "cp1250"),
        "russian in dos cp866": coded(RUSSIAN, "cp866"),
        "chinese in gb18030": coded(CHINESE, "gb18030", ","),
        "utf-16 big endian": Case(
            content=b"\xfe\xff" + coded(RUSSIAN, "utf-16-be").content,
            kinds=coded(RUSSIAN, "utf-16-be").kinds,
            cells={(2, "place"): RUSSIAN[2]},
        ),
        "first accent after 400 kB": Case(
            content=text_of(BASE_HEADER + ",note", late, ",").encode("cp1252"),
            kinds={"town": "constant", "count": "constant", "mark": "constant", "note": "category"},
            rows=len(late),
            cells={(len(late) - 1, "note"): "naïve"},
        ),
    }


def _shapes() -> dict[str, Case]:
    indexed = [[str(number), *row] for number, row in enumerate(BASE)]
    titled = "Quarterly report;;\nDepartment: sales;;\n;;\n"
    semicolons = [[row[0], row[1], f"a, b, c, {row[2]}, d"] for row in BASE]
    aligned = "\n".join(f"{row[1]:>8}  {row[2]:<8}{i + 0.5:>9.2f}" for i, row in enumerate(BASE))
    return {
        "pipe inside of quotes": case_of(
            "town|count|mark",
            [[row[0], row[1], f'"{row[2]}|x"'] for row in BASE],
            BASE_KINDS,
            "|",
            cells={(0, "mark"): "red|x"},
        ),
        "more commas than semicolons": case_of(
            "town;count;mark", semicolons, BASE_KINDS, ";", cells={(0, "mark"): "a, b, c, red, d"}
        ),
        "excel's sep line": Case(
            content=("sep=;\r\n" + text_of("town;count;mark", BASE, ";", "\r\n")).encode(),
            kinds=BASE_KINDS,
            cells={(0, "count"): FIRST_COUNT},
        ),
        "titles padded to full width": Case(
            content=(titled + text_of("town;count;mark", BASE, ";")).encode(), kinds=BASE_KINDS
        ),
        "row names as R writes them": case_of(
            BASE_HEADER,
            indexed,
            {"": "id|number", **BASE_KINDS},
            names_matter=False,
            cells={(0, "town"): "Zürich", (0, "count"): FIRST_COUNT},
        ),
        "index without a name": case_of(
            "," + BASE_HEADER, indexed, {"": "id|number", **BASE_KINDS}, names_matter=False
        ),
        "delimiter after each last cell": case_of(
            BASE_HEADER,
            [[*row, ""] for row in BASE],
            BASE_KINDS,
            cells={(0, "town"): "Zürich", (0, "count"): FIRST_COUNT, (0, "mark"): "red"},
        ),
        "years as column names": case_of(
            "country,2019,2020,2021",
            [[f"C{i}", str(i), str(i * 2), str(i * 3)] for i in range(ROWS)],
            {
                "country": "id|text|category",
                "2019": "number|id",
                "2020": "number|id",
                "2021": "number|id",
            },
            cells={(7, "2021"): 21.0},
        ),
        "nothing but words": case_of(
            "first,second",
            [[row[0], row[2]] for row in BASE],
            {"first": "category", "second": "category"},
            cells={(0, "first"): "Zürich"},
        ),
        "two footers": case_of(
            BASE_HEADER,
            [*BASE, ["Total", "54321", ""], ["Source: own survey"]],
            BASE_KINDS,
            skipped=2,
        ),
        "short rows": case_of(
            BASE_HEADER,
            [row[:2] if i % 3 == 0 else row for i, row in enumerate(BASE)],
            BASE_KINDS,
            cells={(0, "mark"): None, (1, "mark"): "green"},
        ),
        "aligned by blanks": Case(
            content=("   count  mark        size\n" + aligned + "\n").encode(),
            kinds={"count": "number", "mark": "category", "size": "number"},
            suffix=".txt",
        ),
    }


def _lines() -> dict[str, Case]:
    said = ['"he said ""no"", twice"', '"two\nlines"', "plain"]
    inches = ["5'11\"", "6'2\"", "5'"]
    mixed = text_of(BASE_HEADER, BASE, ",").replace("\n", "\r\n", 40)
    nul = text_of(BASE_HEADER, BASE, ",").replace("green", "gr\0een", 1)
    repeated = [*BASE[:60], BASE_HEADER.split(","), *BASE[60:]]
    return {
        "old mac line ends": Case(
            content=text_of(BASE_HEADER, BASE, ",", "\r").encode(), kinds=BASE_KINDS
        ),
        "mixed line ends": Case(content=mixed.encode(), kinds=BASE_KINDS),
        "nul in a cell": Case(content=nul.encode(), kinds=BASE_KINDS, cells={(1, "mark"): "green"}),
        "quotes and line breaks in cells": case_of(
            BASE_HEADER + ",note",
            with_column(BASE, 3, said),
            {**BASE_KINDS, "note": "category|text"},
            cells={(0, "note"): 'he said "no", twice', (1, "note"): "two\nlines"},
        ),
        "inch marks": case_of(
            BASE_HEADER + ",height",
            with_column(BASE, 3, inches),
            {**BASE_KINDS, "height": "category|text"},
            cells={(0, "height"): "5'11\"", (2, "height"): "5'"},
        ),
        "header repeated in the middle": case_of(BASE_HEADER, repeated, BASE_KINDS, skipped=1),
        "a quote that is never closed": case_of(
            BASE_HEADER,
            [['"Köln', "7", "red"] if i == 50 else row for i, row in enumerate(BASE)],
            BASE_KINDS,
            rows=ROWS - 1,
            skipped=1,
        ),
    }


def _numerals() -> dict[str, Case]:
    def column(values: list[str], first: float | None, delimiter: str = ";") -> Case:
        return case_of(
            delimiter.join(("town", "amount", "count", "mark")),
            with_column(BASE, 1, values),
            {"town": "category", "amount": "number", "count": "number", "mark": "category"},
            delimiter,
            cells={(0, "amount"): first},
        )

    plain = numbers_in(1000, 99000, "{:,.2f}")
    first = float(plain[0].replace(",", ""))
    return {
        "euro sign behind": column([german(value) + " €" for value in plain], first),
        "swiss thousands": column([value.replace(",", "'") for value in plain], first),
        "french thousands": column(
            [value.replace(",", "\u202f").replace(".", ",") for value in plain], first
        ),
        "losses in brackets": column(
            [f"({value})" if i % 2 == 0 else value for i, value in enumerate(plain)], -first
        ),
        "percent with a decimal comma": column(
            [value.replace(".", ",") + " %" for value in numbers_in(0, 100, "{:.1f}")],
            float(numbers_in(0, 100, "{:.1f}")[0]),
        ),
        "decimal comma in quotes": column(
            ['"' + value.replace(".", ",") + '"' for value in numbers_in(0, 50, "{:.2f}")],
            float(numbers_in(0, 50, "{:.2f}")[0]),
            ",",
        ),
        "powers of ten": column(
            numbers_in(1e-7, 1e-4, "{:.3E}"), float(numbers_in(1e-7, 1e-4, "{:.3E}")[0])
        ),
        "gaps in nine spellings": column(
            [
                "#N/A",
                "1.5",
                "(null)",
                "2.5",
                "NaN",
                "3.5",
                "n/a",
                "4.5",
                "--",
                "5.5",
                "null",
                "6.5",
                "NA",
                "7.5",
                "None",
                "8.5",
                "?",
                "9.5",
            ],
            None,
        ),
        "minus as typographers write it": column(
            [f"−{value}" for value in numbers_in(1, 9, "{:.2f}")],
            -float(numbers_in(1, 9, "{:.2f}")[0]),
        ),
    }


def _dates() -> dict[str, Case]:
    def column(values: list[str], first: str, delimiter: str = ",") -> Case:
        return case_of(
            delimiter.join(("town", "when", "count", "mark")),
            with_column(BASE, 1, values),
            {"town": "category", "when": "date", "count": "number", "mark": "category"},
            delimiter,
            cells={(0, "when"): first},
        )

    days = range(ROWS)
    dotted = [row[0] for row in made_rows("dotted")]
    american = [row[0] for row in made_rows("american")]
    stamps = [f"2024-03-{d % 28 + 1:02d}T{d % 24:02d}:15:30.250Z" for d in days]
    zoned = [f"2024-03-{d % 28 + 1:02d} 01:00:00+02:00" for d in days]
    named = [f"{d % 28 + 1:02d}-{MONTHS[d % 12]}-2023" for d in days]
    slashed = [f"{d % 28 + 1:02d}/{d % 12 + 1:02d}/2023 18:05" for d in days]
    return {
        "short german dates": column(dotted, "2019-01-01", ";"),
        "american dates with short years": column(american[13:] + american[:13], "2022-02-14"),
        "time stamps with fractions": column(stamps, "2024-03-01 00:15:30.250000"),
        "time zones": column(zoned, "2024-02-29 23:00:00"),
        "named months": column(named, "2023-01-01"),
        "british dates with times": column(slashed, "2023-01-01 18:05:00"),
    }


def _words() -> dict[str, Case]:
    def column(values: list[str], kinds: str, cells: dict[int, object]) -> Case:
        return case_of(
            "town,extra,count,mark",
            with_column(BASE, 1, values),
            {"town": "category", "extra": kinds, "count": "number", "mark": "category"},
            cells={(row, "extra"): value for row, value in cells.items()},
        )

    codes = [f"{i % 40:05d}" for i in range(ROWS)]
    accounts = [f"{123456789012345678 + i % 30}" for i in range(ROWS)]
    ranges = ["2-10", "11-100", "1", "2-10", "over 100"]
    hours = [f"{6 + i % 16:02d}:{5 * (i % 12):02d}" for i in range(ROWS)]
    versions = ["1.2.3", "1.10.0", "2.0.1"]
    phones = [f"+49 30 {1000000 + 37 * i}" for i in range(ROWS)]
    return {
        "post codes": column(codes, "category|text|id", {0: "00000", 7: "00007"}),
        "account numbers of 18 digits": column(
            accounts, "category|text|id", {1: "123456789012345679"}
        ),
        "ranges that are no dates": column(ranges, "category", {0: "2-10", 1: "11-100", 2: "1"}),
        "hours that are no dates": column(hours, "category|text", {0: "06:00"}),
        "versions that are no numbers": column(versions, "category", {0: "1.2.3"}),
        "phone numbers": column(phones, "text|id|category", {0: "+49 30 1000000"}),
        "true and false": column(["TRUE", "FALSE", "TRUE"], "category", {0: "TRUE"}),
        "two columns of one name": case_of(
            "town,count,count,mark",
            [[row[0], row[1], "5", row[2]] for row in BASE],
            {"town": "category", "count": "number", "other": "constant|number", "mark": "category"},
            names_matter=False,
            cells={(0, "count"): FIRST_COUNT},
        ),
    }


CASES = {**_encodings(), **_shapes(), **_lines(), **_numerals(), **_dates(), **_words()}
