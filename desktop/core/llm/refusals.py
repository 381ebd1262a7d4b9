"""Tells a reply that refuses as a whole from one that answers, by plain rules of text.

Providers flag some refusals; most models just say so. Counted is only what refuses from the first
sentences on and goes nowhere from there: an answer behind an apology is an answer.
"""

from __future__ import annotations

import re

REFUSAL_CHARS_MAX = 1500
"""Whoever says more than this says something."""
OPENING_SENTENCES = 3

_NOT = (
    r"(?:can(?:no|')t|can not|could not|couldn't|won't|will not|decline to|refuse to"
    r"|(?:am|'m) (?:unable|not able|not going) to|(?:must|have to) decline to"
    r"|don't feel comfortable)"
)
_DOES = (
    r"(?:help|assist|comply|answer|respond|provide|participate|engage|continue|choose|pick|select"
    r"|decide|make|take|discuss|fulfill?|do|offer|give|support|recommend|advise|answering|choosing"
    r"|making|providing|discussing|helping|engaging|with)"
)
_OPENINGS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bi ?{_NOT} (?:\w+ ){{0,3}}?{_DOES}\b",
        rf"\bas an ai\b[^.!?]{{0,80}}\bi ?(?:{_NOT}|do not|don't) (?:have|hold|possess|express)\b",
        r"\bi (?:do not|don't) (?:have|hold) (?:personal |any )?"
        r"(?:opinions?|beliefs?|preferences?|views)\b",
        r"^(?:i'm |i am )?(?:very )?sorry,? but (?:i|that|this)\b[^.!?]{0,60}"
        r"(?:can'?t|cannot|unable|not able|not something)",
        r"\b(?:this|that|your) (?:request|question|content) (?:violates|goes against|is against)\b",
        r"^(?:ich kann|dabei kann ich|das kann ich)\b[^.!?]{0,80}\bnicht\b",
        r"^(?:je ne peux pas|je suis désolée?)\b",
        r"^(?:no puedo|lo siento)\b",
    )
)
_TURNS = re.compile(
    r"\b(?:if i (?:had|were forced|must|have) to (?:choose|pick|decide|answer)"
    r"|(?:that said|nevertheless|nonetheless|however|but),? i(?:'d| would| will|'ll)"
    r" (?:choose|pick|select|lean|go|say|argue)"
    r"|i(?:'d| would) lean|my answer (?:is|would be)|here (?:is|are) )",
    re.IGNORECASE,
)
"""Words after which an answer comes all the same."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def refuses(text: str) -> bool:
    """Tell whether a whole reply refuses. A choice that can be read in it counts before this."""
    if len(text) > REFUSAL_CHARS_MAX:
        return False
    said = text.replace("’", "'").strip()
    sentences = [" ".join(part.split()) for part in _SENTENCE.split(said)]
    if _TURNS.search(" ".join(sentences)):
        return False
    opening = [part for part in sentences if part][:OPENING_SENTENCES]
    return any(pattern.search(part) for part in opening for pattern in _OPENINGS)
