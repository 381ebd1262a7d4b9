"""The manifest says what anyone may know of a model, and the report says it in six lines."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from desktop.jobs.ml.card import card_text, number, report_lines
from desktop.jobs.ml.manifest import LeaderboardEntry, Manifest, Metric, Source
from tests.desktop.jobs.ml.small_models import facts


def manifest(**more: object) -> Manifest:
    told = {
        **facts().model_dump(),
        "model_id": "20261121-010203-abcdef",
        "task": "binary",
        "status": "complete",
        "created_at": "2026-11-21T01:02:03Z",
    }
    return Manifest.model_validate(told | more)


def test_facts_are_what_the_first_metric_says() -> None:
    told = manifest().facts

    assert (told.metric, told.score, told.score_spread, told.baseline) == ("AUC", 0.85, 0.01, 0.5)
    assert told.complete


@pytest.mark.parametrize("status", ["quick", "partial"])
def test_only_a_finished_plan_is_complete(status: str) -> None:
    assert not manifest(status=status).facts.complete


def test_a_manifest_reads_back_as_it_was() -> None:
    before = manifest(
        source=Source(name="a.csv", size_bytes=5, sha256="0" * 64),
        leaderboard=(LeaderboardEntry(member="linear", score=0.8, weight=0.2),),
        threshold=0.3,
        classes=("no", "yes"),
    )

    assert Manifest.model_validate_json(before.model_dump_json()) == before


def test_fields_of_a_later_version_are_ignored() -> None:
    assert manifest(colour="blue").model_id == "20261121-010203-abcdef"


@pytest.mark.parametrize(
    "wrong",
    [{"task": "magic"}, {"status": "half"}, {"metrics": ()}, {"rows": -1}, {"threshold": "x"}],
)
def test_wrong_fields_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        manifest(**wrong)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValidationError):
        manifest(threshold=float("nan"))


def test_the_report_has_at_most_six_lines_and_says_what_to_do_next() -> None:
    told = facts(
        strongest=("Contract", "tenure", "fee", "age"),
        warnings=("column `id` looks like an id, left out", "few rows", "dates", "more"),
        sure_share=0.62,
        more_rows_gain=0.004,
    )

    lines = report_lines(told)

    assert lines == (
        "AUC 0.85 ± 0.01 (always guessing: 0.50).",
        "Sure (probability 0.8 or more) of 62 % of the rows, unsure of the rest.",
        "Strongest: Contract, tenure, fee.",
        "⚠ column `id` looks like an id, left out",
        "⚠ few rows",
        "More rows would help: about +0.004 for twice as many.",
    )


def test_the_report_does_not_promise_what_more_rows_would_not_give() -> None:
    assert report_lines(facts(more_rows_gain=0.0002))[-1].startswith("More rows would hardly help")
    assert report_lines(facts(more_rows_gain=-0.01))[-1].startswith("More rows would hardly help")
    assert report_lines(facts())[-1] == "Next: /predict with it."


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.8466, "0.85"), (0.0021, "0.002"), (0.0, "0.00"), (-0.3, "-0.30"), (12345.6, "12,346")],
)
def test_scores_are_written_as_people_read_them(value: float, told: str) -> None:
    assert number(value) == told


def test_the_card_tells_scores_columns_warnings_and_origin() -> None:
    text = card_text(
        manifest(
            metrics=(
                Metric(name="AUC", per_fold=(0.8,), mean=0.8, spread=0.0, baseline=0.5),
                Metric(name="log loss", per_fold=(0.4,), mean=0.4, spread=0.0),
            ),
            leaderboard=(LeaderboardEntry(member="boosting", score=0.79, weight=0.7),),
            warnings=("3 rows were broken",),
            source=Source(name="churn.csv", size_bytes=12345, sha256="ab" * 32),
            versions={"numpy": "2.4.6"},
        ),
        {"columns": [{"column": "pipe|name", "drop": 0.123456}]},
    )

    for part in (
        "# Churn",
        "| log loss | 0.4 |",
        "| boosting | 0.79 | 0.0 | 70 % |",
        "pipe\\|name | 0.1235",
        "- 3 rows were broken",
        "churn.csv, 12,345 bytes, sha256 abab",
        "numpy 2.4.6",
    ):
        assert part in text
