"""The JSON schema that models write plans in: what all providers' structured outputs take.

Every field is required, nothing more is allowed, null stands for what is left out, nothing refers
to anything, so nothing recurs. What may be named (kinds, permissions) is what there is now.
Bounds stand in words, because most providers refuse them as schema words; `reading` checks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from desktop.core.plan.scope import Scope
from shared.kinds import JsonObject
from shared.plan import (
    ASSUMPTIONS_MAX,
    CRITERIA_MAX,
    QUESTIONS_MAX,
    STEPS_MAX,
    CriterionKind,
    OutputType,
    Permission,
)

NAME_HELP = "lower case, digits and _, at most 32 characters"
TEXT_CHARS_MAX = 600
"""Of one text, where a server makes a grammar of the schema; more make it large."""
NEW_IDS_MAX = 8
"""Steps that a bounded schema has names for."""
TOKENS: tuple[JsonValue, ...] = (0, 1000, 4000, 16_000, 64_000)
SECONDS: tuple[JsonValue, ...] = (60, 300, 900, 3600)
ATTEMPTS: tuple[JsonValue, ...] = (1, 2, 3)
"""Numbers that a bounded schema lets a model choose from."""
LIST_MAX = 4
"""Of inputs, outputs, criteria and assumptions, by a bounded schema."""


def reply_schema(
    scope: Scope, *, may_clarify: bool = True, text_chars_max: int = 0, steps_max: int = NEW_IDS_MAX
) -> JsonObject:
    """Return the schema of a reply: {"reply": a plan, or questions}.

    Args:
        scope: what is offered and allowed.
        may_clarify: whether questions may be asked still; they are asked once.
        text_chars_max: of one text; with it the schema has an end for each list, too, and the
            names that there are. Servers that make a grammar of it (llama.cpp, Ollama, vLLM) hold
            small models to it; providers refuse it. 0 for a schema without bounds.
        steps_max: of a bounded schema.
    """
    words = _Words(scope, text_chars_max, steps_max)
    replies: list[JsonValue] = [words.plan(), words.clarify()]
    reply: JsonValue = {"anyOf": replies} if may_clarify else replies[0]
    return _object({"reply": reply})


def _object(properties: Mapping[str, JsonValue]) -> JsonObject:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _enum(words: Iterable[str]) -> JsonObject:
    return {"type": "string", "enum": [str(word) for word in words]}


class _Words:
    """The parts of the schema, with the words there are now."""

    def __init__(self, scope: Scope, text_chars_max: int, steps_max: int) -> None:
        self._scope = scope
        self._chars_max = text_chars_max
        faces = [face for name in scope.offered if (face := scope.face(name)) is not None]
        self._takes = sorted({name for face in faces for name in face.takes})
        self._gives = sorted({name for face in faces for name in face.gives})
        numbers = range(1, steps_max + len(scope.done) + 1)
        free = [name for number in numbers if (name := f"s{number}") not in scope.done]
        self._new = tuple(free[:steps_max])
        self._ids = (*self._new, *sorted(scope.done))

    def plan(self) -> JsonObject:
        return _object(
            {
                "type": _enum(["plan"]),
                "goal": self._text("What is to be achieved, in one or two sentences."),
                "assumptions": self._list(self._text(), f"At most {ASSUMPTIONS_MAX}."),
                "steps": self._list(
                    self._step(),
                    f"1 to {STEPS_MAX}; each runs after what it depends on.",
                    1,
                    len(self._new),
                ),
                "final": self._name(self._ids, "id of the step that the answer is made of."),
            }
        )

    def clarify(self) -> JsonObject:
        question = _object(
            {
                "text": self._text(),
                "choices": self._list(self._text(), "At most 8; empty for a free answer."),
                "default": self._nullable(self._text("What is taken when nobody answers.")),
            }
        )
        return _object(
            {
                "type": _enum(["clarify"]),
                "questions": self._list(
                    question,
                    f"1 to {QUESTIONS_MAX}, only what cannot be assumed.",
                    1,
                    QUESTIONS_MAX,
                ),
                "why": self._text("Why no plan can be made without."),
            }
        )

    def _step(self) -> JsonObject:
        allowed = [one for one in Permission if one.rank <= self._scope.cap.rank]
        criterion = _object({"kind": _enum(CriterionKind), "arg": self._text("May be empty.")})
        return _object(
            {
                "id": self._name(self._new, NAME_HELP),
                "title": self._text("A few words for people."),
                "capability": _enum(self._scope.offered),
                "instructions": self._text("All that whoever does the step has to know."),
                "inputs": self._list(self._input()),
                "depends_on": self._list(
                    self._name(self._ids), "ids of steps that have to be done before."
                ),
                "outputs": self._list(self._output(), "Those of the capability that are needed."),
                "success_criteria": self._list(criterion, f"1 to {CRITERIA_MAX}.", 1),
                "permission": _enum(allowed),
                "est_tokens": self._number(
                    TOKENS, "Tokens that models will read and write for it."
                ),
                "max_seconds": self._number(SECONDS, "1 to 86400."),
                "max_attempts": self._number(ATTEMPTS, "1 to 3."),
            }
        )

    def _input(self) -> JsonObject:
        return _object(
            {
                "name": self._name(self._takes, "An input of the capability."),
                "value": self._nullable(
                    self._text("Its value, or null when it comes from a step.")
                ),
                "from_step": self._nullable(
                    self._name(self._ids, "id of a step in depends_on, or null.")
                ),
                "from_output": self._nullable(
                    self._name(self._gives, "An output of that step, or null.")
                ),
            }
        )

    def _output(self) -> JsonObject:
        return _object({"name": self._name(self._gives), "type": _enum(OutputType)})

    def _name(self, words: Sequence[str], text: str = "") -> JsonObject:
        if self._chars_max and words:
            return _enum(words)
        return _described({"type": "string"}, text)

    def _text(self, text: str = "") -> JsonObject:
        bound: JsonObject = {"maxLength": self._chars_max} if self._chars_max else {}
        return _described(bound | {"type": "string"}, text)

    def _list(
        self, items: JsonObject, text: str = "", least: int = 0, most: int = LIST_MAX
    ) -> JsonObject:
        bound: JsonObject = {"minItems": least, "maxItems": most} if self._chars_max else {}
        return _described(bound | {"type": "array", "items": items}, text)

    def _number(self, numbers: Sequence[JsonValue], text: str) -> JsonObject:
        if self._chars_max:
            return {"enum": list(numbers)}  # bounds of whole numbers make grammars large
        return _described({"type": "integer"}, text)

    def _nullable(self, schema: JsonObject) -> JsonObject:
        return {"anyOf": [schema, {"type": "null"}]}


def _described(schema: JsonObject, text: str) -> JsonObject:
    return schema | {"description": text} if text else schema
