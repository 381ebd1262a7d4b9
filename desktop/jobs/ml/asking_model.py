"""Which model is meant: the one that was named, or the answer to "Which model?"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from desktop.jobs.ml import model_folder
from desktop.jobs.ml.manifest import Manifest
from desktop.jobs.ml.models import detail
from shared.errors import NotFound
from shared.questions import Asking, Choice, QuestionKind

if TYPE_CHECKING:
    from desktop.jobs.context import Context

MODELS_OFFERED_MAX = 8
LABEL_CHARS_MAX = 200
TARGET_CHARS_MAX = 100


def model_of(context: Context, given: str | None) -> Manifest:
    """Find the model that was given by id, name or number, or ask for one, the newest first.

    Raises:
        NotFound: `models_none`, `model_missing`.
        BadInput: what is wrong with the model.
    """
    if given is not None:
        return model_folder.find(context.models_folder, given)
    entries = model_folder.manifests(context.models_folder)
    whole = [entry for entry in entries if isinstance(entry, Manifest)]
    if not whole:
        raise NotFound("models_none", "No models yet.", "/train makes one.")
    now = datetime.now(UTC)
    choices = tuple(_choice_of(manifest, now) for manifest in whole[:MODELS_OFFERED_MAX])
    answer = context.ask(
        Asking(
            key="model",
            kind=QuestionKind.CLARIFICATION,
            text="Which model?",
            choices=choices,
            allow_text=True,
        )
    )
    return model_folder.find(context.models_folder, answer)


def _choice_of(manifest: Manifest, now: datetime) -> Choice:
    target = manifest.target[:TARGET_CHARS_MAX]
    return Choice(
        value=manifest.model_id,
        label=manifest.name[:LABEL_CHARS_MAX],
        detail=f"predicts {target} · {detail(manifest.facts, now)}",
    )
