"""Words and signs as Matrix has them: nothing of a view is markup, nothing is too long."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.view import Button, Progress, Sheet, Tone, View
from hub.frontends.matrix.marks import NUMBERS, bare, marks_of, read_tap, written_taps
from hub.frontends.matrix.messages import (
    CONTENT_BYTES_MAX,
    FALLBACK_CHARS_MAX,
    edit_content,
    spoken,
    words_of,
    written_bytes,
)
from shared.ids import QuestionId

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("<>&`\"'▓░ \n#/?.:😀é\u0301\u200d"))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Try /train, or /help for more.", "Try !train, or !help for more."),
        ("/train Train a model", "!train Train a model"),
        ("There is no command /trian. Did you mean /train?",
         "There is no command !trian. Did you mean !train?"),
        ("It read /data and /home/anna/train.csv.", "It read /data and /home/anna/train.csv."),
        ("See /train/x and a/train and https://hub.example/jobs",
         "See /train/x and a/train and https://hub.example/jobs"),
    ],
    ids=["two", "menu", "unknown", "paths", "parts of paths"],
)  # fmt: skip
def test_commands_begin_with_an_exclamation_mark_and_paths_stay(told: str, expected: str) -> None:
    assert spoken(told) == expected


def test_a_question_is_a_list_of_signs_and_its_words_ring() -> None:
    buttons = (
        Button("a.csv", says=f"/answer {QUESTION} a"),
        Button("<b>.csv", says=f"/answer {QUESTION} b"),
        Button("Show diff", says="/diff 019aa000-0000-7000-8000-00000000000a"),
        Button("Open", url="https://hub.example/x"),
    )
    view = View(text="Which file?", tone=Tone.ASKING, buttons=buttons, question_id=QUESTION)
    content = words_of(view, marks_of(view))
    assert content["msgtype"] == "m.text"
    assert content["m.mentions"] == {}
    assert content["body"] == (
        "Which file?\n\n1\ufe0f\u20e3 a.csv\n2\ufe0f\u20e3 <b>.csv\n🇦 Show diff · !diff B0DM"
    )
    assert content["formatted_body"] == (
        "<b>Which file?</b><br><br>1\ufe0f\u20e3 a.csv<br>2\ufe0f\u20e3 &lt;b&gt;.csv<br>"
        "🇦 Show diff · !diff B0DM"
    )


def test_what_goes_on_is_quiet() -> None:
    view = View(text="Training …", subject="job:1", progress=Progress(stage="", done=1, total=2))
    assert words_of(view, ())["msgtype"] == "m.notice"


def test_more_choices_than_signs_are_typed() -> None:
    buttons = tuple(Button(f"file {n}", says=f"/answer {QUESTION} {n}") for n in range(12))
    marks = marks_of(View(text="Which?", buttons=buttons, question_id=QUESTION))
    assert [mark.sign for mark in marks] == [*NUMBERS, "", ""]
    assert marks[11].line == "12. file 11"
    assert len(written_taps(marks, ["name"] * 12)["dev.deskhand.taps"]) == 10  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["1\ufe0f\u20e3", "1\u20e3"], ids=["picture", "text"])
def test_a_sign_is_known_however_a_program_writes_it(key: str) -> None:
    view = View(text="?", buttons=(Button("Yes", says=f"/answer {QUESTION} y"),),
                question_id=QUESTION)  # fmt: skip
    content = written_taps(marks_of(view), ["a-name"])
    assert read_tap(content, key) == "a-name"
    assert read_tap(content, "2\ufe0f\u20e3") == ""


@pytest.mark.parametrize(
    "content",
    [{}, {"dev.deskhand.taps": None}, {"dev.deskhand.taps": {"1\u20e3": 5}}],
    ids=["none", "no object", "no name"],
)
def test_what_is_no_list_of_names_is_none(content: dict[str, object]) -> None:
    assert read_tap(content, "1\u20e3") == ""  # type: ignore[arg-type]


def test_two_of_the_same_command_have_signs_of_their_own() -> None:
    buttons = (Button("Try #A", says="/retry 1"), Button("Try #B", says="/retry 2"))
    signs = [mark.sign for mark in marks_of(View(text="x", buttons=buttons))]
    assert len(set(signs)) == 2


@given(TEXTS, st.none() | TEXTS)
def test_nothing_of_a_view_is_markup_and_all_fits(text: str, sheet: str | None) -> None:
    view = View(text=text, sheet=Sheet(name="x", text=sheet) if sheet else None)
    content = words_of(view, ())
    html = str(content.get("formatted_body", ""))
    for tag in ("<b>", "</b>", "<br>", "<code>", "</code>", "<pre>", "</pre>"):
        html = html.replace(tag, "")
    assert "<" not in html
    assert content["body"]
    assert written_bytes(content) <= CONTENT_BYTES_MAX


@pytest.mark.parametrize(
    "sign", ["x", "ж", "😀", "&", "\x00"], ids=["x", "cyrillic", "emoji", "amp", "nul"]
)
def test_an_event_has_room_for_what_it_holds_also_encrypted(sign: str) -> None:
    content = words_of(View(text=sign * 4096), ())
    edit = edit_content(content, "$event")
    assert len(str(edit["body"])) <= FALLBACK_CHARS_MAX + 2
    # Base64 makes three bytes four (RFC 4648, section 4).
    assert len(json.dumps(edit)) * 4 / 3 < 65_000


def test_bare_leaves_other_signs_alone() -> None:
    assert bare("✅") == "✅"
