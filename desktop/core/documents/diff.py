"""A unified diff of two texts, as git writes it; huge differences are counted and not compared."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.plain_text import plain_line

CONTEXT_LINES = 3
COMPARED_LINES_MAX = 2_000
"""Of what differs, on both sides together; the time difflib takes grows with their product."""
NO_END = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class Diff:
    text: str
    added: int
    removed: int
    is_cut: bool = False


def diff(before: str, after: str, *, name: str, chars_max: int) -> Diff:
    """Compare two texts line by line.

    Args:
        before: empty for a file that was not there.
        after: empty for a file that is gone.
        name: of the file, for the two lines on top.
        chars_max: more is cut at a line's end.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    # Lines around stand at both ends, so that a hunk has them.
    start, stop = max(0, head - CONTEXT_LINES), max(0, tail - CONTEXT_LINES)
    mid_old, mid_new = old[start : len(old) - stop], new[start : len(new) - stop]
    if len(mid_old) + len(mid_new) > COMPARED_LINES_MAX:
        body = list(_whole(old, new, head, tail))
    else:
        body = list(_hunks(mid_old, mid_new, start))
    added = sum(1 for line in body if line.startswith("+"))
    removed = sum(1 for line in body if line.startswith("-"))
    shown = plain_line(name)
    lines = [f"--- a/{shown}", f"+++ b/{shown}", *body] if body else []
    text, is_cut = _cut(lines, chars_max)
    return Diff(text, added, removed, is_cut)


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _hunks(old: Sequence[str], new: Sequence[str], offset: int) -> Iterator[str]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT_LINES):
        first, last = group[0], group[-1]
        spans = (first[1], last[2]), (first[3], last[4])
        yield "@@ -{} +{} @@".format(*(_span(offset, a, b) for a, b in spans))
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from _lines(" ", old[a:b])
                continue
            yield from _lines("-", old[a:b])
            yield from _lines("+", new[c:d])


def _whole(old: Sequence[str], new: Sequence[str], head: int, tail: int) -> Iterator[str]:
    """Write one hunk in which all that differs goes and comes."""
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    yield f"@@ -{_span(head, 0, len(gone))} +{_span(head, 0, len(come))} @@"
    yield from _lines("-", gone)
    yield from _lines("+", come)


def _lines(sign: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line.rstrip("\r\n")
        if not line.endswith(("\n", "\r")):
            yield NO_END


def _span(offset: int, start: int, stop: int) -> str:
    count = stop - start
    first = offset + start + (1 if count else 0)
    return str(first) if count == 1 else f"{first},{count}"


def _cut(lines: Sequence[str], chars_max: int) -> tuple[str, bool]:
    kept: list[str] = []
    left = chars_max
    for line in lines:
        if len(line) + 1 > left:
            return "\n".join(kept) + "\n" if kept else "", True
        kept.append(line)
        left -= len(line) + 1
    return ("\n".join(kept) + "\n" if kept else ""), False
