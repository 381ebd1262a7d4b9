"""A shop's till: adds up its sales by day. One bug, three red tests, and one thing to be asked.

The program cuts the offset off a sale's time before it takes the day of it. Whether a day is one in
UTC, as the tests have it, or one where the shop is, as its settings have it, only a person knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_README = """\
# till

Adds up what a shop sold, by day.

    python3 -m till sales.csv

Times in the file are as the till wrote them, with their offset from UTC.
"""
_INIT = '"""Adds up what a shop sold, by day."""\n'
_MAIN = '''\
"""python3 -m till sales.csv"""

import sys
from pathlib import Path

from till.report import daily_totals, lines
from till.sales import read_sales


def main() -> None:
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    print("\\n".join(lines(daily_totals(read_sales(text)))))


if __name__ == "__main__":
    main()
'''
_SETTINGS = '''\
"""What is so in this shop."""

TIMEZONE = "Europe/Berlin"
CURRENCY = "EUR"
'''
_SALES = '''\
"""Reads the till's file of sales."""

import csv
import io
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Sale:
    time: str
    """ISO 8601, with its offset: "2026-03-29T00:30:00+01:00"."""
    article: str
    amount: Decimal


def read_sales(text: str) -> list[Sale]:
    rows = csv.DictReader(io.StringIO(text))
    return [Sale(row["time"], row["article"], _amount(row["amount"])) for row in rows]


def _amount(written: str) -> Decimal:
    """Read an amount as tills write it, with a comma or a point: "3,50", "3.50"."""
    return Decimal(written.strip().replace(",", "."))
'''
_REPORT = '''\
"""Adds up sales by day."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from till.sales import Sale
from till.settings import CURRENCY


def day_of(sale: Sale) -> date:
    """Return the day that a sale counts for."""
    return datetime.fromisoformat(sale.time[:19]).date()


def daily_totals(sales: Iterable[Sale]) -> dict[date, Decimal]:
    totals: dict[date, Decimal] = {}
    for sale in sales:
        day = day_of(sale)
        totals[day] = totals.get(day, Decimal(0)) + sale.amount
    return dict(sorted(totals.items()))


def lines(totals: dict[date, Decimal]) -> list[str]:
    return [f"{day.isoformat()}  {total:>10.2f} {CURRENCY}" for day, total in totals.items()]
'''
_TEST_SALES = '''\
import unittest
from decimal import Decimal

from till.sales import read_sales

TEXT = """time,article,amount
2026-03-28T12:00:00+01:00,bread,"3,50"
2026-03-28T12:01:00+01:00,milk,1.20
"""


class ReadSales(unittest.TestCase):
    def test_amounts_are_read_with_a_comma_and_with_a_point(self):
        amounts = [sale.amount for sale in read_sales(TEXT)]
        self.assertEqual(amounts, [Decimal("3.50"), Decimal("1.20")])

    def test_articles_keep_their_names(self):
        self.assertEqual([sale.article for sale in read_sales(TEXT)], ["bread", "milk"])

    def test_an_empty_file_has_no_sales(self):
        self.assertEqual(read_sales("time,article,amount\\n"), [])
'''
_TEST_REPORT = """\
import unittest
from datetime import date
from decimal import Decimal

from till.report import daily_totals, day_of, lines
from till.sales import Sale


def sale(time, amount="1.00"):
    return Sale(time, "bread", Decimal(amount))


class DayOf(unittest.TestCase):
    def test_a_sale_at_noon_counts_for_its_day(self):
        self.assertEqual(day_of(sale("2026-03-28T12:00:00+01:00")), date(2026, 3, 28))

    def test_a_sale_after_midnight_in_summer_counts_for_the_day_in_utc(self):
        self.assertEqual(day_of(sale("2026-07-01T01:30:00+02:00")), date(2026, 6, 30))

    def test_a_sale_late_in_new_york_counts_for_the_day_in_utc(self):
        self.assertEqual(day_of(sale("2026-01-31T22:15:00-05:00")), date(2026, 2, 1))


class DailyTotals(unittest.TestCase):
    def test_sales_of_one_day_are_added_up_whatever_their_offset(self):
        late = sale("2026-03-28T23:30:00+00:00", "2.50")
        later = sale("2026-03-29T00:45:00+01:00", "1.25")
        self.assertEqual(daily_totals([late, later]), {date(2026, 3, 28): Decimal("3.75")})

    def test_days_come_in_their_order(self):
        days = daily_totals([sale("2026-03-29T12:00:00+01:00"), sale("2026-03-28T12:00:00+01:00")])
        self.assertEqual(list(days), [date(2026, 3, 28), date(2026, 3, 29)])

    def test_totals_are_written_with_two_places(self):
        self.assertEqual(lines({date(2026, 3, 28): Decimal("3.5")}), ["2026-03-28        3.50 EUR"])
"""

NAME = "till"
FILES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": _README,
        "till/__init__.py": _INIT,
        "till/__main__.py": _MAIN,
        "till/settings.py": _SETTINGS,
        "till/sales.py": _SALES,
        "till/report.py": _REPORT,
        "tests/__init__.py": "",
        "tests/test_sales.py": _TEST_SALES,
        "tests/test_report.py": _TEST_REPORT,
        ".gitignore": "__pycache__/\n",
    }
)
PASSED_BEFORE, FAILED_BEFORE = 6, 3
INSTRUCTIONS = (
    "Sales shortly after midnight are added up under the wrong day. Find out why and fix it."
)
QUESTION = "The tests expect days in UTC, but the settings say Europe/Berlin. Which one is right?"
UTC, LOCAL = "UTC", "Local time"
OLD = "    return datetime.fromisoformat(sale.time[:19]).date()\n"
NEW = "    return datetime.fromisoformat(sale.time).astimezone(UTC).date()\n"
IMPORT_OLD = "from datetime import date, datetime\n"
IMPORT_NEW = "from datetime import UTC, date, datetime\n"
STEPS: tuple[Mapping[str, object], ...] = (
    {"read": "till/report.py"},
    {"run": "python3 -m unittest discover -s tests -t . 2>&1 | tail -n 20"},
    {"read": "till/settings.py"},
    {"ask": QUESTION, "options": [UTC, LOCAL], "default": UTC},
    {"edit": "till/report.py", "old": IMPORT_OLD, "new": IMPORT_NEW},
    {"edit": "till/report.py", "old": OLD, "new": NEW},
    {"run": "python3 -m unittest discover -s tests -t . 2>&1 | tail -n 4"},
    {"submit": "The day of a sale is now taken in UTC; its offset was cut off before."},
)
"""What a model does that mends it, one tool call each, in the order in which it does it."""
