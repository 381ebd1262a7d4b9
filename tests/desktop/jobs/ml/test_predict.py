"""/predict: from a changed file to a result beside it, or to one plain sentence why not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.schema import Schema
from desktop.jobs.ml import predict
from desktop.jobs.ml.manifest import Task
from desktop.jobs.ml.model_folder import Extras, open_model, save
from shared.errors import BadInput, LimitReached, NotFound
from shared.kinds.ml import ModelFacts, PredictInputs, PredictOutput
from tests.desktop.jobs.fake_context import FakeContext, context_of
from tests.desktop.jobs.ml.small_models import COLUMNS, facts, small_fitted, table

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TOWN_ROWS = 300
fitted = functools.cache(small_fitted)


@functools.cache
def schema_json(folder: Path) -> Any:
    """The schema of the training table, as reading its CSV file finds it."""
    path = folder / "train.csv"
    table(TOWN_ROWS).to_csv(path, index=False)
    read = read_table(path, free_ram_bytes=1 << 30)
    path.unlink()
    assert {name: read.kinds[name] for name in COLUMNS} == COLUMNS
    return Schema.of(read, columns=list(COLUMNS), target="left").model_dump(mode="json")


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return schema_json(tmp_path_factory.mktemp("training"))


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return context_of(tmp_path)


@pytest.fixture
def store(context: FakeContext, schema: Any) -> Callable[..., ModelFacts]:
    def stored(task: Task = "binary", *, name: str = "Churn", minutes: int = 0) -> ModelFacts:
        moment = NOON + timedelta(minutes=minutes)
        return save(
            context.models_folder,
            fitted(task),
            facts(name),
            status="complete",
            extras=Extras(schema=schema),
            now=moment,
        )

    return stored


def put(context: FakeContext, frame: pd.DataFrame, name: str = "new.csv", **how: Any) -> Path:
    path = context.folder / name
    frame.to_csv(path, index=False, **how)
    return path


def run(context: FakeContext, model: str | None = "Churn", file: str | None = "new.csv") -> Any:
    return predict.run(context, PredictInputs(model=model, file=file))


def result(context: FakeContext, told: PredictOutput) -> pd.DataFrame:
    return pd.read_csv(context.folder / told.written)


def test_a_file_is_predicted_as_the_story_tells(context: FakeContext, store: Any) -> None:
    told_model = store()
    frame = table(1409, seed=4)
    frame.loc[:11, "plan"] = "enterprise"
    put(context, frame, "churn_new.csv")

    told = run(context, file="churn_new.csv")

    assert told.headline == ("1,409 rows predicted → churn_new.predictions.csv next to your file.")
    assert told.notes[0] == "12 rows have values never seen in training."
    assert (told.rows, told.unseen_rows) == (1409, 12)
    assert told.model_id == told_model.model_id
    assert told.files == (told.written,) == ("churn_new.predictions.csv",)


def test_the_result_holds_the_persons_columns_then_the_predictions(
    context: FakeContext, store: Any
) -> None:
    model_id = store().model_id
    frame = table(200, seed=4)
    put(context, frame)

    written = result(context, run(context))

    expected = open_model(context.models_folder, model_id).predict(frame)
    assert list(written.columns) == [
        *COLUMNS,
        "predicted_left",
        f"probability_{expected.classes[0]}",
        f"probability_{expected.classes[1]}",
    ]
    assert expected.probabilities is not None
    assert np.allclose(written.iloc[:, -2:], expected.probabilities, atol=1e-6)
    assert expected.labels is not None
    assert list(written["predicted_left"]) == list(expected.labels)
    assert written["age"].equals(frame["age"])
    assert list(written["note"]) == list(frame["note"])
    assert written["since"].iloc[0] == f"{frame['since'].iloc[0]:%Y-%m-%d}"


def test_counts_with_gaps_are_written_as_they_came(context: FakeContext, store: Any) -> None:
    store()
    visits = pd.array([3, None, 12] * 20, dtype="Int64")
    put(context, table(60, seed=4).assign(visits=visits))

    told = run(context)

    lines = (context.folder / told.written).read_text().splitlines()
    place = lines[0].split(",").index("visits")
    assert [line.split(",")[place] for line in lines[1:4]] == ["3", "", "12"]


def test_a_number_comes_with_its_interval(context: FakeContext, store: Any) -> None:
    store("regression")
    put(context, table(30, seed=4))

    written = result(context, run(context))

    assert list(written.columns)[-3:] == ["predicted_left", "lower_90", "upper_90"]
    assert np.allclose(written["upper_90"] - written["lower_90"], 2.5)
    assert np.all(written["lower_90"] < written["predicted_left"])


def test_what_is_missing_is_asked_with_the_newest_model_first(
    context: FakeContext, store: Any
) -> None:
    store()
    newest = store("regression", name="Prices", minutes=5)
    put(context, table(20))
    context.replies = {"model": "prices", "file": "new.csv"}

    told = run(context, None, None)

    model, file = context.asked
    assert told.model_id == newest.model_id
    assert [choice.label for choice in model.choices] == ["Prices", "Churn"]
    assert "AUC 0.85 ± 0.01" in model.choices[0].detail
    assert "predicts left" in model.choices[0].detail
    assert [choice.label for choice in file.choices] == ["new.csv"]
    assert "Prices" in file.text


def test_progress_is_told_from_reading_to_writing(context: FakeContext, store: Any) -> None:
    store()
    put(context, table(20))

    run(context)

    assert context.stages == ["reading the file", "predicting", "writing the result"]
    assert (context.told[-1].done, context.told[-1].total) == (1.0, 1.0)
    shares = [told.done for told in context.told]
    assert shares == sorted(shares)
    assert shares.count(1.0) == 1


def test_a_machine_without_models_says_how_to_make_one(context: FakeContext) -> None:
    put(context, table(20))

    for model in (None, "Churn"):
        with pytest.raises(NotFound) as caught:
            run(context, model)
        assert str(caught.value) == "No models yet. /train makes one."


def test_a_broken_model_is_not_offered(context: FakeContext, store: Any) -> None:
    broken, whole = store(name="Broken"), store(name="Whole", minutes=-5)
    (context.models_folder / "broken" / broken.model_id / "model.npz").write_bytes(b"")
    put(context, table(20))
    context.replies = {"model": "1"}

    assert run(context, None).model_id == whole.model_id


# The fifteen ways in which a file to predict differs from the training file: each is repaired,
# refused or warned about in a sentence that names the column. None goes by in silence.


CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "extra": lambda frame: frame.assign(zz=1),
    "reordered": lambda frame: frame[list(reversed(frame.columns))],
    "names": lambda frame: frame.rename(columns={"age": " Age ", "plan": "PLAN"}),
    "decimal comma": lambda frame: frame.assign(
        age=[f"{one:.1f}".replace(".", ",") for one in frame["age"]]
    ),
    "currency": lambda frame: frame.assign(age=[f"${one:,.1f}" for one in frame["age"]]),
    "level case": lambda frame: frame.assign(plan=frame["plan"].str.upper()),
    "target": lambda frame: frame.assign(left="no"),
    "index": lambda frame: frame.reset_index(names="Unnamed: 0"),
}


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("extra", "'zz'"),
        ("reordered", "order"),
        ("names", "'age'"),
        ("decimal comma", "'age'"),
        ("currency", "'age'"),
        ("level case", "'plan'"),
        ("target", "'left'"),
        ("index", "'Unnamed: 0'"),
    ],
)
def test_a_file_that_can_be_repaired_predicts_the_same_and_says_so(
    name: str, named: str, context: FakeContext, store: Any
) -> None:
    store()
    frame = table(300, seed=4)
    frame["age"] = frame["age"].fillna(40)
    put(context, frame)
    put(context, CHANGES[name](frame), "changed.csv")
    same = run(context)

    told = run(context, file="changed.csv")

    columns = [column for column in result(context, same) if "probability_" in str(column)]
    assert np.allclose(result(context, same)[columns], result(context, told)[columns], atol=2e-6)
    assert any(named in note for note in told.notes), told.notes


@pytest.mark.parametrize("column", ["age", "plan"])
def test_a_missing_column_is_refused_by_name(column: str, context: FakeContext, store: Any) -> None:
    store()
    put(context, table(50).drop(columns=column))

    with pytest.raises(BadInput) as caught:
        run(context)

    assert caught.value.code == "column_missing"
    assert f"'{column}'" in caught.value.message
    assert not list(context.folder.glob("*predictions*"))


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("plan", lambda frame: frame.assign(plan="enterprise")),
        ("age", lambda frame: frame.assign(age=np.nan)),
        ("age", lambda frame: frame.assign(age=frame["age"] * 1000)),
        ("age", lambda frame: frame.assign(age=frame["age"] + 40)),
    ],
)
def test_what_would_harm_predictions_in_silence_is_warned_about_by_name(
    column: str, change: Any, context: FakeContext, store: Any
) -> None:
    store()
    put(context, change(table(300, seed=4)))

    told = run(context)

    warnings = [note for note in told.notes if note.startswith("⚠ ")]
    assert any(f"'{column}'" in warning for warning in warnings), told.notes
    others = [f"'{name}'" for name in COLUMNS if name != column]
    assert not [one for one in warnings if any(other in one for other in others)]


def test_a_fair_sample_raises_no_warning(context: FakeContext, store: Any) -> None:
    store()
    put(context, table(300, seed=8))

    assert not [note for note in run(context).notes if note.startswith("⚠ ")]


def test_one_row_is_enough(context: FakeContext, store: Any) -> None:
    store()
    put(context, table(1))

    assert run(context).headline.startswith("1 row predicted → new.predictions.csv")


def test_a_file_without_rows_is_refused(context: FakeContext, store: Any) -> None:
    store()
    put(context, table(1).head(0))

    with pytest.raises(BadInput) as caught:
        run(context)

    assert caught.value.code == "file_without_rows"


def test_workbooks_and_parquet_give_csv_results(context: FakeContext, store: Any) -> None:
    store()
    frame = table(40, seed=4)
    put(context, frame)
    frame.to_excel(context.folder / "book.xlsx", index=False)
    frame.to_parquet(context.folder / "columns.parquet")
    columns = ["predicted_left", "probability_no", "probability_yes"]
    from_csv = result(context, run(context))[columns]

    for file in ("book.xlsx", "columns.parquet"):
        told = run(context, file=file)

        assert told.written == f"{Path(file).stem}.predictions.csv"
        assert result(context, told)[columns].equals(from_csv)


def test_numbers_kept_as_text_are_read_as_numbers(context: FakeContext, store: Any) -> None:
    store()
    frame = table(300, seed=4).fillna({"age": 40.0})
    put(context, frame)
    as_text = frame.assign(age=[f"{one:.1f}" for one in frame["age"]])
    as_text.to_parquet(context.folder / "text.parquet")
    as_text.to_excel(context.folder / "text.xlsx", index=False)
    columns = ["probability_no", "probability_yes"]
    same = result(context, run(context))[columns]

    for file in ("text.parquet", "text.xlsx"):
        assert np.allclose(result(context, run(context, file=file))[columns], same, atol=2e-6)


def test_a_semicolon_file_gets_a_semicolon_result(context: FakeContext, store: Any) -> None:
    store()
    put(context, table(40), sep=";", decimal=",", encoding="cp1251")

    told = run(context)

    raw = (context.folder / told.written).read_bytes()
    assert raw.startswith((b"\xef\xbb\xbfage;plan;", b"age;plan;"))
    assert len(pd.read_csv(context.folder / told.written, sep=";")) == 40


def test_a_file_of_the_persons_own_is_not_overwritten(context: FakeContext, store: Any) -> None:
    store()
    put(context, table(20))
    (context.folder / "new.predictions.csv").write_text("mine")

    told = run(context)

    assert told.written == "new.predictions-2.csv"
    assert (context.folder / "new.predictions.csv").read_text() == "mine"
    assert run(context).written == "new.predictions-2.csv"


def test_a_file_too_long_for_the_memory_is_refused_not_sampled(
    context: FakeContext, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store()
    put(context, table(5000))
    monkeypatch.setattr(predict, "ROWS_MAX", 2000)

    with pytest.raises(LimitReached) as caught:
        run(context)

    assert caught.value.code == "file_too_long"
    assert "5,000 rows" in caught.value.message


@pytest.mark.parametrize(
    "schema", [{}, {"columns": []}, {"rows": 1, "columns": []}], indirect=False
)
def test_a_model_whose_schema_does_not_fit_is_not_used(schema: Any, context: FakeContext) -> None:
    save(
        context.models_folder,
        fitted("binary"),
        facts(),
        status="complete",
        extras=Extras(schema=schema),
    )
    put(context, table(20))

    with pytest.raises(BadInput) as caught:
        run(context)

    assert caught.value.code == "model_damaged"
