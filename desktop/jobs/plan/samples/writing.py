"""Writes what a planning model would: plans and questions in its schema, in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Json = dict[str, object]
TOKENS, SECONDS = 2000, 120


def value(name: str, told: str) -> Json:
    """Fill an input with a value."""
    return {"name": name, "value": told, "from_step": None, "from_output": None}


def taken(name: str, step: str, output: str) -> Json:
    """Fill an input with what a step before gave."""
    return {"name": name, "value": None, "from_step": step, "from_output": output}


def step(
    name: str,
    title: str,
    capability: str,
    *inputs: Json,
    gives: Mapping[str, str],
    words: str = "",
    permission: str = "read",
    criteria: Sequence[tuple[str, str]] = (("nonempty", ""),),
    after: Sequence[str] = (),
) -> Json:
    """Write a step; it depends on those that its inputs come from, and on `after`."""
    froms = [str(one["from_step"]) for one in inputs if one["from_step"] is not None]
    return {
        "id": name,
        "title": title,
        "capability": capability,
        "instructions": words,
        "inputs": list(inputs),
        "depends_on": list(dict.fromkeys([*froms, *after])),
        "outputs": [{"name": one, "type": sort} for one, sort in gives.items()],
        "success_criteria": [{"kind": kind, "arg": arg} for kind, arg in criteria],
        "permission": permission,
        "est_tokens": TOKENS,
        "max_seconds": SECONDS,
        "max_attempts": 1,
    }


def plan(goal: str, *steps: Json, assumptions: Sequence[str] = ()) -> Json:
    """Write a plan whose last step is the final one."""
    told = {
        "type": "plan",
        "goal": goal,
        "assumptions": list(assumptions),
        "steps": list(steps),
        "final": steps[-1]["id"],
    }
    return {"reply": told}


def question(text: str, *choices: str, default: str | None = None) -> Json:
    return {"text": text, "choices": list(choices), "default": default}


def clarify(why: str, *questions: Json) -> Json:
    return {"reply": {"type": "clarify", "questions": list(questions), "why": why}}
