"""Lists the coding agents of this machine: those count that really answer, in a box like a job's.

What is found is remembered for a day, or until the program changes: starting seven agents takes a
minute, and what nobody has installed costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.core.code.agent_profiles import AgentProfile, profiles_of
from desktop.core.code.rules import CodeRules
from desktop.jobs.code.probing import probed
from desktop.jobs.code.programs import program_of
from desktop.jobs.code.sandbox import Sandbox
from desktop.jobs.code.sandbox.choosing import choose
from desktop.jobs.context import SharedContext
from shared.errors import AppError, NotFound
from shared.kinds.code import AgentFacts, AgentsInputs, AgentsOutput

FILE_NAME = "agents.json"
"""Below the folder `code` of the worker's data."""
REMEMBERED_SECONDS = 24 * 3600.0
AT_ONCE_MAX = 2
"""Agents started at one time; each takes up to half a gigabyte."""


class Known(BaseModel):
    """What was found of one agent, and for which program that holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    facts: AgentFacts
    program: str
    """Path, size and time of the program; another is another agent."""
    sandbox: str
    looked_at: float


async def run(context: SharedContext, inputs: AgentsInputs) -> AgentsOutput:
    """Look which agents answer."""
    rules = context.code
    sandbox = await choose(rules, guarded=(context.data_folder,))
    folder = context.data_folder / "code"
    context.progress("looking", 0, 1)
    agents = await known_agents(rules, sandbox, folder, is_fresh=inputs.fresh)
    ready = [agent for agent in agents if agent.is_ready]
    names = ", ".join(f"{a.name} {a.version}".strip() for a in ready)
    return AgentsOutput(
        headline=f"Ready: {names}." if ready else "No coding agent is ready here.",
        agents=agents,
        sandbox=sandbox.name,
        model=rules.model,
    )


async def known_agents(
    rules: CodeRules, sandbox: Sandbox, folder: Path, *, is_fresh: bool = False
) -> tuple[AgentFacts, ...]:
    """Return what is known of each agent that the owner allows, looking where nothing is."""
    known = {} if is_fresh else await asyncio.to_thread(read_known, folder)
    profiles = profiles_of(rules)
    slots = asyncio.Semaphore(AT_ONCE_MAX)
    async with asyncio.TaskGroup() as tasks:
        looks = [
            tasks.create_task(_look(profile, sandbox, known.get(profile.name), folder, slots))
            for profile in profiles
        ]
    found = {look.result().facts.name: look.result() for look in looks}
    await asyncio.to_thread(write_known, folder, found)
    return tuple(one.facts for one in found.values())


async def _look(
    profile: AgentProfile,
    sandbox: Sandbox,
    known: Known | None,
    folder: Path,
    slots: asyncio.Semaphore,
) -> Known:
    now = time.time()
    try:
        program = program_of(profile)
    except NotFound as error:
        return _found(profile, str(error), sandbox, now)
    mark = _mark_of(program.path, profile.command)
    if known is not None and (known.program, known.sandbox) == (mark, sandbox.name):
        is_young = 0 <= now - known.looked_at < REMEMBERED_SECONDS
        if is_young and known.facts.is_ready:
            return known
    async with slots:
        try:
            version = await probed(profile, program, sandbox, folder)
        except AppError as error:
            return _found(profile, str(error), sandbox, now, mark)
    facts = AgentFacts(name=profile.name, title=profile.title, version=version, is_ready=True)
    return Known(facts=facts, program=mark, sandbox=sandbox.name, looked_at=now)


def _found(profile: AgentProfile, why: str, sandbox: Sandbox, now: float, mark: str = "") -> Known:
    facts = AgentFacts(name=profile.name, title=profile.title, sentence=why)
    return Known(facts=facts, program=mark, sandbox=sandbox.name, looked_at=now)


def _mark_of(path: Path, command: Sequence[str]) -> str:
    real = path.resolve()
    with suppress(OSError):
        stat = real.stat()
        return json.dumps([str(real), stat.st_size, stat.st_mtime_ns, *command])
    return str(real)


def read_known(folder: Path) -> dict[str, Known]:
    """Read what is remembered; nothing when there is nothing to be read."""
    try:
        told = json.loads((folder / FILE_NAME).read_bytes())
        known = [Known.model_validate(one) for one in told]
    except (OSError, ValueError, ValidationError, TypeError):
        return {}
    return {one.facts.name: one for one in known}


def write_known(folder: Path, known: dict[str, Known]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    words = json.dumps([one.model_dump(mode="json") for one in known.values()])
    # Two jobs may look at the same time.
    part = folder / f"{FILE_NAME}.{time.monotonic_ns()}"
    part.write_text(words, encoding="utf-8")
    part.replace(folder / FILE_NAME)
