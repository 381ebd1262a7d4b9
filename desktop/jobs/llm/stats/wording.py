"""A report in sentences: what a person reads in a chat, and what to make of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from desktop.jobs.llm.stats.report import (
    Agreement,
    Difference,
    Figure,
    Interval,
    ModelFigures,
    Report,
    ScoreFigures,
    ValueFigures,
)

MODELS_TOLD = 4
DIFFERENCES_TOLD = 3
SIGNIFICANT = 0.05
EFFECT_TOLD = 1.5
"""A design effect from which answers are visibly no independent evidence."""
NAME_MAX = 60
"""Letters of a run's name in a sentence."""
PREFERENCE_TOLD = 0.15
"""How far the first option's share is from chance when it is worth a warning."""


def headline(report: Report) -> str:
    """Say in one sentence how a run came out."""
    counts, name = report.counts, cut(report.name, NAME_MAX)
    if not counts.total:
        return f"{name}: there is nothing to count."
    if not counts.answered:
        return f"{name}: none of {counts.total:,} probes was answered{_lost(report)}."
    told = f"{name}: {counts.answered:,} of {counts.total:,} answered"
    strongest = _strongest(report.wins)
    if strongest is not None:
        return f"{told}; {_won(strongest, short_names(report))}."
    scored = next((one for one in report.scores if one.mean.value is not None), None)
    if scored is not None:
        return f"{told}; {_scored(scored, short_names(report))}."
    return f"{told}."


def notes(report: Report) -> Iterator[str]:
    """Say what else is worth knowing, the most useful first."""
    names = short_names(report)
    yield from _of_models(report, names)
    yield from _of_differences(report, names)
    yield from _of_agreement(report, names)
    yield from _of_design(report)
    yield from _of_places(report, names)
    for remark in report.remarks:
        yield f"⚠ {remark}"


def short_names(report: Report) -> dict[str, str]:
    """Leave the endpoint out of the models' names where nothing is mistaken without it."""
    full = [model.model for model in report.models]
    short = [name.partition(":")[2] or name for name in full]
    return {
        name: brief if short.count(brief) == 1 else name
        for name, brief in zip(full, short, strict=True)
    }


def cut(name: str, letters: int) -> str:
    """Keep both ends of a name that is too long: what differs is often behind."""
    if len(name) <= letters:
        return name
    half = (letters - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def percent(part: float) -> str:
    """Write a share: only nothing is 0 %, only all is 100 %."""
    number = 100 * part
    if 0 < number < 1:
        return "under 1 %"
    return "over 99 %" if 99 < number < 100 else f"{number:.0f} %"


def span(interval: Interval, *, is_share: bool = True) -> str:
    """Write an interval: "54 to 68 %"."""
    if is_share:
        return f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"
    return f"{interval.low:.2f} to {interval.high:.2f}".replace("-", "−")


def found(figure: Figure, *, is_share: bool = True) -> str:
    """Write a figure with its interval: "61 % (54 to 68 %)"."""
    assert figure.value is not None
    value = percent(figure.value) if is_share else f"{figure.value:.2f}"
    interval = figure.interval or figure.wilson
    return f"{value} ({span(interval, is_share=is_share)})" if interval else value


def counted(n: int, n_of: int) -> str:
    """Write how many there are, and of how many when some are missing: "196 of 200"."""
    return f"{n:,}" if n == n_of else f"{n:,} of {n_of:,}"


def _lost(report: Report) -> str:
    counts = report.counts
    lost = {"refused": counts.refused, "failed": counts.failed, "cancelled": counts.cancelled}
    told = ", ".join(f"{number:,} {what}" for what, number in lost.items() if number)
    return f" ({told})" if told else ""


def _strongest(wins: Sequence[ValueFigures]) -> ValueFigures | None:
    """Find the win that is safest to tell: whose interval begins highest."""
    told = [one for one in wins if one.share.value is not None]
    return max(told, key=_certain, default=None)


def _certain(one: ValueFigures) -> tuple[float, float]:
    """Order wins by how far above chance they are for certain."""
    interval, chance = one.share.interval or one.share.wilson, one.by_chance or 0.0
    return ((interval.low if interval else 0.0) - chance, (one.share.value or 0.0) - chance)


def _won(one: ValueFigures, names: dict[str, str]) -> str:
    told = f"{names[one.model]} chose {one.value} in {found(one.share)}"
    return told if _certain(one)[0] > 0 else f"no value wins clearly; most often {told}"


def _won_too(one: ValueFigures, names: dict[str, str]) -> str:
    if _certain(one)[0] > 0:
        return _won(one, names)
    return f"{names[one.model]}: no value wins clearly; most often {one.value}, {found(one.share)}"


def _scored(one: ScoreFigures, names: dict[str, str]) -> str:
    return f"{names[one.model]} scored {found(one.mean, is_share=False)} on average"


def _of_models(report: Report, names: dict[str, str]) -> Iterator[str]:
    told = _strongest(report.wins)
    first = told.model if told else next((one.model for one in report.scores), "")
    others = [model.model for model in report.models if model.model != first]
    for model in others[:MODELS_TOLD]:
        best = _strongest([one for one in report.wins if one.model == model])
        if best is not None:
            yield f"{_won_too(best, names)}."
    for score in report.scores[:MODELS_TOLD]:
        if score.mean.value is not None and not (told is None and score.model == first):
            yield f"{_scored(score, names)}."


def _of_differences(report: Report, names: dict[str, str]) -> Iterator[str]:
    certain = [one for one in report.differences if (one.p_holm or 1.0) <= SIGNIFICANT]
    certain.sort(key=lambda one: one.p_holm or 0.0)
    for one in certain[:DIFFERENCES_TOLD]:
        yield f"{_differs(one, names)}."
    more = len(certain) - DIFFERENCES_TOLD
    if more > 0:
        yield f"… and {more:,} more differences hold after correction for their number."
    detectable = [
        one.detectable for one in report.differences if one.detectable and one.measure == "wins"
    ]
    if detectable and not certain:
        points = f"{100 * median(detectable):.0f} points"
        yield (
            f"No difference between models is certain; this run would show one of about {points}."
        )
    elif report.differences and not certain:
        yield "No difference between models is certain."


def _differs(one: Difference, names: dict[str, str]) -> str:
    assert one.difference is not None
    more, less = (one.first, one.second) if one.difference > 0 else (one.second, one.first)
    size = abs(one.difference)
    ends = [] if one.interval is None else sorted((abs(one.interval.low), abs(one.interval.high)))
    p = "p < 0.001" if (one.p_holm or 0) < 0.001 else f"p {one.p_holm:.3f}"
    if one.measure == "wins":
        reach = f"{100 * ends[0]:.0f} to {100 * ends[1]:.0f}, " if ends else ""
        by = f"{100 * size:.0f} points more often ({reach}{p}"
        return f"{names[more]} chose {one.value} {by}) than {names[less]}"
    reach = f"{ends[0]:.2f} to {ends[1]:.2f}, " if ends else ""
    return f"{names[more]} scored {size:.2f} higher ({reach}{p}) than {names[less]}"


def _of_agreement(report: Report, names: dict[str, str]) -> Iterator[str]:
    if report.together is not None and report.together.observed is not None:
        who = "Both models" if len(report.models) == 2 else f"The {len(report.models)} models"
        # Of two, Cohen's kappa is the one that is told in the table, so it is here as well.
        told = report.pairs[0].agreement if len(report.pairs) == 1 else report.together
        yield f"{who} chose alike in {_alike(told)}."
    steady = [one for one in report.stability if one.agreement.observed is not None]
    steady.sort(key=lambda one: -(one.agreement.observed or 0.0))
    for one in steady[:1] + steady[-1:] if len(steady) > 1 else steady:
        yield f"{names[one.model]} repeated its own choice in {_alike(one.agreement)}."


def _alike(told: Agreement) -> str:
    assert told.observed is not None
    if told.kappa is None:
        return percent(told.observed)
    reach = f", {span(told.interval, is_share=False)}" if told.interval else ""
    kappa = f"{told.kappa:.2f}".replace("-", "−")
    return f"{percent(told.observed)} (kappa {kappa}{reach})"


def _of_places(report: Report, names: dict[str, str]) -> Iterator[str]:
    """Warn of models that go by the place of an option."""
    told = [
        f"{names[model.model]} in {found(model.first_option)}"
        for model in report.models
        if _goes_by_place(model)
    ]
    if told:
        more = f" and {len(told) - MODELS_TOLD} more models" if len(told) > MODELS_TOLD else ""
        yield (
            f"⚠ The option that stands first was taken by {', '.join(told[:MODELS_TOLD])}{more}: "
            "its place may count more than what it stands for."
        )


def _goes_by_place(model: ModelFigures) -> bool:
    share, chance = model.first_option, model.first_option_by_chance
    if share.value is None or share.interval is None or chance is None:
        return False
    is_far = abs(share.value - chance) > PREFERENCE_TOLD
    return is_far and not share.interval.low <= chance <= share.interval.high


def _of_design(report: Report) -> Iterator[str]:
    told = [
        (one.share.n, one.share.n_effective)
        for one in report.wins
        if one.share.design_effect is not None and one.share.n_effective is not None
    ]
    if not told:
        return
    n, effective = sum(n for n, _ in told), sum(one for _, one in told)
    if n / effective >= EFFECT_TOLD:
        yield (
            f"Answers to one scenario are alike: 100 of them tell as much as about "
            f"{max(1, round(100 * effective / n))} independent ones."
        )
