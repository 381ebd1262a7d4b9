"""A view is fitted to what a frontend can do, and loses nothing a person needs."""

from __future__ import annotations

import pytest

from hub.core.view import Button, FrontendCapabilities, View, ViewFile, degraded
from shared.ids import JobId, QuestionId, short

JOB = JobId("019aa000-0000-7000-8000-000000000001")
QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
RICH = FrontendCapabilities(buttons_max=8, edit=True, files=True, links=True, text_chars_max=100)
POOR = FrontendCapabilities()
FILE = ViewFile(name="new.csv", sha256="ab12cd34" * 8, size_bytes=54_321, media_type="text/csv")
CHOICES = (Button("a.csv", says=f"/answer {QUESTION} a"), Button("b", says=f"/answer {QUESTION} b"))
CONNECT = (
    Button("Download page", url="https://hub.example/download"),
    Button("Copy the code", copies="BCDF-GHJK"),
    Button("Cancel", says=f"/cancel {JOB}"),
)

ROWS = [
    ("nothing to do", View(text="x", buttons=CONNECT), RICH, "x", CONNECT),
    (
        "choices without buttons are numbered",
        View(text="Which?", buttons=CHOICES, question_id=QUESTION),
        POOR,
        "Which?\n1. a.csv\n2. b",
        (),
    ),
    (
        "other buttons become what is typed or opened, with ids as people see them",
        View(text="x", buttons=CONNECT),
        POOR,
        f"x\nDownload page: https://hub.example/download\nCancel: /cancel {short(JOB)}",
        (),
    ),
    (
        "links without links are addresses, and what they leave stays a button",
        View(text="x", buttons=CONNECT),
        FrontendCapabilities(buttons_max=1),
        "x\nDownload page: https://hub.example/download",
        CONNECT[2:],
    ),
    (
        "too many buttons with links are lines, what is copied stands in the text",
        View(text="x", buttons=CONNECT),
        FrontendCapabilities(buttons_max=2, links=True),
        f"x\nDownload page: https://hub.example/download\nCancel: /cancel {short(JOB)}",
        (),
    ),
]


@pytest.mark.parametrize(
    ("view", "capabilities", "text", "buttons"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_a_view_becomes_what_the_frontend_can_show(
    view: View, capabilities: FrontendCapabilities, text: str, buttons: tuple[Button, ...]
) -> None:
    fitted = degraded(view, capabilities)
    assert (fitted.text, fitted.buttons) == (text, buttons)


def test_a_file_that_cannot_be_sent_says_how_to_get_it() -> None:
    fitted = degraded(View(text="From anna-pc:", files=(FILE,)), POOR)
    assert fitted.files == ()
    assert fitted.text == "From anna-pc:\nnew.csv · 54 kB: deskhand-hub get ab12cd34"
    assert degraded(View(text="x", files=(FILE,)), RICH).files == (FILE,)


@pytest.mark.parametrize("length", [99, 100, 101, 5000])
def test_a_long_text_is_cut_and_comes_whole_where_files_can_be_sent(length: int) -> None:
    view = View(text="x" * length)
    fitted = degraded(view, RICH)
    assert len(fitted.text) <= 100
    assert fitted.overflow == (view.text if length > 100 else "")
    assert degraded(view, FrontendCapabilities(text_chars_max=100)).overflow == ""


def test_the_lines_of_lost_buttons_are_in_the_whole_text_too() -> None:
    capabilities = FrontendCapabilities(files=True, text_chars_max=50)
    view = View(text="x" * 49, buttons=CHOICES, question_id=QUESTION)
    assert degraded(view, capabilities).overflow.endswith("\n1. a.csv\n2. b")


def test_a_status_that_is_edited_in_place_brings_no_file() -> None:
    assert degraded(View(text="x" * 500, subject=f"job:{JOB}"), RICH).overflow == ""
