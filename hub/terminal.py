r"""`deskhand-hub chat`: the console frontend's other end, on a terminal or in a pipe.

On a terminal, lines are sent as they are typed. From a pipe the next line waits until the one
before has had its answer: `printf '/train sales.csv\nRevenue\n' | deskhand-hub chat` works.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TextIO

from hub.core.view import Button, Tone, View
from hub.frontends.console_client import ChatClient, open_chat
from hub.frontends.console_frames import Answered, Fault, FromHub, Greeting, Message
from hub.frontends.transcript import ARROW, YOU, Transcript, is_choosable
from hub.frontends.wording import error_view
from shared.backoff import RECONNECT
from shared.errors import AppError

PROMPT = f"{YOU} {ARROW} "
LEAVE = frozenset({"/quit", "/exit"})


class _NoMoreLines:
    """The person left, or the pipe ended."""


Happening = str | _NoMoreLines | FromHub | AppError
"""A line typed, its end, a frame, or the loss of the connection."""


class Terminal:
    """One chat session; `run` it once."""

    def __init__(self, hub_url: str, key: str, source: TextIO, target: TextIO) -> None:
        self._hub_url, self._key = hub_url, key
        self._source = source
        self._is_live = source.isatty() and target.isatty()
        self._transcript = Transcript(target)
        self._happenings: asyncio.Queue[Happening] = asyncio.Queue()
        self._to_say: deque[str] = deque()
        self._unanswered: dict[str, str] = {}
        """Words by their id, kept until answered: they survive a lost connection."""
        self._has_reply = False
        """From a pipe: something that answers the last line has come."""
        self._is_over = False
        self._choices: tuple[Button, ...] = ()
        """What a bare number picks from."""
        self._typed: Callable[[], str] = str

    async def run(self) -> None:
        """Chat until the lines end.

        Raises:
            AppError: the hub cannot be reached at first, or does not let us in. A connection
                lost later is tried again until it is back.
        """
        failures = 0
        was_open = False
        while not self._is_done:
            try:
                async with open_chat(self._hub_url, self._key) as chat:
                    self._greet(chat.greeting, is_again=was_open)
                    was_open, failures = True, 0
                    await self._converse(chat)
            except AppError as error:
                if not was_open or not error.retryable:
                    raise
                failures += 1
                if failures == 1:
                    self._note("The hub went away; trying again …")
                await asyncio.sleep(RECONNECT.wait_seconds(failures, 0.5))

    @property
    def _is_done(self) -> bool:
        """No more lines, and none is waiting for its answer."""
        return self._is_over and (self._is_live or not (self._to_say or self._unanswered))

    async def _converse(self, chat: ChatClient) -> None:
        for words_id, text in self._unanswered.items():
            await chat.say(words_id, text)
        async with _listening(chat, self._happenings):
            while not self._is_done:
                await self._take(chat, await self._happenings.get())

    async def _take(self, chat: ChatClient, happening: Happening) -> None:
        match happening:
            case AppError():
                raise happening
            case _NoMoreLines():
                self._is_over = True
            case str():
                self._to_say.append(happening)
                await self._say_next(chat)
            case Message():
                self._show(happening.ref, happening.view)
                await chat.seen(happening)
                await self._note_reply(chat, happening)
            case Fault(error=error):
                self._show("", error_view(error))
                self._unanswered.clear()
                await self._say_next(chat)
            case Answered(id=words_id):
                if self._is_live or self._has_reply:
                    self._unanswered.pop(words_id, None)
                await self._say_next(chat)
            case Greeting():
                pass

    async def _note_reply(self, chat: ChatClient, message: Message) -> None:
        """From a pipe: an immediate answer, a question or a last word lets the next line go."""
        view = message.view
        if message.number and not view.final and view.tone is not Tone.ASKING:
            return
        self._has_reply = True
        if message.number:
            self._unanswered.clear()
            await self._say_next(chat)

    async def _say_next(self, chat: ChatClient) -> None:
        while self._to_say and (self._is_live or not self._unanswered):
            text = self._meant(self._to_say.popleft())
            if not text:
                continue
            if text in LEAVE:
                self._is_over = True
                self._to_say.clear()
                return
            words_id = uuid.uuid4().hex
            self._unanswered[words_id] = text
            self._has_reply = False
            await chat.say(words_id, text)

    def _meant(self, line: str) -> str:
        """What a line says: a bare number is the choice with that number."""
        text = line.strip()
        if not self._is_live:
            self._transcript.say(YOU, text)
        if text.isdecimal() and 1 <= int(text) <= len(self._choices):
            return self._choices[int(text) - 1].says
        return text

    def _show(self, ref: str, view: View) -> None:
        if is_choosable(view):
            self._choices = view.buttons
        elif view.tone is Tone.ASKING:
            # A number is an answer of its own now.
            self._choices = ()
        with self._above_prompt():
            self._transcript.show(ref, view)

    def _greet(self, greeting: Greeting, *, is_again: bool) -> None:
        if is_again:
            self._note("The hub is back.")
            return
        if self._is_live:
            hub, person = greeting.hub, greeting.person
            self._transcript.note(f"{hub}, as {person}. /help lists commands; Ctrl-D leaves.")
        # Not before: nobody should type to a hub that is not there.
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read_lines, args=(loop,), daemon=True).start()

    def _note(self, text: str) -> None:
        with self._above_prompt():
            self._transcript.note(text)

    @contextlib.contextmanager
    def _above_prompt(self) -> Iterator[None]:
        """Write above the line at which somebody may be typing."""
        if self._is_live:
            self._transcript.clear_line()
        yield
        if self._is_live:
            self._transcript.put(PROMPT + self._typed())

    def _read_lines(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read in a thread of its own: a terminal cannot be read without waiting."""
        with contextlib.suppress(RuntimeError):  # the loop ended while we waited
            for line in self._lines():
                loop.call_soon_threadsafe(self._happenings.put_nowait, line)
            loop.call_soon_threadsafe(self._happenings.put_nowait, _NoMoreLines())

    def _lines(self) -> Iterator[str]:
        if not self._is_live:
            yield from self._source
            return
        with contextlib.suppress(ImportError):
            import readline

            self._typed = readline.get_line_buffer
        with contextlib.suppress(EOFError):
            while True:
                line = input(PROMPT)
                self._transcript.spoken()
                yield line


@contextlib.asynccontextmanager
async def _listening(chat: ChatClient, happenings: asyncio.Queue[Happening]) -> AsyncIterator[None]:
    """Put every frame among the happenings, and the loss of the connection as the last."""

    async def listen() -> None:
        try:
            while True:
                happenings.put_nowait(await chat.next())
        except AppError as error:
            happenings.put_nowait(error)

    for _ in range(happenings.qsize()):
        # The loss of an earlier connection is no news on this one.
        earlier = happenings.get_nowait()
        if not isinstance(earlier, AppError):
            happenings.put_nowait(earlier)
    lost: AppError | None = None
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen())
        try:
            yield
        except AppError as error:
            # Passed on outside the group, which would wrap it.
            lost = error
        listening.cancel()
    if lost is not None:
        raise lost


@contextlib.contextmanager
def unharmed_terminal() -> Iterator[None]:
    """Put the terminal back as it was, whatever interrupted the typing."""
    if not sys.stdin.isatty():
        yield
        return
    try:
        import termios
    except ImportError:
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def chat(hub_url: str, key: str) -> None:
    """Chat on this terminal until the person leaves.

    Raises:
        AppError: see `Terminal.run`.
    """
    with unharmed_terminal():
        asyncio.run(Terminal(hub_url, key, sys.stdin, sys.stdout).run())
        if sys.stdin.isatty():
            sys.stdout.write("\n")
