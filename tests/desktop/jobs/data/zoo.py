"""Files as people have them: the 24 cases of the research notes, and as many unseen ones.

Each case says what a careful person would find in the file.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ROWS = 300
LATIN = ("Müller", "José", "Zoë", "Smith", "Çelik", "Straße")
CYRILLIC = ("Иванов", "Петров", "Анна", "Москва", "Казань", "Ёлкин")
NOTES = ("ok", "late, but paid", "see #3; call", "", "refund")
HEADER = ("id", "name", "amount", "qty", "when", "note")


@dataclass(frozen=True)
class Sales:
    """The table behind most cases."""

    names: Sequence[str] = LATIN
    date: str = "%Y-%m-%d"
    rows: int = ROWS

    def values(self) -> list[tuple[int, str, float, int, str, str]]:
        import datetime as dt

        chance = random.Random(0)
        start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        return [
            (
                number + 1,
                chance.choice(self.names),
                round(chance.uniform(1, 99_999), 2),
                chance.randint(1, 99),
                (start + dt.timedelta(hours=31 * number)).strftime(self.date),
                chance.choice(NOTES),
            )
            for number in range(self.rows)
        ]


def dump(
    sales: Sales = Sales(),
    *,
    sep: str = ",",
    point: str = ".",
    thousands: str = "",
    quoting: int = csv.QUOTE_MINIMAL,
    header: Sequence[str] | None = HEADER,
    amount: Callable[[str], str] = lambda text: text,
) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=sep, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    if header is not None:
        writer.writerow(header)
    for number, name, money, qty, when, note in sales.values():
        text = f"{money:,.2f}".replace(",", "T").replace(".", point).replace("T", thousands)
        writer.writerow([number, name, amount(text), qty, when, note])
    return out.getvalue()


@dataclass(frozen=True)
class Case:
    name: str
    content: bytes
    rows: int = ROWS
    names: Sequence[str] = HEADER
    kinds: dict[str, str] = field(default_factory=dict)
    """Column -> kind, of the columns that matter here."""
    numbers: dict[str, float] = field(default_factory=dict)
    """Column -> sum of its numbers."""
    texts: dict[str, str] = field(default_factory=dict)
    """Column -> its first value as text."""
    dates: dict[str, str] = field(default_factory=dict)
    """Column -> its first date, ISO 8601."""
    missing: dict[str, int] = field(default_factory=dict)
    skipped: tuple[int, ...] = ()
    """Lines that must be named as left out."""
    suffix: str = ".csv"


AMOUNTS = sum(row[2] for row in Sales().values())
AMOUNTS_CYRILLIC = sum(row[2] for row in Sales(CYRILLIC).values())
QUANTITIES = sum(row[3] for row in Sales().values())


def sales_case(
    name: str,
    content: str,
    *,
    encoding: str = "utf-8",
    total: float = AMOUNTS,
    rows: int = ROWS,
    header: Sequence[str] = HEADER,
    skipped: tuple[int, ...] = (),
    first: str | None = None,
) -> Case:
    """Expect the sales table, whatever it looks like."""
    return Case(
        name,
        content.encode(encoding),
        rows,
        header,
        kinds={header[2]: "number", header[3]: "number", header[4]: "date"},
        numbers={header[2]: total},
        texts={header[1]: first or Sales().values()[0][1]},
        dates={header[4]: "2024-01-01"},
        skipped=skipped,
    )


def _line(text: str, number: int, change: Callable[[str], str]) -> str:
    lines = text.split("\n")
    lines[number - 1] = change(lines[number - 1])
    return "\n".join(lines)


def _without(*lines: int) -> float:
    """Sum the amounts of the sales without those of some lines of the file."""
    return AMOUNTS - sum(Sales().values()[line - 2][2] for line in lines)


def _nulls(text: str) -> str:
    pairs = ((",7,", ",n/a,"), (",9,", ",-,"), (",11,", ",NULL,"), (",13,", ",?,"))
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def _null_count() -> int:
    return sum(row[3] in (7, 9, 11, 13) for row in Sales().values())


PLAIN = dump()
CYR = Sales(CYRILLIC)
CYR_FIRST = CYR.values()[0][1]
BROKEN = _line(_line(PLAIN, 121, lambda line: line + ",EXTRA,FIELDS"), 201, lambda line: "only,two")
NULLS = Case(
    "null tokens",
    _nulls(PLAIN).encode(),
    kinds={"qty": "number"},
    numbers={"amount": AMOUNTS},
    missing={"qty": _null_count()},
)

SEEN = (
    sales_case("plain", PLAIN),
    sales_case("utf-8 with a mark", PLAIN, encoding="utf-8-sig"),
    sales_case("semicolons and decimal commas", dump(sep=";", point=",")),
    sales_case("thousands with dots", dump(sep=";", point=",", thousands=".")),
    sales_case(
        "thousands with hard blanks",
        dump(CYR, sep=";", point=",", thousands="\u00a0"),
        total=AMOUNTS_CYRILLIC,
        first=CYR_FIRST,
    ),
    sales_case(
        "cp1251",
        dump(CYR, sep=";", point=","),
        encoding="cp1251",
        total=AMOUNTS_CYRILLIC,
        first=CYR_FIRST,
    ),
    sales_case("cp1252", PLAIN, encoding="cp1252"),
    sales_case(
        "utf-16",
        dump(CYR, sep="\t"),
        encoding="utf-16",
        total=AMOUNTS_CYRILLIC,
        first=CYR_FIRST,
    ),
    sales_case("koi8-r", dump(CYR), encoding="koi8-r", total=AMOUNTS_CYRILLIC, first=CYR_FIRST),
    sales_case("tabs", dump(sep="\t")),
    sales_case("bars", dump(sep="|")),
    sales_case("everything quoted", dump(quoting=csv.QUOTE_ALL)),
    sales_case("a preamble", "Report: sales\nGenerated 2024-05-05\n\n" + PLAIN),
    sales_case("a total", PLAIN + "Total,,123456.78,,,\n", skipped=(302,)),
    sales_case(
        "broken rows",
        BROKEN,
        rows=298,
        total=_without(121, 201),
        skipped=(121, 201),
    ),
    sales_case(
        "no header",
        dump(header=None),
        header=tuple(f"column {number}" for number in range(1, 7)),
    ),
    NULLS,
    sales_case("thousands with quoted commas", dump(thousands=",")),
    sales_case("dates with days first", dump(Sales(date="%d.%m.%Y %H:%M"))),
    sales_case("dates with months first", dump(Sales(date="%m/%d/%Y"))),
    sales_case("carriage returns and blank lines", PLAIN.replace("\n", "\r\n") + "\r\n\r\n"),
    sales_case("new lines in quotes", PLAIN.replace("refund", '"re\nfund"')),
    sales_case("dollars", dump(amount=lambda text: f"${text}")),
    sales_case(
        "a name twice",
        dump(header=("id", "name", "amount", "amount", "when", "note")),
        header=("id", "name", "amount", "amount (2)", "when", "note"),
    ),
)
"""The cases the recipe was written against."""


def _table(header: str, rows: Sequence[str]) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def _year_sums() -> dict[str, float]:
    return {"2019": sum(range(40)) * 1.5, "2020": sum(range(40)) * 2.5}


UNSEEN = (
    sales_case("a line that declares the delimiter", "sep=;\n" + dump(sep=";")),
    sales_case("delimiters at the end of every line", PLAIN.replace("\n", ",\n")),
    sales_case(
        "a header without the delimiter its rows end with",
        _line(PLAIN.replace("\n", ",\n"), 1, lambda line: line.rstrip(",")),
    ),
    sales_case("nul bytes", PLAIN.replace("refund", "re\0fund")),
    sales_case("old line ends", PLAIN.replace("\n", "\r")),
    sales_case("utf-16 without a mark", PLAIN, encoding="utf-16-le"),
    sales_case("utf-32", PLAIN, encoding="utf-32"),
    sales_case(
        "a quote that is never closed",
        _line(PLAIN, 50, lambda line: line.replace(",", ',"', 1)),
        rows=299,
        total=_without(50),
        skipped=(50,),
    ),
    sales_case("inches in the middle of cells", PLAIN.replace("refund", '5" pipe')),
    sales_case(
        "blanks around everything",
        dump(quoting=csv.QUOTE_NONNUMERIC).replace('",', '" , '),
    ),
    sales_case("euros behind the number", dump(sep=";", point=",", amount=lambda t: f"{t} €")),
    sales_case("swiss apostrophes", dump(thousands="'")),
    sales_case("thin blanks", dump(sep="\t", point=",", thousands="\u202f")),
    sales_case(
        "the header once more in the middle",
        _line(PLAIN, 150, lambda line: ",".join(HEADER) + "\n" + line),
        skipped=(150,),
    ),
    sales_case("months with names", dump(Sales(date="%d %b %Y"))),
    sales_case("english long dates", dump(Sales(date="%B %d, %Y"))),
    sales_case("instants with zones", dump(Sales(date="%Y-%m-%dT%H:%M:%S+00:00"))),
    sales_case("clocks with halves", dump(Sales(date="%m/%d/%Y %I:%M %p"))),
    sales_case("years of two digits", dump(Sales(date="%d.%m.%y"))),
    sales_case("days without marks", dump(Sales(date="%Y%m%d"))),
    sales_case(
        "a title in the first cell of an equally wide row",
        "Sales report,,,,,\n,,,,,\n" + PLAIN,
    ),
    sales_case("remarks before the header", "# made by hand, twice\n# do, not, edit\n" + PLAIN),
    sales_case("a total in german", PLAIN + "Gesamt;;;\n,Summe,999.5,,,\n", skipped=(302, 303)),
    sales_case(
        "the first accent after a long plain part",
        dump(Sales(("Smith",), rows=4000)).replace("Smith", "Jose", 1).rstrip("\n")
        + "\n4001,Zoë,5.0,1,2024-02-02,ok\n",
        encoding="cp1252",
        rows=4001,
        total=sum(row[2] for row in Sales(("Smith",), rows=4000).values()) + 5.0,
        first="Jose",
    ),
    Case(
        "row names as R writes them",
        _table("mpg\tcyl", [f"car {n}\t{n}.5\t{n % 3}" for n in range(40)]),
        rows=40,
        names=("row", "mpg", "cyl"),
        numbers={"mpg": sum(n + 0.5 for n in range(40))},
    ),
    Case(
        "years for names",
        _table("country,2019,2020", [f"c{n},{n * 1.5},{n * 2.5}" for n in range(40)]),
        rows=40,
        names=("country", "2019", "2020"),
        numbers=_year_sums(),
    ),
    Case(
        "ranges are no dates",
        _table("size,price", [f"{n % 5 + 2}-{n % 7 + 10},{n}" for n in range(60)]),
        rows=60,
        names=("size", "price"),
        kinds={"size": "category"},
        texts={"size": "2-10"},
    ),
    Case(
        "codes keep their zeros",
        _table("zip,price", [f"{n % 30:05d},{n * 3}" for n in range(60)]),
        rows=60,
        names=("zip", "price"),
        kinds={"zip": "category", "price": "number"},
        texts={"zip": "00000"},
    ),
    Case(
        "long account numbers",
        _table("account,price", [f"{4000123412341000 + n % 9},{n * 3}" for n in range(60)]),
        rows=60,
        names=("account", "price"),
        texts={"account": "4000123412341000"},
        numbers={"price": 3 * sum(range(60))},
    ),
    Case(
        "brackets, trailing minus and percents",
        _table("a,b,c", [f"({n}.5),{n}-,{n} %" for n in range(1, 41)]),
        rows=40,
        names=("a", "b", "c"),
        numbers={"a": -sum(n + 0.5 for n in range(1, 41)), "b": -820, "c": 820},
    ),
    Case(
        "decimal commas with three digits only",
        _table("a;b", [f"{n},125;{n % 4}" for n in range(1, 41)]),
        rows=40,
        names=("a", "b"),
        numbers={"a": 820 + 40 * 0.125},
    ),
    Case(
        "thousands that another column explains",
        _table("a;b", [f"{n}.000;{n},5" for n in range(1, 41)]),
        rows=40,
        names=("a", "b"),
        numbers={"a": 820_000, "b": 820 + 20},
    ),
    Case(
        "two columns of decimal commas",
        _table("a;b", [f"{n},5;{n},25" for n in range(1, 41)]),
        rows=40,
        names=("a", "b"),
        numbers={"a": 820 + 20, "b": 820 + 10},
    ),
    Case(
        "backslashes before quotes",
        _table("id,say,x", [f'{n},"he said \\"no, {n}\\" twice",{n * 3}' for n in range(1, 41)]),
        rows=40,
        names=("id", "say", "x"),
        texts={"say": 'he said "no, 1" twice'},
        numbers={"x": 2460},
    ),
    Case(
        "last empty cells left out",
        _table("a,b,c", [f"{n},{n * 3},x" if n % 3 else f"{n},{n * 3}" for n in range(1, 41)]),
        rows=40,
        names=("a", "b", "c"),
        numbers={"b": 2460},
        missing={"c": 13},
    ),
    Case(
        "one column",
        _table("temperature", [f"{n}.5" for n in range(40)]),
        rows=40,
        names=("temperature",),
        numbers={"temperature": 780 + 20},
    ),
    Case(
        "names over two lines",
        _table('id,"amount\nin euro",x', [f"{n},{n}.5,a" for n in range(40)]),
        rows=40,
        names=("id", "amount in euro", "x"),
        numbers={"amount in euro": 780 + 20},
    ),
    Case(
        "a word among numbers",
        _table("age,x", ["unknown,1" if n % 7 == 0 else f"{n + 20},1" for n in range(70)]),
        rows=70,
        names=("age", "x"),
        kinds={"age": "number"},
        missing={"age": 10},
    ),
    Case(
        "prose with commas in a table of bars",
        _table("a|b", [f"well, {'so, ' * (n % 3)}ok|{n * 3}" for n in range(40)]),
        rows=40,
        names=("a", "b"),
        numbers={"b": 2340},
    ),
    Case(
        "japanese in shift-jis",
        "\n".join(
            ["都市,人口", *[f"{'東京大阪札幌'[n % 3 * 2 :][:2]},{n * 3}" for n in range(60)]]
        ).encode("shift_jis"),
        rows=60,
        names=("都市", "人口"),
        texts={"都市": "東京"},
        numbers={"人口": 5310},
    ),
)
"""Cases nobody looked at while the reading was written."""
