"""Examples for every body of the API: made from the schemas, with the words of one small story.

Anna has trained a model on her sales. A field that says its own example keeps it; any other gets
one by its name, or else by its type, so that every example is valid where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.frontends.api import story
from shared.api.parts import ID

Object = dict[str, Any]
DEPTH_MAX = 8
JSON = "application/json"


class Examples:
    """Makes examples out of the schemas of one document."""

    def __init__(self, schemas: Object) -> None:
        self._schemas = schemas

    def add_to(self, document: Object) -> None:
        """Give each body and each parameter of the document an example that has none."""
        for methods in document["paths"].values():
            for told in methods.values():
                if "requestBody" in told:
                    self._add(told["requestBody"]["content"].get(JSON))
                for status, answer in told["responses"].items():
                    content = answer.get("content", {})
                    if status.startswith("2"):
                        self._add(content.get(JSON))
                    for media in content.values():
                        if "Problem" in str(media.get("schema")):
                            media["example"] = story.PROBLEMS[int(status)]
                for parameter in told.get("parameters", ()):
                    self._add_to_parameter(parameter)

    def _add(self, media: Object | None) -> None:
        if media is not None and "example" not in media and "examples" not in media:
            media["example"] = self.of(media["schema"])

    def _add_to_parameter(self, parameter: Object) -> None:
        if "example" in parameter or "examples" in parameter or not parameter.get("required"):
            return
        parameter["example"] = self.of(parameter["schema"], parameter["name"])

    def of(self, schema: Object, name: str = "", depth: int = 0) -> object:
        """Make a value that fits a schema.

        Args:
            schema: as it stands in the document.
            name: of the field ("Model.field" within a model), for what it is likely to hold.
            depth: how deep it stands.
        """
        if depth > DEPTH_MAX:
            return None
        if "$ref" in schema:
            return self.of(self._schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        for told in ("example", "const"):
            if told in schema:
                return schema[told]
        if schema.get("examples"):
            return schema["examples"][0]
        known = story.VALUES.get(name, story.VALUES.get(_field(name)))
        if "anyOf" in schema:
            return self._of_any(schema["anyOf"], name, depth)
        if "enum" in schema:
            return known if known in schema["enum"] else schema["enum"][0]
        if known is not None and _is_of(known, schema):
            return known
        return self._of_type(schema, name, depth)

    def _of_any(self, choices: list[Object], name: str, depth: int) -> object:
        """The first choice that holds something, unless the story says that there is nothing."""
        real = [choice for choice in choices if choice.get("type") != "null"]
        if _field(name) in story.ABSENT and len(real) < len(choices):
            return None
        return self.of(real[0], name, depth) if real else None

    def _of_type(self, schema: Object, name: str, depth: int) -> object:
        match schema.get("type"):
            case "object" if "properties" in schema:
                return {
                    key: self.of(field, f"{schema.get('title', '')}.{key}", depth + 1)
                    for key, field in schema["properties"].items()
                }
            case "object":
                return self._mapping(schema, depth)
            case "array":
                return [self.of(schema.get("items", {}), name, depth + 1)]
            case "string":
                return _text(schema, name)
            case "integer" | "number":
                return schema.get("default", schema.get("minimum", 0))
            case "boolean":
                return schema.get("default", False)
            case _:
                return {}

    def _mapping(self, schema: Object, depth: int) -> object:
        keys = schema.get("propertyNames", {})
        values = schema.get("additionalProperties")
        if not isinstance(values, dict):
            return {}
        key = self.of(keys, "", depth + 1) if keys else "name"
        return {str(key): self.of(values, "", depth + 1)}


def _field(name: str) -> str:
    return name.rpartition(".")[2]


def _is_of(value: object, schema: Object) -> bool:
    types: Mapping[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "object": dict,
        "array": list,
    }
    wanted = types.get(str(schema.get("type")))
    if isinstance(value, list) and value and "$ref" in schema.get("items", {}):
        return False
    return wanted is not None and isinstance(value, wanted)


def _text(schema: Object, name: str) -> str:
    name = _field(name)
    if schema.get("pattern") == ID or name.endswith("_id"):
        return story.ANY_ID
    if schema.get("format") == "date-time":
        return story.MOMENT
    return str(schema.get("default", name.replace("_", " ")))
