"""Whatever a coding job comes to, its result fits into an event."""

from __future__ import annotations

import pytest

from desktop.core.code.fitting import fitting_diff, fitting_work
from desktop.core.result_size import RESULT_BYTES_MAX
from shared.kinds.code import (
    DIFF_CHARS_MAX,
    FILES_SHOWN_MAX,
    FINDINGS_MAX,
    CodeOutput,
    DiffOutput,
    FileFacts,
    Finding,
)

WORST = ("x", "ü", "\u2028", "\x01", '"')
"""Letters of one to six bytes, as JSON writes them."""


def size(output: CodeOutput | DiffOutput) -> int:
    return len(output.model_dump_json().encode())


@pytest.mark.parametrize("letter", WORST, ids=["x", "umlaut", "separator", "control", "quote"])
def test_the_largest_work_fits(letter: str) -> None:
    file = FileFacts(path=letter * 500)
    finding = Finding(file=letter * 500, message=letter * 2000, suggestion=letter * 2000)
    output = CodeOutput(
        headline="Done.",
        notes=(letter * 4000,) * 50,
        files_changed=(file,) * FILES_SHOWN_MAX,
        files_total=5000,
        findings=(finding,) * FINDINGS_MAX,
    )
    fitting = fitting_work(output)
    assert size(fitting) <= RESULT_BYTES_MAX < size(output)
    assert fitting.files_total == 5000
    assert fitting.files_changed
    assert fitting.findings
    assert fitting.notes


@pytest.mark.parametrize("letter", WORST, ids=["x", "umlaut", "separator", "control", "quote"])
def test_the_longest_diff_fits_and_says_that_it_is_cut(letter: str) -> None:
    line = "+" + letter * 98 + "\n"
    output = DiffOutput(
        headline="5,000 files.",
        diff=(line * 2000)[:DIFF_CHARS_MAX],
        files_changed=(FileFacts(path=letter * 500),) * FILES_SHOWN_MAX,
    )
    fitting = fitting_diff(output)
    assert size(fitting) <= RESULT_BYTES_MAX < size(output)
    assert fitting.is_cut
    assert fitting.diff.endswith("\n")
    assert output.diff.startswith(fitting.diff)


def test_what_fits_is_left_as_it_is() -> None:
    work = CodeOutput(headline="Done.", notes=("a",), files_changed=(FileFacts(path="a.py"),))
    diff = DiffOutput(headline="1 file.", diff="+a\n-b\n")
    assert fitting_work(work) == work
    assert fitting_diff(diff) == diff
