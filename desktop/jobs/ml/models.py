"""ml.models: list the models of this machine, the newest first, with score and age."""

from __future__ import annotations

from datetime import UTC, datetime

from desktop.jobs import wording
from desktop.jobs.context import Context
from desktop.jobs.ml.card import number as written
from desktop.jobs.ml.model_folder import BrokenModel, list_models, numbers
from shared.kinds.ml import ModelFacts, ModelsInputs, ModelsOutput

NONE_YET = "No models yet. /train makes one."
MODELS_TOLD_MAX = 50


def run(context: Context, inputs: ModelsInputs) -> ModelsOutput:
    """List models with their numbers; ones that cannot be used are named with the reason."""
    entries = list_models(context.models_folder)
    numbered = zip(entries, numbers(len(entries)), strict=True)
    whole = tuple(entry for entry in entries if isinstance(entry, ModelFacts))
    broken = [entry for entry in entries if isinstance(entry, BrokenModel)]
    now = datetime.now(UTC)
    notes = [
        f"{number}. {described(facts, now)}"
        for facts, number in numbered
        if isinstance(facts, ModelFacts)
    ][:MODELS_TOLD_MAX]
    if len(whole) > MODELS_TOLD_MAX:
        notes.append(f"… and {len(whole) - MODELS_TOLD_MAX} older ones.")
    notes += [f"⚠ {one.name} ({one.model_id}) is not used: {one.reason}" for one in broken]
    return ModelsOutput(headline=_headline(whole), notes=tuple(notes), models=whole)


def _headline(models: tuple[ModelFacts, ...]) -> str:
    if not models:
        return NONE_YET
    names = len({facts.name for facts in models})
    count = "1 model" if len(models) == 1 else f"{len(models)} models"
    if names == len(models):
        return f"{count}; the newest is {models[0].name}."
    return f"{count} under {names} name{'s' if names > 1 else ''}; the newest is {models[0].name}."


def described(facts: ModelFacts, now: datetime) -> str:
    """Tell a model in one line: "Churn: AUC 0.85 ± 0.01, 2 hours ago, 7,043 rows"."""
    cut = "" if facts.complete else ", cut short"
    return f"{facts.name}: {detail(facts, now)}, {facts.rows:,} rows{cut}"


def detail(facts: ModelFacts, now: datetime) -> str:
    """Tell score and age: "AUC 0.85 ± 0.01, 2 hours ago"."""
    score = f"{facts.metric} {written(facts.score)} ± {written(facts.score_spread)}"
    return f"{score}, {age(facts.created_at, now)}"


def age(created_at: str, now: datetime) -> str:
    """Tell how long ago an RFC 3339 time was."""
    try:
        seconds = (now - datetime.fromisoformat(created_at)).total_seconds()
    except (ValueError, TypeError):
        return "at an unknown time"
    return wording.age(max(0.0, seconds))
