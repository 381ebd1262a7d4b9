"""Makes the inputs of a step's job of what the plan says and what steps before it gave.

Values are typed as the kind's inputs are. What is too long is cut and told; a file is "#" and the
id of the job that wrote it. What a plan may not fill is filled by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from desktop.core.plan.input_shape import InputShape, shapes_of
from shared.errors import BadInput
from shared.kinds import JsonObject, Kind, parse_inputs
from shared.plan import OutputType, Step, StepEnded

CUT_MARK = "\n[… cut here: it was longer than fits]"
RETRY_NOTE = "\n\nAn earlier try was not good enough: "
RETRY_CHARS_MAX = 600
JSON_CHARS_MAX = 60_000
"""Of an output of type json or text that is kept for other steps."""
TEXT_CHARS_MAX = 100_000
URLS_MAX = 50

Outputs = Mapping[str, Mapping[str, JsonValue]]
"""By id of the step and name of the output."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a step's job is asked for with."""

    inputs: JsonObject
    cuts: tuple[str, ...] = ()
    """Names of inputs that were longer than fits."""


def bound(
    step: Step,
    kind: Kind,
    outputs: Outputs,
    *,
    is_local: bool = False,
    model: str = "",
    errors: Sequence[str] = (),
) -> Bound:
    """Fill the inputs of a step's job.

    Args:
        step: of a plan without faults.
        kind: its capability.
        outputs: of the steps that are done.
        is_local: no model that is not local may be used; passed on to kinds that use one.
        model: the plan's own; passed on to kinds that take one, if a person named it.
        errors: why earlier tries of the step failed; the last one goes into its instructions.

    Raises:
        BadInput: `step_inputs_invalid`, with what does not fit.
    """
    face = kind.planned
    assert face is not None, f"{kind.name} is no step"
    shapes = shapes_of(kind)
    texts: dict[str, list[JsonValue]] = {}
    for one in step.inputs:
        told = outputs.get(one.from_step or "", {}).get(one.from_output or "")
        value = told if one.from_step is not None else one.value
        if value is not None:
            texts.setdefault(one.name, []).append(value)
    if face.words and step.instructions.strip():
        texts.setdefault(face.words, []).insert(0, step.instructions + _retry_note(errors))
    cuts: list[str] = []
    inputs: JsonObject = {}
    for name, values in texts.items():
        inputs[name] = _filled(shapes[name], name, values, cuts)
    fields = kind.inputs.model_fields
    if is_local and face.uses_model and "local" in fields:
        inputs["local"] = True
    if model and face.uses_model and "model" in fields and "model" not in inputs:
        inputs["model"] = model
    return Bound(_checked(kind, step, inputs), tuple(cuts))


def outputs_of(kind: Kind, end: StepEnded) -> dict[str, JsonValue]:
    """Read all that a kind gives from the result of its job, by name; bounded."""
    face = kind.planned
    told = end.output or {}
    if face is None or end.state != "succeeded":
        return {}
    return {name: _output(told.get(name), kind_of, end) for name, kind_of in face.gives.items()}


def _output(told: object, type_: OutputType, end: StepEnded) -> JsonValue:
    match type_:
        case OutputType.TEXT:
            return told[:TEXT_CHARS_MAX] if isinstance(told, str) else ""
        case OutputType.FILE:
            return f"#{end.job_id}" if told else ""
        case OutputType.URL_LIST:
            listed = told if isinstance(told, list | tuple) else []
            urls: list[JsonValue] = [url for url in listed if isinstance(url, str)]
            return urls[:URLS_MAX]
        case OutputType.JSON:
            return _json(told)


def _json(told: object) -> JsonValue:
    try:
        text = json.dumps(told, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    if len(text) > JSON_CHARS_MAX:
        return text[:JSON_CHARS_MAX]
    value: JsonValue = json.loads(text)
    return value


def _retry_note(errors: Sequence[str]) -> str:
    return RETRY_NOTE + errors[-1][:RETRY_CHARS_MAX] if errors else ""


def _filled(shape: InputShape, name: str, values: list[JsonValue], cuts: list[str]) -> JsonValue:
    if shape.is_text or shape.is_list:
        joined = "\n\n".join(text_of(value) for value in values)
        if shape.chars_max and len(joined) > shape.chars_max:
            cuts.append(name)
            joined = joined[: max(0, shape.chars_max - len(CUT_MARK))] + CUT_MARK
        return joined
    last = values[-1]
    return last.strip() if isinstance(last, str) else last


def text_of(value: JsonValue) -> str:
    """Write an output as text: as it is, addresses one a line, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(str(one) for one in value)
    return json.dumps(value, ensure_ascii=False, indent=1)


def _checked(kind: Kind, step: Step, inputs: JsonObject) -> JsonObject:
    try:
        parse_inputs(kind, inputs)
    except BadInput as error:
        raise BadInput(
            "step_inputs_invalid", f"'{step.title}': {error.message}", error.hint
        ) from None
    return inputs
