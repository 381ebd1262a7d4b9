"""The tools as a model is offered them; in few words, for they are sent with each turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desktop.core.llm.message import Tool

_TEXT: Mapping[str, object] = {"type": "string"}
_NUMBER: Mapping[str, object] = {"type": "integer"}
_YES_NO: Mapping[str, object] = {"type": "boolean"}
_TEXTS: Mapping[str, object] = {"type": "array", "items": _TEXT}


def _tool(name: str, description: str, required: Sequence[str], **fields: object) -> Tool:
    schema = {"type": "object", "properties": fields, "required": list(required)}
    return Tool(name=name, description=description, schema=schema)


def _said(kind: Mapping[str, object], words: str) -> Mapping[str, object]:
    return {**kind, "description": words}


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        _tool(
            "read",
            "Show a file with line numbers.",
            ["path"],
            path=_TEXT,
            offset=_said(_NUMBER, "first line, from 1"),
            limit=_said(_NUMBER, "how many lines"),
        ),
        _tool(
            "list",
            "List files below a folder.",
            [],
            path=_TEXT,
            glob=_said(_TEXT, "only names like this: **/*.py"),
        ),
        _tool(
            "grep",
            "Find lines with a text. In `pattern` .* stands for anything and | for or; the rest is "
            "literal.",
            ["pattern"],
            pattern=_TEXT,
            path=_TEXT,
            glob=_TEXT,
            ignore_case=_YES_NO,
        ),
        _tool(
            "edit",
            "Replace `old` by `new` in a file. `old` is copied exactly, with its blanks, and is in "
            "the file once.",
            ["path", "old", "new"],
            path=_TEXT,
            old=_TEXT,
            new=_TEXT,
            replace_all=_YES_NO,
        ),
        _tool(
            "write",
            "Write a whole file, new or over an old one.",
            ["path", "content"],
            path=_TEXT,
            content=_TEXT,
        ),
        _tool(
            "run",
            "Run a shell command in the working folder, without a terminal.",
            ["command"],
            command=_TEXT,
            timeout_seconds=_said(_NUMBER, "120 by default"),
        ),
        _tool(
            "plan",
            "Show the person your steps, and how many of them are done.",
            ["steps"],
            steps=_TEXTS,
            done=_NUMBER,
        ),
        _tool(
            "ask_human",
            "Ask the person what the code does not tell. They may take long to answer.",
            ["question"],
            question=_TEXT,
            options=_said(_TEXTS, "answers to choose from"),
            default=_said(_TEXT, "what you would do without an answer"),
            why=_said(_TEXT, "what depends on it"),
        ),
        _tool(
            "submit",
            "All is done: end your work.",
            ["summary"],
            summary=_said(_TEXT, "two or three sentences on what you did"),
        ),
    )
}
ALWAYS = ("list", "plan")
"""What reads and shows may always be offered."""
EFFECTS = frozenset({"write", "edit", "run"})
"""What a careful client is asked before."""
KINDS: Mapping[str, str] = {
    "read": "read",
    "list": "search",
    "grep": "search",
    "edit": "edit",
    "write": "edit",
    "run": "execute",
    "plan": "think",
    "ask_human": "other",
    "submit": "other",
}
"""As ACP calls them."""


def offered(names: Sequence[str] = ()) -> tuple[Tool, ...]:
    """Return the tools of these names, and those that are always there; all without names."""
    wanted = {*names, *ALWAYS} if names else set(TOOLS)
    return tuple(tool for name, tool in TOOLS.items() if name in wanted)
