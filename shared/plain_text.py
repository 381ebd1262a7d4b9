"""Text of others made harmless for a terminal and a log: it shows, and it does nothing else.

Control characters move the cursor, rename the window or write a line that nobody logged; marks
of writing direction let "cod.csv" read as "csv.doc" (Unicode Technical Report 36, section 3.3).
"""

from __future__ import annotations

import re

KEPT = frozenset("\n\t")
_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls, escape among them
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff"  # bidi, invisible
    "\ud800-\udfff"  # half characters: no stream can write them
    "\U000e0000-\U000e007f]"  # tags: text that no font shows
)


def plain(text: str) -> str:
    """Replace what acts instead of showing by "�"; line ends and tabs stay."""
    return _ACTING.sub("\ufffd", text)


def plain_line(text: str) -> str:
    """Do the same on one line: line ends and tabs become blanks."""
    return plain(" ".join(re.split(r"[\r\n\t]+", text)))


def escaped(text: str) -> str:
    r"""Write what acts as its code ("\x1b", "\n"), for a log where nothing may be lost."""
    return _ACTING.sub(_code, text).replace("\n", "\\n").replace("\t", "\\t")


def _code(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode()
