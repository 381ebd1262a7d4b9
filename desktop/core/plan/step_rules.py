"""What one step of a plan has to keep: its kind, its inputs and outputs, its success criteria."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from desktop.core.plan import json_shape, pattern
from desktop.core.plan.fault import Fault, Rule
from desktop.core.plan.input_shape import InputShape, shapes_of
from desktop.core.plan.scope import Scope
from shared.plan import Criterion, CriterionKind, OutputType, PlanFace, Step, StepInput

NAMES_SHOWN_MAX = 24


def step_faults(step: Step, by_id: Mapping[str, Step], scope: Scope) -> Iterator[Fault]:
    """Say what is wrong with a settled step, beside its place among the others."""
    face = scope.face(step.capability)
    if face is None:
        offered = ", ".join(scope.offered[:NAMES_SHOWN_MAX]) or "nothing"
        yield Fault(
            Rule.CAPABILITY_UNKNOWN,
            step.id,
            f"No computer of this person's offers '{step.capability}' now; there is: {offered}.",
        )
        return
    yield from _kind_faults(step, face, scope)
    yield from _output_faults(step, face)
    yield from _inputs_faults(step, face, by_id, scope)
    for criterion in step.success_criteria:
        why = _criterion_fault(criterion, step, scope)
        if why:
            yield Fault(Rule.CRITERION, step.id, f"Criterion {criterion.kind}: {why}")


def _kind_faults(step: Step, face: PlanFace, scope: Scope) -> Iterator[Fault]:
    if not step.title:
        yield Fault(Rule.TEXT_EMPTY, step.id, "The title is empty; say what the step does.")
    if step.permission.rank > scope.cap.rank:
        yield Fault(
            Rule.PERMISSION_ABOVE,
            step.id,
            f"It needs the permission {step.permission}; {scope.cap} is the most that is allowed "
            "here. Do without it.",
        )
    fields = scope.kinds[step.capability].inputs.model_fields
    if scope.is_local and face.uses_model and "local" not in fields:
        yield Fault(
            Rule.NOT_LOCAL,
            step.id,
            f"{step.capability} cannot be held to local models, and this task has to stay local.",
        )
    if face.words and not step.instructions.strip() and not _fills(step, face.words):
        yield Fault(
            Rule.INSTRUCTIONS_MISSING,
            step.id,
            f"{step.capability} does what its instructions say, and there are none; write them.",
        )


def _fills(step: Step, name: str) -> bool:
    return any(one.name == name for one in step.inputs)


def _output_faults(step: Step, face: PlanFace) -> Iterator[Fault]:
    gives = ", ".join(f"{name} ({type_})" for name, type_ in face.gives.items()) or "nothing"
    for name, count in Counter(one.name for one in step.outputs).items():
        if count > 1:
            yield Fault(Rule.OUTPUT_TWICE, step.id, f"Output '{name}' stands twice; name it once.")
    for one in step.outputs:
        if one.name not in face.gives:
            yield Fault(
                Rule.OUTPUT_UNKNOWN,
                step.id,
                f"{step.capability} gives no '{one.name}'; it gives {gives}.",
            )
        elif one.type is not face.gives[one.name]:
            yield Fault(
                Rule.OUTPUT_TYPE,
                step.id,
                f"Output '{one.name}' is of type {face.gives[one.name]}, not {one.type}.",
            )


def _inputs_faults(
    step: Step, face: PlanFace, by_id: Mapping[str, Step], scope: Scope
) -> Iterator[Fault]:
    shapes = shapes_of(scope.kinds[step.capability])
    takes = ", ".join(face.takes) or "none"
    for name, count in Counter(one.name for one in step.inputs).items():
        if count > 1 and name not in face.joins:
            yield Fault(
                Rule.INPUT_TWICE, step.id, f"Input '{name}' takes one value and has {count}."
            )
    for one in step.inputs:
        if one.name not in face.takes or one.name not in shapes:
            yield Fault(
                Rule.INPUT_UNKNOWN,
                step.id,
                f"{step.capability} takes no input '{one.name}' from a plan; it takes: {takes}.",
            )
        elif (one.value is None) is (one.from_step is None and one.from_output is None):
            yield Fault(
                Rule.INPUT_SOURCE,
                step.id,
                f"Input '{one.name}' needs either a value, or both from_step and from_output; "
                "set the others to null.",
            )
        elif one.value is None and one.name in face.named:
            yield Fault(
                Rule.INPUT_SOURCE,
                step.id,
                f"Input '{one.name}' has to be named in the plan itself, for its person to see; "
                "give a value.",
            )
        elif one.value is not None:
            yield from _value_faults(one, step, one.value, shapes[one.name])
        else:
            yield from _link_faults(one, step, face, by_id, scope)


def _value_faults(one: StepInput, step: Step, value: str, shape: InputShape) -> Iterator[Fault]:
    why = ""
    if shape.choices and value.strip() not in shape.choices:
        why = f"has to be one of {', '.join(shape.choices[:NAMES_SHOWN_MAX])}"
    elif shape.sort == "number" and not _is_number(value):
        why = "has to be a number"
    elif shape.sort == "bool" and value.strip().lower() not in {"true", "false"}:
        why = "has to be true or false"
    elif shape.chars_max and len(value) > shape.chars_max:
        why = f"may have {shape.chars_max:,} characters"
    if why:
        yield Fault(Rule.INPUT_VALUE, step.id, f"Input '{one.name}' {why}.")


def _is_number(value: str) -> bool:
    try:
        return abs(float(value)) < 1e15
    except ValueError:
        return False


def _link_faults(
    one: StepInput, step: Step, face: PlanFace, by_id: Mapping[str, Step], scope: Scope
) -> Iterator[Fault]:
    source = by_id.get(one.from_step or "")
    if source is None or one.from_output is None:
        yield Fault(
            Rule.INPUT_FROM_UNKNOWN,
            step.id,
            f"Input '{one.name}' is from '{one.from_step}', output '{one.from_output}'; there is "
            "no such step or output.",
        )
        return
    if source.id not in step.depends_on:
        yield Fault(
            Rule.INPUT_FROM_NOT_AWAITED,
            step.id,
            f"Input '{one.name}' is from '{source.id}', which is not in depends_on; add it.",
        )
    source_face = scope.face(source.capability) or _face_of(source, scope)
    type_ = source_face.gives.get(one.from_output) if source_face else None
    if type_ is None or not _is_told(source, one.from_output, scope):
        named = ", ".join(output.name for output in source.outputs) or "none"
        yield Fault(
            Rule.INPUT_FROM_UNKNOWN,
            step.id,
            f"'{source.id}' has no output '{one.from_output}'; its outputs are: {named}.",
        )
        return
    yield from _type_faults(one, type_, step, source, face, scope)


def _face_of(source: Step, scope: Scope) -> PlanFace | None:
    """Of a step that is done, and whose kind may be offered by nobody any more."""
    kind = scope.kinds.get(source.capability)
    return kind.planned if kind is not None and source.id in scope.done else None


def _is_told(source: Step, name: str, scope: Scope) -> bool:
    return source.id in scope.done or any(output.name == name for output in source.outputs)


def _type_faults(
    one: StepInput, type_: OutputType, step: Step, source: Step, face: PlanFace, scope: Scope
) -> Iterator[Fault]:
    takes_file = one.name in face.files
    if takes_file is not (type_ is OutputType.FILE):
        wanted = "a file" if takes_file else "a text"
        yield Fault(
            Rule.INPUT_TYPE,
            step.id,
            f"Input '{one.name}' takes {wanted}, and '{one.from_output}' of '{source.id}' is of "
            f"type {type_}; use an output of another type, or give a value.",
        )
    elif takes_file and (scope.where(source.capability) or scope.where(step.capability)):
        yield Fault(
            Rule.FILE_ELSEWHERE,
            step.id,
            f"'{source.id}' and this step would run on different computers, and files stay where "
            "they are; hand on a text.",
        )


def _criterion_fault(criterion: Criterion, step: Step, scope: Scope) -> str:
    """Say why a criterion cannot be used; empty when it can."""
    return _CHECKS[criterion.kind](criterion.arg, step, scope)


def _names_output(arg: str, step: Step, _: Scope) -> str:
    if arg and all(one.name != arg for one in step.outputs):
        return f"'{arg[:100]}' is no output of the step; name one, or leave arg empty."
    return ""


def _names_file(arg: str, step: Step, scope: Scope) -> str:
    if arg and (why := _names_output(arg, step, scope)):
        return why
    names = [one.name for one in step.outputs if one.type is OutputType.FILE]
    if not names or (arg and arg not in names):
        return "the step has no such output of type file; use another criterion."
    return ""


def _searches(arg: str, step: Step, _: Scope) -> str:
    if all(one.type is not OutputType.TEXT for one in step.outputs):
        return "the step has no output of type text to search in."
    why = pattern.fault(arg)
    return f"its pattern cannot be used: {why}." if why else ""


def _describes(arg: str, step: Step, _: Scope) -> str:
    if all(one.type is not OutputType.JSON for one in step.outputs):
        return "the step has no output of type json."
    why = json_shape.schema_fault(arg)
    return f"its schema cannot be used: {why}." if why else ""


def _has_tests(_arg: str, step: Step, scope: Scope) -> str:
    if "tests_after" not in scope.kinds[step.capability].output.model_fields:
        return f"{step.capability} runs no tests; use another criterion."
    return ""


def _asks(arg: str, _step: Step, _scope: Scope) -> str:
    return "" if arg.strip() else "arg has to be the question."


_CHECKS: Mapping[CriterionKind, Callable[[str, Step, Scope], str]] = {
    CriterionKind.NONEMPTY: _names_output,
    CriterionKind.FILE_EXISTS: _names_file,
    CriterionKind.REGEX: _searches,
    CriterionKind.JSON_SCHEMA: _describes,
    CriterionKind.COMMAND_OK: _has_tests,
    CriterionKind.LLM_JUDGE: _asks,
    CriterionKind.HUMAN: _asks,
}
