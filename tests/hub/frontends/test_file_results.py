"""What a chat reads of files and analyses: bounded, harmless, with the way on as buttons."""

from __future__ import annotations

from typing import Any

import pytest

from hub.frontends.results import result_view
from shared.ids import JobId

JOB = JobId("01900000-0000-7000-8000-00000000cccc")
SHA = "0" * 64


def view(kind: str, **result: Any) -> Any:
    return result_view(kind, result, job_id=JOB, label="it")


def test_a_written_document_can_be_sent_and_taken_back() -> None:
    told = view("files.write", headline="Written.", file="/d/a.md", sha256=SHA, size_bytes=1)
    assert [(b.label, b.says) for b in told.buttons] == [
        ("Send me the file", f"/send #{JOB}"),
        ("Take it back", f"/undo #{JOB}"),
    ]


@pytest.mark.parametrize(
    ("kind", "label"), [("files.edit", "Take it back"), ("files.undo", "Do it again")]
)
def test_a_change_brings_its_diff(kind: str, label: str) -> None:
    told = view(kind, headline="Changed.", file="C:\\d\\a.md", sha256=SHA, diff="-a\n+\x1bb\n")
    assert (told.sheet.name, told.sheet.language) == ("a.md.diff", "diff")
    assert told.sheet.text == "-a\n+\ufffdb\n"
    assert [b.label for b in told.buttons] == [label]


def test_a_short_text_stands_in_the_message_and_a_long_one_beside_it() -> None:
    short = view("files.read", headline="a.md: 2.", text="one\ntwo\x1b")
    assert short.text == "a.md: 2.\none\ntwo\ufffd"
    assert short.sheet is None
    long = view("files.read", headline="a.md: 100.", text="line\n" * 100)
    assert long.text.count("line") == 12
    assert long.sheet.text == "line\n" * 100


def test_a_listing_tells_sizes() -> None:
    entries = [{"name": "d/a.md", "size_bytes": 1_234_567, "changed": "2026-11-21"}] * 40
    told = view("files.list", headline="50 files.", entries=entries, total=50)
    assert "d/a.md · 1.2 MB · 2026-11-21" in told.text
    assert told.text.endswith("and 20 more")


def test_an_analysis_shows_answer_numbers_and_tables() -> None:
    table = {"name": "by year", "columns": ["year", "n"], "rows": [[2023, 1.5], [2024, None]]}
    told = view(
        "data.analyze",
        headline="local:tiny analyzed 'a': 1 table.",
        notes=["⚠ Not among the computed numbers: 7."],
        text="It is 12,345.\n/cancel",
        numbers=[{"name": "sum", "value": 12345, "unit": "€"}],
        tables=[{**table, "rows_total": 9}],
        model="local:tiny",
    )
    assert told.text.splitlines() == [
        "local:tiny analyzed 'a': 1 table.",
        "⚠ Not among the computed numbers: 7.",
        "It is 12,345.",
        "/cancel",
        "sum: 12,345 €",
        "by year: year · n",
        "2023 · 1.5",
        "2024 · –",
        "and 7 more rows",
        "(local:tiny)",
    ]
    assert told.buttons == ()
