"""Which label a reply chooses, and which replies leave it open."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.llm.choices import CHOICE_FIELDS, read_choice

AB = ("A", "B")
CHOSEN = (
    ("B", "B"),
    ("b", "B"),
    (" B. ", "B"),
    ("A)", "A"),
    ("(A)", "A"),
    ("[B]", "B"),
    ("**B**", "B"),
    ("`A`", "A"),
    ("“B”", "B"),
    ("B!", "B"),
    ("Option A", "A"),
    ("option b.", "B"),
    ("Option (A)", "A"),
    ("A) because it saves five people.", "A"),
    ("B: the promise counts more.", "B"),
    ("A, since nobody is harmed.", "A"),
    ("A - since nobody is harmed.", "A"),
    ("A — since nobody is harmed.", "A"),
    ("**A** – it is fair", "A"),
    ("### B\n\nHere is why.", "B"),
    ("B\nA promise is a promise.", "B"),
    ("Choice A is fair.", "A"),
    ("Answer: B", "B"),
    ("Final answer: **B**", "B"),
    ("The answer is A.", "A"),
    ("My choice would be option B, I think.", "B"),
    ("I would choose A.", "A"),
    ("I'd pick (B) here.", "B"),
    ("I’ll go with Option A because it is fair.", "A"),
    ("Let me think. A has its merits, and B too.\n\nAnswer: B", "B"),
    ("Both are hard.\n\n**Final Answer: A**", "A"),
    ("It is hard to say.\nB", "B"),
    ("It is hard to say.\n(B)", "B"),
    ("The answer is A at first sight, but no.\nFinal answer: B", "B"),
    ("So it is \\boxed{B}.", "B"),
    ("Hard. <answer> A </answer>", "A"),
    ("> **B**", "B"),
    ('{"choice": "A"}', "A"),
    ('{ "Choice" : " b " }', "B"),
    ('```json\n{"choice": "B", "why": "A is worse"}\n```', "B"),
    ('{"answer": "A"}', "A"),
    ('"B"', "B"),
)
OPEN = (
    "",
    "   \n ",
    "A lever was pulled.",
    "A or B? I cannot say.",
    "A and B are both wrong.",
    "A, B and more are possible.",
    "A/B",
    "Neither A nor B.",
    "I would not choose A.",
    "Answer: A or B",
    "Answer: neither",
    "<answer>A or B</answer>",
    "I choose A. No, wait. I choose B.",
    "Absolutely not.",
    "Because of that.",
    "AB",
    '{"choice": "C"}',
    '{"choice": ["A"]}',
    '{"why": "A"}',
    '{"choice": null}',
    "[[[[",
    "Option C",
)


@pytest.mark.parametrize(("text", "label"), CHOSEN, ids=[repr(text) for text, _ in CHOSEN])
def test_a_choice_is_read(text: str, label: str) -> None:
    assert read_choice(text, AB) == label


@pytest.mark.parametrize("text", OPEN, ids=map(repr, OPEN))
def test_what_leaves_it_open_chooses_nothing(text: str) -> None:
    assert read_choice(text, AB) == ""


def test_labels_may_be_words_and_the_longer_one_is_the_one_that_is_meant() -> None:
    labels = ("yes", "yes, always", "no")
    assert read_choice("Yes, always.", labels) == "yes, always"
    assert read_choice("Yes.", labels) == "yes"
    assert read_choice("No, never.", labels) == "no"
    assert read_choice("Nobody knows.", labels) == ""
    assert read_choice("I would pick yes, always", labels) == "yes, always"


def test_labels_stand_for_themselves_whatever_signs_are_in_them() -> None:
    labels = (".*", "a+", "(x)")
    assert read_choice("a+", labels) == "a+"
    assert read_choice("Answer: .*", labels) == ".*"
    assert read_choice("aaa", labels) == ""


def test_figures_are_labels_too() -> None:
    assert read_choice("1) the first", ("1", "2")) == "1"
    assert read_choice("Answer: 12", ("1", "2")) == ""


def test_without_labels_nothing_is_chosen() -> None:
    assert read_choice("A", ()) == ""


@pytest.mark.parametrize("field", CHOICE_FIELDS)
def test_every_usual_name_of_a_choice_is_known(field: str) -> None:
    assert read_choice(f'{{"{field}": "B"}}', AB) == "B"


@pytest.mark.parametrize(
    "text",
    [
        "A " * 500_000,
        "(" * 1_000_000,
        "i would " * 200_000,
        "[" * 4000,
        "my the " * 200_000,
        " \n" * 99999,
    ],
    ids=["letters", "brackets", "words", "nested", "articles", "blanks"],
)
def test_no_reply_takes_long(text: str) -> None:
    began = time.process_time()
    read_choice(text, AB)
    # Two hundred times what it takes: this is about what grows without bound, not about speed.
    assert time.process_time() - began < 2


@given(st.text(), st.lists(st.text(min_size=1, max_size=20), max_size=5))
def test_whatever_is_said_what_comes_out_is_a_label_or_nothing(
    text: str, labels: list[str]
) -> None:
    assert read_choice(text, labels) in {*labels, ""}
