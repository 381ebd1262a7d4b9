"""Telegram's HTML as its servers take it: text and entities, or a refusal that says where.

Sources: core.telegram.org/bots/api#html-style and the limits of the methods. Positions and lengths
count UTF-16 units. Left out: the entities Telegram finds by itself (links, mentions, commands).
"""

from __future__ import annotations

import re
from typing import Any

TEXT_UNITS_MAX = 4096
CAPTION_UNITS_MAX = 1024

_KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("tg-spoiler", "span"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_ESCAPE = re.compile(r"&(?:(lt|gt|amp|quot)|#(x[0-9a-fA-F]+|[0-9]+));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_TAG = re.compile(r"<(/?)([^\s<>]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r'\s*([a-z-]+)(?:=(?:"([^"]*)"|\'([^\']*)\'|([^\s"\'>]+)))?')
_CONTROLS = {code: " " for code in range(32) if code not in (9, 10, 13)} | {9: " ", 13: None}
_UNSEEN = dict.fromkeys((*range(0x2028, 0x202F), 0x0333, 0x033F, 0x030A))

Entity = dict[str, Any]


class CannotParse(Exception):
    """The text is not what its parse mode says."""


def units(text: str) -> int:
    """How long Telegram holds a text to be: in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def parsed(text: str, parse_mode: str) -> tuple[str, list[Entity]]:
    """Read a text in its parse mode: what people see, cleaned and stripped, and its entities.

    Raises:
        CannotParse: unknown or unclosed tags, or a mode that this fake does not know.
    """
    entities: list[Entity] = []
    match parse_mode.lower():
        case "":
            plain = text
        case "html":
            plain, entities = _parse_html(text)
        case _:
            raise CannotParse(f"this fake reads HTML alone, not {parse_mode}")
    return _stripped(plain, entities)


def _parse_html(source: str) -> tuple[str, list[Entity]]:
    text, at = "", 0
    entities: list[Entity] = []
    open_tags: list[tuple[str, int, dict[str, str]]] = []
    while at < len(source):
        if source[at] != "<":
            piece, at = _character(source, at)
            text += piece
            continue
        found = _TAG.match(source, at)
        where = len(source[:at].encode())
        if found is None:
            raise CannotParse(f'Unsupported start tag "" at byte offset {where}')
        is_end, name = bool(found[1]), found[2].lower()
        at = found.end()
        if not is_end:
            open_tags.append((name, units(text), _attributes(name, found[3], where)))
            continue
        if not open_tags:
            raise CannotParse(f"Unexpected end tag at byte offset {where}")
        opened, start, attributes = open_tags.pop()
        if name not in ("", opened):
            raise CannotParse(
                f'Unmatched end tag at byte offset {where}, expected "</{opened}>", '
                f'found "</{name}>"'
            )
        length = units(text) - start
        if length:
            entities.append(_entity(opened, start, length, attributes))
    if open_tags:
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return text, sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def _character(source: str, at: int) -> tuple[str, int]:
    found = _ESCAPE.match(source, at) if source[at] == "&" else None
    if found is None:
        return source[at], at + 1
    if found[1]:
        return _NAMED[found[1]], found.end()
    code = int(found[2][1:], 16) if found[2].startswith("x") else int(found[2])
    is_text = 0 < code <= 0x10FFFF and not 0xD800 <= code < 0xE000
    return (chr(code), found.end()) if is_text else (source[at], at + 1)


def _attributes(name: str, source: str, where: int) -> dict[str, str]:
    if name not in _KINDS:
        raise CannotParse(f'Unsupported start tag "{name}" at byte offset {where}')
    attributes = {}
    at = 0
    while source[at:].strip():
        found = _ATTRIBUTE.match(source, at)
        if found is None:
            raise CannotParse(f'Unclosed start tag "{name}" at byte offset {where}')
        value = next((v for v in found.groups()[1:] if v is not None), "")
        attributes[found[1]] = "".join(_unescaped(value))
        at = found.end()
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise CannotParse(f'Tag "span" must have class "tg-spoiler" at byte offset {where}')
    return attributes


def _unescaped(value: str) -> list[str]:
    pieces, at = [], 0
    while at < len(value):
        piece, at = _character(value, at)
        pieces.append(piece)
    return pieces


def _entity(name: str, offset: int, length: int, attributes: dict[str, str]) -> Entity:
    entity: Entity = {"type": _KINDS[name], "offset": offset, "length": length}
    if name == "a":
        entity["url"] = attributes.get("href", "")
    if name == "blockquote" and "expandable" in attributes:
        entity["type"] = "expandable_blockquote"
    return entity


def _stripped(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Clean a text as Telegram does, and move its entities along."""
    text = text.translate(_CONTROLS)
    if set(map(ord, text)) & _UNSEEN.keys():
        text = text.translate(_UNSEEN)
    left = units(text) - units(text.lstrip())
    text = text.strip()
    end = units(text)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - left, 0)
        stop = min(entity["offset"] - left + entity["length"], end)
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return text, kept
