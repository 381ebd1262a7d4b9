"""Breaks documents and texts in the ways that readers stumble over."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable

NUMBERS = (
    -1, 0, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64, 2**70, -(2**63) - 1,
    0.1, -0.0, 1e308, 1e-320, 9.9e15,
)  # fmt: skip
TEXTS = (
    "", "\x00", "a\x00b", "\ud800", "\udfff x", "\u202egpj.exe", "\ufeff", "𝔘𝔫𝔦",
    "'; drop table jobs--", "../../etc/passwd", "%s%n", "<b>x</b>", "a" * 5000, "ж" * 70_000,
    "2026-13-45", "0" * 64,
    "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00+00:00", "-262144-01-01T00:00:00Z",
)  # fmt: skip
RAW = (
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 400, "0x10", "01", "tru", '"\\ud800"',
    '"\\u0000"', "[" * 40 + "]" * 40, "{}" * 2, '"' + "\\" * 9 + '"', "[" * 3000, "1.0e", ",",
    "\x1f",
)  # fmt: skip
"""Tokens that no writer of ours makes; they take the place of a value in the text."""
_MARK = "\x01here\x01"


def deep(levels: int) -> object:
    value: object = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"x": value}
    return value


def _value(rng: random.Random, pool: tuple[str, ...]) -> object:
    return rng.choice(
        (
            None, True, rng.choice(NUMBERS), rng.choice(TEXTS), rng.choice(pool), [], {},
            deep(rng.choice((3, 28, 31, 40, 300))), [rng.choice(NUMBERS)] * rng.choice((1, 300)),
            {rng.choice(TEXTS): 1},
        )
    )  # fmt: skip


Place = tuple[dict[str, object] | list[object], str | int]


def _places(document: object, found: list[Place]) -> None:
    if isinstance(document, dict):
        for key, value in document.items():
            found.append((document, key))
            _places(value, found)
    elif isinstance(document, list):
        for index, value in enumerate(document):
            found.append((document, index))
            _places(value, found)


def mutate(rng: random.Random, document: object, pool: tuple[str, ...]) -> object:
    """Change one to three things in a document; the original stays as it is."""
    changed = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places: list[Place] = []
        _places(changed, places)
        if not places:
            return _value(rng, pool)
        holder, key = rng.choice(places)
        rng.choice(_DEEDS)(rng, holder, key, pool)
    return changed


def _replace(rng: random.Random, holder: object, key: object, pool: tuple[str, ...]) -> None:
    holder[key] = _value(rng, pool)  # type: ignore[index]


def _drop(_rng: random.Random, holder: object, key: object, _pool: tuple[str, ...]) -> None:
    del holder[key]  # type: ignore[attr-defined]


def _add(rng: random.Random, holder: object, _key: object, pool: tuple[str, ...]) -> None:
    if isinstance(holder, dict):
        holder[rng.choice(("extra", "type", "version", "\x00", "__proto__"))] = _value(rng, pool)
    elif isinstance(holder, list):
        holder.extend(copy.deepcopy(holder[:1]) * rng.choice((1, 2, 400)))


def _mark(_rng: random.Random, holder: object, key: object, _pool: tuple[str, ...]) -> None:
    holder[key] = _MARK  # type: ignore[index]


_DEEDS: tuple[Callable[[random.Random, object, object, tuple[str, ...]], None], ...] = (
    _replace, _replace, _replace, _drop, _add, _mark,
)  # fmt: skip


def written(rng: random.Random, document: object) -> str:
    """Write a document as text; marks become tokens that are no JSON, or hardly."""
    text = json.dumps(document)
    return text.replace(json.dumps(_MARK), rng.choice(RAW))


def torn(rng: random.Random, text: str) -> str | bytes:
    """Spoil a text itself: cut, doubled, flipped, or no text at all."""
    place = rng.randrange(len(text) + 1)
    match rng.randrange(7):
        case 0:
            return text[:place]
        case 1:
            return text[:place] + text
        case 2:
            return text[:place] + rng.choice(RAW) + text[place:]
        case 3:
            return (
                text[:place] + chr(rng.choice((0, 10, 34, 92, 0x202E, 0xFFFD))) + text[place + 1 :]
            )
        case 4:
            return text.encode()[:place]
        case 5:
            return text.replace('"', "'", rng.randint(1, 3))
        case _:
            return text.replace(":", rng.choice((": ", "::", ":\n", "=")), 1)
