"""The colours can be read: text on each ground has the contrast that WCAG 2.2 asks for."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from shared.look import DARK, LIGHT, Tokens

READABLE = 4.5


def luminance(color: str) -> float:
    def linear(channel: str) -> float:
        value = int(channel, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(color[n : n + 2]) for n in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_all_that_is_written_can_be_read(tokens: Tokens) -> None:
    for name, color in asdict(tokens).items():
        if name not in ("background", "surface", "line"):
            for ground in (tokens.background, tokens.surface):
                assert contrast(color, ground) >= READABLE, (name, ground)
