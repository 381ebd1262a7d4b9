"""From a call of a model's to a tool: arguments are read by its schema, in every way models write.

`prepare` says what would be done, so that somebody can be asked; `do` does it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.core.llm.message import Tool, ToolCall
from desktop.jobs.code.builtin.tools import commands, files, looking
from desktop.jobs.code.builtin.tools.folder import Folder
from desktop.jobs.code.builtin.tools.offered import TOOLS, offered
from desktop.jobs.code.builtin.tools.outcome import Change, Outcome, ToolFault

if TYPE_CHECKING:
    from pydantic import JsonValue

    from shared.kinds import JsonObject

TITLE_CHARS_MAX = 120
_OTHER_NAMES: Mapping[str, str] = {
    "file_path": "path",
    "filename": "path",
    "file": "path",
    "old_string": "old",
    "old_str": "old",
    "old_text": "old",
    "new_string": "new",
    "new_str": "new",
    "new_text": "new",
    "text": "content",
    "cmd": "command",
    "timeout": "timeout_seconds",
}
"""What models that learned other tools call the arguments of ours."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that can be done."""

    name: str
    arguments: JsonObject
    title: str
    """In a line, for a person."""
    path: str = ""
    """The file that it concerns, absolute."""
    change: Change | None = None
    """What would be written."""


class Toolbox:
    """The tools of one session."""

    def __init__(self, folder: Folder, names: Sequence[str] = ()) -> None:
        self._folder = folder
        self.tools: tuple[Tool, ...] = offered(names)
        self._names = [tool.name for tool in self.tools]

    def prepare(self, call: ToolCall) -> Prepared:
        """Read a call and look what it would do.

        Raises:
            ToolFault: there is no such tool, or its arguments do not fit.
        """
        if call.name not in self._names:
            raise ToolFault(f"There is no tool {call.name!r}; there are {', '.join(self._names)}.")
        arguments = read_arguments(TOOLS[call.name], call.arguments)
        change = self._change(call.name, arguments)
        path = change.path if change is not None else self._path(arguments)
        return Prepared(call.name, arguments, _title(call.name, arguments), path, change)

    def _change(self, name: str, told: JsonObject) -> Change | None:
        path = _text(told, "path")
        if name == "write":
            return files.write(self._folder, path, _text(told, "content"))
        if name == "edit":
            old, new = _text(told, "old"), _text(told, "new")
            every = told.get("replace_all") is True
            return files.edit(self._folder, path, old, new, replace_all=every)
        return None

    async def do(self, prepared: Prepared) -> Outcome:
        """Do what was prepared; what concerns the person or the session is done elsewhere.

        Raises:
            ToolFault: it cannot be done.
        """
        told, folder = prepared.arguments, self._folder
        path = _text(told, "path")
        if prepared.change is not None:
            return files.put(folder, prepared.change)
        match prepared.name:
            case "read":
                offset, limit = _number(told, "offset", 1), _number(told, "limit", files.LINES_MAX)
                return files.read(folder, path, offset, limit)
            case "run":
                seconds = _number(told, "timeout_seconds", int(commands.SECONDS))
                return await commands.run(folder, _text(told, "command"), seconds)
            case "list":
                glob = _text(told, "glob")
                return await asyncio.to_thread(looking.list_files, folder, path or ".", glob)
            case "grep":
                wanted = _text(told, "pattern"), path or ".", _text(told, "glob")
                folded = told.get("ignore_case") is True
                return await asyncio.to_thread(looking.grep, folder, *wanted, ignore_case=folded)
            case _:
                raise ToolFault(f"{prepared.name!r} cannot be used here.")

    def _path(self, arguments: JsonObject) -> str:
        name = arguments.get("path")
        return str(self._folder.find(name)) if isinstance(name, str) and name else ""


def read_arguments(tool: Tool, told: str) -> JsonObject:
    """Read the arguments of a call.

    Raises:
        ToolFault: they are no JSON object, one is missing, or of another sort.
    """
    try:
        parsed = json.loads(told or "{}")
        # Some models write the object as a string of JSON.
        parsed = json.loads(parsed) if isinstance(parsed, str) else parsed
    except (ValueError, RecursionError) as error:
        raise ToolFault(f"The arguments of {tool.name!r} are no JSON: {error}.") from None
    if not isinstance(parsed, dict):
        raise ToolFault(f"The arguments of {tool.name!r} are one JSON object.")
    properties = tool.schema["properties"]
    required = tool.schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    named = {_name_of(name, properties): value for name, value in parsed.items()}
    fitted: JsonObject = {
        name: _fitted(name, value, properties[name]["type"])
        for name, value in named.items()
        if name in properties and value is not None
    }
    if missing := [name for name in required if name not in fitted]:
        raise ToolFault(f"{tool.name!r} needs {', '.join(missing)} as well.")
    return fitted


def _name_of(name: str, properties: Mapping[str, object]) -> str:
    other = _OTHER_NAMES.get(name, name)
    return name if name in properties or other not in properties else other


def _fitted(name: str, value: JsonValue, sort: str) -> JsonValue:
    """Take a value as it was meant: figures and lists come as texts, too."""
    match sort, value:
        case ("string", str()) | ("boolean", bool()) | ("array", list()):
            return value
        case "integer", int() | float():
            return int(value)
        case "integer", str() if value.strip().isdecimal() and len(value) < 10:
            return int(value)
        case "boolean", str() if value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        case "array", str():
            return [value]
        case "string", int() | float():
            return str(value)
        case _:
            raise ToolFault(f"`{name}` is of the type {sort}.")


def _text(arguments: JsonObject, name: str) -> str:
    return str(arguments.get(name, ""))


def _number(arguments: JsonObject, name: str, default: int) -> int:
    value = arguments.get(name, default)
    return value if isinstance(value, int) else default


def _title(name: str, arguments: JsonObject) -> str:
    first = next(
        (arguments[n] for n in ("command", "path", "pattern", "question") if n in arguments), ""
    )
    line = " ".join(str(first).split())
    return f"{name}: {line[:TITLE_CHARS_MAX]}" if line else name
