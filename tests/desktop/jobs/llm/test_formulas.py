"""No spreadsheet takes the words of a model for a formula."""

from __future__ import annotations

import pytest

from desktop.jobs.llm.formulas import STARTS, harmless


@pytest.mark.parametrize("start", STARTS, ids=lambda sign: f"{ord(sign):x}")
def test_every_sign_that_begins_a_formula_is_held_back(start: str) -> None:
    assert harmless(f"{start}1").startswith("'")
    assert harmless(f" {start}1").startswith("'")
    assert harmless(f"1{start}") == f"1{start}"


def test_no_cell_begins_with_a_formula_behind_a_semicolon() -> None:
    # Given a reply that is several cells where a list's mark is a semicolon.
    told = harmless('Well; =HYPERLINK("http://evil.example";"A");+1; fine; A')
    # Then none of them begins with a formula, and other words stay as they are.
    assert not any(cell.lstrip().startswith(STARTS) for cell in told.split(";"))
    assert told.endswith("; fine; A")
