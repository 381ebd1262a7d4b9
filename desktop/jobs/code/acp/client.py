"""The steps of ACP with one agent: each ends within its time, with a result or a clear error.

One task reads; whoever made a call waits for the event that carries its number. The codec decides
what lines mean, this module only when they have to come.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from desktop.core.code.acp.events import (
    Done,
    Event,
    Initialized,
    Refused,
    Reply,
    SessionReady,
    TurnEnded,
    Unasked,
)
from desktop.core.code.acp.v1 import PROTOCOL_VERSION, Codec
from desktop.jobs.code.acp.process import AgentProcess
from shared.errors import AppError, NotAllowed, Unavailable
from shared.plain_text import plain_line

MESSAGE_CHARS_MAX = 300
REFUSED = "agent_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an agent may take, in seconds."""

    start: float = 90.0
    """For its first words; large agents on a busy machine take 15 s."""
    session: float = 120.0
    setting: float = 30.0
    silence: float = 20 * 60.0
    """In a turn, without a word: a long build says nothing. Questions to people do not count."""
    cancel: float = 10.0
    """To end a turn that is cancelled."""


class Client:
    """Speaks with one agent. `read` has to run beside whatever is called."""

    def __init__(self, process: AgentProcess, codec: Codec, patience: Patience) -> None:
        """Say nothing yet; `codec` is of the version that is spoken."""
        self._process = process
        self._codec = codec
        self._patience = patience
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._end: Exception | None = None
        self._heard_at = time.monotonic()
        self.listener: Callable[[Unasked], None] = lambda _: None
        """Is told all that no call waits for; must not wait itself."""
        self._asking = 0

    async def read(self) -> None:
        """Take lines until the agent ends; all who wait then are told."""
        try:
            while (line := await self._process.line()) is not None:
                for event in self._codec.receive_line(line):
                    self._heard_at = time.monotonic()
                    self._deal_with(event)
                await self.flush()
                # A flood of lines would keep every other task from its turn.
                await asyncio.sleep(0)
            self.fail(await self._process.died())
        except AppError as error:
            self.fail(error)

    async def flush(self) -> None:
        """Send what the codec has to say."""
        if data := self._codec.data_to_send():
            await self._process.send(data)

    async def initialize(self) -> Initialized:
        """Greet it.

        Raises:
            Unavailable: `agent_protocol`, when it speaks another version.
        """
        told = await self._reply(self._codec.initialize(), self._patience.start, "its first words")
        if not isinstance(told, Initialized):
            raise _refusal(told)
        if told.protocol != PROTOCOL_VERSION:
            raise Unavailable(
                "agent_protocol",
                f"The agent speaks version {told.protocol} of ACP, not {PROTOCOL_VERSION}.",
                "Another version of it may do better.",
            )
        return told

    async def session(self, call: int) -> SessionReady | Refused:
        """Wait for a session that a call of the codec opens."""
        told = await self._reply(call, self._patience.session, "a session")
        assert isinstance(told, SessionReady | Refused)
        return told

    async def set(self, call: int) -> Done | Refused:
        """Wait for a setting that a call of the codec makes."""
        told = await self._reply(call, self._patience.setting, "a setting")
        assert isinstance(told, Done | Refused)
        return told

    async def prompt(self, session_id: str, words: str) -> TurnEnded:
        """Have a turn; a cancelled task cancels it, without waiting for what the agent says to it.

        Raises:
            Unavailable: `agent_silent`, `agent_died`, `agent_protocol`.
        """
        self._heard_at = time.monotonic()
        future = self._expect(self._codec.prompt(session_id, words))
        try:
            await self.flush()
            while not future.done():
                await asyncio.wait([future], timeout=self._silence_left())
                if not future.done() and self._silence_left() <= 0:
                    await self._give_up(session_id, future)
            told = future.result()
        except asyncio.CancelledError:
            self._codec.cancel(session_id)
            await self.flush()
            raise
        finally:
            self._forget(future)
        if not isinstance(told, TurnEnded):
            raise _refusal(told)
        return told

    async def cancel(self, session_id: str) -> None:
        """End the turn; the call that waits for it returns, or raises when the agent ignores it."""
        self._codec.cancel(session_id)
        await self.flush()
        waiting = list(self._waiting.values())
        if waiting:
            await asyncio.wait(waiting, timeout=self._patience.cancel)
        if any(not future.done() for future in waiting):
            self.fail(self._silent("the end of its turn", self._patience.cancel))

    def fail(self, end: Exception) -> None:
        """Let whoever waits, and whoever calls later, have this; the first end counts."""
        self._end = self._end or end
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._end)
        self._waiting.clear()

    @contextlib.contextmanager
    def while_asking(self) -> Iterator[None]:
        """Let the agent be silent as long as a person is asked."""
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            self._heard_at = time.monotonic()

    def _silence_left(self) -> float:
        if self._asking:
            self._heard_at = time.monotonic()
        return self._heard_at + self._patience.silence - time.monotonic()

    async def _give_up(self, session_id: str, future: asyncio.Future[Reply]) -> None:
        self._codec.cancel(session_id)
        await self.flush()
        await asyncio.wait([future], timeout=self._patience.cancel)
        raise self._silent("a word", self._patience.silence)

    def _expect(self, call: int) -> asyncio.Future[Reply]:
        if self._end is not None:
            raise self._end
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[call] = future
        return future

    def _forget(self, future: asyncio.Future[Reply]) -> None:
        self._waiting = {call: one for call, one in self._waiting.items() if one is not future}

    async def _reply(self, call: int, seconds: float, what: str) -> Reply:
        future = self._expect(call)
        try:
            async with asyncio.timeout(seconds):
                await self.flush()
                return await future
        except TimeoutError as error:
            raise self._silent(what, seconds) from error
        finally:
            self._forget(future)

    def _deal_with(self, event: Event) -> None:
        match event:
            case Initialized() | SessionReady() | Done() | TurnEnded() | Refused():
                future = self._waiting.pop(event.call, None)
                if future is not None and not future.done():
                    future.set_result(event)
            case _:
                self.listener(event)

    def _silent(self, what: str, seconds: float) -> AppError:
        words = self._process.last_words
        return Unavailable(
            "agent_silent",
            f"The agent was waited for {seconds:.0f} s for {what}."
            + (f" It said: {words}" if words else ""),
            "Try again, or choose another agent.",
            retryable=True,
        )


def _refusal(told: Reply) -> AppError:
    """Say what an agent answered to a call that it should have done."""
    assert isinstance(told, Refused)
    message = plain_line(told.message)[:MESSAGE_CHARS_MAX]
    if told.is_sign_in:
        return signed_out(message)
    return Unavailable(
        REFUSED,
        f"The agent refused {told.method}: {message}",
        "Its own log tells more; another version of it may do better.",
    )


def signed_out(message: str) -> AppError:
    return NotAllowed(
        "agent_signed_out",
        f"The agent wants somebody to sign in first: {message}",
        "Its profile lets it use the worker's model without; see its version and settings.",
    )
