"""What a file that jobs write may be called: the same on every system, and never a setting's name.

A folder may be synchronized to a Windows machine or a stick, so what one system refuses is refused
on all (learn.microsoft.com, "Naming Files, Paths, and Namespaces"). What begins with a dot is read
by programs and shells, seldom by people: nothing is written there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from desktop.core.file_name import is_trap
from shared.errors import BadInput
from shared.plain_text import plain

PART_BYTES_MAX = 240
"""Of one name. Systems take 255; the rest is left for " 2" and for programs that add endings."""
PATH_CHARS_MAX = 1024
DEPTH_MAX = 8
"""Folders that a name may have."""
FORBIDDEN = frozenset('<>:"|?*')
_HINT = "Name it as in notes.md or reports/june.docx."


def check_new(name: str) -> tuple[str, ...]:
    r"""Split the name of a file that is to be made into its parts, each fit for every system.

    Args:
        name: relative, with "/" or "\\" between its parts.

    Raises:
        BadInput: `file_name_invalid`, saying what is wrong with it.
    """
    composed = unicodedata.normalize("NFC", name.strip())
    if not composed or len(composed) > PATH_CHARS_MAX:
        raise _refused("it is empty" if not composed else "it is too long")
    if is_trap(composed, is_windows=False):
        raise _refused("it is a path to another machine")
    parts = composed.replace("\\", "/").split("/")
    if len(parts) > DEPTH_MAX:
        raise _refused(f"it has more than {DEPTH_MAX} folders")
    for part in parts:
        fault = fault_of(part)
        if fault:
            raise _refused(fault)
    return tuple(parts)


def fault_of(part: str) -> str:
    """Return what is wrong with one part of a path, in words; empty when nothing is."""
    if part in ("", ".", ".."):
        return 'it has an empty part, "." or ".."'
    if plain(part) != part or any(ord(letter) < 32 for letter in part):
        return "it has characters that do not show"
    if part.startswith((".", "~", "$")) or part.strip() != part or part.endswith("."):
        return f"'{part}' begins with a dot, or ends with a dot or a blank, as settings' names do"
    if FORBIDDEN & set(part):
        return f"'{part}' has one of {' '.join(sorted(FORBIDDEN))} in it"
    if is_trap(part, is_windows=True):
        return f"'{part}' is the name of a device on Windows"
    if len(part.encode("utf-8", "surrogatepass")) > PART_BYTES_MAX:
        return f"one part of it has more than {PART_BYTES_MAX} bytes"
    return ""


def with_ending(name: str, ending: str) -> str:
    """Let a name end with ".md", in whatever case; what else it ends with stays before that."""
    return name if name.casefold().endswith(ending) else f"{name}{ending}"


def free_beside(name: str, taken: Iterable[str]) -> str:
    """Return the name, or "notes 2.md", "notes 3.md" …, whichever none of those has."""
    folded = {same(one) for one in taken}
    stem, dot, ending = name.rpartition(".")
    number, told = 1, name
    while same(told) in folded:
        number += 1
        told = f"{stem} {number}{dot}{ending}" if stem else f"{name} {number}"
    return told


def same(name: str) -> str:
    """Write a name as systems compare it that know no cases: two alike are one file there."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _refused(why: str) -> BadInput:
    return BadInput("file_name_invalid", f"That is no name for a new file: {why}.", _HINT)
