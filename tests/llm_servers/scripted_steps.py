"""What a scripted model does next: steps, the tools it is offered, and their arguments.

A step names what is done (`read`, `write`, `edit`, `run`, `ask`, `say`, `submit`), not a tool: each
agent has tools of its own, so one is picked by a list of names and filled by its JSON schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

DEEDS = ("ask", "read", "write", "edit", "run", "say", "submit", "answer")
"""`answer` is for requests without tools: the words of the model's next own turn."""
DONE = "Done."
LAST_RESULT = "{last_result}"
"""In a step's words: what the last tool gave back."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "ask": (r"ask_human", r".*ask_human"),
    "read": (r"read", r"read_?file", r"view", r"view_file", r"open_file"),
    "write": (r"write", r"write_?file", r"create_file", r"write_to_file"),
    "edit": (r"edit", r"edit_?file", r"replace", r"str_?replace.*", r"search_replace"),
    "run": (
        r"run",
        r"bash",
        r"shell",
        r"shell_command",
        r"run_shell_command",
        r"exec_command",
        r"(developer__)?shell",
        r"execute_command",
        r"local_shell",
    ),
    "submit": (r"submit", r".*submit"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `words` is a path, a command, a question or what is said."""

    deed: str
    words: str
    text: str = ""
    old: str = ""
    new: str = ""
    options: tuple[str, ...] = ()
    default: str = ""
    why: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read {"edit": "calc.py", "old": …, "new": …}."""
        deeds = [name for name in DEEDS if name in told]
        if len(deeds) != 1:
            raise ValueError(f"a step has one of {', '.join(DEEDS)}: {dict(told)!r}")
        others = {name: value for name, value in told.items() if name != deeds[0]}
        if "options" in others:
            others["options"] = tuple(others["options"])
        return cls(deed=deeds[0], words=told[deeds[0]], **others)

    def told(self, last_result: str) -> Step:
        """Put what the last tool gave back where the step wants it."""

        def put(words: str) -> str:
            return words.replace(LAST_RESULT, last_result.strip())

        texts = {name: put(getattr(self, name)) for name in ("words", "text", "old", "new")}
        return Step(self.deed, **texts, options=self.options, default=self.default, why=self.why)


def steps_of(told: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(Step.of(one) for one in told)


def steps_in(path: Path) -> tuple[Step, ...]:
    """Read a script: a JSON list of steps."""
    return steps_of(json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a request offers."""

    name: str
    schema: Mapping[str, Any]
    space: str = ""
    """Its namespace, where the format hides tools in one (Responses API)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says, whatever its format."""

    model: str
    tools: tuple[Tool, ...]
    results: tuple[str, ...]
    """What tools gave back so far, the oldest first."""
    said: tuple[str, ...]
    """Texts of the model's own turns."""
    text: str
    """The whole request, for what is looked for in it."""
    is_stream: bool
    schema: Mapping[str, Any] | None = None
    """Of the JSON that is wanted in place of a text."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What the model answers: a text, or a call of a tool."""

    text: str = ""
    tool: Tool | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    """Of the step; calls are named by it."""

    @property
    def call_id(self) -> str:
        return f"call_{self.number}"

    @property
    def tokens(self) -> int:
        return tokens_of(self.text + json.dumps(self.arguments))


def tokens_of(text: str) -> int:
    """Count as the script's server does: four characters each."""
    return max(1, len(text) // 4)


def next_deed(steps: Sequence[Step], asked: Asked) -> Deed:
    """Decide by the request alone, so that a second try gets the same answer."""
    answers = [step.words for step in steps if step.deed == "answer"]
    if not asked.tools and len(asked.said) < len(answers):
        return Deed(text=answers[len(asked.said)])
    if asked.schema is not None:
        return Deed(text=json.dumps(_instance(asked.schema, asked.schema)))
    if not asked.tools:
        return Deed(text="Scripted work")
    own = {step.words.strip() for step in steps if step.deed == "say"} | {DONE}
    number = len(asked.results) + sum(said.strip() in own for said in asked.said)
    if number >= len(steps):
        return Deed(text=DONE, number=number)
    last = asked.results[-1] if asked.results else ""
    return _deed(steps[number].told(last), asked, number)


def _deed(step: Step, asked: Asked, number: int) -> Deed:
    if step.deed == "say":
        return Deed(text=step.words, number=number)
    tool = pick(step.deed, asked.tools)
    if tool is not None:
        return Deed(tool=tool, arguments=filled(step, tool, asked), number=number)
    shell = pick("run", asked.tools)
    command = _by_shell(step)
    if shell is None or not command:
        return Deed(text=step.words, number=number)
    instead = Step("run", command)
    return Deed(tool=shell, arguments=filled(instead, shell, asked), number=number)


def pick(deed: str, tools: Sequence[Tool]) -> Tool | None:
    """Pick the offered tool that comes first in the deed's names."""
    for name in NAMES[deed]:
        for tool in tools:
            if re.fullmatch(name, tool.name, re.IGNORECASE):
                return tool
    return None


def _by_shell(step: Step) -> str:
    """Do it by a command, for agents that have nothing but a shell."""
    quoted = json.dumps([step.words, step.text, step.old, step.new])
    begin = f"import json; p, text, old, new = json.loads({quoted!r}); "
    reading = "print(open(p).read())"
    programs = {
        "read": reading,
        "write": "open(p, 'w').write(text)",
        "edit": "t = open(p).read(); open(p, 'w').write(t.replace(old, new, 1))",
    }
    if step.deed not in programs:
        return ""
    program = begin + programs[step.deed]
    return "python3 - <<'END'\n" + program + "\nEND"


_PROPERTIES: tuple[tuple[str, str], ...] = (
    (r"(absolute_|file_?|target_)?(path|file)", "path"),
    (r"command|cmd|script", "command"),
    (r"content|contents|text|file_text|new_content", "text"),
    (r"old.*", "old"),
    (r"new.*|replacement", "new"),
    (r"question|prompt|message", "question"),
    (r"options|choices", "options"),
    (r"default", "default"),
    (r"why|reason|context", "why"),
    (r"summary|result|answer", "summary"),
)
_FOLDER = re.compile(
    r"(?i)(?:working directory|workspace|cwd|directories)[^/\n]{0,60}(/[^\s\"'<`\\,]+)"
)


def filled(step: Step, tool: Tool, asked: Asked) -> dict[str, Any]:
    """Fill a tool's arguments: what the step knows, and a little for whatever else is required."""
    properties: Mapping[str, Any] = tool.schema.get("properties", {})
    required = set(tool.schema.get("required", ()))
    known = _known(step, asked)
    made: dict[str, Any] = {}
    for name, schema in properties.items():
        sort = next((s for p, s in _PROPERTIES if re.fullmatch(p, name, re.IGNORECASE)), "")
        value = known.get(sort)
        if value is not None and (value != "" or name in required):
            made[name] = _fitted(name, value, schema)
        elif name in required:
            made[name] = _instance(schema, tool.schema)
    return made


def _known(step: Step, asked: Asked) -> dict[str, Any]:
    match step.deed:
        case "run":
            return {"command": step.words}
        case "ask":
            return {
                "question": step.words,
                "options": list(step.options),
                "default": step.default,
                "why": step.why,
            }
        case "submit":
            return {"summary": step.words, "text": step.words}
        case _:
            pass
    return {"path": _path(step.words, asked), "text": step.text, "old": step.old, "new": step.new}


def _path(path: str, asked: Asked) -> str:
    """Make it absolute when the agent told where it works; some take no other."""
    found = _FOLDER.search(asked.text)
    return f"{found[1].rstrip('/.')}/{path}" if found and not path.startswith("/") else path


def _fitted(name: str, value: Any, schema: Mapping[str, Any]) -> Any:
    wants_list = schema.get("type") == "array"
    if wants_list and isinstance(value, str):
        return ["bash", "-lc", value] if re.fullmatch("command|cmd", name) else [value]
    return value


def _instance(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    """Make the least that fits a schema."""
    if "$ref" in schema:
        return _instance(whole.get("$defs", {}).get(schema["$ref"].rsplit("/", 1)[-1], {}), whole)
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if schema.get("enum"):
        return schema["enum"][0]
    for name in ("anyOf", "oneOf"):
        if schema.get(name):
            return _instance(schema[name][0], whole)
    sort = schema.get("type", "string")
    match str(sort[0] if isinstance(sort, list) else sort).lower():
        case "object":
            properties = schema.get("properties", {})
            return {name: _instance(properties[name], whole) for name in schema.get("required", ())}
        case "array":
            return []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return "scripted"
