"""What a column is, decided over all of its values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from desktop.jobs.data.cells import Cells
from desktop.jobs.data.columns import Typed, typed
from desktop.jobs.data.table import LEVELS_TOLD_MAX, Column

COUNT = 100
WORDS = ("late", "paid", "sent", "back", "good", "cold", "new", "parcel", "nobody", "home")


def column(cells: list[str], name: str = "x", given: list[Column] | None = None) -> Typed:
    raw = Cells.of(name, [pa.array(cells, pa.large_string())])
    return typed([raw], given, delimiter=",", is_single=False)[0]


def prose(number: int) -> str:
    return " ".join(WORDS[number * step % 10] for step in (1, 3, 7)) + f" {number % 60}"


KINDS: dict[str, tuple[str, list[str]]] = {
    "numbers": ("number", [f"{n * 7 % 50}.5" for n in range(COUNT)]),
    "two numbers": ("number", [str(n % 2) for n in range(COUNT)]),
    "money": ("number", [f"${n * 3},500.00" for n in range(1, COUNT)]),
    "years": ("number", [str(1990 + n % 30) for n in range(COUNT)]),
    "unique floats": ("number", [f"{n * 3}.25" for n in range(COUNT)]),
    "unique whole numbers": ("number", [str(n * n) for n in range(COUNT)]),
    "numbers with a few words": ("number", [*(str(n * 3) for n in range(98)), "oops", "x"]),
    "words": ("category", [WORDS[n % 10] for n in range(COUNT)]),
    "codes with zeros": ("category", [f"{n % 9:04d}" for n in range(COUNT)]),
    "ranges": ("category", [f"{n % 5}-{n % 5 + 10}" for n in range(COUNT)]),
    "clocks": ("category", [f"{n % 24}:30" for n in range(COUNT)]),
    "yes, no and none": ("category", [("yes", "no", "none")[n % 3] for n in range(COUNT)]),
    "half numbers, half words": ("category", [("7", "x", "8", "y")[n % 4] for n in range(COUNT)]),
    "one value with gaps": ("category", [("x", "")[n % 2] for n in range(COUNT)]),
    "prose": ("text", [prose(n) for n in range(COUNT)]),
    "people": ("text", [f"{WORDS[n % 10]}{'abcdefghij'[n // 10]} Smith" for n in range(COUNT)]),
    "days": ("date", [f"{n % 28 + 1}.{n % 12 + 1}.2024" for n in range(COUNT)]),
    "days with gaps": ("date", [("n/a", f"2024-01-{n % 28 + 1:02d}")[n % 2] for n in range(COUNT)]),
    "a counter": ("id", [str(n) for n in range(COUNT)]),
    "a shuffled counter": ("id", [str(n * 37 % COUNT + 1) for n in range(COUNT)]),
    "keys": ("id", [f"{n * 7919 % 10_007}-XY{n}" for n in range(COUNT)]),
    "one value": ("constant", ["x"] * COUNT),
    "one number": ("constant", ["5"] * COUNT),
    "nothing": ("empty", ["", "NA", "-", "null"] * 25),
}


@pytest.mark.parametrize("what", KINDS)
def test_a_column_gets_the_kind_a_person_would_give_it(what: str) -> None:
    kind, cells = KINDS[what]
    assert column(cells).column.kind == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, "id") for name in ("id", "customer_id", "CustomerId", "order no", "Row", "№")),
        *((name, "number") for name in ("price", "paid", "video", "amount", "width", "valid")),
    ],
)
def test_different_whole_numbers_are_keys_only_under_a_name_of_keys(name: str, kind: str) -> None:
    assert column([str(n * 13 + 1000) for n in range(COUNT)], name).column.kind == kind


def test_numbers_are_told_with_their_range_gaps_and_bins() -> None:
    facts = column(["", "n/a", *(str(n * 3) for n in range(98))]).column
    assert (facts.minimum, facts.maximum) == (0.0, 291.0)
    assert facts.missing_share == pytest.approx(0.02)
    assert facts.distinct == 98
    assert facts.is_integer
    assert facts.levels == ()
    assert len(facts.quantiles) == 9
    assert list(facts.quantiles) == sorted(set(facts.quantiles))


def test_bins_of_a_lopsided_column_do_not_repeat() -> None:
    facts = column([*["0"] * 90, *(f"{n}.5" for n in range(10))]).column
    assert len(set(facts.quantiles)) == len(facts.quantiles) < 9


def test_dates_are_told_in_seconds_since_1970() -> None:
    facts = column([f"{1 + n % 9}.1.1970" for n in range(50)]).column
    assert facts.date_format == "d.m.y"
    assert (facts.minimum, facts.maximum) == (0.0, 8 * 86_400.0)


def test_levels_are_told_the_most_common_first_and_not_without_end() -> None:
    facts = column(["b", *["a"] * 3, *(f"c{n % 70}x" for n in range(700))]).column
    assert facts.distinct == 72
    assert len(facts.levels) == LEVELS_TOLD_MAX
    counts = [count for _, count in facts.levels]
    assert counts == sorted(counts, reverse=True)
    assert column(["1.0", "1", "2"] * 20).column.levels == (("1", 40), ("2", 20))


def test_cells_that_are_no_numbers_are_counted_and_told() -> None:
    one = column([*(str(n * 3) for n in range(97)), "oops", "x", "y"])
    assert one.column.unread == 3
    assert np.isnan(one.series.to_numpy()[-3:]).all()
    assert one.warnings == ("3 cells of 'x' are no number and count as missing.",)


def test_words_that_stand_for_gaps_are_told_where_numbers_are_expected() -> None:
    one = column([("withheld" if n % 5 == 0 else str(n * 3)) for n in range(COUNT)])
    assert one.column.kind == "number"
    assert one.column.missing_share == pytest.approx(0.2)
    assert one.warnings == ("In 'x' 'withheld' counts as missing.",)


def test_an_order_of_day_and_month_that_stays_open_is_told() -> None:
    one = column([f"{n % 9 + 1}/{n % 7 + 1}/2024" for n in range(COUNT)])
    assert one.column.date_format == "m/d/y"
    assert one.warnings == ("'x' could be day/month or month/day; it was read as month/day.",)


def test_what_training_says_holds_even_where_the_values_say_otherwise() -> None:
    trained = column([WORDS[n % 10] for n in range(COUNT)]).column
    later = column([str(n) for n in range(COUNT)], given=[trained])
    assert later.column.kind == "category"
    assert later.series.tolist()[:3] == ["0", "1", "2"]
    number = column([f"{n},5" for n in range(COUNT)]).column
    assert number.decimal_comma
    assert column(["1,250", "word"], given=[number]).series[0] == 1.25
    day = column([f"{n % 28 + 1}/1/2024" for n in range(COUNT)]).column
    assert str(column(["3/4/2024"], given=[day]).series[0])[:10] == "2024-04-03"
    assert column(["word"], given=[day]).series.isna().all()
