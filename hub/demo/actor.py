"""Acts as a person in the chat: says lines, waits for words, picks answers. All of it is shown."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from types import TracebackType

from hub.core.view import Tone, View
from hub.demo.programs import DemoFailed
from hub.frontends.console_client import ChatClient
from hub.frontends.console_frames import Answered, Fault, Message
from hub.frontends.transcript import YOU, Transcript
from shared.errors import AppError

ANSWER_SECONDS = 20.0


class Actor:
    """A person at the chat; a context manager that listens while it is open."""

    def __init__(self, chat: ChatClient, transcript: Transcript) -> None:
        self._chat = chat
        self._transcript = transcript
        self._views: asyncio.Queue[View] = asyncio.Queue()
        """What was shown and not yet looked at."""
        self._answered = asyncio.Event()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Actor:
        await self._tasks.__aenter__()
        self._listening = self._tasks.create_task(self._listen())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listening.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def say(self, text: str) -> None:
        """Say something and wait until the hub has dealt with it."""
        self._transcript.say(YOU, text)
        self._answered.clear()
        await self._chat.say(uuid.uuid4().hex, text)
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._answered.wait()

    async def until(self, is_it: Callable[[View], bool], seconds: float, complaint: str) -> View:
        """Wait for a view.

        Raises:
            DemoFailed: it did not come in time.
        """
        try:
            async with asyncio.timeout(seconds):
                while not is_it(view := await self._views.get()):
                    pass
        except TimeoutError:
            raise DemoFailed(complaint) from None
        return view

    async def find(self, pattern: re.Pattern[str], seconds: float) -> str:
        """Wait for a view with a text like this in it; return that text."""
        view = await self.until(
            lambda view: pattern.search(view.text) is not None, seconds, "The hub did not say it."
        )
        found = pattern.search(view.text)
        assert found is not None
        return found[0]

    async def until_final(self, seconds: float) -> View:
        """Wait for the last word on a job."""
        return await self.until(lambda view: view.final, seconds, "The job did not end in time.")

    async def answer_until_done(self, wanted: set[str], seconds: float) -> View:
        """Answer every question, with a choice that is wanted if there is one, until the end.

        Raises:
            DemoFailed: it did not end well, or not in time.
        """
        while True:
            view = await self.until(_is_question_or_end, seconds, "The job did not end in time.")
            if view.final:
                break
            labels = [button.label.split(" · ")[0] for button in view.buttons]
            await self.say(next((label for label in labels if label in wanted), "1"))
        if view.tone is not Tone.DONE:
            raise DemoFailed(view.text)
        return view

    async def _listen(self) -> None:
        while True:
            try:
                frame = await self._chat.next()
            except AppError:
                # Whoever waits for a word runs into its time limit and says which.
                return
            match frame:
                case Message():
                    self._transcript.show(frame.ref, frame.view)
                    await self._chat.seen(frame)
                    self._views.put_nowait(frame.view)
                case Answered():
                    self._answered.set()
                case Fault(error=error):
                    self._transcript.say("hub", error.message)
                case _:
                    pass


def _is_question_or_end(view: View) -> bool:
    return view.final or (view.tone is Tone.ASKING and bool(view.buttons))
