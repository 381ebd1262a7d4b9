"""What people read of a file without it leaving, and what is refused before it would."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.jobs.files import ROWS_SHOWN, head, send
from shared.errors import AppError
from shared.kinds import FILE_BYTES_MAX
from shared.kinds.files import HeadInputs, SendInputs
from tests.desktop.jobs.fake_context import FakeContext, context_of


def written(context: FakeContext, name: str, text: str) -> Path:
    path = context.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_named_with_its_size_and_handed_over(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    path = written(context, "sales.csv", "a,b\n1,2\n")
    assert send(context, SendInputs(file="sales.csv")).headline == (
        "sales.csv (8 bytes) is on its way."
    )
    assert context.sent == [(path, "sales.csv")]


def test_asked_for_no_file_it_offers_results_too(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "1"})
    written(context, "new.predictions.csv", "a\n1\n")
    send(context, SendInputs())
    assert [choice.label for choice in context.asked[0].choices] == ["new.predictions.csv"]


def test_nobody_is_asked_which_file_when_none_may_leave(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    context.may_send = False
    with pytest.raises(AppError) as caught:
        send(context, SendInputs())
    assert caught.value.code == "sending_refused"
    assert "send_files" in caught.value.hint
    assert context.asked == []


def test_a_file_that_no_chat_carries_is_refused_with_its_size(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    with written(context, "huge.csv", "").open("wb") as huge:
        huge.truncate(FILE_BYTES_MAX + 10_000_000)
    with pytest.raises(AppError) as caught:
        send(context, SendInputs(file="huge.csv"))
    assert caught.value.message == ("huge.csv (60 MB) is larger than 50 MB, the most a chat takes.")


def test_an_empty_file_is_not_worth_sending(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    written(context, "empty.csv", "")
    with pytest.raises(AppError) as caught:
        send(context, SendInputs(file="empty.csv"))
    assert (caught.value.code, context.sent) == ("file_empty", [])


def test_of_a_result_the_predicted_columns_come_first(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    rows = "\n".join(f"{n},{n / 3:.4f},2025-01-0{n},yes,0.9" for n in range(1, 8))
    written(context, "new.predictions.csv", f"n,share,day,predicted_x,probability_yes\n{rows}\n")
    told = head(context, HeadInputs(file="new.predictions.csv"))
    assert told.headline == "new.predictions.csv: the first 5 of 7 rows."
    assert told.notes[0] == "predicted_x: yes · yes · yes · yes · yes"
    assert told.notes[1] == "probability_yes: 0.9 · 0.9 · 0.9 · 0.9 · 0.9"
    assert told.notes[2] == "n: 1 · 2 · 3 · 4 · 5"
    assert "day: 2025-01-01 · 2025-01-02" in told.notes[4]
    assert len(told.notes[2].split(" · ")) == ROWS_SHOWN


def test_wide_and_long_cells_are_cut(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    names = ",".join(f"a column whose name is longer than anybody reads {n}" for n in range(30))
    values = ",".join(["a value that goes on and on", *["1"] * 29])
    written(context, "wide.csv", f"{names}\n{values}\n{values}\n")
    told = head(context, HeadInputs(file="wide.csv"))
    assert told.headline == "wide.csv: 2 rows."
    assert told.notes[-1] == "10 of 30 columns are shown."
    assert len(told.notes) == 11
    assert all(len(line) < 100 for line in told.notes)
    assert "a value that goes…" in told.notes[0]
