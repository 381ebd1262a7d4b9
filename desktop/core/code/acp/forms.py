"""An agent's form as questions for a person, one for each field, and their answers as its content.

Agents put an optional free text after a choice, for an answer that is none of the options; the two
are one question here. Source: ACP v1, "Elicitation" (the flat schemas of MCP 2026-07-28).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from desktop.core.code.acp.events import FieldType, FormField
from desktop.core.code.human_question import AGENT_ASKS
from shared.kinds import JsonObject
from shared.plain_text import plain, plain_line
from shared.questions import CHOICES_MAX, TEXT_CHARS_MAX, Asking, Choice, QuestionKind

LABEL_CHARS_MAX = 200
ANSWERS_MAX = 3
"""How often one field is asked for before the form is declined."""
SKIPPED = ""
"""The answer of somebody who leaves a field open."""
AGREED, REFUSED = "yes", "no"


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """What one field wants to know."""

    field: FormField
    asking: Asking
    other: str = ""
    """The field that takes an answer that is none of the options; empty when there is none."""


def questions_of(
    message: str, fields: Sequence[FormField], *, nth: int
) -> tuple[FormQuestion, ...]:
    """Make the questions of a form.

    Args:
        message: what the agent says above it.
        fields: those of the form; none makes one question, whether the person agrees.
        nth: how often this form was shown in this attempt, from 0.
    """
    if not fields:
        return (_agreement(message, nth),)
    questions: list[FormQuestion] = []
    rest = list(fields)
    while rest:
        field = rest.pop(0)
        other = rest.pop(0).name if rest and _is_other(field, rest[0]) else ""
        is_alone = not questions and not rest
        questions.append(_question(message, field, other, nth, is_alone=is_alone))
    return tuple(questions)


def content_of(question: FormQuestion, answer: str) -> JsonObject | None:
    """Turn an answer into this question's part of the content; None when it does not fit."""
    field = question.field
    if answer == SKIPPED and not field.is_required:
        return {}
    value = _value_of(field, answer)
    if value is not None:
        return {field.name: value}
    return {question.other: answer} if question.other else None


def again(question: FormQuestion, tries: int) -> Asking:
    """Ask the same once more, after an answer that does not fit."""
    asking = question.asking
    text = f"That does not fit. {asking.text}"[:TEXT_CHARS_MAX]
    return asking.model_copy(update={"key": f"{asking.key}:{tries}", "text": text})


def key_of(kind: str, *facts: JsonValue, nth: int) -> str:
    """Name a question by what is asked, so that a resumed agent that asks again is answered."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
    return f"{kind}:{digest}:{nth}"


def _is_other(field: FormField, following: FormField) -> bool:
    return (
        field.type in (FieldType.CHOICE, FieldType.CHOICES)
        and following.type is FieldType.TEXT
        and not following.is_required
        and following.default is None
        and following.name.startswith(field.name)
    )


def _agreement(message: str, nth: int) -> FormQuestion:
    asking = Asking(
        key=key_of("form", message, nth=nth),
        kind=QuestionKind.CLARIFICATION,  # it allows nothing, whatever it says
        text=_text(message or "May it go on?"),
        choices=(Choice(value=AGREED, label="Yes"), Choice(value=REFUSED, label="No")),
        default=REFUSED,
    )
    return FormQuestion(FormField(name="", type=FieldType.YES_NO, is_required=True), asking)


def _question(
    message: str, field: FormField, other: str, nth: int, *, is_alone: bool
) -> FormQuestion:
    choices = _choices_of(field)
    asking = Asking(
        key=key_of("form", message, field.name, [o.value for o in field.options], nth=nth),
        kind=QuestionKind.CLARIFICATION,
        text=_words_of(message, field, is_alone=is_alone),
        choices=choices,
        allow_text=bool(other) or field.type not in (FieldType.CHOICE, FieldType.YES_NO),
        default=_default_of(field),
    )
    return FormQuestion(field, asking, other)


def _words_of(message: str, field: FormField, *, is_alone: bool) -> str:
    own = field.description or field.title or field.name
    # The only field of a form mostly has a heading alone; the question is the message.
    parts = [message, field.description] if is_alone and message else [message, own]
    if field.type is FieldType.CHOICES:
        parts.append("Several may be named, with commas between them.")
    return _text("\n".join(dict.fromkeys(part for part in parts if part)) or "?")


def _text(words: str) -> str:
    return f"{AGENT_ASKS}{plain(words).strip()}"[:TEXT_CHARS_MAX]


def _choices_of(field: FormField) -> tuple[Choice, ...]:
    if field.type is FieldType.YES_NO:
        choices = [Choice(value=AGREED, label="Yes"), Choice(value=REFUSED, label="No")]
    else:
        choices = [
            Choice(value=option.value[:TEXT_CHARS_MAX], label=_label(option.label))
            for option in field.options[: CHOICES_MAX - 1]
        ]
    if not field.is_required:
        choices.append(Choice(value=SKIPPED, label="Leave it open"))
    return tuple(choices)


def _label(words: str) -> str:
    return plain_line(words)[:LABEL_CHARS_MAX] or "…"


def _default_of(field: FormField) -> str | None:
    match field.default:
        case bool(is_yes):
            return AGREED if is_yes else REFUSED
        case str(words) if _value_of(field, words) is not None:
            return words[:TEXT_CHARS_MAX]
        case int() | float() as number:
            return str(number)
        case list(values) if field.type is FieldType.CHOICES:
            words = ", ".join(str(value) for value in values)
            return words if _value_of(field, words) else None
        case _:
            return None


def _value_of(field: FormField, answer: str) -> JsonValue:
    """Read an answer as the field wants it; None when it does not fit."""
    match field.type:
        case FieldType.TEXT:
            return answer
        case FieldType.CHOICE:
            return _option_of(field, answer)
        case FieldType.CHOICES:
            whole = _option_of(field, answer)
            parts = [answer] if whole else answer.split(",")
            found = [_option_of(field, part.strip()) for part in parts]
            return [value for value in found if value] if all(found) else None
        case FieldType.INTEGER | FieldType.NUMBER:
            return _number_of(answer, is_whole=field.type is FieldType.INTEGER)
        case FieldType.YES_NO:
            return {AGREED: True, REFUSED: False}.get(answer.strip().casefold())
        case FieldType.STRANGE:
            return None


def _option_of(field: FormField, answer: str) -> str | None:
    folded = answer.casefold()
    for option in field.options:
        if answer == option.value[:TEXT_CHARS_MAX] or folded == _label(option.label).casefold():
            return option.value
    place = int(answer) if answer.isdecimal() and len(answer) < 4 else 0
    return field.options[place - 1].value if 1 <= place <= len(field.options) else None


def _number_of(answer: str, *, is_whole: bool) -> JsonValue:
    try:
        number = int(answer) if is_whole else float(answer)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
