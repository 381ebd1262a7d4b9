"""Buttons as Discord can show them: up to five rows of five; many choices become one menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.core.view import Button
from hub.frontends.labels import DETAIL, cells, is_web_page, label_of
from hub.frontends.layout import units

BUTTONS_MAX = 25
"""What a menu holds; a question with more choices is a numbered list."""
SINGLE_MAX = 10
"""More than these are easier to find in a menu."""
ROWS_MAX = 5
IN_ROW_MAX = 5
LABEL_UNITS_MAX = 80
OPTION_UNITS_MAX = 100
URL_UNITS_MAX = 512
ROW_CELLS_MAX = 44
"""What the width of a phone shows side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A button."""

    label: str
    name: str = ""
    """What its press brings back; empty for links."""
    url: str = ""
    is_yes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A line of a menu."""

    label: str
    detail: str
    name: str


@dataclass(frozen=True, slots=True)
class Keyboard:
    rows: tuple[tuple[Key, ...], ...] = ()
    options: tuple[Option, ...] = ()
    """Of the menu that stands above the rows; empty for none."""


def fits(button: Button) -> bool:
    """Whether Discord takes such a button; else its address, if any, belongs into the text.

    No button of Discord's copies a text; what one would copy stands in the message anyway.
    """
    if button.url:
        return is_web_page(button.url) and units(button.url) <= URL_UNITS_MAX
    return bool(button.says)


def keyboard_of(buttons: Sequence[Button], names: Sequence[str]) -> Keyboard:
    """Lay buttons out; `names` are of those that say something, in their order."""
    left = iter(names)
    named = [(button, next(left) if button.says else "") for button in buttons if fits(button)]
    # A message with the same name twice is refused whole.
    unique = list({name or button.url: (button, name) for button, name in named}.values())
    speaking = [(button, name) for button, name in unique if name]
    if len(unique) <= SINGLE_MAX:
        return Keyboard(_rows([_key(button, name) for button, name in unique]))
    links = [_key(button, "") for button, name in unique if not name]
    options = tuple(_option(button, name) for button, name in speaking[:BUTTONS_MAX])
    return Keyboard(_rows(links)[: ROWS_MAX - 1], options)


def _key(button: Button, name: str) -> Key:
    label = label_of(button.label, LABEL_UNITS_MAX)
    return Key(label=label, name=name, url=button.url, is_yes=button.says.startswith("/approve "))


def _option(button: Button, name: str) -> Option:
    head, _, detail = button.label.partition(DETAIL)
    label = label_of(head, OPTION_UNITS_MAX)
    return Option(
        label=label, detail=label_of(detail, OPTION_UNITS_MAX) if detail else "", name=name
    )


def _rows(keys: Sequence[Key]) -> tuple[tuple[Key, ...], ...]:
    """As many in a row as a phone shows; should that take too many rows, five in each."""
    rows: list[list[Key]] = []
    for key in keys:
        width = sum(cells(k.label) + 4 for k in (*rows[-1], key)) if rows else 0
        if rows and len(rows[-1]) < IN_ROW_MAX and width <= ROW_CELLS_MAX:
            rows[-1].append(key)
        else:
            rows.append([key])
    if len(rows) > ROWS_MAX:
        rows = [list(keys[at : at + IN_ROW_MAX]) for at in range(0, len(keys), IN_ROW_MAX)]
    return tuple(tuple(row) for row in rows[:ROWS_MAX])
