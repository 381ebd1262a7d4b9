"""Words of others in files that a spreadsheet opens: none of them is taken for a formula."""

from __future__ import annotations

import re

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for a formula (OWASP, CSV injection); wide letters count as well."""
_CELL_WITHIN = re.compile(r"(;[ \t]*)(?=[=+@\-])")


def harmless(text: str) -> str:
    """Hold back each formula by a `'` before it."""
    # Where lists have semicolons, a spreadsheet begins a cell behind each, quoted or not.
    held = _CELL_WITHIN.sub(r"\1'", text)
    return f"'{held}" if held.lstrip(" ").startswith(STARTS) else held
