"""An agent without a protocol: a command that gets the task, works, and ends.

It cannot ask, and has no session to go on with: each turn is a new process that finds the clone as
the last one left it.
"""

from __future__ import annotations

import asyncio
from collections import deque

from desktop.core.code.acp.events import StopReason
from desktop.core.code.agent_profiles import filled
from desktop.jobs.code.acp.listening import LINE_CHARS_MAX, TEXT_CHARS_MAX, Listening
from desktop.jobs.code.acp.process import AgentProcess
from desktop.jobs.code.driver import Assignment, Hears, Road, TurnEnd
from shared.errors import Unavailable
from shared.plain_text import plain

SILENCE_SECONDS = 30 * 60.0
"""Without a line of output; such agents wait for their model, and for builds, without a word."""
STATUS_MISUSED = 126
"""From here on a status says that the command did not run, or was ended by a signal."""


class HeadlessAgent:
    """A command, run once a turn; an `Agent`."""

    version = ""
    session_id = ""
    road = Road.NEW

    def __init__(
        self, assignment: Assignment, hears: Hears, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self._assignment = assignment
        self._listening = Listening(hears, str(assignment.clone))
        self._silence_seconds = silence_seconds

    async def prompt(self, words: str) -> TurnEnd:
        """Run the command with this task, as `desktop.jobs.code.driver.Agent.prompt`."""
        profile = filled(self._assignment.profile, self._assignment.places, prompt=words)
        launch = self._assignment.launches(profile.argv, profile.env)
        self._listening.begin()
        process = await AgentProcess.start(launch, self._assignment.errors)
        try:
            async with asyncio.TaskGroup() as tasks:
                errors = tasks.create_task(process.drain_errors())
                limits = tasks.create_task(process.keep_to_limits())
                process.hang_up()
                text, failure = await self._heard(process)
                status = await process.status()
                await process.stop()
                limits.cancel()
                errors.cancel()
        finally:
            await process.stop()
        if failure is not None:
            raise failure
        if status is None or status < 0 or status >= STATUS_MISUSED:
            raise await process.died()
        reason = StopReason.END_TURN if status == 0 else StopReason.REFUSAL
        return TurnEnd(reason=reason, text=text or process.last_words)

    async def _heard(self, process: AgentProcess) -> tuple[str, Unavailable | None]:
        """Log its lines until it ends, or until it has been silent for too long."""
        last: deque[str] = deque(maxlen=TEXT_CHARS_MAX // LINE_CHARS_MAX)
        try:
            while True:
                async with asyncio.timeout(self._silence_seconds):
                    line = await process.line()
                if line is None:
                    return "\n".join(last), None
                words = plain(line.decode(errors="replace")).rstrip()[:LINE_CHARS_MAX]
                if words:
                    last.append(words)
                    self._listening.log(words)
                await asyncio.sleep(0)
        except TimeoutError:
            return "", _silent(self._silence_seconds)
        except Unavailable as error:
            return "", error


def _silent(seconds: float) -> Unavailable:
    return Unavailable(
        "agent_silent",
        f"The agent has written nothing for {seconds:.0f} s.",
        "Try again, or choose another agent.",
        retryable=True,
    )
