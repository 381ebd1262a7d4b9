"""Streams with their pieces put together say the same as before, only in fewer events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.llm.types import Format
from desktop.jobs.llm.gathering import Gatherer
from tests.desktop.jobs.llm.raw_answers import Told, chunk, event

DONE = "[DONE]"


def gathered(format_: Format, *chunks: bytes) -> list[Told | str]:
    gatherer = Gatherer(format_)
    out = b"".join([gatherer.feed(one) for one in chunks] + [gatherer.end()])
    data = [line[6:] for line in out.decode().split("\n") if line.startswith("data: ")]
    return [one if one == DONE else json.loads(one) for one in data]


def text_of(events: list[Told | str], field: str = "content") -> str:
    return "".join(
        one["choices"][0]["delta"].get(field) or ""
        for one in events
        if isinstance(one, dict) and one["choices"]
    )


def test_the_pieces_of_a_text_become_one() -> None:
    pieces = [chunk({"content": word}) for word in ("B", " because", " I", " said", " so")]
    usage: Told = {**chunk({}), "choices": [], "usage": {"prompt_tokens": 1}}
    raw = b"".join(map(event, [chunk({"role": "assistant", "content": ""}), *pieces]))
    out = gathered(Format.OPENAI, raw + event(chunk({}, "stop")) + event(usage) + event(DONE))
    assert text_of(out) == "B because I said so"
    assert len(out) == 2
    assert out[-1] == DONE
    assert isinstance(out[0], dict)
    assert out[0]["choices"][0]["finish_reason"] == "stop"
    assert out[0]["usage"] == {"prompt_tokens": 1}


@pytest.mark.parametrize(
    "last",
    [
        chunk({"content": "!"}, "stop"),
        chunk({"tool_calls": [{"index": 0}]}, "tool_calls"),
        {**chunk({}, "stop"), "error": {"message": "no"}},
        {**chunk({}, "stop"), "choices": []},
        {**chunk({}), "choices": [None]},
        chunk({}),
    ],
    ids=["text", "tools", "error", "nothing", "null", "empty"],
)
def test_an_end_that_says_more_passes_as_it_is(last: Told) -> None:
    out = gathered(Format.OPENAI, event(chunk({"content": "B"})) + event(last))
    assert out == [chunk({"content": "B"}), last]


def test_reasoning_and_text_stay_apart_and_in_order() -> None:
    told = [
        chunk({"reasoning_content": "Five"}),
        chunk({"reasoning_content": " lives."}),
        chunk({"content": "A"}),
        chunk({"content": "."}),
        chunk({"reasoning_content": "Done."}),
    ]
    out = gathered(Format.OPENAI, b"".join(map(event, told)))
    deltas = [one["choices"][0]["delta"] for one in out if isinstance(one, dict)]
    assert deltas == [
        {"reasoning_content": "Five lives."},
        {"content": "A."},
        {"reasoning_content": "Done."},
    ]


def test_blocks_of_anthropics_format_stay_apart() -> None:
    def delta(index: int, kind: str, name: str, text: str) -> Told:
        return {"type": "content_block_delta", "index": index, "delta": {"type": kind, name: text}}

    told = [
        delta(0, "thinking_delta", "thinking", "Five"),
        delta(0, "thinking_delta", "thinking", " lives."),
        delta(0, "signature_delta", "signature", "abc"),
        delta(1, "text_delta", "text", "A"),
        delta(1, "text_delta", "text", "."),
        {"type": "message_stop"},
    ]
    raw = b"".join(event(one, named=True) for one in told)
    out = gathered(Format.ANTHROPIC, raw)
    assert [one["delta"] for one in out if isinstance(one, dict) and "delta" in one] == [
        {"type": "thinking_delta", "thinking": "Five lives."},
        {"type": "signature_delta", "signature": "abc"},
        {"type": "text_delta", "text": "A."},
    ]
    assert out[-1] == {"type": "message_stop"}


@pytest.mark.parametrize(
    "strange",
    [
        b"data: {broken\n\n",
        b": a comment\n\n",
        b"data: []\n\n",
        b'data: {"choices": null}\n\n',
        b'data: {"choices": [null]}\n\n',
        b'data: {"error": {"message": "no"}}\n\n',
        b'data: {"choices": [{"index": 0, "delta": {"content": ["a"]}}]}\n\n',
        b'data: {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}\n\n',
        b"\n\n",
        b"data: one\ndata: two\n\n",
    ],
)
def test_what_is_not_understood_passes_as_it_is(strange: bytes) -> None:
    for format_ in (Format.OPENAI, Format.ANTHROPIC):
        gatherer = Gatherer(format_)
        assert gatherer.feed(strange) + gatherer.end() == strange


def test_a_stream_that_ends_in_the_middle_passes_whole() -> None:
    whole = event(chunk({"content": "A"}))
    gatherer = Gatherer(Format.OPENAI)
    out = gatherer.feed(whole + b'data: {"choi') + gatherer.end()
    assert out.endswith(b'data: {"choi')
    assert text_of([json.loads(out.split(b"\n\n")[0][6:])]) == "A"


def test_it_tells_when_the_first_word_has_come() -> None:
    gatherer = Gatherer(Format.OPENAI)
    gatherer.feed(event(chunk({"role": "assistant", "content": ""})))
    assert not gatherer.has_begun
    gatherer.feed(event(chunk({"content": "A"})))
    assert gatherer.has_begun


@given(st.lists(st.text(), min_size=1), st.data())
def test_however_the_line_cuts_a_stream_its_words_are_the_same(
    words: list[str], data: st.DataObject
) -> None:
    raw = b"".join(event(chunk({"content": word})) for word in words) + event(chunk({}, "stop"))
    cut = data.draw(st.integers(0, len(raw)))
    out = gathered(Format.OPENAI, raw[:cut], raw[cut:])
    assert text_of(out) == "".join(words)
    assert len(out) <= 2
