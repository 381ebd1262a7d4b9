"""The report of a run: right in the ordinary case, in words and without NaN in all others."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.llm.types import CellState, ProbeRow
from desktop.jobs.llm.stats import tables, wording
from desktop.jobs.llm.stats.plots import plots, subtitle
from desktop.jobs.llm.stats.reckoning import reckon
from desktop.jobs.llm.stats.report import Figure, Interval, Method, Report
from tests.desktop.jobs.llm.stats.made_runs import SCALE, a_row, a_run

TWO = ("local:tiny", "local:tiny2")


def report_of(rows: Sequence[ProbeRow], seed: int = 0) -> Report:
    return reckon(rows, run="r", name="Dilemmas", seed=seed)


def test_a_win_is_a_choice_of_what_the_label_stands_for() -> None:
    rows = [
        a_row("s1", choice="A"),
        a_row("s2", choice="B"),
        a_row("s3", choice="B", options=(("A", "freedom"), ("B", "safety"))),
        a_row("s4", choice="A", options=(("A", "truth"), ("B", "freedom"))),
    ]
    told = {one.value: one for one in report_of(rows).wins}
    assert (told["safety"].wins, told["safety"].share.n) == (2, 3)
    assert (told["freedom"].wins, told["freedom"].share.n) == (1, 4)
    assert told["truth"].share.value == 1


def test_every_figure_says_of_how_many_it_is_made() -> None:
    failed = a_row("s1", repeat=1, state=CellState.FAILED, fault="TIMEOUT")
    stopped = a_row("s1", repeat=2, state=CellState.FAILED, fault="CANCELLED")
    refused = a_row("s1", repeat=3, state=CellState.REFUSED)
    mumbled = a_row("s1", repeat=4, choice="")
    left = a_row("s1", repeat=5, state=CellState.OPEN)
    made = report_of([a_row("s1"), failed, stopped, refused, mumbled, left, a_row("s2")])

    counts = made.counts
    assert (counts.total, counts.answered, counts.refused, counts.failed) == (7, 3, 1, 1)
    assert (counts.cancelled, counts.open, counts.unread) == (1, 1, 1)
    model = made.models[0]
    assert (model.error.value, model.error.n, model.error.n_of) == (1 / 5, 5, 7)
    assert (model.refusal.value, model.refusal.n) == (1 / 4, 4)
    assert model.faults == {"TIMEOUT": 1, "CANCELLED": 1}
    safety = next(one.share for one in made.wins if one.value == "safety")
    assert (safety.n, safety.n_of) == (2, 7)
    assert any("rest on 2 of 7" in remark for remark in made.remarks)


def test_models_are_compared_over_the_cells_that_both_answered() -> None:
    rows = [
        *(a_row(f"s{number}", TWO[0], choice="A") for number in range(12)),
        *(a_row(f"s{number}", TWO[1], choice="A" if number < 4 else "B") for number in range(11)),
        a_row("s11", TWO[1], state=CellState.FAILED),
    ]
    (one,) = report_of(rows).differences
    assert (one.value, one.first, one.second) == ("freedom", *TWO)
    assert one.difference == pytest.approx(-7 / 11)
    assert (one.n, one.n_of, one.clusters) == (11, 12, 11)
    assert one.p is not None
    assert one.p < 0.02
    assert one.p_holm == one.p, "safety against freedom is one question, not two"


def test_holms_correction_counts_every_pair_and_every_value() -> None:
    made = report_of(a_run(models=("a:1", "a:2", "a:3"), scenarios=40))
    assert len(made.differences) == 3 * 3
    smallest = min(one.p or 1 for one in made.differences)
    assert min(one.p_holm or 1 for one in made.differences) == pytest.approx(min(1, 9 * smallest))


def test_choices_that_are_numbers_are_scores() -> None:
    rows = [
        a_row(f"s{number}", model, choice=str(1 + (number + shift) % 4), options=SCALE)
        for number in range(12)
        for shift, model in enumerate(TWO)
    ]
    made = report_of(rows)
    assert not made.values
    first, second = (one.mean for one in made.scores)
    assert (first.value, second.value) == (2.5, 2.5)
    assert first.interval is not None
    assert first.interval.low < 2.5 < first.interval.high
    (difference,) = made.differences
    assert (difference.measure, difference.difference) == ("score", 0)
    assert difference.p == pytest.approx(1, abs=0.1)


def test_both_taking_the_first_option_always_is_no_agreement_beyond_chance() -> None:
    rows = [a_row(f"s{number}", model) for number in range(20) for model in TWO]
    made = report_of(rows)
    told = made.pairs[0].agreement
    assert (told.observed, told.kappa) == (1.0, None)
    assert "chance" in told.remark
    assert made.models[0].first_option.value == 1
    assert any("stands first was taken by tiny in 100 %" in note for note in wording.notes(made))


def test_words_that_are_no_label_are_in_no_table() -> None:
    made = report_of([a_row(choice="My neighbour told me so."), a_row(repeat=1, choice="B")])
    assert made.scenarios[0].choices == {"local:tiny": {"B": 1}}
    assert "neighbour" not in made.model_dump_json()


def test_repeats_that_agree_make_a_model_stable() -> None:
    rows = [
        a_row(f"s{number}", repeat=repeat, choice="AB"[number % 2])
        for number in range(20)
        for repeat in range(3)
    ]
    (one,) = report_of(rows).stability
    assert (one.agreement.observed, one.agreement.kappa, one.agreement.n) == (1.0, 1.0, 20)


def test_answers_that_are_copies_of_each_other_count_once() -> None:
    rows = [
        a_row(f"s{number}", repeat=repeat, choice="AB"[number % 2])
        for number in range(30)
        for repeat in range(10)
    ]
    safety = next(one.share for one in report_of(rows).wins if one.value == "safety")
    assert safety.design_effect == pytest.approx(10, rel=0.05)
    assert safety.n_effective == pytest.approx(30, rel=0.05)
    assert safety.wilson is not None
    assert safety.interval is not None
    assert _width(safety.interval) > 2.5 * _width(safety.wilson)


def test_scenarios_of_one_cluster_are_drawn_together() -> None:
    rows = [
        dataclasses.replace(row, cluster=f"c{int(row.scenario[1:]) // 10}")
        for row in a_run(scenarios=40, models=("local:tiny",))
    ]
    made = report_of(rows)
    assert made.clusters_total == 4
    for one in made.wins:
        assert one.share.interval is not None
        assert one.share.interval.method is Method.WILSON_EFFECTIVE
        assert "Rough" in one.share.remark


DEGENERATE: dict[str, list[ProbeRow]] = {
    "nothing": [],
    "one cell": [a_row()],
    "all refused": [a_row(f"s{n}", state=CellState.REFUSED) for n in range(9)],
    "all failed": [a_row(f"s{n}", state=CellState.FAILED) for n in range(9)],
    "never begun": [a_row(f"s{n}", state=CellState.OPEN) for n in range(9)],
    "all cancelled": [
        a_row(f"s{n}", state=CellState.FAILED, fault="CANCELLED") for n in range(9)
    ],
    "one cluster": [a_row(f"s{n}", m, cluster="c", choice="AB"[n % 2])
                    for n in range(9) for m in TWO],
    "one scenario, many repeats": [a_row("s", repeat=n, choice="AB"[n % 2]) for n in range(9)],
    "all the same": [a_row(f"s{n}", m) for n in range(20) for m in TWO],
    "all opposite": [a_row(f"s{n}", m, choice="AB"[k]) for n in range(20)
                     for k, m in enumerate(TWO)],
    "no options": [a_row(f"s{n}", m, choice="", options=()) for n in range(9) for m in TWO],
    "one option": [a_row(f"s{n}", m, options=(("A", "safety"),)) for n in range(9) for m in TWO],
    "both options alike": [a_row(f"s{n}", options=(("A", "x"), ("B", "x"))) for n in range(9)],
    "words that are no label": [a_row(f"s{n}", choice="I would rather not") for n in range(9)],
    "one scale of equal answers": [a_row(f"s{n}", m, choice="3", options=SCALE)
                                   for n in range(12) for m in TWO],
    "models that never meet": [a_row(f"s{n}", TWO[n % 2]) for n in range(20)],
    "two clusters": [a_row(f"s{n}", m, choice="AB"[(n + k) % 2]) for n in range(2)
                     for k, m in enumerate(TWO)],
}  # fmt: skip


@pytest.mark.parametrize("name", DEGENERATE)
def test_what_cannot_be_reckoned_is_said_in_a_sentence(name: str) -> None:
    made = report_of(DEGENERATE[name])

    assert Report.model_validate_json(made.model_dump_json()) == made
    told = [wording.headline(made), *wording.notes(made), tables.text(made)]
    told += [tables.figures_csv(made), tables.scenarios_csv(made)]
    assert not [text for text in told if re.search(r"\b(nan|inf|None(?! of))\b", text)]
    for figure in _figures(made):
        assert figure.remark or figure.interval is not None
    for one in made.differences:
        assert one.remark or one.interval is not None
    for plot in plots(made).values():
        assert subtitle(made, plot)


def _figures(made: Report) -> list[Figure]:
    return [
        *(one.refusal for one in made.models),
        *(one.error for one in made.models),
        *(one.first_option for one in made.models),
        *(one.share for one in made.wins),
        *(one.mean for one in made.scores),
    ]


runs = st.builds(
    a_run,
    scenarios=st.integers(1, 25),
    models=st.sampled_from([("a:x",), ("a:x", "b:y"), ("a:x", "b:y", "c:z")]),
    repeats=st.integers(1, 4),
    values=st.sampled_from([("u", "v"), ("u", "v", "w", "1 and more")]),
    seed=st.integers(0, 1000),
    lost_share=st.sampled_from([0.0, 0.1, 0.7]),
)


@settings(max_examples=25, deadline=None)
@given(runs, st.integers(0, 100))
def test_the_order_of_rows_is_nothing(rows: list[ProbeRow], seed: int) -> None:
    shuffled = list(rows)
    Random(seed).shuffle(shuffled)
    assert report_of(rows) == report_of(shuffled)


@settings(max_examples=25, deadline=None)
@given(runs)
def test_intervals_hold_their_figure_and_shares_are_shares(rows: list[ProbeRow]) -> None:
    made = report_of(rows)
    for figure in _figures(made):
        for interval in (figure.wilson, figure.interval):
            if interval is not None and figure.value is not None:
                assert 0 <= interval.low <= figure.value + 1e-12
                assert figure.value - 1e-12 <= interval.high <= 1
    for one in made.differences:
        assert one.n <= one.n_of
        if one.interval is not None and one.difference is not None:
            assert one.interval.low <= one.difference <= one.interval.high
        if one.p is not None and one.p_holm is not None:
            assert 0 < one.p <= one.p_holm <= 1
    for counted in [made.counts, *(one.counts for one in made.models)]:
        parts = (counted.answered, counted.refused, counted.failed, counted.cancelled)
        assert sum(parts) + counted.open == counted.total


@settings(max_examples=25, deadline=None)
@given(runs)
def test_names_that_are_swapped_mirror_the_differences(rows: list[ProbeRow]) -> None:
    other = {"a:x": "b:y", "b:y": "a:x"}
    swapped = [dataclasses.replace(row, model=other.get(row.model, row.model)) for row in rows]
    made, mirrored = report_of(rows), report_of(swapped)
    for one, image in zip(made.differences, mirrored.differences, strict=True):
        if {one.first, one.second} == {"a:x", "b:y"} and one.difference is not None:
            assert image.difference == pytest.approx(-one.difference)
            assert image.p == one.p
            if one.interval is not None and image.interval is not None:
                assert image.interval.low == pytest.approx(-one.interval.high)


def test_another_seed_moves_intervals_hardly_at_all() -> None:
    rows = a_run(scenarios=50, repeats=4)
    for one, other in zip(report_of(rows, 1).wins, report_of(rows, 2).wins, strict=True):
        assert one.share.interval is not None
        assert other.share.interval is not None
        assert math.isclose(one.share.interval.low, other.share.interval.low, abs_tol=0.02)
        assert one.share.interval != other.share.interval


def _width(interval: Interval) -> float:
    return interval.high - interval.low
