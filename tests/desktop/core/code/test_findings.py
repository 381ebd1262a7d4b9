"""A review's findings, held against the files that are there."""

from __future__ import annotations

import json

import pytest

from desktop.core.code.findings import Found, read_findings
from shared.kinds.code import FINDINGS_MAX

LINES = {"shop/a.py": 10, "empty.py": 0}


def read(items: object) -> Found:
    return read_findings(json.dumps(items), LINES.get)


def test_findings_are_read_the_worst_first() -> None:
    found = read(
        [
            {"file": "shop/a.py", "line": 3, "severity": "low", "message": "m"},
            {"file": "./shop/a.py", "line": 10, "severity": "critical", "message": "worse"},
            {"file": "empty.py", "message": "nothing in it", "severity": "note"},
        ]
    )

    told = [(one.severity, one.file, one.line) for one in found.findings]
    assert told == [
        ("high", "shop/a.py", 10),
        ("low", "shop/a.py", 3),
        ("note", "empty.py", None),
    ]
    assert found.faults == ()


WRONG = {
    "another_file": {"file": "../../etc/passwd", "line": 1, "message": "m"},
    "past_the_end": {"file": "shop/a.py", "line": 11, "message": "m"},
    "no_line": {"file": "shop/a.py", "line": 0, "message": "m"},
    "a_line_in_words": {"file": "shop/a.py", "line": "three", "message": "m"},
    "a_truth_as_line": {"file": "shop/a.py", "line": True, "message": "m"},
    "no_message": {"file": "shop/a.py", "line": 1},
    "no_severity_that_is_known": {"file": "shop/a.py", "message": "m", "severity": "\x1b[31m"},
    "no_object": "shop/a.py:3",
    "no_text": {"file": 3, "message": "m"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_finding_that_names_no_real_place_is_left_out_and_told(name: str) -> None:
    found = read([WRONG[name]])

    assert found.findings == ()
    assert len(found.faults) == 1
    assert found.faults[0].isprintable()


def test_findings_come_from_the_last_fenced_block_of_an_answer_too() -> None:
    block = json.dumps({"findings": [{"file": "shop/a.py", "line": 2, "message": "m"}]})

    found = read_findings(f"I looked.\n```json\n[1\n```\nThen:\n```json\n{block}\n```\n", LINES.get)

    assert [one.line for one in found.findings] == [2]


@pytest.mark.parametrize("text", ["", "Nothing is wrong.", "{}", "[" * 50_000, "```\nx\n```"])
def test_words_are_no_findings(text: str) -> None:
    found = read_findings(text, LINES.get)

    assert not found.is_told
    assert found.faults


def test_no_more_findings_are_kept_than_anybody_reads() -> None:
    found = read([{"file": "shop/a.py", "message": "m"}] * (FINDINGS_MAX + 5))

    assert len(found.findings) == FINDINGS_MAX
