"""What a part of the benchmark found: figures with their peers, as a table and as JSON.

    part = Part("queue", "Durable jobs")
    figure = part.figure("jobs/s, 64 callers", unit="1/s", goal="at least 5 x the fastest peer")
    for _ in range(rounds):                        # in turn, so that all meet the same load
        figure.add("Deskhand", ours())
        figure.add("Celery", celery(), stands="fsync before the acknowledgement")
    part.save(Path(".benchmarks/queue.json"))

Values are told as a median with the range of its rounds, and each peer as a ratio to ours: above 1
ours is better. Nothing here asserts anything about time.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

OURS = "Deskhand"
Better = Literal["more", "less"]


@dataclass(frozen=True, slots=True)
class Sample:
    """All that was measured of one subject for one figure."""

    values: list[float]
    stands: str = ""
    """Under what it was measured, if that differs: how durable it is, a version, its load."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def shown(self) -> str:
        """The median, and the range of its rounds."""
        if not self.values:
            return "-"
        least, most = min(self.values), max(self.values)
        if len(self.values) == 1 or least == most:
            return number(self.median)
        return f"{number(self.median)} ({number(least)} to {number(most)})"


@dataclass(slots=True)
class Figure:
    """One measure of ours beside that of others."""

    name: str
    unit: str
    better: Better = "more"
    goal: str = ""
    """In words; empty for a figure that only explains others, as a limit of the machine does."""
    is_met: bool | None = None
    """Whether the goal was; None while nobody has said."""
    why: str = ""
    """What keeps it from its goal, or what must be known to read it."""
    samples: dict[str, Sample] = field(default_factory=dict)
    """By subject; ours is `OURS`, the limit of the machine is "limit"."""

    def add(self, subject: str, *values: float, stands: str = "") -> None:
        """Add what a round found; `stands` is kept from the first."""
        sample = self.samples.setdefault(subject, Sample([], stands))
        sample.values.extend(float(value) for value in values if math.isfinite(value))

    def median(self, subject: str = OURS) -> float:
        """Raises KeyError when nothing was measured of a subject."""
        sample = self.samples[subject]
        if not sample.values:
            raise KeyError(subject)
        return sample.median

    def ratio(self, subject: str) -> float | None:
        """How many times better ours is than another's, by medians of this run."""
        try:
            ours, theirs = self.median(), self.median(subject)
        except KeyError:
            return None
        above, below = (ours, theirs) if self.better == "more" else (theirs, ours)
        return above / below if below > 0 else None

    def peers(self) -> list[str]:
        """Who else was measured, the best first."""
        others = [name for name, one in self.samples.items() if name != OURS and one.values]
        return sorted(others, key=self.median, reverse=self.better == "more")

    def judge(self, is_met: bool, why: str = "") -> None:
        """Say whether the goal was met and, if not, what keeps it."""
        self.is_met, self.why = is_met, why or self.why

    def judge_limit(self, limit: float, keeps: str) -> None:
        """Judge by our median and a limit; does nothing when nothing of ours was measured.

        Args:
            limit: the least where more is better, the most where less is.
            keeps: what keeps it from its goal, told only when it is missed.
        """
        if OURS not in self.samples or not self.samples[OURS].values:
            return
        ours = self.median()
        is_met = ours >= limit if self.better == "more" else ours <= limit
        self.judge(is_met, "" if is_met else keeps)


@dataclass(slots=True)
class Growth:
    """How a cost grows with its size: cost ~ size ** exponent, fitted on logarithms."""

    name: str
    sizes: list[float]
    costs: list[float]
    unit: str
    goal: float = 1.05

    @property
    def exponent(self) -> float:
        return exponent(self.sizes, self.costs)


@dataclass(slots=True)
class Part:
    """What one part of the benchmark found."""

    name: str
    title: str
    about: str = ""
    """A few sentences: who does what, on what, and what a value is."""
    figures: list[Figure] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    """Of each peer, and what it runs on."""
    mood: dict[str, float] = field(default_factory=dict)
    """What the machine was like, as `machine.mood` found."""
    notes: list[str] = field(default_factory=list)
    """What a reader must know; also what could not be measured, and why."""
    seconds: float = 0.0

    def figure(self, name: str, unit: str, *, better: Better = "more", goal: str = "") -> Figure:
        """The figure of a name; it is made when it is not there."""
        for known in self.figures:
            if known.name == name:
                return known
        made = Figure(name, unit, better, goal)
        self.figures.append(made)
        return made

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", "utf-8")


def load(path: Path) -> Part:
    """Read what `Part.save` wrote.

    Raises:
        OSError, ValueError, TypeError, KeyError: it is not there, or is no part.
    """
    raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
    figures = [
        Figure(**{**one, "samples": {k: Sample(**v) for k, v in one["samples"].items()}})
        for one in raw.pop("figures")
    ]
    growths = [Growth(**one) for one in raw.pop("growths")]
    return Part(**raw, figures=figures, growths=growths)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of log(cost) over log(size), by least squares; 1 is a cost per piece that stays.

    Raises:
        ValueError: fewer than two sizes, or something that has no logarithm.
    """
    slope, _ = statistics.linear_regression(
        [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    )
    return slope


def number(value: float) -> str:
    """A value with three figures that count, and no more digits than it deserves."""
    size = abs(value)
    if size == 0 or size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"


def table(part: Part) -> str:
    """A part as Markdown: its figures, how costs grow, and what must be known."""
    lines = [f"## {part.title}", ""]
    if part.about:
        lines += [part.about, ""]
    lines += ["| measure | Deskhand | others in the same run | times better | goal |"]
    lines += ["|---|---|---|---|---|"]
    lines += [_row(figure) for figure in part.figures]
    if part.growths:
        lines += ["", "| cost growth | sizes | cost | exponent | goal |", "|---|---|---|---|---|"]
        lines += [_growth_row(growth) for growth in part.growths]
    told = [f"**{one.name}**: {one.why}" for one in part.figures if one.why]
    if told or part.notes:
        lines += ["", *(f"- {note}" for note in [*told, *part.notes])]
    if part.versions:
        named = ", ".join(f"{name} {version}" for name, version in sorted(part.versions.items()))
        lines += ["", f"Versions: {named}."]
    return "\n".join(lines) + "\n"


def _row(figure: Figure) -> str:
    ours = figure.samples.get(OURS)
    others, ratios = [], []
    for name in figure.peers():
        sample, ratio = figure.samples[name], figure.ratio(name)
        stands = f" ({sample.stands})" if sample.stands else ""
        others.append(f"{name}{stands}: {sample.shown}")
        ratios.append(f"{name} {number(ratio)}" if ratio is not None else f"{name} -")
    met = {True: "met: ", False: "**missed**: ", None: ""}[figure.is_met if figure.goal else None]
    stands = f" ({ours.stands})" if ours and ours.stands else ""
    cells = [
        f"{figure.name}, {figure.unit}" if figure.unit else figure.name,
        f"{ours.shown}{stands}" if ours else "-",
        "<br>".join(others) or "-",
        "<br>".join(ratios) or "-",
        f"{met}{figure.goal}" or "-",
    ]
    return f"| {' | '.join(cells)} |"


def _growth_row(growth: Growth) -> str:
    def told(values: Iterable[float]) -> str:
        return " / ".join(number(value) for value in values)

    found = growth.exponent
    met = "met" if found <= growth.goal else "**missed**"
    return (
        f"| {growth.name} | {told(growth.sizes)} | {told(growth.costs)} {growth.unit}"
        f" | {found:.2f} | {met}: at most {growth.goal} |"
    )
