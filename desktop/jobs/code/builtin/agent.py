"""The agent's side of ACP v1: sessions are begun, gone on with, prompted and cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.core.code.acp import rpc
from desktop.jobs.code.builtin.client import AcpClient
from desktop.jobs.code.builtin.gateway import GatewayFault
from desktop.jobs.code.builtin.peer import Peer, Refusal
from desktop.jobs.code.builtin.sessions import NoSession, Session, Sessions
from desktop.jobs.code.builtin.tools.folder import Folder
from desktop.jobs.code.builtin.tools.toolbox import Toolbox
from desktop.jobs.code.builtin.view import View
from desktop.jobs.code.builtin.work import Asks, Work

if TYPE_CHECKING:
    from shared.kinds import JsonObject

PROTOCOL_VERSION = 1
VERSION = "1.0"
WORK, ASK = "work", "ask"
MODES: JsonObject = {
    "currentModeId": WORK,
    "availableModes": [
        {"id": WORK, "name": "Work", "description": "Changes files and runs commands."},
        {"id": ASK, "name": "Ask first", "description": "Asks before each of them."},
    ],
}
INITIALIZED: JsonObject = {
    "protocolVersion": PROTOCOL_VERSION,
    "agentCapabilities": {
        "loadSession": True,
        "promptCapabilities": {"image": False, "audio": False, "embeddedContext": True},
        "sessionCapabilities": {"resume": {}},
    },
    "agentInfo": {"name": "deskhand", "title": "Deskhand's own agent", "version": VERSION},
    "authMethods": [],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where the agent finds itself."""

    home: Path
    """Where sessions are kept."""
    gateway: Asks
    tools: tuple[str, ...] = ()
    """Names of the tools that it has; all when empty."""
    window_tokens: int | None = None


@dataclass(slots=True)
class _Open:
    """A session that is worked on in this process."""

    work: Work
    client: AcpClient
    task: asyncio.Task[str | Exception] | None = None
    """Its turn, while one is under way."""


class BuiltinAgent:
    """One agent, for one client."""

    def __init__(self, surroundings: Surroundings, group: asyncio.TaskGroup) -> None:
        self._surroundings = surroundings
        self._sessions = Sessions(surroundings.home)
        self._group = group
        self._open: dict[str, _Open] = {}
        self._can_ask = False

    async def serve(self, peer: Peer, method: str, params: JsonObject) -> JsonObject:
        """Answer a request.

        Raises:
            Refusal: it cannot be done.
        """
        match method:
            case "initialize":
                return self._initialize(params)
            case "session/new":
                session = self._sessions.new(_folder(params))
                self._opened(peer, session)
                return {"sessionId": session.id, "modes": MODES}
            case "session/load" | "session/resume":
                opened = self._opened(peer, self._found(params))
                if method == "session/load":
                    tell_again(opened.work.session, opened.client)
                return {"modes": MODES}
            case "session/set_mode":
                mode = rpc.text(params, "modeId")
                if mode not in (WORK, ASK):
                    raise Refusal(f"There is no mode {mode[:40]!r}.", rpc.INVALID_PARAMS)
                self._at(params).client.wants_permission = mode == ASK
                return {}
            case "session/prompt":
                return await self._prompt(self._at(params), words_of(params))
            case _:
                raise Refusal(f"Method not found: {method[:100]}", rpc.METHOD_NOT_FOUND)

    def notice(self, method: str, params: JsonObject) -> None:
        """Hear what wants no answer: a turn is to end."""
        opened = self._open.get(rpc.text(params, "sessionId"))
        if method == "session/cancel" and opened is not None and opened.task is not None:
            opened.task.cancel()

    def _initialize(self, params: JsonObject) -> JsonObject:
        abilities = rpc.record(params.get("clientCapabilities"))
        self._can_ask = rpc.record(abilities.get("elicitation")).get("form") is not None
        return INITIALIZED

    def _opened(self, peer: Peer, session: Session) -> _Open:
        client = AcpClient(peer, session.id, can_ask=self._can_ask)
        view = View()
        if self._surroundings.window_tokens is not None:
            view.window_tokens = self._surroundings.window_tokens
        toolbox = Toolbox(Folder(session.folder), self._surroundings.tools)
        work = Work(session, toolbox, self._surroundings.gateway, client, view)
        self._open[session.id] = _Open(work, client)
        return self._open[session.id]

    def _found(self, params: JsonObject) -> Session:
        try:
            return self._sessions.find(rpc.text(params, "sessionId"), _folder(params))
        except NoSession as error:
            raise Refusal(str(error), rpc.INVALID_PARAMS) from None

    def _at(self, params: JsonObject) -> _Open:
        opened = self._open.get(rpc.text(params, "sessionId"))
        if opened is None:
            raise Refusal("There is no such session; begin or resume one.", rpc.INVALID_PARAMS)
        return opened

    async def _prompt(self, opened: _Open, words: str) -> JsonObject:
        if opened.task is not None:
            raise Refusal("A turn of this session is under way.", rpc.INVALID_PARAMS)
        opened.task = self._group.create_task(self._turn(opened, words))
        try:
            await asyncio.wait([opened.task])
            ended = "cancelled" if opened.task.cancelled() else opened.task.result()
        finally:
            opened.task.cancel()
            opened.task = None
        if isinstance(ended, Exception):
            raise ended
        read, written = opened.client.input_tokens, opened.client.output_tokens
        usage: JsonObject = {
            "totalTokens": read + written,
            "inputTokens": read,
            "outputTokens": written,
        }
        return {"stopReason": ended, "usage": usage}

    async def _turn(self, opened: _Open, words: str) -> str | Exception:
        """Work; what goes wrong is a result, for it ends this turn and nothing else."""
        try:
            return (await opened.work.do(words)).value
        except GatewayFault as fault:
            hint = f" {fault.fault.hint}" if fault.fault.hint else ""
            return Refusal(f"{fault.fault.message}{hint}")
        except Exception as error:
            return error


def words_of(params: JsonObject) -> str:
    """Read a prompt: texts, and files that come along with their text.

    Raises:
        Refusal: there is nothing in it that can be read.
    """
    told: list[str] = []
    for block in rpc.records(params.get("prompt")):
        resource = rpc.record(block.get("resource"))
        if text := rpc.text(block, "text"):
            told.append(text)
        elif text := rpc.text(resource, "text"):
            told.append(f"{rpc.text(resource, 'uri')}:\n{text}")
        elif uri := rpc.text(block, "uri"):
            told.append(uri)
    if not told:
        raise Refusal("The prompt has no text.", rpc.INVALID_PARAMS)
    return "\n\n".join(told)


def tell_again(session: Session, client: AcpClient) -> None:
    """Tell an old session from its beginning, as `session/load` wants it."""
    for place, message in enumerate(session.messages):
        if message.role in ("user", "assistant") and message.text.strip():
            client.say(message.text, by="user" if message.role == "user" else "agent")
        for number, call in enumerate(message.calls):
            client.did(f"{session.id[:8]}-{place}-{number}", call)


def _folder(params: JsonObject) -> Path:
    path = Path(rpc.text(params, "cwd"))
    if not path.is_absolute() or not path.is_dir():
        raise Refusal("`cwd` is the absolute path of a folder.", rpc.INVALID_PARAMS)
    return path.resolve()


def names_of(told: str) -> Sequence[str]:
    """Read names with commas between them."""
    return tuple(filter(None, (name.strip() for name in told.split(","))))
