"""The codec of ACP version 1: calls become lines, lines become events. It reads and writes nothing.

```
 client ── initialize, new_session, prompt … ──▶ call number        data_to_send() ──▶ agent
 client ◀── events with that number ◀── receive_line(line) ◀─────────────────────────── agent
 client ── allow, refuse, fill_in … by the number in an event ──▶   data_to_send() ──▶ agent
```

A request of the agent that nobody here knows is answered at once, so that it never waits for us. A
cancelled turn leaves no request of the agent open (ACP v1, "Prompt Turn", cancellation).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from desktop.core.code.acp import reading, rpc
from desktop.core.code.acp.events import (
    ContextTold,
    Done,
    Event,
    FormWanted,
    Initialized,
    PermissionWanted,
    Planned,
    Refused,
    Reply,
    Said,
    SessionReady,
    StopReason,
    Thought,
    ToolTold,
    ToolUse,
    TurnEnded,
    Withdrawn,
)
from desktop.core.code.acp.rpc import record, records, text
from shared.kinds import JsonObject

PROTOCOL_VERSION = 1
OPEN_MAX = 32
"""Requests of the agent that wait for an answer at one time."""
TOOLS_MAX = 500
"""Tool calls remembered; the oldest are forgotten first."""
_REASONS = {reason.value: reason for reason in StopReason}


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """A server of tools that the agent is to start, as seen from where it runs."""

    name: str
    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class _Open:
    """A request of the agent that waits for an answer."""

    id: rpc.RequestId
    session_id: str
    is_form: bool


class Codec:
    """One connection to one agent."""

    def __init__(self, version: str) -> None:
        """Begin with nothing said.

        Args:
            version: this program's, for the agent's log.
        """
        self._version = version
        self._lines: list[bytes] = []
        self._calls: dict[int, _Call] = {}
        self._calls_made = 0
        self._open: dict[int, _Open] = {}
        self._asked = 0
        self._tools: OrderedDict[str, ToolUse] = OrderedDict()

    def data_to_send(self) -> bytes:
        """Take what has to be written to the agent by now."""
        data = b"".join(self._lines)
        self._lines.clear()
        return data

    # What we want of the agent. Each returns the number that its reply will carry.

    def initialize(self) -> int:
        """Say who we are. No files and no terminals are offered: the agent works in its box."""
        return self._call(
            "initialize",
            {
                "protocolVersion": PROTOCOL_VERSION,
                "clientCapabilities": {
                    "fs": {"readTextFile": False, "writeTextFile": False},
                    "terminal": False,
                    "elicitation": {"form": {}},
                },
                "clientInfo": {"name": "deskhand", "title": "Deskhand", "version": self._version},
            },
        )

    def new_session(self, folder: str, servers: Sequence[McpServer]) -> int:
        return self._call("session/new", _session(folder, servers))

    def resume_session(self, session_id: str, folder: str, servers: Sequence[McpServer]) -> int:
        """Go on with a session that an earlier process had, without its history."""
        params = _session(folder, servers) | {"sessionId": session_id}
        return self._call("session/resume", params, session_id)

    def load_session(self, session_id: str, folder: str, servers: Sequence[McpServer]) -> int:
        """Do the same with an agent that first tells all over again; that is not heard."""
        params = _session(folder, servers) | {"sessionId": session_id}
        return self._call("session/load", params, session_id)

    def set_mode(self, session_id: str, mode: str) -> int:
        params: JsonObject = {"sessionId": session_id, "modeId": mode}
        return self._call("session/set_mode", params, session_id)

    def set_option(self, session_id: str, option: str, value: str) -> int:
        params: JsonObject = {"sessionId": session_id, "configId": option, "value": value}
        return self._call("session/set_config_option", params, session_id)

    def prompt(self, session_id: str, words: str) -> int:
        block: JsonObject = {"type": "text", "text": words}
        params: JsonObject = {"sessionId": session_id, "prompt": [block]}
        return self._call("session/prompt", params, session_id)

    def cancel(self, session_id: str) -> None:
        """End the turn: all that the agent has asked is answered as cancelled."""
        self._lines.append(rpc.notice("session/cancel", {"sessionId": session_id}))
        for asked in list(self._open):
            self.withdraw(asked)

    # Answers to what the agent wants. One that is not open any more is let go.

    def choose(self, asked: int, option_id: str) -> None:
        """Answer a permission request by one of its options."""
        self._answer(asked, {"outcome": {"outcome": "selected", "optionId": option_id}})

    def fill_in(self, asked: int, content: Mapping[str, JsonValue]) -> None:
        self._answer(asked, {"action": "accept", "content": dict(content)})

    def decline(self, asked: int) -> None:
        """Say that a form will not be filled in; the agent goes on without."""
        self._answer(asked, {"action": "decline"})

    def withdraw(self, asked: int) -> None:
        """Say that there will be no answer, because the turn ends."""
        if asked in self._open:
            is_form = self._open[asked].is_form
            cancelled: JsonObject = {"outcome": {"outcome": "cancelled"}}
            self._answer(asked, {"action": "cancel"} if is_form else cancelled)

    # What the agent says.

    def receive_line(self, line: bytes) -> list[Event]:
        """Take one line; noise and what concerns nobody yields nothing."""
        match rpc.read(line):
            case None:
                return []
            case rpc.Request() as request:
                return self._requested(request)
            case rpc.Notice() as notice:
                return self._noticed(notice)
            case rpc.Returned(id=int(number), result=result) if number in self._calls:
                return [self._reply(number, self._calls.pop(number), record(result))]
            case rpc.Returned():
                return []
            case rpc.Failed(id=int(number)) as failed if number in self._calls:
                return [_refused(number, self._calls.pop(number), failed)]
            case rpc.Failed():
                return []

    def _call(self, method: str, params: JsonObject, session_id: str = "") -> int:
        self._calls_made += 1
        self._calls[self._calls_made] = _Call(method, session_id)
        self._lines.append(rpc.request(self._calls_made, method, params))
        return self._calls_made

    def _answer(self, asked: int, value: JsonObject) -> None:
        if (open_ := self._open.pop(asked, None)) is not None:
            self._lines.append(rpc.result(open_.id, value))

    def _reply(self, number: int, call: _Call, result: JsonObject) -> Reply:
        match call.method:
            case "initialize":
                return _initialized(number, result)
            case "session/new" | "session/resume" | "session/load":
                return _session_ready(number, call, result)
            case "session/prompt":
                reason = _REASONS.get(text(result, "stopReason"), StopReason.UNKNOWN)
                usage = reading.usage_of(result.get("usage"))
                return TurnEnded(call=number, reason=reason, usage=usage)
            case _:
                return Done(number)

    def _requested(self, request: rpc.Request) -> list[Event]:
        if len(self._open) >= OPEN_MAX:
            words = f"more than {OPEN_MAX} requests are open"
            self._lines.append(rpc.failure(request.id, rpc.INTERNAL_ERROR, words))
            return []
        match request.method:
            case "session/request_permission":
                return [self._permission(request)]
            case "elicitation/create" | "session/elicitation":
                return self._form(request)
            case _:
                words = f"Method not found: {request.method[:100]}"
                self._lines.append(rpc.failure(request.id, rpc.METHOD_NOT_FOUND, words))
                return []

    def _permission(self, request: rpc.Request) -> Event:
        told = record(request.params.get("toolCall"))
        options = reading.permission_options_of(request.params.get("options"))
        asked = self._opened(request, is_form=False)
        return PermissionWanted(asked=asked, tool=self._tool_told(told), options=options)

    def _form(self, request: rpc.Request) -> list[Event]:
        fields = reading.fields_of(request.params.get("requestedSchema"))
        asked = self._opened(request, is_form=True)
        if fields is None or text(request.params, "mode") not in ("form", ""):
            self.decline(asked)
            return []
        message = text(request.params, "message")[: reading.TEXT_CHARS_MAX]
        return [FormWanted(asked=asked, message=message, fields=fields)]

    def _opened(self, request: rpc.Request, *, is_form: bool) -> int:
        self._asked += 1
        session_id = text(request.params, "sessionId")
        self._open[self._asked] = _Open(request.id, session_id, is_form)
        return self._asked

    def _noticed(self, notice: rpc.Notice) -> list[Event]:
        if notice.method == "$/cancel_request":
            number = notice.params.get("requestId")
            gone = [asked for asked, open_ in self._open.items() if open_.id == number]
            for asked in gone:
                self._not_wanted(asked)
            return [Withdrawn(asked) for asked in gone]
        if notice.method != "session/update" or self._is_replaying():
            return []
        return self._updated(record(notice.params.get("update")))

    def _not_wanted(self, asked: int) -> None:
        open_ = self._open.pop(asked)
        self._lines.append(rpc.failure(open_.id, rpc.REQUEST_CANCELLED, "Request cancelled"))

    def _is_replaying(self) -> bool:
        return any(call.method == "session/load" for call in self._calls.values())

    def _updated(self, update: JsonObject) -> list[Event]:
        match text(update, "sessionUpdate"):
            case "agent_message_chunk":
                words = reading.text_of(update.get("content"))
                return [Said(words)] if words else []
            case "agent_thought_chunk":
                words = reading.text_of(update.get("content"))
                return [Thought(words)] if words else []
            case "tool_call" | "tool_call_update":
                is_new = text(update, "toolCallId") not in self._tools
                return [ToolTold(self._tool_told(update), is_new)]
            case "plan":
                return [Planned(reading.steps_of(update.get("entries")))]
            case "usage_update":
                used, size = rpc.count(update, "used"), rpc.count(update, "size")
                return [ContextTold(used_tokens=used, size_tokens=size)]
            case _:
                return []

    def _tool_told(self, told: JsonObject) -> ToolUse:
        number = text(told, "toolCallId")
        tool = reading.tool_over(self._tools.get(number, ToolUse(id=number)), told)
        self._tools[number] = tool
        self._tools.move_to_end(number)
        if len(self._tools) > TOOLS_MAX:
            self._tools.popitem(last=False)
        return tool


def _session(folder: str, servers: Sequence[McpServer]) -> JsonObject:
    return {"cwd": folder, "mcpServers": [_server(server) for server in servers]}


def _server(server: McpServer) -> JsonObject:
    return {
        "name": server.name,
        "command": server.command,
        "args": list(server.args),
        "env": [{"name": name, "value": value} for name, value in server.env],
    }


def _initialized(number: int, result: JsonObject) -> Initialized:
    abilities = record(result.get("agentCapabilities"))
    info = record(result.get("agentInfo"))
    ways = records(result.get("authMethods"))[: reading.ITEMS_MAX]
    return Initialized(
        call=number,
        protocol=rpc.count(result, "protocolVersion"),
        name=text(info, "title", "name")[: reading.LINE_CHARS_MAX],
        version=text(info, "version")[: reading.LINE_CHARS_MAX],
        can_load=abilities.get("loadSession") is True,
        can_resume=record(abilities.get("sessionCapabilities")).get("resume") is not None,
        sign_ins=tuple(text(way, "name", "id")[:100] for way in ways),
    )


def _refused(number: int, call: _Call, failed: rpc.Failed) -> Refused:
    return Refused(
        call=number,
        method=call.method,
        message=failed.message,
        is_unknown_method=failed.code == rpc.METHOD_NOT_FOUND,
        is_sign_in=failed.code == rpc.AUTH_REQUIRED,
    )


def _session_ready(number: int, call: _Call, result: JsonObject) -> SessionReady:
    modes, mode = reading.modes_of(result.get("modes"))
    return SessionReady(
        call=number,
        session_id=text(result, "sessionId") or call.session_id,
        modes=modes,
        mode=mode,
        options=reading.config_options_of(result.get("configOptions")),
    )
