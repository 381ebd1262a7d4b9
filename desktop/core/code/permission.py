"""What an agent may do when it asks first: decided here, or asked of the person.

In a box that holds it back, an agent may do what the box lets it; asking a person for every edit
would only teach them to say yes. What leaves the box is asked elsewhere: at the gateway, and before
a delivery. Options are chosen by what they mean, never by their ids or labels, which are the
agent's.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.core.code.acp.events import OptionKind, PermissionOption, ToolUse, now_called
from desktop.core.code.acp.forms import key_of
from shared.kinds.code import Level
from shared.plain_text import plain, plain_line
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

ASK_TOOL = "ask_human"
"""The tool by which an agent asks the person; it needs no leave."""
ASK_SERVER = "deskhand"
"""The MCP server that has it, by the name that agents are given."""
DETAIL_CHARS_MAX = 1500
PATHS_SHOWN_MAX = 10
_ASKING_WORDS = frozenset({ASK_TOOL, ASK_SERVER, "mcp", "tool", "server"})
_EFFECTS = frozenset({"edit", "delete", "move", "execute"})
_LOOKS = frozenset({"read", "search", "think"})
_LABELS = {
    OptionKind.ALLOW_ONCE: "Allow once",
    OptionKind.ALLOW_ALWAYS: "Allow for this job",
    OptionKind.REJECT_ONCE: "Refuse",
}
_DEEDS = {
    "execute": "wants to run a command",
    "edit": "wants to change a file",
    "delete": "wants to delete a file",
    "move": "wants to move a file",
    "read": "wants to read a file",
    "fetch": "wants to fetch something from the network",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How far an agent is trusted in this job."""

    is_isolated: bool
    """Whether the sandbox holds it back."""
    level: Level
    folder: str
    """The clone, as the agent sees it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """No person is needed."""

    option_id: str
    """Empty when the agent offers nothing that would say so."""


def decide(
    tool: ToolUse, options: Sequence[PermissionOption], trust: Trust, *, title: str, nth: int
) -> Decided | Asking:
    """Decide a permission request, or say what to ask.

    `title` is the agent's, for the person. `nth` is how often the same was asked in this attempt,
    from 0: what a person allowed once is not allowed again without them.
    """
    if is_asking(tool) or _is_free(tool, trust):
        return Decided(option_for(options, OptionKind.ALLOW_ONCE))
    return _asking(tool, options, title, nth)


def option_for(options: Sequence[PermissionOption], kind: OptionKind) -> str:
    """Return the id of the option that means this, or the like of it; empty when there is none."""
    allows = (OptionKind.ALLOW_ONCE, OptionKind.ALLOW_ALWAYS)
    rejects = (OptionKind.REJECT_ONCE, OptionKind.REJECT_ALWAYS)
    alike = allows if kind in allows else rejects
    for wanted in (kind, *alike):
        for option in options:
            if option.kind is wanted:
                return option.id
    return ""


def chosen(options: Sequence[PermissionOption], answer: str) -> str:
    """Return the option for a person's answer; whatever is no clear yes is a no."""
    kind = next((one for one in _LABELS if one.value == answer), OptionKind.REJECT_ONCE)
    return option_for(options, kind)


def is_asking(tool: ToolUse) -> bool:
    """Whether this is the tool that asks the person: its name alone, however it is dressed up."""
    name = tool.title.partition("{")[0]
    words = set(re.findall(r"[a-z]+(?:_[a-z]+)*", name.casefold().replace("__", " ")))
    spare = re.sub(r"[\w\s:/().\-,`'\"]", "", name)
    is_it = any(word.endswith(ASK_TOOL) for word in words)
    rest = {word.removesuffix(ASK_TOOL).strip("_") for word in words} - {""}
    is_named = is_it and rest <= _ASKING_WORDS and not spare and not tool.command
    # Some say "execute" of every tool; then a bare name could as well be a program's.
    is_server = tool.kind == "execute" and ASK_SERVER in words
    return is_named and (is_server or tool.kind not in _EFFECTS)


def _is_free(tool: ToolUse, trust: Trust) -> bool:
    if trust.is_isolated:
        return trust.level is not Level.HUMAN_REQUIRED or tool.kind in _LOOKS
    return tool.kind == "think" or (
        tool.kind in _LOOKS
        and bool(tool.paths)
        and all(_is_in(trust.folder, p) for p in tool.paths)
    )


def _is_in(folder: str, path: str) -> bool:
    whole = posixpath.normpath(posixpath.join(folder, path))
    return whole == folder or whole.startswith(folder.rstrip("/") + "/")


def _asking(tool: ToolUse, options: Sequence[PermissionOption], title: str, nth: int) -> Asking:
    offered = {option.kind for option in options} | {OptionKind.REJECT_ONCE}
    return Asking(
        key=key_of("permit", tool.kind, now_called(tool), tool.digest, nth=nth),
        kind=QuestionKind.APPROVAL,
        text=_words(tool, title),
        choices=tuple(
            Choice(value=kind.value, label=label)
            for kind, label in _LABELS.items()
            if kind in offered
        ),
        default=OptionKind.REJECT_ONCE.value,
    )


def _words(tool: ToolUse, title: str) -> str:
    deed = _DEEDS.get(tool.kind, "wants to use a tool")
    lines = [f"{title} {deed}:", plain(tool.command or now_called(tool))[:DETAIL_CHARS_MAX]]
    if not tool.command:
        lines += [plain_line(path) for path in tool.paths[:PATHS_SHOWN_MAX]]
        if tool.kind not in _EFFECTS and tool.given:
            lines.append(plain_line(tool.given)[:DETAIL_CHARS_MAX])
    return "\n".join(dict.fromkeys(lines))[:TEXT_CHARS_MAX]
