"""Takes single values out of what forges answer, whose shape nobody has promised."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.core.code.forge import Checks, CheckState, Comment
from shared.kinds import JsonObject
from shared.plain_text import plain, plain_line

TEXT_CHARS_MAX = 100_000
COMMENT_CHARS_MAX = 10_000
NAME_CHARS_MAX = 100
FAILED_MAX = 20


def text_of(told: object, *path: str) -> str:
    """Return the text at a place of an object; empty when there is none."""
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told[:TEXT_CHARS_MAX] if isinstance(told, str) else ""


def number_of(told: JsonObject, name: str) -> int | None:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def dicts(told: JsonObject, name: str) -> list[JsonObject]:
    value = told.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def comment_of(told: JsonObject, person: str, name: str) -> Comment:
    author = plain_line(text_of(told, person, name))[:NAME_CHARS_MAX]
    return Comment(author=author, text=plain(text_of(told, "body"))[:COMMENT_CHARS_MAX])


def states(told: Iterable[tuple[str, CheckState]]) -> Checks:
    """Put single checks together: failed if one is, running if one is, good if there are any."""
    found = list(told)
    failed = [plain_line(name)[:NAME_CHARS_MAX] for name, s in found if s is CheckState.FAILED]
    all_states = {state for _, state in found}
    for state in (CheckState.FAILED, CheckState.RUNNING, CheckState.GOOD):
        if state in all_states:
            return Checks(state=state, failed=tuple(failed[:FAILED_MAX]))
    return Checks(state=CheckState.NONE)
