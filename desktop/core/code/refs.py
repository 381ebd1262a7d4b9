"""Names of branches: which ones are taken from people, and how a job's own branch is called.

The rules are those of `git check-ref-format --branch` (git's manual), and a few of ours: whatever
passes here can be written behind "refs/heads/" without git reading anything else into it.
"""

from __future__ import annotations

import re
import unicodedata

from shared.errors import BadInput
from shared.plain_text import plain_line

REF_BYTES_MAX = 200
SLUG_CHARS_MAX = 40
OWN_PREFIX = "deskhand/"
HEADS = "refs/heads/"

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\s]|\.\.|@\{|//")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_SHORT = re.compile(r"[A-Za-z0-9]{1,20}")
_NO_WORD = re.compile(r"[^a-z0-9]+")


def checked_branch(name: str) -> str:
    """Return the bare name of a branch ("main"), which "refs/heads/" may stand before.

    Raises:
        BadInput: `branch_invalid`.
    """
    bare = name.strip(" ").removeprefix(HEADS)
    if fault := _fault(bare):
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:60])
        raise BadInput(
            "branch_invalid",
            f'"{shown}" cannot be the name of a branch: {fault}.',
            "Name a branch of the repository, as in main.",
        )
    return bare


def _fault(name: str) -> str:
    """Say what is wrong with a name; empty when nothing is."""
    if not name:
        return "it is empty"
    if len(name.encode(errors="replace")) > REF_BYTES_MAX:
        return f"it is longer than {REF_BYTES_MAX} bytes"
    if name.startswith(("-", "+")):
        return f'it begins with "{name[0]}"'
    if found := _FORBIDDEN.search(name):
        return f"it holds {found[0]!a}"
    if plain_line(name) != name or unicodedata.normalize("NFC", name) != name:
        return "it holds characters that do not show"
    if name in ("@", "HEAD") or name.startswith("refs/") or _COMMIT.fullmatch(name):
        return "git means something else by it"
    return _fault_of_parts(name.split("/"))


def _fault_of_parts(parts: list[str]) -> str:
    for part in parts:
        if not part:
            return 'it begins or ends with "/"'
        if part.startswith("."):
            return 'a part of it begins with "."'
        if part.endswith(".lock"):
            return 'a part of it ends with ".lock"'
    return 'it ends with "."' if parts[-1].endswith(".") else ""


def job_branch(short: str, title: str) -> str:
    """Name a job's own branch: "deskhand/K7Q2-fix-the-parser".

    Args:
        short: the job's short id, letters and digits.
        title: what the job is about, in anybody's words.
    """
    assert _SHORT.fullmatch(short), short
    return f"{OWN_PREFIX}{short}-{slug(title)}"


def is_own(branch: str) -> bool:
    """Say whether a branch is one that Deskhand made, and may replace."""
    return branch.startswith(OWN_PREFIX) and not _fault(branch)


def slug(title: str) -> str:
    """Put a title into a few ASCII letters, digits and dashes; "work" when nothing is left."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = _NO_WORD.sub("-", ascii_only.lower()).strip("-")
    if len(words) > SLUG_CHARS_MAX:
        cut = words[: SLUG_CHARS_MAX + 1]
        words = cut.rpartition("-")[0] or words[:SLUG_CHARS_MAX]
    return words or "work"
