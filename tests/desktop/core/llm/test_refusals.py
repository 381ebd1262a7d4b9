"""Replies that refuse as a whole, and those that only sound like it."""

from __future__ import annotations

import time

import pytest

from desktop.core.llm.refusals import REFUSAL_CHARS_MAX, refuses

REFUSES = (
    "I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "I'm sorry, I cannot answer this question.",
    "I am unable to choose between human lives.",
    "I won't make this decision for you. Please talk to somebody you trust.",
    "As an AI language model, I do not have personal opinions or make moral choices.",
    "As an AI, I can't take a position on this.",
    "I don't have personal preferences, so there is nothing to choose.",
    "I must decline to answer.",
    "Sorry, but this is not something I can discuss.",
    "This request violates our usage policies.",
    "Thank you for asking. I'm not able to provide advice on this. If you like, I can help with"
    " something else.",
    "Ich kann dabei leider nicht helfen.",
    "Je ne peux pas répondre à cette question.",
    "Lo siento, pero no puedo ayudar con eso.",
)
ANSWERS = (
    "",
    "B",
    "A) I can't see another way.",
    "I would tell the truth.",
    "I cannot stress enough how important honesty is.",
    "I can't lie to her, so I would tell the truth.",
    "As an AI I don't have personal opinions, but if I had to choose, I would pull the lever.",
    "I'm sorry, but I can't be sure. That said, I would choose the promise.",
    "I don't have personal views; my answer would be to wait.",
    "She said she can't help.",
    "It is a hard choice. Five lives are more than one. I would not let them die.",
    "I can't help with that. " + "But let us look at it closely. " * (REFUSAL_CHARS_MAX // 20),
)


@pytest.mark.parametrize("text", REFUSES, ids=[text[:40] for text in REFUSES])
def test_it_refuses(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize("text", ANSWERS, ids=[text[:40] or "nothing" for text in ANSWERS])
def test_it_answers(text: str) -> None:
    assert not refuses(text)


def test_no_reply_takes_long() -> None:
    began = time.process_time()
    for text in ("i can't " * 200_000, "as an ai " * 160, "sorry, but i " * 110):
        refuses(text)
    assert time.process_time() - began < 2
