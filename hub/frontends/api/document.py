"""The API's OpenAPI document (3.1.0): what the framework knows of the routes, completed by rule.

Which problems an operation answers with follows from what it takes; examples are made from the
schemas (`examples`); links say which operation takes what another one gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hub.core.answer import KEY_PATTERN
from hub.frontends.api.examples import Examples
from hub.frontends.api.field_words import FieldWords
from shared.api.problem import MEDIA_TYPE, FieldFault, Problem
from shared.kinds import Kind

Object = dict[str, Any]
"""A part of the document; its shape is OpenAPI's."""

DESCRIPTION = """\
Everything that a person may do with Deskhand, for programs: ask for work, follow it, answer what
it asks, look after computers, keys and webhooks. The dashboard and the command line use the same
services.

- **Keys** go in the header `Authorization: Bearer dh_…`. What a key may do is its scope; each
  operation says which it needs.
- **Errors** are problem documents (RFC 9457) with a stable `code`, what happened in `detail`, and
  the next step in `hint`.
- **Lists** are pages: `limit`, and `cursor` with the `next_cursor` of the page before.
- **Retries** harm nothing: any POST takes an `Idempotency-Key`. The same request under the same
  key gets the first answer for 24 hours, another request is refused.
- **Times** are RFC 3339 in UTC, ids are UUIDs (version 7) and sort by when they were made.
"""
TAGS: Mapping[str, str] = {
    "tasks": "What people ask for. A task has one job, or several that go on with it.",
    "jobs": "The steps of tasks: one kind of work, run by one computer.",
    "dead letters": "Jobs that ran out of tries, kept with their reasons until somebody decides.",
    "files": "What jobs wrote. A file stays on its computer until somebody asks for it; then the "
    "hub keeps it until it was sent, at most a day.",
    "questions": "What jobs ask, and the answers. The first answer counts, wherever it came from.",
    "sessions": "Working contexts on computers: follow-ups of a task go where its files are.",
    "schedules": "What is done again and again, and when; times where clocks change are kept.",
    "events": "What happened, in the hub's order; as a stream, or in pages.",
    "queue": "Work for programs that fetch it: claim, tell how it goes, say what came of it.",
    "fleet": "Nodes that run what the hub hands to its broker, and who starts and stops them.",
    "workers": "Computers that run jobs.",
    "pairing": "How computers and chat accounts come in: a code, two check words, a yes.",
    "people": "People of this hub.",
    "keys": "Keys of programs: told once, kept as a hash, limited by scope, rotated with overlap.",
    "webhooks": "Addresses that events are told to, signed as Standard Webhooks lay down.",
    "messages": "What was said about tasks, by people and by computers.",
    "status": "How the hub is.",
}
TITLES: Mapping[int, str] = {
    400: "The request cannot be read",
    401: "No key, or a wrong one",
    403: "The key may not do this",
    404: "There is no such thing, or it is somebody else's",
    409: "It stands in a way in which this cannot be done",
    410: "It was here, and is over",
    412: "It has changed since it was read",
    413: "The body is too large",
    422: "The request makes no sense; `errors` names the fields",
    428: "The header If-Match is missing",
    429: "A limit is reached; Retry-After says when to come back",
    503: "Something needed is not there now",
}
BEYOND: Mapping[str, tuple[int, ...]] = {
    "create_token": (404, 409, 410),
    "create_task": (404,),
    "list_tasks": (404,),
    "enqueue_job": (404,),
    "create_session": (404,),
    "create_invitation": (404,),
    "create_person": (409,),
    "list_events": (429,),
    "list_keys": (404,),
    "create_key": (404,),
    "unlock_own": (403,),
    "get_standing": (403,),
    "get_dead_letter": (409,),
}
"""Problems of an operation that no rule knows."""
WORKERS_OWN = frozenset({"unlock_own", "get_standing"})
"""Operations whose key is a worker's token."""
BINARY = frozenset({"get_file", "get_artifact"})
TAGS_PATTERN = r'^(\*|"[!#-~]*")$'
METHODS = ("get", "put", "post", "patch", "delete")
ID_PATTERN_NAME = re.compile(r"^[a-z_]+_id$")
ONCE: Object = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a retry harmless: the same request under it is answered, not repeated.",
    "schema": {"type": "string", "pattern": KEY_PATTERN},
    "example": "2f1c9d0e-5b7a-4c1e-9f0a-6d3b8e2a7c41",
}


class Operation(NamedTuple):
    path: str
    method: str
    told: Object

    @property
    def name(self) -> str:
        return str(self.told["operationId"])

    @property
    def success(self) -> tuple[str, Object]:
        """The status and description of the answer when all goes well."""
        status = next(s for s in self.told["responses"] if s.startswith("2"))
        return status, self.told["responses"][status]

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)


def completed(document: Object, kinds: Mapping[str, Kind]) -> Object:
    """Complete the framework's document, in place."""
    document["info"]["description"] = DESCRIPTION
    document["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _describe_problems(schemas)
    _describe_keys(document)
    _describe_kinds(schemas, kinds)
    _describe_fields(schemas)
    found = list(operations(document))
    used = {tag for operation in found for tag in operation.told["tags"]}
    document["tags"] = [{"name": n, "description": d} for n, d in TAGS.items() if n in used]
    for operation in found:
        _word(operation)
        _describe_parameters(operation)
        _describe_answers(operation)
    _link(found, schemas)
    Examples(schemas).add_to(document)
    return document


def operations(document: Object) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield Operation(path, method, methods[method])


def _describe_problems(schemas: Object) -> None:
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    problem.pop("$defs", None)
    schemas.update({"FieldFault": FieldFault.model_json_schema(), "Problem": problem})
    # The framework documents its own 422 body; ours is a problem like any other.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _describe_keys(document: Object) -> None:
    for scheme in document["components"].get("securitySchemes", {}).values():
        scheme["bearerFormat"] = "dh_<kind>_<id>_<secret>"
        scheme["description"] = (
            "A key. `dh_person_…` and `dh_admin_…` may do all that their person may; others do "
            "what their scope names: read, enqueue, enrol, worker, fleet."
        )


def _describe_fields(schemas: Object) -> None:
    words = FieldWords()
    for name, schema in schemas.items():
        for field, told in schema.get("properties", {}).items():
            if "description" not in told and (said := words.of(name, field)):
                told["description"] = said


def _describe_kinds(schemas: Object, kinds: Mapping[str, Kind]) -> None:
    """Say which kinds of jobs this hub knows."""
    for name in ("NewTask", "NewFollowUp"):
        kind = schemas[name]["properties"]["kind"]
        kind["enum"] = sorted(kinds)
        lines = [f"- `{one.name}`: {one.summary}" for one in kinds.values()]
        kind["description"] = "\n".join(["What is to be done.", "", *lines])
        if not set(kind["examples"]) & set(kinds):
            schemas[name]["properties"]["inputs"]["examples"] = [{}]
        kind["examples"] = [known for known in kind["examples"] if known in kinds] or [min(kinds)]


def _word(operation: Operation) -> None:
    """The first sentence of a route's text is its summary."""
    told = operation.told
    text = str(told.get("description", "")).strip()
    first, _, rest = text.partition("\n\n")
    summary, dot, more = " ".join(first.split()).partition(". ")
    told["summary"] = summary.rstrip(".")
    told["description"] = "\n\n".join(part for part in (more if dot else "", rest) if part)
    if not told["description"]:
        del told["description"]


def _describe_parameters(operation: Operation) -> None:
    told = operation.told
    parameters = [p for p in told.get("parameters", []) if p["name"].lower() != "authorization"]
    if operation.name in WORKERS_OWN:
        told["security"] = [{"HTTPBearer": ["worker"]}]
    told.setdefault("security", [])
    for parameter in parameters:
        schema = parameter["schema"]
        if "description" in schema:
            parameter.setdefault("description", schema.pop("description"))
        if parameter["name"] == "If-Match":
            # Without it the answer is 428, which the framework would not know of.
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "pattern": TAGS_PATTERN}
    if operation.method == "post" and operation.success[0] in ("201", "202") and told["security"]:
        parameters = [p for p in parameters if p["name"].lower() != "idempotency-key"]
        parameters.append(ONCE)
    told["parameters"] = parameters
    if not parameters:
        del told["parameters"]


def _describe_answers(operation: Operation) -> None:
    told, (status, answer) = operation.told, operation.success
    answers = {s: r for s, r in told["responses"].items() if not s.startswith(("4", "5"))}
    answer["description"] = {"201": "Made", "202": "Taken", "204": "Done"}.get(status, "As asked")
    if operation.name in BINARY:
        answer["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    if operation.name == "list_events":
        answer["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    if operation.name == "get_job_log":
        answer["content"]["text/plain"] = {"schema": {"type": "string"}}
    headers = _headers(operation)
    if headers:
        answer["headers"] = headers
    for problem in sorted(_problems(operation)):
        answers[str(problem)] = _problem(problem)
    told["responses"] = answers


def _headers(operation: Operation) -> Object:
    told: Object = {}
    if operation.success[0] == "201" and operation.name in LOCATED:
        told["Location"] = _header("Where what was made can be looked at.", "uri-reference")
    if operation.name in ("get_task", "update_task", "get_webhook", "update_webhook"):
        told["ETag"] = _header("The version that a change is decided on.")
    return told


LOCATED = frozenset(
    {
        "create_task",
        "enqueue_job",
        "create_job",
        "create_session",
        "create_schedule",
        "create_webhook",
        "register_worker",
    }
)


def _header(description: str, form: str = "") -> Object:
    schema = {"type": "string", **({"format": form} if form else {})}
    return {"description": description, "required": True, "schema": schema}


def _problem(status: int) -> Object:
    told: Object = {
        "description": TITLES[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == 429:
        wait = {"type": "integer", "minimum": 1}
        told["headers"] = {
            "Retry-After": {"description": "Seconds.", "required": True, "schema": wait}
        }
    if status == 401:
        told["headers"] = {"WWW-Authenticate": _header("How to prove who one is.")}
    return told


def _problems(operation: Operation) -> set[int]:
    """Which problems an operation can answer with."""
    told, method = operation.told, operation.method
    names = {p["name"].lower() for p in told.get("parameters", [])}
    found = {503, *BEYOND.get(operation.name, ())}
    if told["security"]:
        found |= {401, 403}
    if "requestBody" in told:
        found |= {400, 413, 422}
    if names:
        found.add(422)
    if operation.path_names:
        found.add(404)
    if method in ("post", "patch", "delete") and operation.path_names:
        found.add(409)
    if method == "post":
        found |= {409, 429} if told["security"] else {429}
    if "idempotency-key" in names:
        found |= {409, 422}
    if "if-match" in names:
        found |= {412, 428}
    return found


def _link(found: list[Operation], schemas: Object) -> None:
    """Say which operation takes the ids that another one gives."""
    takers = [
        (operation.path_names[0], operation)
        for operation in found
        if len(operation.path_names) == 1 and ID_PATTERN_NAME.match(operation.path_names[0])
    ]
    for operation in found:
        status, answer = operation.success
        if operation.method != "post" or status == "204" or "json" not in str(answer):
            continue
        given = _properties(answer["content"]["application/json"]["schema"], schemas)
        links = {
            taker.name: {
                "operationId": taker.name,
                "parameters": {name: f"$response.body#/{name}"},
            }
            for name, taker in takers
            if name in given and taker is not operation
        }
        if links:
            answer["links"] = links


def _properties(schema: Object, schemas: Object) -> Object:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: Object = schemas.get(name, schema).get("properties", {})
    return found
