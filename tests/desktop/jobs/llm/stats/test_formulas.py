"""Formulas agree with what others have computed: statsmodels and scipy."""

from __future__ import annotations

import warnings
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from desktop.jobs.llm.stats import intervals, student
from desktop.jobs.llm.stats.agreement import cohen, fleiss
from desktop.jobs.llm.stats.reckoning import reckon
from tests.desktop.jobs.llm.stats.made_runs import a_row

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import TTestPower
    from statsmodels.stats.proportion import proportion_confint


@pytest.mark.parametrize(
    ("wins", "n"), [(0, 1), (0, 50), (1, 3), (61, 100), (9999, 10_000), (7, 7)]
)
def test_wilsons_interval_is_that_of_statsmodels(wins: int, n: int) -> None:
    made = intervals.wilson(wins, n)
    assert made is not None
    assert (made.low, made.high) == pytest.approx(
        proportion_confint(wins, n, method="wilson"), abs=1e-12
    )


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_holds_the_share_and_stays_a_share(told: tuple[int, int]) -> None:
    wins, n = told
    made = intervals.wilson(wins, n)
    assert made is not None
    assert 0 <= made.low <= wins / n <= made.high <= 1


def test_nothing_observed_has_no_interval() -> None:
    assert intervals.wilson(0, 0) is None


@pytest.mark.parametrize("count", [1, 2, 7, 336])
def test_holms_correction_is_that_of_statsmodels(count: int) -> None:
    random = Random(count)
    # Ties and zeros among them.
    values = [round(random.random() ** 4, 2) for _ in range(count)]
    assert intervals.holm(values) == pytest.approx(
        list(multipletests(values, method="holm")[1]), abs=1e-12
    )


def test_nothing_to_correct_stays_nothing() -> None:
    assert intervals.holm([]) == []


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 10, 31, 100, 999, 10_000, 250_000])
def test_students_t_is_that_of_scipy(degrees: int) -> None:
    for t in (0.0, 0.1, 1.0, 1.96, 3.5, 8.0):
        assert student.outside(t, degrees) == pytest.approx(
            2 * special.stdtr(degrees, -t), abs=2e-6
        )
    for share in (0.5, 0.6, 0.8, 0.975, 0.9995):
        assert student.quantile(share, degrees) == pytest.approx(
            special.stdtrit(degrees, share), rel=3e-5, abs=1e-9
        )


def test_a_detectable_difference_is_found_with_a_power_of_eighty_percent() -> None:
    """Bloom's multiplier leans on the central t; the exact power lies within a point."""
    clusters, error = 40, 0.05
    effect = intervals.detectable(error, clusters) / (error * clusters**0.5)
    power = TTestPower().power(effect, clusters, 0.05, alternative="two-sided")
    assert power == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("options", [2, 3, 5])
def test_cohens_kappa_is_that_of_statsmodels(options: int) -> None:
    table = np.random.default_rng(options).integers(1, 30, (options, options)).astype(float)
    total = np.concatenate([[table.sum(), table.trace()], table.sum(axis=1), table.sum(axis=0)])
    assert float(cohen(total)) == pytest.approx(cohens_kappa(table).kappa, abs=1e-12)


@pytest.mark.parametrize(("raters", "options"), [(2, 2), (3, 4), (8, 5)])
def test_fleiss_kappa_is_that_of_statsmodels(raters: int, options: int) -> None:
    random = Random(raters)
    uses = np.zeros((60, options))
    for item in uses:
        for _ in range(raters):
            item[random.randrange(options)] += 1
    agreed = (uses * (uses - 1)).sum() / (raters * (raters - 1))
    total = np.concatenate([[len(uses), agreed], uses.sum(axis=0)])
    assert float(fleiss(total)) == pytest.approx(fleiss_kappa(uses), abs=1e-12)


def test_agreement_in_a_report_is_that_of_statsmodels() -> None:
    random = Random(4)
    models, labels = ("a:1", "a:2", "a:3"), "ABC"
    options = tuple((label, label * 2) for label in labels)
    taken = {
        (scenario, model, repeat): random.choice(labels)
        for scenario in range(30)
        for model in models
        for repeat in range(4)
    }
    made = reckon(
        [
            a_row(f"s{scenario}", model, repeat, choice, options=options)
            for (scenario, model, repeat), choice in taken.items()
        ],
        run="r", name="n",
    )  # fmt: skip
    items = [(scenario, repeat) for scenario in range(30) for repeat in range(4)]

    def used(chosen: list[str]) -> list[int]:
        return [chosen.count(label) for label in labels]

    assert made.together is not None
    assert made.together.kappa == pytest.approx(
        fleiss_kappa([used([taken[s, model, r] for model in models]) for s, r in items])
    )
    own = [used([taken[scenario, "a:2", r] for r in range(4)]) for scenario in range(30)]
    assert made.stability[1].agreement.kappa == pytest.approx(fleiss_kappa(own))
    table = np.zeros((3, 3))
    for s, r in items:
        table[labels.index(taken[s, "a:1", r]), labels.index(taken[s, "a:3", r])] += 1
    pair = made.pairs[1]
    assert (pair.first, pair.second) == ("a:1", "a:3")
    assert pair.agreement.kappa == pytest.approx(cohens_kappa(table).kappa)
