"""Tables and sentences: for people and spreadsheets, whatever names a definition holds."""

from __future__ import annotations

import csv
import io

import pytest

from desktop.jobs.llm import formulas
from desktop.jobs.llm.stats import tables, wording
from desktop.jobs.llm.stats.reckoning import reckon
from desktop.jobs.llm.stats.report import Interval, Method
from tests.desktop.jobs.llm.stats.made_runs import SCALE, a_row, a_run

EVIL = ('=HYPERLINK("http://x","y")', "+1", "-2", "@SUM(A1)", " =1", "\t=1", "＝1")


def test_a_run_is_told_in_one_sentence() -> None:
    rows = [
        a_row(f"s{number}", repeat=repeat, choice="A" if number % 10 < 8 else "B")
        for number in range(40)
        for repeat in range(5)
    ]
    made = reckon(rows, run="r", name="Dilemmas")
    assert wording.headline(made).startswith(
        "Dilemmas: 200 of 200 answered; tiny chose safety in 80 % ("
    )


def test_what_may_be_chance_is_told_as_that() -> None:
    rows = [
        a_row(f"s{n}", model, choice="AB"[n % 2]) for n in range(20) for model in ("a:x", "a:y")
    ]
    made = reckon(rows, run="r", name="Dilemmas")
    assert "answered; no value wins clearly; most often x chose" in wording.headline(made)
    assert next(wording.notes(made)).startswith("y: no value wins clearly; most often")


def test_chance_is_what_the_options_give() -> None:
    options = (("A", "safety"), ("B", "freedom"), ("C", "safety"), ("D", "truth"))
    made = reckon(
        [a_row("s1", choice="B", options=options), a_row("s2", choice="A")], run="r", name="n"
    )
    told = {one.value: one.by_chance for one in made.wins}
    assert told == {"safety": 0.5, "freedom": 0.375, "truth": 0.25}


def test_a_difference_is_told_by_who_is_ahead_and_by_how_much() -> None:
    rows = [
        a_row(f"s{number}", model, choice="A" if model == "local:b" or number % 10 < 2 else "B")
        for number in range(40)
        for model in ("local:a", "local:b")
    ]
    notes = list(wording.notes(reckon(rows, run="r", name="Dilemmas")))
    told = next(note for note in notes if "more often" in note)
    assert told.startswith("a chose freedom 80 points more often (")
    assert told.endswith("p < 0.001) than b.")


def test_a_run_without_differences_says_how_large_they_would_have_to_be() -> None:
    notes = list(wording.notes(reckon(a_run(seed=4), run="r", name="Dilemmas")))
    assert any("would show one of about" in note for note in notes)


def test_an_endpoint_is_left_out_unless_it_tells_models_apart() -> None:
    made = reckon(a_run(models=("a:tiny", "b:tiny", "b:large")), run="r", name="n")
    assert wording.short_names(made) == {
        "a:tiny": "a:tiny", "b:tiny": "b:tiny", "b:large": "large"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("part", "told"),
    [(0, "0 %"), (0.004, "under 1 %"), (0.61, "61 %"), (0.995, "over 99 %"), (1, "100 %")],
)
def test_only_all_is_a_hundred_percent(part: float, told: str) -> None:
    assert wording.percent(part) == told


def test_an_interval_of_scores_has_its_digits() -> None:
    interval = Interval(low=-1.234, high=2, method=Method.MEAN_T)
    assert wording.span(interval, is_share=False) == "−1.23 to 2.00"


@pytest.mark.parametrize("evil", EVIL)
def test_no_name_becomes_a_formula_of_a_spreadsheet(evil: str) -> None:
    rows = [
        a_row(evil, evil, choice=evil, options=((evil, evil), ("B", "freedom")), cluster=evil),
        a_row(f"{evil}2", evil, choice="B", options=((evil, evil), ("B", "freedom"))),
    ]
    made = reckon(rows, run="r", name=evil)
    for text in (tables.figures_csv(made), tables.scenarios_csv(made)):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert any(evil in cell for cell in cells)
        for cell in cells:
            assert _is_number(cell) or not cell.lstrip(" ").startswith(formulas.STARTS)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_every_row_of_a_table_has_all_its_columns() -> None:
    scale = [a_row(f"t{n}", choice=str(1 + n % 5), options=SCALE) for n in range(12)]
    made = reckon([*a_run(), *scale], run="r", name="n")
    for text, columns in (
        (tables.figures_csv(made), tables.FIGURES),
        (tables.scenarios_csv(made), tables.SCENARIOS),
    ):
        head, *rows = csv.reader(io.StringIO(text))
        assert tuple(head) == columns
        assert rows
        assert {len(row) for row in rows} == {len(columns)}


def test_the_text_fits_into_a_message_however_much_there_is() -> None:
    many = tuple(f"value number {number} with a name that is long" for number in range(40))
    models = tuple(f"endpoint:{'model' * 9}-{number}" for number in range(8))
    made = reckon(a_run(scenarios=30, models=models, repeats=1, values=many), run="r", name="n")
    text = tables.text(made)
    assert len(text) <= tables.TEXT_CHARS_MAX
    assert max(map(len, text.splitlines())) <= 60
    assert "figures.csv" in text
