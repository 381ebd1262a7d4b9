"""/models: what this machine has learnt so far."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop.jobs.ml import models
from desktop.jobs.ml.model_folder import Extras, save
from shared.kinds.ml import ModelFacts, ModelsInputs, ModelsOutput
from tests.desktop.jobs.fake_context import FakeContext, context_of
from tests.desktop.jobs.ml.small_models import facts, small_fitted

fitted = functools.cache(small_fitted)


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return context_of(tmp_path)


def stored(context: FakeContext, name: str, *, hours: float, **more: Any) -> ModelFacts:
    return save(
        context.models_folder,
        fitted("binary"),
        facts(name),
        **({"status": "complete"} | more),
        extras=Extras(schema={}),
        now=datetime.now(UTC) - timedelta(hours=hours),
    )


def listed(context: FakeContext) -> ModelsOutput:
    return models.run(context, ModelsInputs())


def test_a_worker_with_none_is_told_how_to_make_one(context: FakeContext) -> None:
    told = listed(context)

    assert (told.headline, told.notes, told.models) == (
        "No models yet. /train makes one.",
        (),
        (),
    )


def test_models_come_newest_first_with_score_and_age(context: FakeContext) -> None:
    old = stored(context, "Prices", hours=50)
    new = stored(context, "Churn", hours=2.1)

    told = listed(context)

    assert told.models == (new, old)
    assert told.headline == "2 models; the newest is Churn."
    assert told.notes == (
        "2. Churn: AUC 0.85 ± 0.01, 2 hours ago, 300 rows",
        "1. Prices: AUC 0.85 ± 0.01, 2 days ago, 300 rows",
    )


def test_a_model_cut_short_says_so(context: FakeContext) -> None:
    stored(context, "Churn", hours=0, status="partial")

    assert listed(context).notes == ("1. Churn: AUC 0.85 ± 0.01, just now, 300 rows, cut short",)


def test_versions_of_one_name_are_told_apart_from_names(context: FakeContext) -> None:
    stored(context, "Churn", hours=3)
    stored(context, "Churn", hours=2)

    assert listed(context).headline == "2 models under 1 name; the newest is Churn."


def test_a_broken_model_is_named_with_its_reason_but_not_listed(context: FakeContext) -> None:
    broken = stored(context, "Churn", hours=1)
    (context.models_folder / "churn" / broken.model_id / "model.npz").unlink()

    told = listed(context)

    assert told.models == ()
    assert told.headline == "No models yet. /train makes one."
    assert told.notes[0].startswith(f"⚠ churn ({broken.model_id}) is not used: ")
    assert "model.npz" in told.notes[0]


def test_a_long_list_is_cut_and_says_so(
    context: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MODELS_TOLD_MAX", 2)
    for number in range(4):
        stored(context, f"Model {number}", hours=number)

    told = listed(context)

    assert len(told.models) == 4
    assert told.notes[2:] == ("… and 2 older ones.",)


@pytest.mark.parametrize("created_at", ["yesterday", "", "2026-13-45T00:00:00Z"])
def test_an_unreadable_time_is_no_reason_to_fail(created_at: str) -> None:
    assert models.age(created_at, datetime.now(UTC)) == "at an unknown time"


def test_a_time_in_the_future_is_just_now() -> None:
    later = (datetime.now(UTC) + timedelta(hours=5)).isoformat()

    assert models.age(later, datetime.now(UTC)) == "just now"
