"""Buttons that Telegram takes, with labels that say what matters on a narrow screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.view import Button
from hub.frontends.labels import label_of
from hub.frontends.layout import units
from hub.frontends.telegram.keyboard import LABEL_UNITS_MAX, fits, rows_of


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        ([], []),
        (["Approve", "Reject"], [[0, 1]]),
        (["UTC", "Local time", "Let me write…"], [[0, 1], [2]]),
        (["sales_2025.csv · 2.1 MB · yesterday", "churn.xlsx", "browse…"], [[0], [1, 2]]),
        (["short", "a label that needs the whole row", "short"], [[0], [1], [2]]),
        (["中文中文中文中文中", "a"], [[0], [1]]),
    ],
)
def test_short_neighbours_share_a_row(labels: list[str], rows: list[list[int]]) -> None:
    assert rows_of(labels) == rows


@given(st.lists(st.text(max_size=80), max_size=30))
def test_every_button_stands_in_one_row_in_its_order(labels: list[str]) -> None:
    assert [index for row in rows_of(labels) for index in row] == list(range(len(labels)))


def test_a_long_name_loses_its_middle_and_keeps_what_is_said_of_it() -> None:
    name = "quarterly_report_of_the_whole_company_final_final_2_2025.csv"
    label = label_of(f"{name} · 2.1 MB · yesterday", LABEL_UNITS_MAX)
    assert label == "quarterly_report_of_the_whol…nal_2_2025.csv · 2.1 MB · yesterday"
    assert units(label) <= LABEL_UNITS_MAX


@given(st.text(max_size=300))
def test_a_label_always_fits_and_is_never_empty(text: str) -> None:
    label = label_of(text, LABEL_UNITS_MAX)
    assert 0 < units(label) <= LABEL_UNITS_MAX
    assert "\n" not in label


@pytest.mark.parametrize(
    ("button", "expected"),
    [
        (Button("a", says="/jobs"), True),
        (Button("a", url="https://hub.example/download"), True),
        (Button("a", url="http://192.168.1.5:8765/download"), True),
        (Button("a", url="http://localhost:8765/"), False),
        (Button("a", url="http://127.0.0.1:8765/"), False),
        (Button("a", url="http://[::1]:8765/"), False),
        (Button("a", url="deskhand://pair?h=x"), False),
        (Button("a", url="javascript:alert(1)"), False),
        (Button("a", url="https://[broken"), False),
        (Button("a", copies="x" * 256), True),
        (Button("a", copies="😀" * 129), False),
        (Button("a"), False),
    ],
)
def test_only_buttons_that_telegram_takes_become_buttons(button: Button, expected: bool) -> None:
    assert fits(button) is expected
