"""A Bot API server for tests: real HTTP on loopback, strict like Telegram, driven from the phone.

Every request is read by aiogram's models and every reply checked by them before it leaves, so the
words are not ours. `say`, `tap`, `send_file`, `block` are the person's side; `transcript` is what
the person sees. Faults can be planned: connections that drop before or after the message was
stored, errors, waits.

What it cannot show: how Telegram's apps draw things. Source of the rules:
core.telegram.org/bots/api and /bots/faq; the texts of errors are those of its open server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.fakes.bot_api_methods import Methods
from tests.fakes.bot_api_pace import Limits
from tests.fakes.bot_api_people import People
from tests.fakes.bot_api_schema import Refused, Upload, check_update, checked, request_of
from tests.fakes.bot_api_state import Json, Shown, State

TOKEN = "4001:fake-token-of-the-test-server-000001"
UPDATES_MAX = 100
WEBHOOK_RETRY_SECONDS = 0.05
"""Telegram waits longer; tests need not."""


PAUSE_SECONDS = 0.005


class Drop(StrEnum):
    """When a planned fault breaks the connection."""

    BEFORE = "before"
    """Nothing was done."""
    AFTER = "after"
    """It was done, only the reply is lost: the bot cannot know."""
    HELD_BEFORE = "held before"
    """As BEFORE, but the connection breaks only at `release`: time for the bot to die."""
    HELD_AFTER = "held after"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the bot, and what it got."""

    method: str
    chat_id: int
    parameters: Json
    code: int
    """200, an error's code, or 0 for a dropped connection."""
    description: str
    at: float
    """In seconds of the fake's clock."""


@dataclass(slots=True)
class _Fault:
    what: Drop | Refused
    method: str
    times: int
    words: str

    def fits(self, method: str, fields: Json) -> bool:
        is_wanted = self.method == method or (not self.method and method != "getUpdates")
        return self.times > 0 and is_wanted and self.words in str(fields.get("text", ""))


@dataclass(slots=True)
class _Poll:
    """The one long poll there may be."""

    is_superseded: bool = False


class _Dropped(Exception):
    """The connection was cut on purpose; `is_held`: after a while."""

    def __init__(self, *, is_held: bool = False) -> None:
        super().__init__()
        self.is_held = is_held


@dataclass(slots=True)
class FakeBotApi(People):
    """The server. Use it as an async context; `url` is what HUB_TELEGRAM_API_URL gets."""

    state: State = field(default_factory=State)
    clock: Callable[[], float] = time.monotonic
    is_limited: bool = True
    own_server: bool = False
    """Behave as a Bot API server one runs oneself: webhooks over http, large files."""
    port: int = 0
    """0: any free one; set once it listens."""
    calls: list[Call] = field(default_factory=list)
    is_down: bool = False
    held: int = 0
    """Connections that are held now."""
    limits: Limits = field(init=False)
    _methods: Methods = field(init=False)
    _faults: list[_Fault] = field(default_factory=list)
    _poll: _Poll | None = None
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None
    _tasks: asyncio.TaskGroup | None = None
    _hook: asyncio.Task[None] | None = None
    _broken: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limits = Limits(self.clock)
        self._methods = Methods(self.state, self._pace, own_server=self.own_server)

    # The server's life.

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/bot{token}/{method}", self._answer)
        application.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._hook = asyncio.get_running_loop().create_task(self._push_updates())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.go_down()
        assert self._hook is not None
        self._hook.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._hook
        assert self._runner is not None
        await self._runner.cleanup()
        assert not self._broken, f"the fake itself broke: {self._broken}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # What goes wrong.

    def plan(
        self, what: Drop | Refused, *, method: str = "", times: int = 1, words: str = ""
    ) -> None:
        """Let the next calls of a method (or of any but getUpdates) fail, if they say `words`."""
        self._faults.append(_Fault(what, method, times, words))

    def release(self) -> None:
        """Break the connections that are held."""
        self.held = 0
        self.ring()

    def go_down(self) -> None:
        """Drop every connection from now on, the waiting long poll too."""
        self.is_down = True
        self.ring()

    def come_back(self) -> None:
        self.is_down = False
        self.ring()

    def repeat(self, update: Json) -> None:
        """Send an update again, as Telegram does when it was not confirmed in time."""
        self.state.updates.insert(0, update)
        self.ring()

    # Watching.

    def ring(self) -> None:
        """Wake whoever waits for a change."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def until(self, is_so: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for something to become true here; told again at every call."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await self._bell.wait()
        except TimeoutError:
            raise AssertionError(f"it never came; the chats:\n{self.pages()}") from None

    async def pause(self) -> None:
        """Wait for the next change here, or a moment: for states that ring elsewhere."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._bell.wait()

    @property
    def is_polled(self) -> bool:
        """Whether the bot waits for updates."""
        return self._poll is not None

    def refusals(self, code: int) -> list[Call]:
        return [call for call in self.calls if call.code == code]

    # Requests.

    async def _answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        name, fields, chat_id = method, dict[str, Any](), 0
        try:
            fields, uploads = await _read(request)
            chat_id = _chat_id(fields)
            if request.match_info["token"] != TOKEN:
                raise Refused(401, "Unauthorized")
            name, call = request_of(method, fields, uploads)
            fault = self._fault(name, fields)
            if self.is_down or fault in (Drop.BEFORE, Drop.HELD_BEFORE):
                raise _Dropped(is_held=fault is Drop.HELD_BEFORE)
            if isinstance(fault, Refused):
                raise fault
            result = await self._do(name, call)
            checked(name, result)
            # Written down while nobody else can change it.
            reply = web.json_response({"ok": True, "result": result})
            if fault in (Drop.AFTER, Drop.HELD_AFTER):
                raise _Dropped(is_held=fault is Drop.HELD_AFTER)
            self._note(name, chat_id, fields, 200, "")
        except Refused as refusal:
            self._note(name, chat_id, fields, refusal.code, refusal.description)
            return web.json_response(refusal.reply(), status=refusal.code)
        except _Dropped as dropped:
            self._note(name, chat_id, fields, 0, "dropped")
            if dropped.is_held:
                await self._hold()
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        except ConnectionError:
            # The bot left in the middle of its request.
            raise
        except Exception as error:
            self._broken.append(error)
            raise
        return reply

    async def _hold(self) -> None:
        self.held += 1
        self.ring()
        while self.held and not self.is_down:
            await self._bell.wait()

    async def _do(self, name: str, call: Any) -> Any:
        if name == "getUpdates":
            return await self._get_updates(call)
        result = self._methods(name, call)
        self.ring()
        return result

    def _fault(self, method: str, fields: Json) -> Drop | Refused | None:
        for fault in self._faults:
            if fault.fits(method, fields):
                fault.times -= 1
                return fault.what
        return None

    def _pace(self, chat_id: int) -> int:
        return self.limits.retry_after(chat_id) if self.is_limited else 0

    def _note(self, name: str, chat_id: int, fields: Json, code: int, description: str) -> None:
        if name == "getUpdates" and code == 200:
            return
        self.calls.append(Call(name, chat_id, fields, code, description, self.clock()))
        self.ring()

    async def _download(self, request: web.Request) -> web.Response:
        file_id = request.match_info["path"].rpartition("/")[2]
        file = self.state.files.get(file_id)
        if request.match_info["token"] != TOKEN or file is None:
            return web.json_response(Refused(404, "Not Found").reply(), status=404)
        return web.Response(body=file.content)

    # Updates.

    async def _get_updates(self, call: Any) -> list[Json]:
        """Answer a long poll; a newer one ends it, since a bot has one reader."""
        if self.state.webhook is not None:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use "
                "deleteWebhook to delete the webhook first",
            )
        if self._poll is not None:
            self._poll.is_superseded = True
            self.ring()
        poll = self._poll = _Poll()
        self.ring()
        if call.allowed_updates is not None:
            self.state.allowed_updates = frozenset(call.allowed_updates)
        try:
            self._confirm(call.offset or 0)
            return await self._wait_for_updates(poll, call)
        finally:
            if self._poll is poll:
                self._poll = None

    def _confirm(self, offset: int) -> None:
        if offset > 0:
            kept = [u for u in self.state.updates if u["update_id"] >= offset]
            self.state.updates[:] = kept
        elif offset < 0:
            del self.state.updates[:offset]

    async def _wait_for_updates(self, poll: _Poll, call: Any) -> list[Json]:
        limit = min(max(call.limit or UPDATES_MAX, 1), UPDATES_MAX)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(call.timeout or 0, 50)):
                while not (self.state.updates or self.is_down or poll.is_superseded):
                    await self._bell.wait()
        if self.is_down:
            raise _Dropped
        if poll.is_superseded:
            raise Refused(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot "
                "instance is running",
            )
        return self.state.updates[:limit]

    async def _push_updates(self) -> None:
        """Bring updates to the webhook, one after the other, each until it is taken."""
        async with aiohttp.ClientSession() as session:
            while True:
                bell = self._bell
                if self.state.webhook is None or not self.state.updates or self.is_down:
                    await bell.wait()
                elif not await self._push(session, self.state.webhook, self.state.updates[0]):
                    await asyncio.sleep(WEBHOOK_RETRY_SECONDS)

    async def _push(self, session: aiohttp.ClientSession, webhook: Json, update: Json) -> bool:
        check_update(update)
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook["secret"]}
        try:
            async with session.post(webhook["url"], json=update, headers=headers) as reply:
                if not reply.ok:
                    webhook["error"] = f"Wrong response from the webhook: {reply.status}"
                    return False
        except aiohttp.ClientError as error:
            webhook["error"] = f"Connection failed: {type(error).__name__}"
            return False
        if update in self.state.updates:
            self.state.updates.remove(update)
        self.ring()
        return True

    def the_message(self, chat_id: int, is_it: Callable[[Shown], bool]) -> Shown | None:
        """The newest message of the bot that looks like this now."""
        return next((m for m in reversed(self.of_bot(chat_id)) if is_it(m)), None)

    async def shown(
        self, chat_id: int, is_it: Callable[[Shown], bool], seconds: float = 20.0
    ) -> Shown:
        """Wait until a message of the bot looks like this."""
        await self.until(lambda: self.the_message(chat_id, is_it) is not None, seconds)
        found = self.the_message(chat_id, is_it)
        assert found is not None
        return found


async def _read(request: web.Request) -> tuple[Json, dict[str, Upload]]:
    """A request's parameters, from wherever Telegram takes them."""
    fields: Json = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        try:
            fields |= await request.json()
        except (json.JSONDecodeError, TypeError, ValueError):
            raise Refused(400, "Bad Request: can't parse JSON object") from None
        return fields, uploads
    for key, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            with value.file as file:
                uploads[key] = (value.filename, file.read())
        else:
            fields[key] = value.decode() if isinstance(value, bytes | bytearray) else value
    return fields, uploads


def _chat_id(fields: Json) -> int:
    with contextlib.suppress(ValueError, TypeError):
        return int(fields.get("chat_id", 0))
    return 0


@contextlib.asynccontextmanager
async def open_bot_api(**settings: Any) -> AsyncIterator[FakeBotApi]:
    """Run a fake inside the block."""
    async with FakeBotApi(**settings) as fake:
        yield fake
