"""A form made from any kind's schema reads back as the inputs it was filled with."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from hub.frontends.web.kind_form import PREFIX, Shape, fields_of, filled, read, typed
from shared.kinds import Inputs, Kind, Output
from shared.kinds.catalogue import BUILT_IN


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class OddInputs(Inputs):
    text: str | None = Field(default=None, max_length=20, description="Some words.")
    size: float = Field(default=2.5, gt=0, le=10)
    count: int = 3
    is_fast: bool = False
    is_safe: bool = True
    colour: Colour | None = None
    mode: Literal["one", "two"] = "one"
    names: tuple[str, ...] = ()
    deep: dict[str, int] | None = None


ODD = Kind(
    name="odd.thing",
    summary="",
    inputs=OddInputs,
    output=Output,
    idempotent=True,
    timeout_seconds=1,
)


def test_each_input_has_the_field_that_fits_it() -> None:
    shapes = {field.name: field.shape for field in fields_of(ODD)}
    assert shapes == {
        "text": Shape.TEXT,
        "size": Shape.NUMBER,
        "count": Shape.WHOLE,
        "is_fast": Shape.TICK,
        "is_safe": Shape.CHOICE,
        "colour": Shape.CHOICE,
        "mode": Shape.CHOICE,
        "names": Shape.LINES,
        "deep": Shape.JSON,
    }
    by_name = {field.name: field for field in fields_of(ODD)}
    assert by_name["text"].help == "Some words."
    assert (by_name["size"].default, by_name["size"].most) == ("2.5", "10")
    assert by_name["colour"].choices == ("red", "blue")
    assert by_name["is_safe"].choices == ("yes", "no")


def test_an_empty_form_says_nothing() -> None:
    for kind in (*BUILT_IN.values(), ODD):
        assert read(kind, fields_of(kind))[0] == {}


WORDS = st.text("abcÄé漢\"'<&%,;:#-0", min_size=1)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "text": WORDS.filter(lambda text: len(text) <= 20),
            "size": st.floats(0.5, 10),
            "count": st.integers(-(10**9), 10**9),
            "is_fast": st.just(True),
            "is_safe": st.booleans(),
            "colour": st.sampled_from(["red", "blue"]),
            "mode": st.sampled_from(["one", "two"]),
            "names": st.lists(WORDS, min_size=1),
            "deep": st.dictionaries(WORDS, st.integers(-9, 9), min_size=1),
        },
    )
)
def test_what_a_job_was_asked_with_fills_the_form_and_comes_back(inputs: dict[str, object]) -> None:
    fields = filled(fields_of(ODD), inputs)  # type: ignore[arg-type]
    sent = {field.field: field.value for field in fields if field.value}
    found, checked = read(ODD, typed(fields_of(ODD), sent))
    assert found == inputs
    assert not any(field.fault for field in checked)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("size", "much", "This must be a number."),
        ("size", "11", "Should be less than or equal to 10."),
        ("count", "1.5", "This must be a whole number."),
        ("colour", "green", "Should be 'red' or 'blue'."),
        ("deep", "{", "This must be JSON."),
        ("deep", "[" * 5000, "At most 4,000 characters fit here."),
        ("text", "x" * 21, "String should have at most 20 characters."),
    ],
    ids=["no number", "too much", "no whole", "no choice", "no json", "too long", "too many"],
)
def test_a_fault_stands_at_its_field_and_what_was_typed_stays(
    name: str, value: str, fault: str
) -> None:
    _, fields = read(ODD, typed(fields_of(ODD), {PREFIX + name: value}))
    told = {field.name: field for field in fields if field.fault}
    assert {key: field.fault for key, field in told.items()} == {name: fault}
    assert told[name].value == value
    assert replace(told[name], fault="").field == PREFIX + name
