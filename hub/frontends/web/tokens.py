"""The colours of `shared.look` as CSS variables: `python -m hub.frontends.web.tokens` writes them.

A variable holds both colours; which one counts is the browser's wish, or the person's, who may
choose on the page (`data-theme`).
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

from shared.look import DARK, LIGHT, Tokens

FILE = Path(__file__).parent / "static" / "tokens.css"
HEAD = "/* Written from shared/look.py by `python -m hub.frontends.web.tokens`; do not edit. */"


def css() -> str:
    """Return the style sheet."""
    lines = [HEAD, ":root {", "  color-scheme: light dark;"]
    for field in fields(Tokens):
        light, dark = getattr(LIGHT, field.name), getattr(DARK, field.name)
        lines.append(f"  --{field.name}: light-dark({light}, {dark});")
    lines += ["}"]
    lines += [f':root[data-theme="{name}"] {{ color-scheme: {name}; }}' for name in _THEMES]
    return "\n".join(lines) + "\n"


_THEMES = ("light", "dark")

if __name__ == "__main__":
    FILE.write_text(css())
    sys.stdout.write(f"{FILE}\n")
