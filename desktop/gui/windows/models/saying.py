"""What is said of a model: its score, its sort, where it came from."""

from __future__ import annotations

from datetime import UTC, datetime

from desktop.desk.models import Entry, Manifest, Metric
from desktop.gui.language import tr, trn
from desktop.gui.times import age


def made(entry: Entry) -> datetime | None:
    """When a model was trained; None for one that cannot be read."""
    if not isinstance(entry, Manifest):
        return None
    try:
        at = datetime.fromisoformat(entry.created_at)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def old(entry: Entry, now: datetime) -> str:
    at = made(entry)
    return "" if at is None else age(at, now)


def number(value: float) -> str:
    """Write a number as people read scores."""
    if value and abs(value) < 0.005:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def score(metric: Metric) -> str:
    """Say a metric in short: "AUC 0.85 ± 0.01"."""
    return f"{metric.name} {number(metric.mean)} ± {number(metric.spread)}"


def headline(manifest: Manifest) -> str:
    """Say how good a model is, beside always guessing."""
    first = manifest.metrics[0]
    if first.baseline is None:
        return score(first)
    return tr("{score} (always guessing: {baseline})").format(
        score=score(first), baseline=number(first.baseline)
    )


def sort(manifest: Manifest) -> str:
    """Say what a model does."""
    match manifest.task:
        case "binary":
            return tr("tells two classes of {target} apart").format(target=manifest.target)
        case "multiclass":
            count = len(manifest.classes)
            return tr("tells {count} classes of {target} apart").format(
                count=count, target=manifest.target
            )
        case "regression":
            return tr("predicts the number {target}").format(target=manifest.target)


def origin(manifest: Manifest) -> str:
    """Say what a model was made of."""
    rows = trn("{count} row", "{count} rows", manifest.rows)
    columns = trn("{count} column", "{count} columns", manifest.columns)
    source = manifest.source
    if source is None:
        return f"{rows}, {columns}"
    return f"{source.name} · {rows}, {columns} · SHA-256 {source.sha256[:12]}…"
