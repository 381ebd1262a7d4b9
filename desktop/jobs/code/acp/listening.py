"""What an agent does, told as it happens: lines for the job's log, its plan as progress."""

from __future__ import annotations

from pathlib import PurePath

from desktop.core.code.acp.events import (
    ContextTold,
    News,
    Planned,
    Said,
    Thought,
    ToolTold,
    ToolUse,
)
from desktop.core.code.permission import is_asking
from desktop.jobs.code.driver import Hears
from shared.plain_text import plain, plain_line

LINES_MAX = 500
"""Of one turn in the job's log."""
LINE_CHARS_MAX = 300
TEXT_CHARS_MAX = 20_000
"""Of what the agent wrote last; of longer words the end is kept."""


class Listening:
    """Hears one turn after the other."""

    def __init__(self, hears: Hears, folder: str = "") -> None:
        """Hear nothing yet; `folder` is the clone, which paths are told without."""
        self._hears = hears
        self._folder = f"{folder.rstrip('/')}/" if folder else ""
        self._lines = 0
        self._said: list[str] = []
        self._said_chars = 0
        self._last = ""
        self._named: set[str] = set()
        self._failed: set[str] = set()
        self._plan: tuple[int, int] | None = None
        self.tools = 0
        """Tool calls of this turn."""

    def begin(self) -> None:
        """Start a turn: what was said before is over."""
        self.finish()
        self._last = ""
        self._lines = 0
        self.tools = 0

    def hear(self, news: News) -> None:
        match news:
            case Said(text):
                self._keep(text)
            case ToolTold(tool, is_new):
                self._end_message()
                self._tool(tool, is_new=is_new)
            case Planned(steps):
                self._planned(sum(step.is_done for step in steps), len(steps))
            case Thought() | ContextTold():
                pass

    def finish(self) -> str:
        """End the turn and return what was written last."""
        self._end_message()
        self._named.clear()
        self._failed.clear()
        return self._last

    def log(self, line: str) -> None:
        """Write one line to the job's log, as far as the turn's share goes."""
        self._lines += 1
        if self._lines < LINES_MAX:
            self._hears.log(plain_line(line).strip()[:LINE_CHARS_MAX])
        elif self._lines == LINES_MAX:
            self._hears.log("The agent does more than is written here.")

    def _keep(self, text: str) -> None:
        self._said.append(text)
        self._said_chars += len(text)
        if self._said_chars > 2 * TEXT_CHARS_MAX:
            whole = "".join(self._said)[-TEXT_CHARS_MAX:]
            self._said, self._said_chars = [whole], len(whole)

    def _end_message(self) -> None:
        text = plain("".join(self._said)).strip()[-TEXT_CHARS_MAX:]
        self._said, self._said_chars = [], 0
        if text:
            self._last = text
            self.log(text)

    def _tool(self, tool: ToolUse, *, is_new: bool) -> None:
        self.tools += is_new
        is_over = tool.status in ("completed", "failed")
        # Agents say "Terminal" first, and what is run there a moment later.
        is_known = tool.given or (tool.paths and tool.kind != "execute")
        if tool.id not in self._named and (is_known or is_over):
            self._named.add(tool.id)
            self.log(f"› {self._words(tool)}")
        if tool.status == "failed" and tool.id not in self._failed:
            self._failed.add(tool.id)
            self.log(f"› failed: {self._words(tool)}")

    def _words(self, tool: ToolUse) -> str:
        if is_asking(tool):
            return "asks a person"
        title = tool.title or tool.kind or "tool"
        paths = tool.paths if tool.kind != "execute" else ()
        detail = tool.command or next(iter(paths), "")
        is_told = not detail or detail in title or PurePath(detail).name in title
        words = title if is_told else f"{title}: {detail}"
        words = words.replace(self._folder, "") if self._folder else words
        # Some say nothing but the file's name, whatever they do with it.
        return f"{tool.kind}: {words}" if tool.kind and detail.endswith(words) else words

    def _planned(self, done: int, total: int) -> None:
        if total and self._plan != (done, total):
            self._plan = (done, total)
            self._hears.progress("plan", done, total)
