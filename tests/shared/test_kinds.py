"""Kinds know their inputs; what does not fit is named."""

import pytest

from shared.errors import BadInput
from shared.kinds import parse_inputs
from shared.kinds.catalogue import BUILT_IN, kind_named
from shared.kinds.ml import TrainInputs


def test_every_kind_takes_no_inputs_at_all_because_missing_ones_are_asked() -> None:
    for kind in BUILT_IN.values():
        assert isinstance(parse_inputs(kind, {}), kind.inputs)


def test_good_inputs_become_their_type() -> None:
    inputs = parse_inputs(BUILT_IN["ml.train"], {"file": "sales.csv", "budget_seconds": 5})
    assert inputs == TrainInputs(file="sales.csv", budget_seconds=5.0)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"fil": "sales.csv"}, "fil"),
        ({"budget_seconds": -1}, "budget_seconds"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_wrong_inputs_are_refused_by_name(raw: dict[str, object], named: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_inputs(BUILT_IN["ml.train"], raw)  # type: ignore[arg-type]
    assert caught.value.code == "inputs_invalid"
    assert named in caught.value.message
    assert "It takes: file" in caught.value.hint


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput) as caught:
        kind_named("ml.tarin")
    assert caught.value.code == "kind_unknown"
    assert "ml.train" in caught.value.hint
