"""A Discord for tests: REST, gateway and interactions on loopback, strict, driven by people.

`say`, `choose`, `press` are a person's side; `of_bot` is what they see. Two client libraries that
are not ours run against it, so the words are not ours either. What it cannot show: how Discord's
apps draw things, and what its servers do without telling.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from nacl.signing import SigningKey

from tests.discord_servers import rules
from tests.discord_servers.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, Gateway
from tests.discord_servers.pace import Windows
from tests.discord_servers.rules import Refused
from tests.discord_servers.state import (
    DM,
    THREAD,
    Channel,
    Interaction,
    Json,
    Shown,
    State,
    User,
    buttons_in,
    numbered,
    snowflake,
)

BOT_ID = 990_000_000_000_000_099
SERVER_ID = 880_000_000_000_000_001
TOKEN = f"{base64.urlsafe_b64encode(str(BOT_ID).encode()).decode()}.Gfake.secret-of-the-test-server"
ANSWER_SECONDS = 3.0
TOKEN_SECONDS = 900.0
PAUSE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the bot, and what it got."""

    method: str
    path: str
    body: Json
    status: int
    code: int = 0


@dataclass(slots=True)
class _Fault:
    refusal: Refused | None
    """None: the connection breaks after the call was done."""
    method: str
    part: str
    times: int


class _Dropped(Exception):
    """The connection was cut on purpose."""


@dataclass(slots=True)
class FakeDiscord:
    """The server. Use it as an async context; `url` is what HUB_DISCORD_API_URL gets."""

    clock: Callable[[], float] = time.monotonic
    is_limited: bool = True
    endpoint_url: str = ""
    """Where interactions are brought; empty: over the gateway."""
    port: int = 0
    calls: list[Call] = field(default_factory=list)
    is_down: bool = False
    key: SigningKey = field(default_factory=SigningKey.generate)
    state: State = field(init=False)
    gateway: Gateway = field(init=False)
    _windows: Windows = field(init=False)
    _faults: list[_Fault] = field(default_factory=list)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None
    broken: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(User(BOT_ID, "Deskhand", is_bot=True), SERVER_ID)
        self.gateway = Gateway(self.state, TOKEN, self.ring)
        self._windows = Windows(self.clock)

    # The server's life.

    async def open(self) -> None:
        application = web.Application(client_max_size=0)
        for method, path, handler in self._routes():
            application.router.add_route(method, f"/api/v10{path}", self._answering(handler))
        application.router.add_get("/gateway/", self.gateway.serve)
        application.router.add_route("*", "/{rest:.*}", self._unknown)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        self.gateway.url = f"ws://127.0.0.1:{self.port}/gateway/"

    async def close(self) -> None:
        await self.gateway.drop()
        assert self._runner is not None
        await self._runner.cleanup()
        assert not self.broken, f"the fake itself broke: {self.broken}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def public_key(self) -> str:
        return self.key.verify_key.encode().hex()

    # What goes wrong.

    def plan(
        self, refusal: Refused | None, *, method: str = "", part: str = "", times: int = 1
    ) -> None:
        """Let the next calls whose path holds `part` fail; None loses the answer alone."""
        self._faults.append(_Fault(refusal, method, part, times))

    def go_down(self) -> None:
        self.is_down = True
        self.ring()

    def come_back(self) -> None:
        self.is_down = False
        self.ring()

    # Watching.

    def ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def until(self, is_so: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for something to become true here."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await self.pause()
        except TimeoutError:
            raise AssertionError(f"it never came; the chats:\n{self.pages()}") from None

    async def pause(self) -> None:
        """Wait for the next change here, or a moment: for states that ring elsewhere."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._bell.wait()

    def of_bot(self, channel: Channel) -> list[Shown]:
        """What the bot has written there, as it looks now; promises not yet kept are left out."""
        return [
            m
            for m in self.state.messages.values()
            if m.channel is channel and m.author.is_bot and not m.is_thinking and not m.seen_by
        ]

    def thread_of(self, message: Shown) -> Channel | None:
        return self.state.channels.get(message.message_id)

    def pages(self) -> str:
        return "\n".join(
            f"{m.channel.channel_id} {m.author.name}: {m.written!r} {m.labels}"
            for m in self.state.messages.values()
        )

    def refusals(self, status: int) -> list[Call]:
        return [call for call in self.calls if call.status == status]

    # People.

    async def say(
        self,
        user: User,
        text: str,
        *,
        where: Channel | None = None,
        reply_to: Shown | None = None,
        files: dict[str, bytes] | None = None,
    ) -> Shown:
        """Somebody writes; to the bot directly, or in a channel."""
        channel = where or self.state.direct(user)
        message = Shown(snowflake(), channel, user, text, files=files or {}, reply_to=reply_to)
        if f"<@{BOT_ID}>" in text or (reply_to is not None and reply_to.author.is_bot):
            message.mentions.append(self.state.bot)
        self.state.messages[message.message_id] = message
        self.state.note("said", channel, user, text)
        await self.tell(message)
        return message

    async def tell(self, message: Shown, *, twice: bool = False) -> None:
        """Bring a message to the bot, if its intents let it come, with as much as they let it."""
        session = self.gateway.session
        wanted = DIRECT_MESSAGES if message.channel.kind == DM else GUILD_MESSAGES
        if session is None or not session.intents & wanted:
            return
        payload = message.payload()
        if message.channel.kind != DM:
            payload |= {"guild_id": str(SERVER_ID), "member": _member()}
            if self.state.bot not in message.mentions:
                payload |= {"content": "", "attachments": [], "embeds": [], "components": []}
        await self.gateway.dispatch("MESSAGE_CREATE", payload, twice=twice)

    async def choose(
        self, user: User, name: str, *, where: Channel | None = None, **options: str | bool
    ) -> Interaction:
        """Somebody chooses a slash command that the bot has registered, and fills its options."""
        command = next(c for c in self.state.commands if c["name"] == name)
        known = {option["name"]: option for option in command.get("options") or []}
        assert options.keys() <= known.keys(), f"/{name} has no {options.keys() - known.keys()}"
        needed = {n for n, o in known.items() if o.get("required")}
        assert needed <= options.keys(), f"/{name} needs {needed - options.keys()}"
        channel = where or self.state.direct(user)
        context = 1 if channel.kind == DM else 0
        assert context in (command["contexts"] or (0, 1)), f"/{name} is not offered there"
        data = {
            "id": command["id"],
            "name": name,
            "type": 1,
            "options": [
                {"name": key, "type": known[key]["type"], "value": value}
                for key, value in options.items()
            ],
        }
        told = "".join(f" {key}:{value}" for key, value in options.items())
        self.state.note("chosen", channel, user, f"/{name}{told}")
        return await self._ask(user, channel, 2, data)

    async def press(self, user: User, message: Shown, label: str) -> Interaction:
        """Somebody presses a button, or chooses from a menu, as it is or was."""
        shown = [message.rows, *reversed(message.earlier_rows)]
        keys = [key for rows in shown for key in buttons_in(rows)]
        key = next(key for key in keys if key["label"] == label)
        is_menu = "value" in key
        data = {"custom_id": key["custom_id"], "component_type": 3 if is_menu else 2}
        self.state.note("pressed", message.channel, user, label)
        if is_menu:
            data["values"] = [key["value"]]
        return await self._ask(user, message.channel, 3, data, message)

    async def _ask(
        self, user: User, channel: Channel, kind: int, data: Json, message: Shown | None = None
    ) -> Interaction:
        interaction = Interaction(
            snowflake(), f"aW50{snowflake()}", user, channel, self.clock(), message
        )
        self.state.interactions[interaction.token] = interaction
        payload = self.interaction_payload(interaction, kind, data)
        if self.endpoint_url:
            reply = await self.bring(payload)
            assert reply.status == 200, (reply.status, reply.text)
            self._respond(interaction, json.loads(reply.text), {})
        else:
            await self.gateway.dispatch("INTERACTION_CREATE", payload)
        return interaction

    def interaction_payload(self, interaction: Interaction, kind: int, data: Json) -> Json:
        channel = interaction.channel
        payload: Json = {
            "id": str(interaction.interaction_id),
            "application_id": str(BOT_ID),
            "type": kind,
            "token": interaction.token,
            "version": 1,
            "channel": channel.partial(),
            "channel_id": str(channel.channel_id),
            "locale": "en-US",
            "app_permissions": "2147483647",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(channel.server_id)},
            "context": 1 if channel.kind == DM else 0,
            "attachment_size_limit": channel.bytes_max,
            "data": data,
        }
        if channel.kind == DM:
            payload["user"] = interaction.user.payload()
        else:
            payload["guild_id"] = str(SERVER_ID)
            payload["guild_locale"] = "en-US"
            payload["guild"] = {"id": str(SERVER_ID), "features": [], "locale": "en-US"}
            payload["member"] = _member() | {
                "user": interaction.user.payload(),
                "permissions": "2147483647",
            }
        if interaction.message is not None:
            payload["message"] = interaction.message.payload()
        return payload

    async def bring(self, payload: Json | bytes, *, headers: dict[str, str] | None = None) -> Reply:
        """Bring something to the endpoint, signed unless `headers` say otherwise."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        timestamp = str(int(time.time()))
        signed = self.key.sign(timestamp.encode() + body).signature.hex()
        told = {
            "Content-Type": "application/json",
            "X-Signature-Ed25519": signed,
            "X-Signature-Timestamp": timestamp,
        } | (headers or {})
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.endpoint_url, data=body, headers=told) as reply,
        ):
            return Reply(reply.status, await reply.text())

    # Requests.

    def _routes(self) -> list[tuple[str, str, Handler]]:
        message = "/channels/{channel}/messages"
        hook = "/webhooks/{application}/{token}"
        return [
            ("GET", "/gateway/bot", self._gateway_bot),
            ("GET", "/gateway", self._gateway_bot),
            ("GET", "/users/@me", self._me),
            ("GET", "/users/@me/guilds", self._guilds),
            ("GET", "/oauth2/applications/@me", self._application),
            ("PUT", "/applications/{application}/commands", self._set_commands),
            ("GET", "/channels/{channel}", self._channel),
            ("POST", message, self._create),
            ("PATCH", message + "/{message}", self._edit),
            ("POST", message + "/{message}/threads", self._thread),
            ("POST", "/interactions/{interaction}/{token}/callback", self._callback),
            ("GET", hook + "/messages/@original", self._original),
            ("PATCH", hook + "/messages/@original", self._edit_original),
            ("DELETE", hook + "/messages/@original", self._delete_original),
            ("POST", hook, self._follow_up),
        ]

    def _answering(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            return await self._answer(request, handler)

        return answer

    async def _answer(self, request: web.Request, handler: Handler) -> web.Response:
        body: Json = {}
        headers: dict[str, str] = {}
        try:
            body, files = await _read(request)
            if self.is_down:
                raise _Dropped
            self._check_token(request)
            headers = self._paced(request)
            fault = self._fault(request)
            if fault is not None and fault.refusal is not None:
                raise fault.refusal
            told = handler(request, body, files)
            self.calls.append(Call(request.method, request.path, body, 200))
            self.ring()
            if fault is not None:
                raise _Dropped
        except Refused as refusal:
            self.calls.append(
                Call(request.method, request.path, body, refusal.status, refusal.code)
            )
            self.ring()
            return _written(refusal.reply(), status=refusal.status, headers=headers)
        except _Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        except ConnectionError:
            raise
        except Exception as error:
            self.broken.append(error)
            raise
        if told is None:
            return web.Response(status=204, headers=headers)
        return _written(told, headers=headers)

    def _check_token(self, request: web.Request) -> None:
        if "token" in request.match_info:
            return
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            raise Refused(401, 0, "401: Unauthorized")

    def _paced(self, request: web.Request) -> dict[str, str]:
        channel = request.match_info.get("channel")
        if channel is None or request.method == "GET" or not self.is_limited:
            return {}
        bucket = f"{request.method}{'thread' if request.path.endswith('threads') else ''}:{channel}"
        is_fine, headers, left = self._windows.take(bucket)
        if not is_fine:
            raise Refused(
                429, 0, "You are being rate limited.", retry_after=left, **{"global": False}
            )
        return headers

    def _fault(self, request: web.Request) -> _Fault | None:
        for fault in self._faults:
            is_it = fault.method in ("", request.method) and fault.part in request.path
            if fault.times > 0 and is_it:
                fault.times -= 1
                return fault
        return None

    async def _unknown(self, request: web.Request) -> web.Response:
        self.broken.append(AssertionError(f"{request.method} {request.path} is not known here"))
        return _written({"code": 0, "message": "404: Not Found"}, status=404)

    # What is asked for.

    def _gateway_bot(self, request: web.Request, body: Json, files: Files) -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 1}
        return {"url": self.gateway.url, "shards": 1, "session_start_limit": limit}

    def _me(self, request: web.Request, body: Json, files: Files) -> Json:
        more = {"mfa_enabled": False, "verified": True, "flags": 0, "locale": "en-US"}
        return self.state.bot.payload() | more | {"email": None, "premium_type": 0}

    def _guilds(self, request: web.Request, body: Json, files: Files) -> list[Json]:
        told: Json = {
            "id": str(SERVER_ID),
            "name": "Our server",
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": "2147483647",
            "features": [],
            "approximate_member_count": 3,
            "approximate_presence_count": 1,
        }
        is_first = int(request.query.get("after", "0")) < SERVER_ID
        return [told] if self.state.in_server and is_first else []

    def _application(self, request: web.Request, body: Json, files: Files) -> Json:
        return {
            "id": str(BOT_ID),
            "name": "Deskhand",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": self.public_key,
            "team": None,
            "owner": User(1, "Owner").payload(),
            "flags": 0,
            "summary": "",
        }

    def _set_commands(self, request: web.Request, body: Json, files: Files) -> list[Json]:
        commands = body["list"]
        rules.check_commands(commands)
        self.state.commands = [
            {
                "id": str(snowflake()),
                "application_id": str(BOT_ID),
                "version": str(snowflake()),
                "type": 1,
                "default_member_permissions": None,
                "nsfw": False,
                "contexts": [0, 1],
                **command,
            }
            for command in commands
        ]
        return self.state.commands

    def _channel(self, request: web.Request, body: Json, files: Files) -> Json:
        return self._found(request).payload()

    def _found(self, request: web.Request) -> Channel:
        channel = self.state.channels.get(int(request.match_info["channel"]))
        if channel is None:
            raise Refused(404, 10003, "Unknown Channel")
        return channel

    def _create(self, request: web.Request, body: Json, files: Files) -> Json:
        channel = self._found(request)
        if not channel.can_write:
            code = 50007 if channel.kind == DM else 50013
            raise Refused(403, code, "Missing Permissions")
        if body.get("enforce_nonce"):
            for known in self.state.messages.values():
                if known.nonce == body["nonce"] and known.author is self.state.bot:
                    return known.payload()
        channel.is_archived = False
        if not channel.can_embed:
            body = body | {"embeds": []}
        return self._stored(channel, body, files).payload()

    def _stored(
        self,
        channel: Channel,
        body: Json,
        files: Files,
        interaction: Interaction | None = None,
    ) -> Shown:
        rules.check_message(body, files, channel.bytes_max)
        message = Shown(snowflake(), channel, self.state.bot, interaction=interaction)
        if reference := body.get("message_reference"):
            message.reply_to = self.state.messages.get(int(reference["message_id"]))
            if message.reply_to is None and reference.get("fail_if_not_exists", True):
                raise Refused(400, 50035, "Unknown message")
        message.nonce = str(body.get("nonce") or "")
        message.flags = body.get("flags", 0)
        self._write(message, body, files)
        self.state.messages[message.message_id] = message
        self.state.note_shown(message, is_new=True)
        return message

    def _write(self, message: Shown, body: Json, files: Files) -> None:
        """Change what a message says, as far as the body says so."""
        content = body["content"] or "" if "content" in body else message.content
        embeds = body["embeds"] or [] if "embeds" in body else message.embeds
        held = dict(files) or message.files
        rules.check_filled(content, embeds, len(held))
        message.content, message.embeds, message.files = content, embeds, held
        if "components" in body:
            message.earlier_rows.append(message.rows)
            message.rows = numbered(body["components"] or [])

    def _edit(self, request: web.Request, body: Json, files: Files) -> Json:
        channel = self._found(request)
        message = self.state.messages.get(int(request.match_info["message"]))
        if message is None or message.channel is not channel or message.is_thinking:
            raise Refused(404, 10008, "Unknown Message")
        if message.author is not self.state.bot:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        if channel.is_archived:
            raise Refused(400, 50083, "Thread is archived")
        if not channel.can_write:
            raise Refused(403, 50001, "Missing Access")
        if body.get("flags", 0) & ~rules.SUPPRESS_EMBEDS:
            raise rules.invalid("flags", "only SUPPRESS_EMBEDS can be changed")
        rules.check_message(body, files, channel.bytes_max)
        before = message.payload()
        self._write(message, body, files)
        is_change = before != message.payload()
        message.edits += is_change
        if is_change:
            self.state.note_shown(message, is_new=False)
        return message.payload()

    def _thread(self, request: web.Request, body: Json, files: Files) -> Json:
        channel = self._found(request)
        message = self.state.messages.get(int(request.match_info["message"]))
        if channel.kind in (DM, THREAD):
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        if message is None or message.channel is not channel:
            raise Refused(404, 10008, "Unknown Message")
        if not channel.can_thread:
            raise Refused(403, 50013, "Missing Permissions")
        if message.message_id in self.state.channels:
            raise Refused(400, 160004, "A thread has already been created for this message")
        if not 1 <= len(body["name"]) <= 100:
            raise rules.invalid("name", "Must be between 1 and 100 in length.")
        thread = Channel(
            message.message_id,
            THREAD,
            name=body["name"],
            server_id=SERVER_ID,
            parent_id=channel.channel_id,
        )
        self.state.channels[thread.channel_id] = thread
        return thread.payload()

    # Interactions.

    def _callback(self, request: web.Request, body: Json, files: Files) -> Json | None:
        interaction = self._interaction(request)
        if str(interaction.interaction_id) != request.match_info["interaction"]:
            raise Refused(404, 10062, "Unknown interaction")
        self._respond(interaction, body, files)
        if request.query.get("with_response") not in ("true", "True", "1"):
            return None
        told: Json = {
            "interaction": {
                "id": str(interaction.interaction_id),
                "type": 3 if interaction.message else 2,
                "response_message_loading": interaction.answer == 5,
                "response_message_ephemeral": False,
            }
        }
        if interaction.response is not None:
            told["resource"] = {
                "type": interaction.answer,
                "message": interaction.response.payload(),
            }
            told["interaction"]["response_message_id"] = str(interaction.response.message_id)
        return told

    def _respond(self, interaction: Interaction, body: Json, files: Files) -> None:
        if self.clock() - interaction.asked_at > ANSWER_SECONDS:
            raise Refused(404, 10062, "Unknown interaction")
        if interaction.is_answered:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        kind = body["type"]
        if kind == 6 and interaction.message is None:
            raise rules.invalid("type", "only of a press")
        if kind not in (4, 5, 6):
            raise rules.invalid("type", f"{kind} is not known here")
        data = body.get("data") or {}
        if kind == 4:
            shown = self._stored(interaction.channel, data, files, interaction)
            if data.get("flags", 0) & rules.EPHEMERAL:
                shown.seen_by = interaction.user
                interaction.whispers.append(shown)
            else:
                interaction.response = shown
        if kind == 5:
            message = Shown(
                snowflake(), interaction.channel, self.state.bot, interaction=interaction
            )
            message.is_thinking = True
            self.state.messages[message.message_id] = message
            interaction.response = message
        interaction.answer = kind
        self.ring()

    def _interaction(self, request: web.Request) -> Interaction:
        interaction = self.state.interactions.get(request.match_info["token"])
        if interaction is None:
            raise Refused(404, 10015, "Unknown Webhook")
        if self.clock() - interaction.asked_at > TOKEN_SECONDS:
            raise Refused(401, 50027, "Invalid Webhook Token")
        return interaction

    def _response(self, request: web.Request) -> tuple[Interaction, Shown]:
        interaction = self._interaction(request)
        if interaction.response is None:
            raise Refused(404, 10015, "Unknown Webhook")
        if interaction.is_gone:
            raise Refused(404, 10008, "Unknown Message")
        return interaction, interaction.response

    def _original(self, request: web.Request, body: Json, files: Files) -> Json:
        return self._response(request)[1].payload()

    def _edit_original(self, request: web.Request, body: Json, files: Files) -> Json:
        _, message = self._response(request)
        rules.check_message(body, files, message.channel.bytes_max)
        self._write(message, body, files)
        message.edits += not message.is_thinking
        self.state.note_shown(message, is_new=message.is_thinking)
        message.is_thinking = False
        return message.payload()

    def _delete_original(self, request: web.Request, body: Json, files: Files) -> None:
        interaction, message = self._response(request)
        interaction.is_gone = True
        del self.state.messages[message.message_id]

    def _follow_up(self, request: web.Request, body: Json, files: Files) -> Json:
        interaction = self._interaction(request)
        if not interaction.is_answered:
            raise Refused(404, 10015, "Unknown Webhook")
        message = self._stored(interaction.channel, body, files, interaction)
        if body.get("flags", 0) & rules.EPHEMERAL:
            message.seen_by = interaction.user
        interaction.whispers.append(message)
        return message.payload()


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    text: str


Files = dict[str, bytes]
Handler = Callable[[web.Request, Json, Files], Any]


def _member() -> Json:
    return {
        "roles": [],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "nick": None,
        "avatar": None,
        "premium_since": None,
        "communication_disabled_until": None,
    }


def _written(
    told: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """As Discord writes it: its type says nothing of a charset, and libraries look at that."""
    body = json.dumps(told).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


async def _read(request: web.Request) -> tuple[Json, Files]:
    """A request's JSON, and the files that came with it."""
    if request.content_type == "application/json":
        told = await request.json()
        return ({"list": told} if isinstance(told, list) else told or {}), {}
    if request.content_type != "multipart/form-data":
        return {}, {}
    body: Json = {}
    parts: dict[int, bytes] = {}
    for key, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            with value.file as file:
                parts[int(key.removeprefix("files[").removesuffix("]"))] = file.read()
        elif key == "payload_json":
            body = json.loads(value)
        else:
            raise Refused(400, 50035, f"unknown part {key}")
    named = {told["id"]: told["filename"] for told in body.get("attachments", [])}
    assert named.keys() == parts.keys(), "every file is named in the payload"
    return body, {named[index]: content for index, content in parts.items()}


@contextlib.asynccontextmanager
async def open_discord(**settings: Any) -> AsyncIterator[FakeDiscord]:
    """Run a fake inside the block."""
    fake = FakeDiscord(**settings)
    await fake.open()
    try:
        yield fake
    finally:
        await fake.close()
