"""Words of strangers in Markdown: they show, and do nothing else.

A description on a forge is no plain text: "@name" rings somebody, "fixes #1" closes something,
"/merge" at the beginning of a line merges, HTML and images load from elsewhere. Forges look for
these in the text as it reads after Markdown, so a backslash alone does not help (GitHub's and
GitLab's references on autolinks and quick actions): a space of no width parts the signs.
"""

from __future__ import annotations

import re

from shared.plain_text import plain, plain_line

GAP = "\u200b"
_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$^=:])")
_REFERENCE = re.compile(r"(?i)@(?=\w)|[#!$%~](?=\w|\")|(?<=\bGH)-(?=\d)|:(?=//)|\bwww(?=\.)")
_COMMIT_REFERENCE = re.compile(r"(?i)([@#!](?=\w))|((?<=\bGH)-(?=\d))")
_TRAILER = re.compile(r"^[A-Za-z][A-Za-z0-9-]*:\s", re.ASCII)


def safe_line(text: str, chars_max: int) -> str:
    """Put words on one line of Markdown, cut at a length; they read as they are."""
    line = cut(plain_line(text).strip(), chars_max)
    line = _REFERENCE.sub(lambda found: found[0] + GAP, line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SIGNS.sub(r"\\\1", line)


def safe_quote(text: str, chars_max: int, *, lines_max: int = 60) -> str:
    """Put longer words into a quotation, line by line: nothing of theirs begins a line."""
    lines = cut(plain(text).strip(), chars_max).split("\n")
    told = [f"> {safe_line(line, chars_max)}".rstrip() for line in lines[:lines_max]]
    return "\n".join([*told, *(["> …"] if len(lines) > lines_max else [])])


def safe_code(text: str, chars_max: int) -> str:
    """Put one line into a span of code that it cannot leave."""
    line = cut(plain_line(text).strip(), chars_max) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    gap = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{gap}{line}{gap}{fence}"


def safe_commit_line(text: str, chars_max: int) -> str:
    """Put words on one line of a commit's message, where "fixes #1" would close something, too."""
    line = cut(plain_line(text).strip(), chars_max)
    line = _COMMIT_REFERENCE.sub(lambda found: f"{found[0]} ", line)
    # A line of this shape at the end would be read as a trailer: somebody's name under the commit.
    return f"- {line}" if _TRAILER.match(line) else line


def cut(text: str, chars_max: int) -> str:
    return text if len(text) <= chars_max else f"{text[: chars_max - 1].rstrip()}…"
