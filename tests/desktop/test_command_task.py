"""What `deskhand task` makes of what was typed."""

from __future__ import annotations

import pytest

from desktop.commands.task import asked_for, inputs_of
from shared.errors import BadInput


def test_a_sentence_is_a_task_to_be_planned() -> None:
    kind, given = asked_for("sum up a=b of the report", ["local=true"])
    assert kind.name == "plan"
    assert inputs_of(kind, given, folder=None) == {
        "task": "sum up a=b of the report",
        "local": "true",
    }


def test_a_kind_is_asked_for_by_its_name() -> None:
    kind, given = asked_for("ml.train", ["file=a.csv"])
    assert (kind.name, given) == ("ml.train", ["file=a.csv"])


def test_one_word_that_is_no_kind_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        asked_for("summarize", [])
    assert caught.value.code == "kind_unknown"
