"""Starts any agent: by what its profile says it is, never by its name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from desktop.core.code.agent_profiles import FilledProfile, filled, is_below_home
from desktop.jobs.code.acp.agent import acp_agent
from desktop.jobs.code.driver import Agent, Ask, Assignment, Hears
from desktop.jobs.code.headless import HeadlessAgent
from desktop.jobs.code.removing import remove
from shared.errors import NotAllowed


@contextlib.asynccontextmanager
async def started(assignment: Assignment, ask: Ask, hears: Hears) -> AsyncIterator[Agent]:
    """Start an agent in its box, with a session that is new or gone on with.

    Raises:
        NotFound: `agent_missing`, when its program is not there.
        Unavailable: `agent_silent`, `agent_died`, `agent_protocol`, `agent_refused_session`.
        NotAllowed: `agent_signed_out`, when it wants a person to sign in; `agent_needs_sandbox`.
    """
    if assignment.profile.is_headless and not assignment.trust.is_isolated:
        raise NotAllowed(
            "agent_needs_sandbox",
            f"{assignment.profile.title} asks nobody before it does something.",
            "Use a sandbox, or an agent that asks.",
        )
    profile = filled(assignment.profile, assignment.places)
    await asyncio.to_thread(write_files, profile, assignment.home)
    if assignment.profile.is_headless:
        yield HeadlessAgent(assignment, hears)
        return
    async with acp_agent(assignment, profile, ask, hears) as agent:
        yield agent


def write_files(profile: FilledProfile, home: Path) -> None:
    """Write an agent's configuration into the box's home.

    An earlier attempt's agent may have put links there, to have us write elsewhere: what stands in
    the way is removed, never followed.
    """
    for name, content in profile.files.items():
        assert is_below_home(name)
        path = home / name
        for folder in reversed(path.relative_to(home).parents[:-1]):
            _clear(home / folder, is_folder=True)
            (home / folder).mkdir(exist_ok=True)
        _clear(path, is_folder=False)
        path.write_text(content, encoding="utf-8")


def _clear(path: Path, *, is_folder: bool) -> None:
    if path.is_symlink() or (is_folder and path.exists() and not path.is_dir()):
        path.unlink()
    elif not is_folder and path.is_dir():
        remove(path)
