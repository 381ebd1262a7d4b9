"""Words as Discord shows them: whatever a file is called, it looks as it is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.view import Tone, View
from hub.frontends.discord.markdown import EMBED_UNITS_MAX, TEXT_UNITS_MAX, escaped, told_of
from hub.frontends.layout import laid_out, units
from tests.discord_servers.reading import seen

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    | st.sampled_from("\\*_~|`<>[]()#-+@:/.1 \n😀é")
)
NO_CODE = TEXTS.map(lambda text: text.replace("`", "'"))


@given(text=NO_CODE, tone=st.sampled_from(Tone), final=st.booleans())
def test_what_is_said_is_what_is_seen(text: str, tone: Tone, final: bool) -> None:
    view = View(text=text, tone=tone, final=final)
    told = told_of(view)
    read = seen(told.content or told.embed)
    assert read.text == laid_out(view)
    assert read.unmeant == []


@given(text=TEXTS)
def test_it_always_fits(text: str) -> None:
    told = told_of(View(text=text * 60))
    assert units(told.content) <= TEXT_UNITS_MAX
    assert units(told.embed) <= EMBED_UNITS_MAX
    assert told.content or told.embed


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b*c", "a\\_b\\*c"),
        ("# a", "\\# a"),
        ("a # b", "a # b"),
        ("- a\n> b\n1. c", "\\- a\n\\> b\n1\\. c"),
        ("@everyone <@1>", "\\@everyone \\<@1>"),
        ("[a](b)", "\\[a\\](b)"),
    ],
)
def test_signs_are_escaped_where_they_mean_something(text: str, written: str) -> None:
    assert escaped(text) == written


@pytest.mark.parametrize(
    ("view", "written"),
    [
        (View(text="Open https://hub.example/a_b."), "Open <https://hub.example/a_b>."),
        (View(text="Your code: MWMW-XCJT (valid)"), "Your code: `MWMW-XCJT` (valid)"),
        (View(text="Ready. AUC 0.7.", final=True), "**Ready**. AUC 0.7."),
        (View(text="Which file?", tone=Tone.ASKING), "**Which file?**"),
        (View(text="  deskhand pair X"), "`deskhand pair X`"),
        (View(text="Check words: ochre root."), "Check words: **ochre root**."),
    ],
    ids=["link", "code", "end", "question", "line to run", "check words"],
)
def test_what_a_reader_looks_for_stands_out(view: View, written: str) -> None:
    assert told_of(view).content == written
