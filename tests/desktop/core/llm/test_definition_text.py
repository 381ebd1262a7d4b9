"""Reading a definition's text: plain values come out, and whatever would hurt is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.llm.definition_text import DEPTH_MAX, TEXT_BYTES_MAX, line_of, lines_of, read_text
from shared.errors import BadInput, LimitReached

TAGGED = b"x: !!python/object/apply:os.system [ls]"
MEGABYTES = b"a: &a " + b"x" * 1_000_000 + b"\nb: [" + b"*a, " * 40 + b"]"
LAUGHS = b"a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name, name, b", ".join([b"*%c" % (name - 1)] * 10))
    for name in range(ord("b"), ord("j"))
)


def test_words_stay_words_that_yaml_once_took_for_something_else() -> None:
    read = read_text(
        b"{a}: [yes, no, on, off, 2026-11-21, 1_000, 0o17, 12:30]".replace(b"{a}", b"a")
    )

    assert read == {"a": ["yes", "no", "on", "off", "2026-11-21", "1_000", "0o17", "12:30"]}


def test_plain_numbers_truths_and_nothing_are_read_as_such() -> None:
    read = read_text(b"a: [1, -2, 0.5, 1e3, true, false, null, ~, '1', \"true\"]")

    assert read == {"a": [1, -2, 0.5, 1000.0, True, False, None, None, "1", "true"]}


def test_names_are_text_whatever_they_look_like() -> None:
    assert read_text(b"1: a\ntrue: b\nno: c\n") == {"1": "a", "true": "b", "no": "c"}


def test_an_alias_repeats_a_value() -> None:
    assert read_text(b"a: &x {A: honesty}\nb: *x\n") == {
        "a": {"A": "honesty"},
        "b": {"A": "honesty"},
    }


def test_json_is_read_too() -> None:
    assert read_text(b'\n{"name": "a", "n": [1, 2.5, null]}') == {"name": "a", "n": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        pytest.param(TAGGED, "is not supported", id="a tag that would run something"),
        pytest.param(b"name: x\nname: y", "line 2 'name' stands twice", id="a name twice"),
        pytest.param(b'{"a": 1, "a": 2}', "'a' stands twice", id="a name twice in JSON"),
        pytest.param(b"a: &a [*a]", "complete", id="a list that holds itself"),
        pytest.param(b"a: *b", "stands for nothing", id="an alias of nothing"),
        pytest.param(b"x: &x {a: 1}\ny:\n  <<: *x", "line 3 '<<'", id="a merge"),
        pytest.param(b"a: 1\n---\nb: 2", "second document", id="two documents"),
        pytest.param(b"? [a]\n: 1", "cannot be a name", id="a list as a name"),
        pytest.param(b"a: [", "line ", id="an open bracket"),
        pytest.param(b"- a", "names and values", id="a list of things"),
        pytest.param(b"", "names and values", id="an empty file"),
        pytest.param(b"a: \xff", "UTF-8", id="another encoding"),
        pytest.param(b'{"a": NaN}', "NaN is no number", id="no number"),
        pytest.param(b"a: 1e999", "too large a number", id="a number that nothing holds"),
        pytest.param(b'{"a": }', "line 1", id="broken JSON"),
        pytest.param(b"a: \x00", "control characters", id="a null byte"),
        pytest.param(b'{"a": "\\ud800"}', "half a character", id="half a character"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(raw: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        read_text(raw)

    assert caught.value.code == "definition_unreadable"
    assert caught.value.hint


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(LAUGHS, id="a billion laughs"),
        pytest.param(MEGABYTES, id="an alias of a long text, often"),
        pytest.param(b"[" * 100_000, id="brackets without end"),
        pytest.param(b'{"a":' * 100_000, id="objects without end"),
        pytest.param(b'{"a":' * 40 + b"1" + b"}" * 40, id="JSON that is deep but sound"),
        pytest.param(b'{"a": ' + b"9" * 10_000 + b"}", id="digits without end"),
        pytest.param(b"a: " + b"x" * TEXT_BYTES_MAX, id="a file too large"),
    ],
)
def test_bombs_are_refused_before_they_grow(raw: bytes) -> None:
    with pytest.raises(LimitReached) as caught:
        read_text(raw)

    assert caught.value.code == "definition_too_large"


def test_a_value_has_its_line_and_one_that_is_missing_that_of_its_holder() -> None:
    raw = b"name: x\nscenarios:\n  - id: a\n    prompt: b\n  - id: c\n    promt: d\n"

    lines = lines_of(raw)
    assert line_of(lines, ("scenarios", 1, "promt")) == 6
    assert line_of(lines, ("scenarios", 1, "prompt")) == 5
    assert line_of(lines, ("scenarios", 0)) == 3
    assert line_of(lines_of(b"{}"), ("scenarios",)) is None


WORDS = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | WORDS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(WORDS, below, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_json_comes_back_as_it_was(value: dict[str, object]) -> None:
    assert read_text(json.dumps(value).encode()) == value


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nonsense_is_a_fault_that_is_ours(raw: bytes) -> None:
    with contextlib.suppress(BadInput, LimitReached):
        assert isinstance(read_text(raw), dict)


def test_the_depth_that_is_allowed_is_read() -> None:
    raw = b"a: " + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1)

    assert "a" in read_text(raw)
    assert line_of(lines_of(raw), ("a", 0)) == 1
