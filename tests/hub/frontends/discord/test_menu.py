"""Slash commands from the one table, and back into what a person would type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.frontends.commands import BY_NAME, COMMANDS
from hub.frontends.discord.menu import Value, menu, said_by_options
from hub.frontends.parsing import parse
from tests.hub.frontends.discord.bench import Bench

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12
)


async def test_discord_takes_the_whole_table(bench: Bench) -> None:
    await bench.start()
    taken = [command["name"] for command in bench.fake.state.commands]
    assert taken == [entry.name for entry in menu()]
    assert {c.name for c in COMMANDS if c.in_menu} <= set(taken)


@pytest.mark.parametrize(
    ("name", "values", "typed"),
    [
        ("help", {}, "/help"),
        ("train", {"file": "a.csv"}, "/train file=a.csv"),
        ("train", {"target": "Revenue"}, "/train target=Revenue"),
        ("train", {"file": "a b.csv", "computer": "anna-pc"}, '/train @anna-pc file="a b.csv"'),
        ("train", {"name": 'the "best"'}, "/train name='the \"best\"'"),
        ("model", {"model": "3", "plot": True}, "/model model=3 plot"),
        ("model", {"model": "3", "plot": False}, "/model model=3"),
        ("answer", {"id": "K7Q2", "value": "the red one"}, "/answer id=K7Q2 the red one"),
        (
            "ask",
            {"text": "what is it?", "file": "minutes.txt", "model": "local:tiny"},
            "/ask model=local:tiny file=minutes.txt what is it?",
        ),
        ("gone", {}, "/gone"),
    ],
)
def test_options_are_what_one_would_have_typed(
    name: str, values: dict[str, Value], typed: str
) -> None:
    assert said_by_options(name, values) == typed


@given(file=WORDS, target=WORDS)
def test_a_value_stays_what_it_is(file: str, target: str) -> None:
    both_quotes = any(set(w) & set('"“”„') and set(w) & set("'‘’") for w in (file, target))
    if both_quotes:
        return
    spoken = parse(said_by_options("train", {"file": file, "target": target}))
    assert spoken is not None
    assert spoken.command is BY_NAME["train"]
    assert (spoken.values["file"], spoken.values["target"]) == (file, target)
