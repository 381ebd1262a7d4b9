"""What a person types into a search box, as a query of full-text search that cannot be wrong."""

from __future__ import annotations

import unicodedata

WORDS_MAX = 10
PREFIX_CHARS_MIN = 2
"""A shorter beginning of a word is in nearly every line."""


def match_of(typed: str) -> str:
    """Write what was typed as a query of SQLite's FTS5: all words, the last one as a beginning.

    Every word is a quoted string (SQLite, FTS5, section 3.1), so that no sign in it means
    anything. A word of several parts ("sales_2025.csv") is found where they follow each other.

    Returns:
        Empty when there is nothing to look for in it.
    """
    shown = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in typed)
    words = [word for word in shown.split() if any(map(str.isalnum, word))][:WORDS_MAX]
    if not words:
        return ""
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    is_begun = typed[-1:].isalnum() and len(words[-1]) >= PREFIX_CHARS_MIN
    return " ".join(quoted) + ("*" if is_begun else "")


def parts_of(typed: str) -> tuple[str, ...]:
    """Return what to mark where words were found, in small letters."""
    return tuple(word.casefold() for word in typed.split() if any(map(str.isalnum, word)))
