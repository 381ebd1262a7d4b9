"""The tool `ask_human` for agents: an MCP server on standard input and output, run in the box.

    python -I -S ask_human.py PORT

It brings each question to the gateway at 127.0.0.1:PORT and tells the agent every few seconds that
it still waits. Nothing but the standard library. Protocol: MCP by handshake (2024-11-05 to
2025-11-25), and without one (2026-07-28), whichever the agent begins with.
"""

import json
import os
import socket
import sys
import threading
from collections.abc import Callable

LINE_BYTES_MAX = 4 * 1024 * 1024
CALLS_MAX = 16
"""Questions at a time."""
ANSWER_BYTES_MAX = 64 * 1024
HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN_VERSIONS = ("2026-07-28",)
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
UNSUPPORTED_VERSION = -32022
INFO = {"name": "deskhand", "title": "Deskhand", "version": "1"}
TOOL = {
    "name": "ask_human",
    "title": "Ask the person",
    "description": (
        "Ask the person who ordered this work a question, and wait for the answer. Use it when the"
        " task leaves something open that only they can decide. It may take minutes. If there is no"
        " answer yet, finish what does not depend on it and end your turn."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "question": {"type": "string", "description": "One clear question."},
            "options": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Short answers to choose from, the best one first.",
            },
            "default": {
                "type": "string",
                "description": "What you will do if nobody answers in time.",
            },
            "why": {"type": "string", "description": "Why it matters, in a sentence."},
        },
        "required": ["question"],
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}
INSTRUCTIONS = "ask_human asks the person who ordered this work."

Json = dict[str, object]
Beat = Callable[[float], None]


class Fault(Exception):
    """A request that cannot be done, as JSON-RPC tells it."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.error: Json = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data


class Server:
    """All that is said to one agent, and by it."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._speaking = threading.Lock()
        self._calls: dict[str, Call] = {}

    def hear(self, line: bytes) -> None:
        """Do what a line of the agent's says."""
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            self.say({"id": None, "error": {"code": PARSE_ERROR, "message": "This is no JSON."}})
            return
        for one in told if isinstance(told, list) else [told]:
            self._take(one)

    def say(self, message: Json) -> None:
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        with self._speaking:
            sys.stdout.buffer.write(raw)
            sys.stdout.buffer.flush()

    def _take(self, message: object) -> None:
        if not isinstance(message, dict):
            error = {"code": INVALID_REQUEST, "message": "This is no request."}
            self.say({"id": None, "error": error})
            return
        method, number = message.get("method"), message.get("id")
        if not isinstance(method, str):
            return  # an answer; nothing was asked from here
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if "id" not in message:
            self._note(method, params)
            return
        try:
            self._answer(method, number, params)
        except Fault as fault:
            self.say({"id": number, "error": fault.error})

    def _note(self, method: str, params: Json) -> None:
        if method == "notifications/cancelled":
            call = self._calls.get(_name(params.get("requestId")))
            if call is not None:
                call.cancel()

    def _answer(self, method: str, number: object, params: Json) -> None:
        meta = params.get("_meta")
        meta = meta if isinstance(meta, dict) else {}
        is_modern = VERSION_KEY in meta
        if is_modern and meta[VERSION_KEY] not in MODERN_VERSIONS:
            told = {"supported": list(MODERN_VERSIONS), "requested": str(meta[VERSION_KEY])[:50]}
            raise Fault(UNSUPPORTED_VERSION, "This version of the protocol is not spoken.", told)
        match method:
            case "initialize":
                self._result(number, _hello(params))
            case "server/discover":
                self._result(number, _discovered(), is_modern=True, is_kept=True)
            case "ping":
                self._result(number, {}, is_modern=is_modern)
            case "tools/list":
                self._result(number, {"tools": [TOOL]}, is_modern=is_modern, is_kept=True)
            case "tools/call":
                self._call(number, params, meta, is_modern=is_modern)
            case _:
                raise Fault(NO_METHOD, f"There is no method {method[:100]}.")

    def _result(
        self, number: object, result: Json, *, is_modern: bool = False, is_kept: bool = False
    ) -> None:
        if is_modern:
            result = {"resultType": "complete", **result}
        if is_modern and is_kept:
            result = {"ttlMs": 3_600_000, "cacheScope": "private", **result}
        self.say({"id": number, "result": result})

    def _call(self, number: object, params: Json, meta: Json, *, is_modern: bool) -> None:
        if params.get("name") != TOOL["name"]:
            raise Fault(INVALID_PARAMS, "There is one tool, ask_human.")
        if len(self._calls) >= CALLS_MAX:
            raise Fault(INVALID_REQUEST, f"{CALLS_MAX} questions are open.")
        call = Call(self._port, self._token, params.get("arguments"))
        self._calls[_name(number)] = call

        def beat(seconds: float) -> None:
            self._beat(meta.get("progressToken"), seconds)

        def work() -> None:
            text, is_error = call.answer(beat)
            self._calls.pop(_name(number), None)
            if not call.is_cancelled:
                told: Json = {"content": [{"type": "text", "text": text}], "isError": is_error}
                self._result(number, told, is_modern=is_modern)

        threading.Thread(target=work, daemon=True).start()

    def _beat(self, token: object, seconds: float) -> None:
        """Tell the agent that it still waits: many wait longer for a tool that says so."""
        if token is None:
            return
        told = {"progressToken": token, "progress": seconds, "message": "Waiting for the person."}
        self.say({"method": "notifications/progress", "params": told})


class Call:
    """One question at the gateway."""

    def __init__(self, port: int, token: str, arguments: object) -> None:
        self._port = port
        self._token = token
        self._arguments = arguments
        self._close: Callable[[], None] | None = None
        self.is_cancelled = False

    def answer(self, beat: Beat) -> tuple[str, bool]:
        """Return what the tool says, and whether it failed."""
        arguments = self._arguments
        question = arguments.get("question") if isinstance(arguments, dict) else None
        if not isinstance(question, str) or not question.strip():
            return "Say what you want to know: question is a text.", True
        try:
            return self._ask(beat)
        except (OSError, ValueError):
            return "The person cannot be asked now. Decide by yourself, and say what.", True

    def cancel(self) -> None:
        """Want no answer any more; the person may still give one."""
        self.is_cancelled = True
        if self._close is not None:
            self._close()

    def _ask(self, beat: Beat) -> tuple[str, bool]:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        try:
            connection.connect()
            self._close = _hanging_up(connection.sock)
            headers = {"Content-Type": "application/json", "X-Deskhand-Token": self._token}
            connection.request("POST", "/deskhand/ask", json.dumps(self._arguments), headers)
            reply = connection.getresponse()
            if reply.status != 200:
                return _why_not(reply.read(ANSWER_BYTES_MAX)), True
            while line := reply.readline(ANSWER_BYTES_MAX):
                told = json.loads(line)
                if "waiting" in told:
                    beat(told["waiting"])
                for name in ("answer", "later"):
                    if name in told:
                        return str(told[name]), False
            raise ValueError("the answer is missing")
        except (http.client.HTTPException, AttributeError):
            raise ValueError("it broke") from None
        finally:
            connection.close()


def _hanging_up(line: socket.socket) -> Callable[[], None]:
    """Return what wakes a thread that reads there; to close it would not."""

    def hang_up() -> None:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it had ended

    return hang_up


def _why_not(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "The person cannot be asked now. Decide by yourself, and say what."


def _name(number: object) -> str:
    """Name a request: 1 and "1" are two."""
    return json.dumps(number)


def _hello(params: Json) -> Json:
    wanted = params.get("protocolVersion")
    version = wanted if wanted in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
    return {
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": INFO,
        "instructions": INSTRUCTIONS,
    }


def _discovered() -> Json:
    return {
        "supportedVersions": [*MODERN_VERSIONS],
        "capabilities": {"tools": {}},
        "instructions": INSTRUCTIONS,
        "_meta": {"io.modelcontextprotocol/serverInfo": INFO},
    }


def main(words: list[str]) -> int:
    if len(words) != 1 or not words[0].isdecimal():
        sys.stderr.write("ask_human: PORT\n")
        return 2
    server = Server(int(words[0]), os.environ.get("DESKHAND_TOKEN", ""))
    while line := sys.stdin.buffer.readline(LINE_BYTES_MAX):
        if line.strip():
            server.hear(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
