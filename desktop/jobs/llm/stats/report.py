"""What the statistics of a run are: typed, as they stand in report.json.

No number is ever NaN or infinite. Where one cannot be had it is None, and `remark` says why.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

VERSION = 1


class Method(StrEnum):
    """How an interval was made; docs/probe-statistics.md tells of each."""

    WILSON = "wilson"
    """Wilson's score interval over answers, as if they were independent."""
    WILSON_CLUSTERS = "wilson_clusters"
    """The same over clusters: all of them agree, so drawing them anew tells nothing."""
    WILSON_EFFECTIVE = "wilson_effective"
    """The same over as many answers as tell as much; for fewer than ten clusters."""
    CLUSTER_BCA = "cluster_bca"
    """Clusters drawn anew; bias-corrected, accelerated, widened for few clusters."""
    MEAN_T = "mean_t"
    """A mean of few clusters: Student's t times the standard error."""
    CLUSTER_T = "cluster_t"
    """Clusters drawn anew; the difference in its own standard errors, symmetric."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Interval(_Told):
    """Where the true number lies, in 95 of 100 such runs."""

    low: float
    high: float
    method: Method


class Figure(_Told):
    """A share, or a mean of scores, and how sure it is."""

    value: float | None
    n: int
    """Cells that it is made of."""
    n_of: int
    """Cells that it would be made of if none had failed, been refused or been left."""
    clusters: int
    """Independent pieces of evidence that it is made of."""
    wilson: Interval | None = None
    """Of a share: what the interval were if all answers were independent."""
    interval: Interval | None = None
    """The one to go by: answers of one cluster are no independent evidence."""
    standard_error: float | None = None
    """Robust to clusters."""
    design_effect: float | None = None
    """How much larger the variance is for the clusters; 1 when they make no difference."""
    n_effective: float | None = None
    """How many independent answers would tell as much."""
    remark: str = ""


class Counts(_Told):
    """How cells came out. All but `unread` add up to `total`."""

    total: int
    answered: int
    refused: int
    failed: int
    """Without those that were cancelled."""
    cancelled: int
    open: int
    """Not asked to the end."""
    unread: int
    """Of those answered: offered choices, but none could be read in the answer."""


class ModelFigures(_Told):
    """One model's part of a run."""

    model: str
    counts: Counts
    faults: dict[str, int]
    """Failed cells by class."""
    refusal: Figure
    """Of those that gave a reply."""
    error: Figure
    """Of those asked to an end that was not a person's stop."""
    first_option: Figure
    """How often the option that stands first was chosen: what it stands for apart."""
    first_option_by_chance: float | None
    """What picking blindly would give."""
    tokens: int
    cost_usd: float | None
    """None when no cell has a price."""
    median_ms: float | None
    """Of the answered cells."""


class ScenarioFigures(_Told):
    """One scenario's part of a run."""

    scenario: str
    cluster: str
    counts: Counts
    choices: dict[str, dict[str, int]]
    """Model -> label -> how often it was chosen."""


class ValueFigures(_Told):
    """How often a value wins with a model, where a scenario sets it against others."""

    model: str
    value: str
    wins: int
    share: Figure
    by_chance: float | None
    """What picking blindly would give; None when nothing was counted."""


class ScoreFigures(_Told):
    """A model's mean over scenarios whose choices are numbers."""

    model: str
    mean: Figure


class Difference(_Told):
    """`first` minus `second`, over the cells that both answered."""

    measure: str
    """"wins" or "score"."""
    value: str
    """Which value wins; empty for scores."""
    first: str
    second: str
    difference: float | None
    n: int
    """Pairs."""
    n_of: int
    clusters: int
    interval: Interval | None = None
    standard_error: float | None = None
    p: float | None = None
    """Two-sided."""
    p_holm: float | None = None
    """Corrected for all pairs of models and all values."""
    detectable: float | None = None
    """The smallest true difference that such a run would show in 80 of 100 cases."""
    remark: str = ""


class Agreement(_Told):
    """How often the same option is chosen, and how much of that is not chance."""

    observed: float | None
    """Share of pairs of answers that agree."""
    kappa: float | None
    """1: always; 0: no more than by chance; below: less."""
    n: int
    """Items that at least two have answered."""
    n_of: int
    clusters: int
    interval: Interval | None = None
    """Of kappa."""
    remark: str = ""


class PairAgreement(_Told):
    """Two models over the cells both answered: Cohen's kappa."""

    first: str
    second: str
    agreement: Agreement


class Stability(_Told):
    """One model over its own repeats of a scenario: Fleiss' kappa."""

    model: str
    agreement: Agreement


class Report(_Told):
    """All that is known of a run in numbers."""

    version: int = VERSION
    run: str
    name: str
    seed: int
    resamples: int
    counts: Counts
    scenarios_total: int
    clusters_total: int
    repeats: int
    values: tuple[str, ...]
    models: tuple[ModelFigures, ...]
    wins: tuple[ValueFigures, ...]
    scores: tuple[ScoreFigures, ...]
    differences: tuple[Difference, ...]
    pairs: tuple[PairAgreement, ...]
    together: Agreement | None
    """All models at once: Fleiss' kappa; None with fewer than two."""
    stability: tuple[Stability, ...]
    scenarios: tuple[ScenarioFigures, ...]
    remarks: tuple[str, ...]
    """What a reader must know before believing any of it."""
