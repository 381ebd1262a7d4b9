"""Opens a session: gone on with where the agent really can, new otherwise, in the right mode.

Agents say that they can resume and cannot, or load what they then do not know: what they say is
only a reason to try.
"""

from __future__ import annotations

from collections.abc import Mapping

from desktop.core.code.acp.events import Done, Initialized, Refused, SessionReady
from desktop.core.code.agent_profiles import AskRoad
from desktop.jobs.code.acp.client import signed_out
from desktop.jobs.code.acp.line import Line
from desktop.jobs.code.driver import Assignment, Road
from shared.errors import Unavailable
from shared.plain_text import plain_line

MESSAGE_CHARS_MAX = 300
MODE = "mode"
"""The category of the config option that stands for a session's mode."""


async def opened(
    line: Line, assignment: Assignment, facts: Initialized, roads: list[Road]
) -> tuple[SessionReady, Road]:
    """Take the first road that leads to a session.

    Args:
        line: to the agent, which has been greeted.
        assignment: what it is for.
        facts: what it said of itself.
        roads: those to try; each is taken away before it is tried.

    Raises:
        NotAllowed: `agent_signed_out`.
        Unavailable: `agent_refused_session`, `agent_mode`, `agent_silent`, `agent_died`.
    """
    while True:
        road = roads.pop(0)
        if not _may_be(road, facts):
            continue
        told = await line.client.session(_call(line, assignment, road))
        if isinstance(told, SessionReady) and told.session_id:
            await _set(line, assignment, told)
            return told, road
        if not roads:
            raise _refused(told)


def _may_be(road: Road, facts: Initialized) -> bool:
    match road:
        case Road.RESUME:
            return facts.can_resume
        case Road.LOAD:
            return facts.can_load
        case Road.NEW:
            return True


def _call(line: Line, assignment: Assignment, road: Road) -> int:
    folder = str(assignment.clone)
    servers = assignment.servers if assignment.profile.ask_road is AskRoad.MCP else ()
    match road:
        case Road.RESUME:
            return line.codec.resume_session(assignment.session_id, folder, servers)
        case Road.LOAD:
            return line.codec.load_session(assignment.session_id, folder, servers)
        case Road.NEW:
            return line.codec.new_session(folder, servers)


async def _set(line: Line, assignment: Assignment, ready: SessionReady) -> None:
    """Put the session into the mode and options of the profile.

    Raises:
        Unavailable: `agent_mode`, without a box: there an agent that would not ask is not let on.
    """
    profile, is_isolated = assignment.profile, assignment.trust.is_isolated
    mode = profile.mode if is_isolated else profile.mode_unboxed
    is_set = not mode or mode == ready.mode or await _is_mode_set(line, ready, mode)
    if not is_set and not is_isolated:
        raise Unavailable(
            "agent_mode",
            f"{profile.title} has no mode {mode!r}, in which it would ask before effects.",
            "Use a sandbox, or another agent.",
        )
    await _set_options(line, ready, profile.options)


async def _is_mode_set(line: Line, ready: SessionReady, mode: str) -> bool:
    if mode in ready.modes:
        call = line.codec.set_mode(ready.session_id, mode)
        return isinstance(await line.client.set(call), Done)
    return await _set_options(line, ready, {MODE: mode})


async def _set_options(line: Line, ready: SessionReady, wanted: Mapping[str, str]) -> bool:
    """Set options by id or category, those that there are; return whether all were set."""
    are_set = True
    for name, value in wanted.items():
        option = next((o for o in ready.options if name in (o.id, o.category)), None)
        if option is None or value not in option.values:
            are_set = False
        elif option.value != value:
            call = line.codec.set_option(ready.session_id, option.id, value)
            are_set = isinstance(await line.client.set(call), Done) and are_set
    return are_set


def _refused(told: SessionReady | Refused) -> Exception:
    message = plain_line(told.message)[:MESSAGE_CHARS_MAX] if isinstance(told, Refused) else ""
    if isinstance(told, Refused) and told.is_sign_in:
        return signed_out(message)
    return Unavailable(
        "agent_refused_session",
        f"The agent opens no session: {message or 'it gave none'}.",
        "Its own log tells more; another version of it may do better.",
    )
