"""Words about a model for people: the card kept in its folder and the six lines of a report."""

from __future__ import annotations

from desktop.jobs.ml.manifest import Manifest, ManifestFacts, Metric
from desktop.jobs.ml.model_files import JsonDict

STRONGEST_TOLD = 3
WARNINGS_TOLD = 3
GAIN_WORTH_TELLING = 0.001
"""A smaller gain per doubling of rows is not worth collecting any."""


def report_lines(facts: ManifestFacts) -> tuple[str, ...]:
    """Tell a fresh model in at most six lines, short enough for a chat.

    Score against guessing, how sure it is, strongest columns, warnings, what to do next.
    """
    lines = [score_line(facts)]
    if facts.sure_share is not None:
        sure = round(100 * facts.sure_share)
        lines.append(f"Sure (probability 0.8 or more) of {sure} % of the rows, unsure of the rest.")
    if facts.strongest:
        lines.append(f"Strongest: {', '.join(facts.strongest[:STRONGEST_TOLD])}.")
    lines += [f"⚠ {warning}" for warning in facts.warnings[:WARNINGS_TOLD]][: 5 - len(lines)]
    lines.append(next_step(facts))
    return tuple(lines)


def score_line(facts: ManifestFacts) -> str:
    """Tell the score: "AUC 0.85 ± 0.01 (always guessing: 0.50)."."""
    metric = facts.metrics[0]
    guess = "" if metric.baseline is None else f" (always guessing: {number(metric.baseline)})"
    return f"{metric.name} {number(metric.mean)} ± {number(metric.spread)}{guess}."


def next_step(facts: ManifestFacts) -> str:
    """Say what would help."""
    gain = facts.more_rows_gain
    if gain is None:
        return "Next: /predict with it."
    if gain < GAIN_WORTH_TELLING:
        return "More rows would hardly help; better columns might."
    return f"More rows would help: about +{gain:.3f} for twice as many."


def number(value: float) -> str:
    """Write a number as people read scores: two digits after the point, three below 0.005."""
    if value and abs(value) < 0.005:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def card_text(manifest: Manifest, importance: JsonDict) -> str:
    """Write card.md: what the model is, how good it is, what it was made from."""
    parts = [
        f"# {manifest.name}",
        f"Predicts **{manifest.target}** ({manifest.task}) from {manifest.columns} columns; "
        f"trained on {manifest.rows:,} rows on {manifest.created_at[:10]}.",
        "\n".join(f"- {line}" for line in report_lines(manifest)),
        "## Scores on rows it was not fitted on",
        _metrics_table(manifest.metrics),
        _leaderboard(manifest),
        _importance_table(importance),
        _warnings(manifest),
        _origin(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _metrics_table(metrics: tuple[Metric, ...]) -> str:
    rows = [
        f"| {m.name} | {m.mean:.4g} | {m.spread:.2g} | "
        f"{'' if m.baseline is None else f'{m.baseline:.4g}'} |"
        for m in metrics
    ]
    return "\n".join(["| metric | mean | spread | always guessing |", "|---|---|---|---|", *rows])


def _leaderboard(manifest: Manifest) -> str:
    if not manifest.leaderboard:
        return ""
    rows = [
        f"| {e.member} | {e.score:.4g} | {e.seconds:.1f} | {100 * e.weight:.0f} % |"
        for e in manifest.leaderboard
    ]
    head = ["## Members", "", "| member | score | seconds | share |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _importance_table(importance: JsonDict) -> str:
    columns = importance.get("columns")
    if not isinstance(columns, list) or not columns:
        return ""
    rows = [
        f"| {_cell(one.get('column'))} | {_cell(one.get('drop'))} |"
        for one in columns[:20]
        if isinstance(one, dict)
    ]
    head = ["## Columns by how much the score drops without them", ""]
    return "\n".join([*head, "| column | drop |", "|---|---|", *rows])


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _warnings(manifest: Manifest) -> str:
    if not manifest.warnings:
        return ""
    return "\n".join(["## Warnings", "", *(f"- {warning}" for warning in manifest.warnings)])


def _origin(manifest: Manifest) -> str:
    lines = ["## Made from", ""]
    if manifest.source is not None:
        source = manifest.source
        lines.append(f"- {source.name}, {source.size_bytes:,} bytes, sha256 {source.sha256}")
    told = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    lines.append(f"- seed {manifest.seed}, {manifest.seconds:.1f} s, {manifest.peak_mb:.0f} MB")
    lines.append(f"- {told}")
    return "\n".join(lines)
