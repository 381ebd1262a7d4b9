"""Parts of ACP v1's messages read into events: whatever does not fit is left out, never refused.

Source: agentclientprotocol.com, protocol v1 (schema 1.19): tool calls, plan, permission options,
elicitation schemas, session modes and config options.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from pydantic import JsonValue

from desktop.core.code.acp.events import (
    AgentUsage,
    ConfigOption,
    FieldType,
    FormField,
    FormOption,
    OptionKind,
    PermissionOption,
    PlanStep,
    ToolUse,
)
from desktop.core.code.acp.rpc import count, record, records, text
from shared.kinds import JsonObject

TEXT_CHARS_MAX = 100_000
"""Of one piece of text; more of it is left out."""
LINE_CHARS_MAX = 2000
"""Of a title, a path, a command."""
ITEMS_MAX = 100
"""Of steps, paths, options, modes in one message."""
FIELDS_MAX = 8
"""Of one form; nobody fills in a longer one for an agent."""
_COMMAND_NAMES = ("command", "cmd", "script")
_PATH_NAMES = ("path", "file_path", "filePath", "filename", "absolute_path", "abs_path")
_OPTION_KINDS = {kind.value: kind for kind in OptionKind}
_PLAIN_TYPES = {
    "string": FieldType.TEXT,
    "number": FieldType.NUMBER,
    "integer": FieldType.INTEGER,
    "boolean": FieldType.YES_NO,
}


def tool_over(tool: ToolUse, told: JsonObject) -> ToolUse:
    """Lay an update over a tool call: what is not told, or null, stays as it was."""
    found = record(told.get("rawInput"))
    given = _given(told.get("rawInput"))
    paths = _paths_of(told, found)
    return replace(
        tool,
        title=_short(text(told, "title")) or tool.title,
        kind=_short(text(told, "kind")) or tool.kind,
        status=_short(text(told, "status")) or tool.status,
        paths=paths or tool.paths,
        command=_command_of(found) or tool.command,
        given=_short(given) or tool.given,
        digest=hashlib.sha256(given.encode(errors="replace")).hexdigest() if given else tool.digest,
    )


def _command_of(found: JsonObject) -> str:
    for name in _COMMAND_NAMES:
        match found.get(name):
            case str(words):
                return _short(words)
            case list(words):
                return _short(" ".join(str(word) for word in words[:ITEMS_MAX]))
            case _:
                pass
    return ""


def _paths_of(told: JsonObject, found: JsonObject) -> tuple[str, ...]:
    places = [*records(told.get("locations")), *records(told.get("content"))][:ITEMS_MAX]
    paths = [path for path in (text(place, "path") for place in places) if path]
    paths = paths or [path for path in (text(found, *_PATH_NAMES),) if path]
    return tuple(dict.fromkeys(_short(path) for path in paths))


def _given(value: JsonValue) -> str:
    if value is None or value in ({}, ""):
        return ""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def text_of(content: JsonValue) -> str:
    """Return a content block's text; pictures and other blocks have none."""
    return text(record(content), "text")[:TEXT_CHARS_MAX]


def steps_of(entries: JsonValue) -> tuple[PlanStep, ...]:
    return tuple(
        PlanStep(_short(text(entry, "content")), text(entry, "status") == "completed")
        for entry in records(entries)[:ITEMS_MAX]
    )


def permission_options_of(options: JsonValue) -> tuple[PermissionOption, ...]:
    """Read options by what they mean; one of a kind that is not known is never chosen."""
    return tuple(
        PermissionOption(text(option, "optionId"), _OPTION_KINDS[text(option, "kind")])
        for option in records(options)[:ITEMS_MAX]
        if text(option, "kind") in _OPTION_KINDS and text(option, "optionId")
    )


def usage_of(value: JsonValue) -> AgentUsage | None:
    found = record(value)
    if not found:
        return None
    return AgentUsage(
        input_tokens=count(found, "inputTokens"),
        output_tokens=count(found, "outputTokens"),
        cached_tokens=count(found, "cachedReadTokens"),
    )


def modes_of(value: JsonValue) -> tuple[tuple[str, ...], str]:
    """Read the modes of a session by id, and the present one."""
    found = record(value)
    modes = records(found.get("availableModes"))[:ITEMS_MAX]
    return tuple(filter(None, (text(mode, "id") for mode in modes))), text(found, "currentModeId")


def config_options_of(value: JsonValue) -> tuple[ConfigOption, ...]:
    return tuple(
        ConfigOption(
            id=text(option, "id"),
            category=text(option, "category"),
            value=text(option, "currentValue"),
            values=_values_of(option.get("options")),
        )
        for option in records(value)[:ITEMS_MAX]
        if text(option, "id") and text(option, "type") == "select"
    )


def _values_of(value: JsonValue) -> tuple[str, ...]:
    """Read a selector's values, which may stand in groups."""
    flat: list[str] = []
    for one in records(value)[:ITEMS_MAX]:
        inner = records(one.get("options"))[:ITEMS_MAX] or [one]
        flat += filter(None, (text(option, "value") for option in inner))
    return tuple(flat)


def fields_of(schema: JsonValue) -> tuple[FormField, ...] | None:
    """Read a form's flat schema; None when nobody could fill it in."""
    found = record(schema)
    properties = record(found.get("properties"))
    if len(properties) > FIELDS_MAX:
        return None
    required = found.get("required")
    names = required if isinstance(required, list) else []
    fields = tuple(
        _field_of(name, record(value), is_required=name in names)
        for name, value in properties.items()
    )
    known = tuple(field for field in fields if field.type is not FieldType.STRANGE)
    return None if any(f.is_required and f not in known for f in fields) else known


def _field_of(name: str, schema: JsonObject, *, is_required: bool) -> FormField:
    kind = text(schema, "type")
    options = _options_of(schema)
    if kind == "array":
        options = _options_of(record(schema.get("items")))
        type_ = FieldType.CHOICES if options else FieldType.STRANGE
    elif kind == "string" and options:
        type_ = FieldType.CHOICE
    else:
        type_ = _PLAIN_TYPES.get(kind, FieldType.STRANGE)
    return FormField(
        name=name,
        type=type_,
        title=_short(text(schema, "title")),
        description=_short(text(schema, "description")),
        options=options,
        default=schema.get("default"),
        is_required=is_required,
    )


def _options_of(schema: JsonObject) -> tuple[FormOption, ...]:
    named = records(schema.get("oneOf")) or records(schema.get("anyOf"))
    if named:
        pairs = [(text(one, "const"), text(one, "title")) for one in named[:ITEMS_MAX]]
    else:
        bare = schema.get("enum")
        texts = [v for v in bare if isinstance(v, str)] if isinstance(bare, list) else []
        names = schema.get("enumNames")
        labels = names if isinstance(names, list) and len(names) == len(texts) else texts
        pairs = [(v, str(n)) for v, n in zip(texts, labels, strict=True)][:ITEMS_MAX]
    return tuple(FormOption(value=v, label=_short(n or v)) for v, n in pairs if v)


def _short(words: str) -> str:
    return words[:LINE_CHARS_MAX]
