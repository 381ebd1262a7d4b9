"""The OpenAPI document as a person reads it: what the page at `/api/v1/docs` is written from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.frontends.api.document import Operation, operations
from shared.ids import COUNT_MAX

Object = dict[str, Any]
JSON = "application/json"
WHERE = {"path": "in the path", "query": "in the query", "header": "a header"}


@dataclass(frozen=True, slots=True)
class Type:
    """What a value may be: "list of " `JobShown` " or null"."""

    before: str
    schema: str = ""
    """The name of a schema of the page, to be linked; empty when there is none."""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    type: Type
    text: str
    is_required: bool
    where: str = ""
    """Of a parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    type: Type
    example: str
    media: str = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: str
    text: str
    bodies: Sequence[Body]
    headers: Sequence[Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    text: str
    needs: str
    parameters: Sequence[Field]
    body: Body | None
    answer: Answer
    problems: Sequence[tuple[str, str]]
    """Status and meaning."""
    curl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    name: str
    text: str
    entries: Sequence[Entry]

    @property
    def anchor(self) -> str:
        return self.name.replace(" ", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    name: str
    text: str
    fields: Sequence[Field]
    values: Sequence[str]
    """Of an enumeration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    title: str
    version: str
    text: str
    chapters: Sequence[Chapter]
    schemas: Sequence[Schema]


def reference_of(document: Object, hub_url: str) -> Reference:
    """Read the document."""
    by_tag: dict[str, list[Entry]] = {}
    for operation in operations(document):
        by_tag.setdefault(operation.told["tags"][0], []).append(_entry(operation, hub_url))
    texts = {tag["name"]: tag["description"] for tag in document["tags"]}
    return Reference(
        title=document["info"]["title"],
        version=document["info"]["version"],
        text=document["info"]["description"],
        chapters=[
            Chapter(name=name, text=text, entries=by_tag[name]) for name, text in texts.items()
        ],
        schemas=[
            _schema(name, told) for name, told in sorted(document["components"]["schemas"].items())
        ],
    )


def _entry(operation: Operation, hub_url: str) -> Entry:
    told = operation.told
    request = told.get("requestBody", {}).get("content", {}).get(JSON)
    answers = told["responses"]
    status, answer = operation.success
    return Entry(
        name=operation.name,
        method=operation.method.upper(),
        path=operation.path,
        summary=told["summary"],
        text=told.get("description", ""),
        needs=_needs(told["security"]),
        parameters=[_parameter(one) for one in told.get("parameters", ())],
        body=_body(JSON, request) if request else None,
        answer=Answer(
            status=status,
            text=answer["description"],
            bodies=[_body(media, one) for media, one in answer.get("content", {}).items()],
            headers=[
                Field(
                    name=name,
                    type=type_of(one["schema"]),
                    text=one["description"],
                    is_required=False,
                )
                for name, one in answer.get("headers", {}).items()
            ],
        ),
        problems=[
            (one, answers[one]["description"])
            for one in answers
            if one != status and not one.startswith("2")
        ],
        curl=curl_of(operation, hub_url),
    )


def _needs(security: Sequence[Mapping[str, Sequence[str]]]) -> str:
    scopes = [scope for scheme in security for names in scheme.values() for scope in names]
    if not scopes:
        return "no key"
    return f"a key of the scope {' or '.join(scopes)}"


def _parameter(told: Object) -> Field:
    return Field(
        name=told["name"],
        type=type_of(told["schema"]),
        text=told.get("description", ""),
        is_required=bool(told.get("required")),
        where=WHERE[told["in"]],
    )


def _body(media: str, told: Object) -> Body:
    example = told.get("example")
    written = json.dumps(example, indent=2, ensure_ascii=False) if example is not None else ""
    return Body(type=type_of(told.get("schema", {})), example=written, media=media)


def _schema(name: str, told: Object) -> Schema:
    # Of an answer all fields are there; of a body it is worth a word.
    is_body = told.get("additionalProperties") is False
    required = set(told.get("required", ())) if is_body else set()
    return Schema(
        name=name,
        text=told.get("description", ""),
        fields=[
            Field(
                name=key,
                type=type_of(field),
                text=field.get("description", ""),
                is_required=key in required,
            )
            for key, field in told.get("properties", {}).items()
        ],
        values=[str(value) for value in told.get("enum", ())],
    )


def type_of(schema: Object) -> Type:  # noqa: PLR0911 - one row for each sort of schema
    """Say in words what a schema takes."""
    if "$ref" in schema:
        return Type("", schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        real = [one for one in schema["anyOf"] if one.get("type") != "null"]
        inner = type_of(real[0]) if len(real) == 1 else Type("any of several")
        or_null = " or null" if len(real) < len(schema["anyOf"]) else ""
        return Type(inner.before, inner.schema, inner.after + or_null)
    if "enum" in schema:
        return Type("one of " + ", ".join(map(str, schema["enum"])))
    if "const" in schema:
        return Type(f"“{schema['const']}”")
    match str(schema.get("type", "")):
        case "array":
            inner = type_of(schema.get("items", {}))
            return Type(f"list of {inner.before}", inner.schema, inner.after)
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            inner = type_of(schema["additionalProperties"])
            return Type(f"object of {inner.before}", inner.schema, inner.after)
        case "string":
            return Type(_string(schema))
        case "integer" | "number":
            return Type(f"{schema['type']} {_bounds(schema)}".strip())
        case "":
            return Type("any JSON")
        case kind:
            return Type(kind)


def _string(schema: Object) -> str:
    form = schema.get("format")
    if form == "date-time":
        return "moment (RFC 3339)"
    if form == "binary":
        return "bytes"
    longest = schema.get("maxLength")
    return f"string, at most {longest:,} characters" if longest else "string"


def _bounds(schema: Object) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None:
        return ""
    is_open = high is None or high >= COUNT_MAX
    return f"from {low:,}" if is_open else f"{low:,} to {high:,}"


def curl_of(operation: Operation, hub_url: str) -> str:
    """Write a call with curl, as it could be made; the key is in $KEY."""
    path, headers = operation.path, []
    for parameter in operation.told.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter.get("example", "…")))
        elif parameter["name"] == "If-Match":
            headers.append("If-Match: *")
    words = ["curl", f"{hub_url}{path}"]
    if operation.method != "get":
        words[1:1] = ["-X", operation.method.upper()]
    line = shlex.join(words)
    if operation.told["security"]:
        line += ' \\\n  -H "Authorization: Bearer $KEY"'
    request = operation.told.get("requestBody", {}).get("content", {}).get(JSON)
    if request:
        headers.append("Content-Type: application/json")
    line += "".join(f" \\\n  -H {shlex.quote(header)}" for header in headers)
    if request:
        body = json.dumps(request["example"], ensure_ascii=False, indent=2)
        line += f" \\\n  -d {shlex.quote(body)}"
    return line
