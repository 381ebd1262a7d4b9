"""Looks what this machine has for coding jobs, cheaply: nothing is started.

What agents answered is read from where the job that asks them (`code.agents`) remembers it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from desktop.core.code.ability import GIT, TOOLCHAINS, CodeAbility, ability
from desktop.core.code.rules import CodeRules
from shared.kinds.code import AgentFacts

AGENTS_FILE = "code/agents.json"
"""Below the worker's data folder."""
FILE_BYTES_MAX = 256 * 1024


class _Known(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    facts: AgentFacts
    sandbox: str = ""
    looked_at: float = 0.0


_KNOWN = TypeAdapter(tuple[_Known, ...])


def look_for_code(rules: CodeRules, data: Path) -> CodeAbility:
    """Say what this machine is good for in coding jobs, as far as it is known."""
    known = _known(data)
    sandbox = next((one.sandbox for one in known if one.sandbox), "")
    programs = {name: path for name in (GIT, *TOOLCHAINS) if (path := shutil.which(name))}
    return ability(rules, [one.facts for one in known], sandbox, programs, Path.home())


def looked_at(data: Path) -> float:
    """When agents were looked at last, in seconds of the wall clock; 0 for never."""
    return max((one.looked_at for one in _known(data)), default=0.0)


def _known(data: Path) -> tuple[_Known, ...]:
    try:
        with (data / AGENTS_FILE).open("rb") as opened:
            return _KNOWN.validate_json(opened.read(FILE_BYTES_MAX))
    except (OSError, ValidationError):
        return ()
