"""Why a plan is not taken: a rule by its name, the step, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """What a plan has to keep; the names are stable."""

    REPLY_NOT_JSON = "reply_not_json"
    REPLY_TOO_LONG = "reply_too_long"
    SHAPE = "shape"
    """It is not what the schema says."""
    TEXT_EMPTY = "text_empty"
    ID_TWICE = "id_twice"
    ID_DONE = "id_done"
    FINAL_UNKNOWN = "final_unknown"
    STEP_UNUSED = "step_unused"
    DEPENDS_UNKNOWN = "depends_unknown"
    CYCLE = "cycle"
    TOO_DEEP = "too_deep"
    TOO_WIDE = "too_wide"
    CAPABILITY_UNKNOWN = "capability_unknown"
    FILE_ELSEWHERE = "file_elsewhere"
    NOT_LOCAL = "not_local"
    PERMISSION_ABOVE = "permission_above"
    INSTRUCTIONS_MISSING = "instructions_missing"
    INPUT_UNKNOWN = "input_unknown"
    INPUT_TWICE = "input_twice"
    INPUT_SOURCE = "input_source"
    """Neither a value nor an output, or both."""
    INPUT_FROM_UNKNOWN = "input_from_unknown"
    INPUT_FROM_NOT_AWAITED = "input_from_not_awaited"
    INPUT_TYPE = "input_type"
    INPUT_VALUE = "input_value"
    OUTPUT_UNKNOWN = "output_unknown"
    OUTPUT_TWICE = "output_twice"
    OUTPUT_TYPE = "output_type"
    CRITERION = "criterion"
    TOKENS = "tokens"
    COST = "cost"
    SECONDS = "seconds"
    JOBS = "jobs"


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that a plan does not keep."""

    rule: Rule
    step: str
    """The step's id; empty for the plan as a whole."""
    sentence: str
    """For the model: what is wrong, and what to do."""

    def __str__(self) -> str:
        return f"[{self.rule}] {f'{self.step}: ' if self.step else ''}{self.sentence}"
