"""What a person types is turned into an answer, or plainly into none."""

import pytest

from shared.questions import Asking, Choice, QuestionKind, match

COLUMNS = Asking(
    key="target",
    kind=QuestionKind.CHOICE,
    text="What should I predict?",
    choices=(
        Choice(value="Churn", label="Churn"),
        Choice(value="MonthlyCharges", label="Monthly charges"),
        Choice(value="Contract", label="Contract"),
    ),
)
FREE = COLUMNS.model_copy(update={"allow_text": True})


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("Churn", "Churn"),
        ("  churn ", "Churn"),
        ("monthly charges", "MonthlyCharges"),
        ("MONTHLYCHARGES", "MonthlyCharges"),
        ("2", "MonthlyCharges"),
        ("mon", "MonthlyCharges"),
        ("c", None),  # two labels start with it
        ("4", None),
        ("0", None),
        ("", None),
        ("weather", None),
    ],
)
def test_a_reply_is_a_value_a_label_a_number_or_a_clear_beginning(
    reply: str, value: str | None
) -> None:
    assert match(COLUMNS, reply) == value


def test_free_text_counts_only_where_it_is_welcome() -> None:
    assert match(FREE, " something else ") == "something else"
    assert match(COLUMNS, "something else") is None
    assert match(FREE, "   ") is None


def test_what_shows_more_is_told_only_where_there_is_something() -> None:
    """A hub that does not know it takes every question but those of kinds it does not know."""
    with_more = COLUMNS.model_copy(update={"more": "code.diff"})

    assert "more" not in COLUMNS.model_dump()
    assert Asking.model_validate_json(with_more.model_dump_json()) == with_more
