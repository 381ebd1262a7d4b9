"""What the owner of this machine allows on it. The hub and the chat can not change it.

The policy is a TOML file that only its owner edits:

    folders = ["~/Documents"]
    slots = 2
    send_files = ["local", "chat"]

    [kinds]
    local = ["*"]
    chat = ["code.*", "data.*", "files.*", "llm.*", "ml.*", "plan", "web.*"]

    [run]
    on_battery = false
    hours = "18:00-08:00"

    [network]
    proxy = "http://proxy.example.org:3128"
    ca_file = "~/our-ca.pem"

    [llm]
    send_text = ["local"]

    [[llm.endpoints]]
    name = "house"
    base_url = "http://192.168.1.20:8080/v1"
"""

from __future__ import annotations

import fnmatch
import json
import tomllib
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from desktop.core.code.rules import LEVELS_DEFAULT, CodeRules, CustomAgent
from desktop.core.llm.rules import LlmRules
from desktop.core.llm.types import Endpoint
from desktop.core.network_rules import NetworkRules
from desktop.core.run_policy import RunRules
from desktop.core.web.rules import WebRules
from shared.errors import BadInput
from shared.jobs import Origin

SLOTS_DEFAULT = 2
MEMORY_SHARE_DEFAULT = 0.5
"""Of all RAM, for one job, when the policy names no cap."""
DISK_FREE_BYTES_MIN = 500 * 1024**2

HEADER = """\
# What Deskhand may do on this machine. Only you change this file; no hub and no chat can.
# `deskhand doctor` checks it. Changes count within half a minute; jobs that run go on.
"""


_FAULTS = {
    "missing": "is missing",
    "extra": "is no rule that is known",
    "int": "has to be a whole number",
    "float": "has to be a number",
    "bool": "has to be true or false",
    "string_pattern_mismatch": 'has to be one short word of small letters, as in "this"',
    "string": 'has to be text, as in "this"',
    "tuple": 'has to be a list, as in ["this"]',
    "enum": "has to be one of {expected}",
    "greater_than_equal": "has to be at least {ge}",
    "greater_than": "has to be more than {gt}",
    "less_than_equal": "has to be at most {le}",
    "less_than": "has to be less than {lt}",
}
"""By pydantic's name of an error, or the first word of it."""


class Policy(BaseModel):
    """The owner's rules, parsed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folders: tuple[str, ...] = ()
    """Folders whose files jobs may use, "~" allowed; everything below them is included."""
    slots: int = Field(default=SLOTS_DEFAULT, ge=0, le=64)
    """How many jobs may run at once; 0 pauses this worker."""
    memory_bytes_max: int | None = Field(default=None, ge=64 * 1024**2)
    """What one job may use; half of the machine's RAM when absent."""
    disk_free_bytes_min: int = Field(default=DISK_FREE_BYTES_MIN, ge=0)
    """With less free space no job is accepted."""
    kinds: Mapping[Origin, tuple[str, ...]] = {
        Origin.LOCAL: ("*",),
        Origin.CHAT: (
            "code.*",
            "data.*",
            "files.*",
            "llm.*",
            "machine.*",
            "ml.*",
            "plan",
            "web.*",
        ),
        Origin.GROUP: (),
        Origin.API: ("code.*", "data.*", "files.*", "llm.*", "ml.*", "plan", "web.*"),
    }
    """Which kinds may run, per origin of the job; "ml.*" is a pattern, an absent origin is none."""

    send_files: tuple[Origin, ...] = (Origin.LOCAL, Origin.CHAT)
    """For whom a file may leave this machine when it is asked for; nothing leaves unasked."""

    run: RunRules = RunRules()
    """When jobs may start: on battery, at which hours, and the like."""

    network: NetworkRules = NetworkRules()
    """How hubs are reached, where the system's settings do not say it."""

    llm: LlmRules = LlmRules()
    """Where language models are asked, besides the built-in places."""

    code: CodeRules = CodeRules()
    """What coding jobs may do, and with which agents."""

    web: WebRules = WebRules()
    """How the web is searched and read, and where to it may be gone."""

    def allows(self, kind: str, origin: Origin) -> bool:
        return any(fnmatch.fnmatchcase(kind, pattern) for pattern in self.kinds.get(origin, ()))


def parse_policy(text: str) -> Policy:
    """Read a policy file.

    Raises:
        BadInput: `policy_invalid`; nothing is allowed until it is mended.
    """
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        what = str(error)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        what = f"{'.'.join(map(str, fault['loc']))} {_words_of(fault)}"
        what += _place_of(text, fault["loc"])
    raise BadInput(
        "policy_invalid",
        f"The policy file cannot be used: {what}.",
        "Mend it; until then this worker takes no job.",
    )


def write_policy(policy: Policy) -> str:
    """Write a policy as TOML, with a header for the person who opens it."""
    lines = [HEADER, f"folders = [{_strings(policy.folders)}]", f"slots = {policy.slots}"]
    lines.append(f"send_files = [{_strings(tuple(policy.send_files))}]")
    if policy.memory_bytes_max is not None:
        lines.append(f"memory_bytes_max = {policy.memory_bytes_max}")
    if policy.disk_free_bytes_min != DISK_FREE_BYTES_MIN:
        lines.append(f"disk_free_bytes_min = {policy.disk_free_bytes_min}")
    lines += ["", "[kinds]"]
    lines += [f"{origin.value} = [{_strings(p)}]" for origin, p in policy.kinds.items()]
    if rules := list(_rules(policy.run)):
        lines += ["", "[run]", *rules]
    if network := list(_rules(policy.network)):
        lines += ["", "[network]", *network]
    lines += _llm(policy.llm)
    lines += _code(policy.code)
    if web := list(_rules(policy.web)):
        lines += ["", "[web]", *web]
    return "\n".join(lines) + "\n"


def _llm(rules: LlmRules) -> Iterator[str]:
    plain = [*_rules(rules.model_copy(update={"endpoints": ()}))]
    if plain:
        yield from ("", "[llm]", *plain)
    for endpoint in rules.endpoints:
        yield from ("", "[[llm.endpoints]]", *_rules(endpoint))


def _code(rules: CodeRules) -> Iterator[str]:
    plain = [*_rules(rules.model_copy(update={"agents": (), "level_max": LEVELS_DEFAULT}))]
    if plain:
        yield from ("", "[code]", *plain)
    if rules.level_max != LEVELS_DEFAULT:
        yield from ("", "[code.level_max]")
        yield from (
            f'{origin.value} = "{level.value}"' for origin, level in rules.level_max.items()
        )
    for agent in rules.agents:
        yield from ("", "[[code.agents]]", *_rules(agent))


def _rules(
    rules: RunRules | NetworkRules | LlmRules | Endpoint | CodeRules | CustomAgent | WebRules,
) -> Iterator[str]:
    """Write the rules that are not as they are without a word."""
    for name, value in rules.model_dump(mode="json", exclude_defaults=True).items():
        yield f"{name} = {_toml(value)}"


def _toml(value: JsonValue) -> str:
    if isinstance(value, dict):
        inner = (f"{_toml(name)} = {_toml(one)}" for name, one in value.items())
        return "{ " + ", ".join(inner) + " }"
    # For booleans, numbers, strings and lists of strings JSON is written as TOML is; but TOML
    # takes no control character, JSON lets 0x7f stand.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _words_of(fault: ErrorDetails) -> str:
    """Say what is wrong with a value, in words for who wrote it."""
    wrong = fault["type"]
    words = _FAULTS.get(wrong) or _FAULTS.get(wrong.partition("_")[0])
    if words is None:
        return f"is odd: {fault['msg'].removeprefix('Value error, ')}"
    return words.format(**{"expected": "", **fault.get("ctx", {})})


def _place_of(text: str, loc: tuple[int | str, ...]) -> str:
    """Name the line of a fault, as TOML's own errors do."""
    lines = text.splitlines()
    start, names = 0, []
    for part in loc:
        if isinstance(part, str) and not part.startswith("["):
            names.append(part)
        elif isinstance(part, int):
            start = _table_at(lines, ".".join(names), part) or start
    for number, line in enumerate(lines[start:], start=start + 1):
        head = line.partition("=")[0].strip().strip("[]\"' ")
        if names and head == names[-1]:
            return f" (at line {number})"
    return f" (at line {start})" if start else ""


def _table_at(lines: list[str], name: str, index: int) -> int:
    """Return the line number of a table's head in a list of tables; 0 when there is none."""
    heads = [n for n, line in enumerate(lines, start=1) if line.strip() == f"[[{name}]]"]
    return heads[index] if index < len(heads) else 0


def _strings(values: tuple[str, ...]) -> str:
    # TOML's basic strings and JSON's agree on these escapes.
    return ", ".join('"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values)
