"""What the jobs that change files ask and tell alike."""

from __future__ import annotations

from pathlib import Path

from desktop.core.documents.diff import Diff, diff
from shared.errors import NotAllowed
from shared.jobs import Origin
from shared.kinds import file_name_of
from shared.kinds.files import DIFF_CHARS_MAX
from shared.plain_text import plain
from shared.questions import Asking, Choice, QuestionKind

YES, NO = "yes", "no"
ASKED_DIFF_CHARS_MAX = 2_500
"""Of a diff in a question."""
KEY_CHARS = 16


def must_ask(origin: Origin, *, is_planned: bool) -> bool:
    """Say whether a person has to agree before something that exists is changed.

    Who sits at the machine has said so by asking; a plan's person has agreed to this very step.
    """
    return origin is not Origin.LOCAL and not is_planned


def asking(name: str, verb: str, change: Diff, after: str) -> Asking:
    """Ask whether a file may be changed; nobody's silence is a yes.

    Args:
        name: of the file.
        verb: "change" or "overwrite".
        change: what would be different.
        after: hash of what it would be: an answer counts for that alone.
    """
    shown = change.text[:ASKED_DIFF_CHARS_MAX]
    if len(shown) < len(change.text) or change.is_cut:
        shown += "\n…"
    told = f"May I {verb} {name}? {signed(change)}"
    return Asking(
        key=f"approve-{after[:KEY_CHARS]}",
        kind=QuestionKind.APPROVAL,
        text=plain(f"{told}\n\n{shown}" if shown else told),
        choices=(
            Choice(value=YES, label="Yes"),
            Choice(value=NO, label="No"),
        ),
        default=NO,
    )


def check_answer(answer: str, name: str) -> None:
    """Go on after a yes.

    Raises:
        NotAllowed: `change_refused`.
    """
    if answer != YES:
        raise NotAllowed("change_refused", f"{name} was left as it is.", "")


def signed(change: Diff) -> str:
    """Say how many lines came and went: "+14 −3 lines"."""
    return f"+{change.added:,} −{change.removed:,} lines"


def difference(before: bytes | None, after: bytes | None, path: Path) -> Diff:
    """Compare contents as text; of what is no text only that it changed."""
    texts = [_text(content) for content in (before, after)]
    if None in texts:
        return Diff("", 0, 0)
    old, new = (text or "" for text in texts)
    made = diff(old, new, name=file_name_of(path.name), chars_max=DIFF_CHARS_MAX)
    return Diff(plain(made.text), made.added, made.removed, made.is_cut)


def _text(content: bytes | None) -> str | None:
    if content is None:
        return ""
    if b"\x00" in content[:8192]:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
