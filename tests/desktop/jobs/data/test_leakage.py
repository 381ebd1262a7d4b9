"""Columns that know the answer are caught in public tables, and honest columns are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from desktop.jobs.data.leakage import Leak, leaks, scores_alone
from desktop.jobs.data.table import Table
from tests.benchmarks.ml.tables import SOURCES
from tests.desktop.jobs.data.made import public, table_of

ROWS = 3000
NOT_CAUGHT = {("hpc", "known after the event")}
"""This leak tells only the rarest of four classes apart."""

Inject = Callable[[pd.Series, np.random.Generator], pd.Series]


@cache
def lesson(name: str) -> tuple[Table, pd.Series]:
    """A public table without its target, and the target."""
    source = SOURCES[name]
    frame = public(source.package, source.dataset)
    if source.shape is not None:
        frame = source.shape(frame)
    frame = frame.drop(columns=["rownames", *source.without], errors="ignore")
    frame = frame[frame[source.target].notna()]
    frame = frame.sample(min(ROWS, len(frame)), random_state=0).reset_index(drop=True)
    y = frame[source.target]
    y = y.astype(float) if source.task == "regression" else y.astype(str)
    return table_of(frame.drop(columns=source.target)), y


def noisy(y: pd.Series, share: float, rng: np.random.Generator) -> pd.Series:
    """Numbers with noise of a share of their spread; classes with a share of them shuffled."""
    if pd.api.types.is_numeric_dtype(y):
        return pd.Series(y + rng.normal(0, share * 5 * y.std(), len(y)))
    mixed = pd.Series(rng.permutation(y.to_numpy()))
    return pd.Series(y.where(rng.random(len(y)) >= share, mixed), dtype="str")


def bucketed(y: pd.Series, rng: np.random.Generator) -> pd.Series:
    if pd.api.types.is_numeric_dtype(y):
        return pd.qcut(y, 20, duplicates="drop").astype("str")
    return pd.Series(pd.factorize(y, sort=True)[0] + rng.random(len(y)) * 0.5)


def after_event(y: pd.Series, rng: np.random.Generator) -> pd.Series:
    if pd.api.types.is_numeric_dtype(y):
        return y * 1.2 + rng.normal(0, 0.15 * y.std(), len(y))
    is_rarest = noisy(y, 0.05, rng) == y.value_counts().index[-1]
    return pd.Series("closed by agent", index=y.index, dtype="str").where(is_rarest)


LEAKS: Mapping[str, Inject] = {
    "a copy": lambda y, rng: noisy(y, 0, rng),
    "a copy with slips": lambda y, rng: noisy(y, 0.02, rng),
    "a coarser copy": bucketed,
    "known after the event": after_event,
}


@pytest.mark.parametrize("name", SOURCES)
def test_honest_columns_raise_no_alarm(name: str) -> None:
    table, y = lesson(name)
    scores = scores_alone(table.frame, table.kinds, y, SOURCES[name].task)
    assert scores.keys() == table.kinds.keys()
    assert all(np.isfinite(score) for score in scores.values())
    assert leaks(table.frame, table.kinds, y, SOURCES[name].task) == ()


@pytest.mark.parametrize("kind", LEAKS)
@pytest.mark.parametrize("name", SOURCES)
def test_a_leak_is_caught_in_every_table(name: str, kind: str) -> None:
    table, y = lesson(name)
    values = LEAKS[kind](y, np.random.default_rng(0))
    is_number = pd.api.types.is_numeric_dtype(values)
    kinds = {**table.kinds, "leak": "number" if is_number else "category"}
    found = leaks(table.frame.assign(leak=values), kinds, y, SOURCES[name].task)
    wanted = [] if (name, kind) in NOT_CAUGHT else ["leak"]
    assert [leak.column for leak in found] == wanted


RNG = np.random.default_rng(7)
GUESSED = pd.DataFrame({"noise": RNG.normal(size=300), "town": RNG.choice(["a", "b"], 300)})
KINDS = {"noise": "number", "town": "category"}
BOUGHT = RNG.choice(["no", "yes"], 300)
EACH = pd.Series(range(300))


def found_with(cells: npt.ArrayLike, kind: str) -> tuple[Leak, ...]:
    frame = GUESSED.assign(extra=np.asarray(cells) if kind == "number" else pd.Series(cells))
    return leaks(frame, {**KINDS, "extra": kind}, BOUGHT, "binary", 3)


def test_the_sentence_names_the_column_and_asks() -> None:
    (leak,) = found_with((BOUGHT == "yes") * 1.0, "number")
    assert leak == Leak(
        "extra",
        1.0,
        "column `extra` alone predicts the target almost perfectly (1.00 of 1): "
        "is it known before the outcome is?",
    )


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (np.where(BOUGHT == "yes", 5.0, np.nan), "number"),
        (np.where(BOUGHT == "yes", np.inf, 1.0), "number"),
        (np.where(BOUGHT == "yes", 1e300, -1e300), "number"),
        (EACH.map(lambda _: pd.Timestamp("2024-05-01")).where(BOUGHT == "yes"), "date"),
        (
            [
                f"visitor {n} {'paid for' if yes else 'looked at'} thing {n % 7}"
                for n, yes in enumerate(BOUGHT == "yes")
            ],
            "text",
        ),
        (EACH.map(lambda _: "receipt").where(BOUGHT == "yes"), "constant"),
    ],
    ids=["gaps", "infinities", "huge numbers", "dates", "a word in a text", "a lone value"],
)
def test_leaks_hide_in_any_kind_of_column(cells: npt.ArrayLike, kind: str) -> None:
    if kind in ("text", "constant"):
        cells = pd.Series(cells, dtype="str")
    assert [leak.column for leak in found_with(cells, kind)] == ["extra"]


def test_a_strong_column_is_no_leak_beside_others_as_strong() -> None:
    good = np.where(RNG.random(300) < 0.05, BOUGHT[::-1], BOUGHT)
    alone = found_with(pd.Series(good, dtype="str"), "category")
    assert [leak.column for leak in alone] == ["extra"]
    frame = GUESSED.assign(one=pd.Series(good, dtype="str"), other=pd.Series(good, dtype="str"))
    kinds = {**KINDS, "one": "category", "other": "category"}
    assert leaks(frame, kinds, BOUGHT, "binary") == ()


def test_text_that_differs_in_every_row_is_no_leak() -> None:
    names = pd.Series([f"customer {n * 7919 % 1000}" for n in range(300)], dtype="str")
    assert found_with(names, "text") == ()


def test_the_same_seed_finds_the_same() -> None:
    table, y = lesson("credit")
    first = scores_alone(table.frame, table.kinds, y, "binary", 5)
    assert scores_alone(table.frame, table.kinds, y, "binary", 5) == first
    assert scores_alone(table.frame, table.kinds, y, "binary", 6) != first


@pytest.mark.parametrize(
    ("y", "rows"), [(["yes"] * 300, 300), (BOUGHT, 20)], ids=["one class", "too few rows"]
)
def test_nothing_is_said_where_nothing_can_be_told(y: object, rows: int) -> None:
    answers = np.asarray(y)[:rows]
    frame = GUESSED.head(rows).assign(extra=answers)
    assert leaks(frame, {**KINDS, "extra": "category"}, answers, "binary") == ()
    assert leaks(frame, {}, answers, "binary") == ()


def test_a_class_of_a_single_row_is_no_trouble() -> None:
    y = np.where(np.arange(300) == 7, "only once", BOUGHT)
    cells = pd.Series(y, dtype="str")
    found = leaks(GUESSED.assign(extra=cells), {**KINDS, "extra": "category"}, y, "multiclass")
    assert all(leak.column == "extra" for leak in found)
