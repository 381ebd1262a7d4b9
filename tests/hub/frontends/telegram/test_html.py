"""Words as HTML: nothing of a view is markup, nothing is too long, the point stands out."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.view import Progress, Tone, View
from hub.frontends.layout import fitted, laid_out, units
from hub.frontends.telegram.html import html_of
from tests.fakes.bot_api_text import parsed
from tests.fakes.bot_api_text import units as telegram_units

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("<>&`\"'▓░ \n#/?.:😀é\u0301\u200d"))
VIEWS = st.builds(
    View,
    text=TEXTS,
    tone=st.sampled_from(Tone),
    final=st.booleans(),
    progress=st.none() | st.just(Progress(stage="x", done=1, total=2)),
)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(text="a < b & c"), "a &lt; b &amp; c"),
        (
            View(text="Ask with `deskhand-hub invite`."),
            "Ask with <code>deskhand-hub invite</code>.",
        ),
        (
            View(text="Your code: BCDF-GHJK (valid 10 min)\nRun:\n  deskhand pair BCDF-GHJK"),
            "Your code: <code>BCDF-GHJK</code> (valid 10 min)\nRun:\n"
            "<code>deskhand pair BCDF-GHJK</code>",
        ),
        (
            View(
                text="Open http://hub.example/download#BCDF-GHJK\n"
                "Installed: deskhand://pair?hub=https://hub.example&code=BCDF-GHJK\n"
                "A server: curl -fsSL http://hub.example/worker.sh | sh -s -- BCDF-GHJK"
            ),
            "Open http://hub.example/download#BCDF-GHJK\n"
            "Installed: <code>deskhand://pair?hub=https://hub.example&amp;code=BCDF-GHJK</code>\n"
            "A server: <code>curl -fsSL http://hub.example/worker.sh | sh -s -- BCDF-GHJK</code>",
        ),
        (
            View(text="/train     Train a model\n/jobs  What runs"),
            "/train – Train a model\n/jobs – What runs",
        ),
        (
            View(text="anna-pc wants to join. Check words: amber falcon."),
            "anna-pc wants to join. Check words: <b>amber falcon</b>.",
        ),
        (
            View(text="7,043 rows, 19 columns. What should I predict?", tone=Tone.ASKING),
            "7,043 rows, 19 columns. <b>What should I predict?</b>",
        ),
        (
            View(text="Churn model ready: AUC 0.85 ± 0.01.\n⚠ `id` left out.", final=True),
            "<b>Churn model ready</b>: AUC 0.85 ± 0.01.\n⚠ <code>id</code> left out.",
        ),
        (
            View(
                text="Training on anna-pc ▓▓▓░░ 3 of 5 models, 18 s left",
                progress=Progress(stage="models", done=3, total=5),
            ),
            "<b>Training on anna-pc</b>\n▓▓▓░░ 3 of 5 models, 18 s left",
        ),
        (
            View(text="#K7Q2 failed · a.csv\n      No such <file>."),
            "#K7Q2 failed · a.csv\n· No such &lt;file&gt;.",
        ),
        (View(text="1,409 rows → churn.csv.", final=True), "<b>1,409 rows → churn.csv</b>."),
        (View(text=""), "…"),
        (View(text=" \n\u2066 x"), "� x"),
    ],
)
def test_a_view_reads_like_this(view: View, expected: str) -> None:
    assert html_of(view) == expected


@given(VIEWS, st.sampled_from((40, 1024, 4096)))
def test_whatever_a_view_says_telegram_takes_and_shows_it(view: View, units_max: int) -> None:
    told = html_of(view, units_max)
    seen, entities = parsed(told, "HTML")
    assert seen or not view.text.strip()
    assert telegram_units(html.unescape(re.sub(r"</?(?:b|code)>", "", told))) <= units_max
    assert {entity["type"] for entity in entities} <= {"bold", "code"}


@given(TEXTS, st.integers(8, 60))
def test_a_cut_keeps_the_beginning_and_says_so(text: str, units_max: int) -> None:
    cut = fitted(text, units_max)
    assert units(cut) <= units_max
    if cut != text:
        assert cut.endswith(" …")
        assert text.startswith(cut.removesuffix(" …"))


@pytest.mark.parametrize(
    ("text", "units_max", "expected"),
    [
        ("😀😀😀", 6, "😀😀😀"),
        ("😀😀😀😀", 7, "😀😀 …"),
        ("aaaae\u0301bbbb", 7, "aaaa …"),
        ("ab👩\u200d💻cdef", 7, "ab …"),
    ],
)
def test_no_character_is_torn(text: str, units_max: int, expected: str) -> None:
    assert fitted(text, units_max) == expected


def test_units_are_counted_as_telegram_does() -> None:
    for text in ("plain", "é", "😀", "👩\u200d💻", "中"):
        assert units(text) == telegram_units(text)


def test_what_is_laid_out_is_what_is_seen() -> None:
    view = View(text="Run:\n  deskhand pair X\n<b>&", final=True)
    seen, _ = parsed(html_of(view), "HTML")
    assert seen == laid_out(view).replace("`", "")
