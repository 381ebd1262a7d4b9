"""An agent that misbehaves as it is told: `python fake.py BEHAVIOUR …`; stdlib alone.

It does in one turn what its behaviours say, in their order, and notes every message that it gets
in the file $FAKE_NOTES, a line each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

Message = dict[str, Any]
BEHAVIOURS = sys.argv[1:]
NOTES = os.environ.get("FAKE_NOTES")
FLOOD_BYTES = 3 * 1024 * 1024
HUGE_BYTES = 8 * 1024 * 1024
SESSION = "session-1"
FORM = {
    "type": "object",
    "required": ["colour"],
    "properties": {
        "colour": {
            "type": "string",
            "title": "Colour",
            "oneOf": [{"const": "#f00", "title": "Red"}, {"const": "#00f", "title": "Blue"}],
            "default": "#00f",
        }
    },
}
OPTIONS = [
    # Names and ids say the contrary of what the kinds say: kinds count.
    {"optionId": "allow", "name": "Allow", "kind": "reject_once"},
    {"optionId": "reject", "name": "Reject", "kind": "allow_once"},
]


def main() -> None:
    if "silent" in BEHAVIOURS:
        time.sleep(600)
    if "dead" in BEHAVIOURS:
        sys.stderr.write("Error: no such module \x1b[31mnode:sqlite\n")
        sys.exit(3)
    if "stubborn" in BEHAVIOURS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        message = json.loads(line)
        note(message)
        if "method" in message:
            answer(message)
    if "stubborn" in BEHAVIOURS:
        time.sleep(600)


def answer(message: Message) -> None:
    match message["method"]:
        case "initialize":
            initialized(message)
        case "session/new":
            opened(message)
        case "session/load" if "forgets" not in BEHAVIOURS:
            say("an old word")
            reply(message, {})
        case "session/prompt" if "forgot all" in BEHAVIOURS and not _is_new:
            fail(message, -32602, "Session not found")
        case "session/resume" if "resumes" in BEHAVIOURS:
            reply(message, {})
        case "session/resume" if "dies on resume" in BEHAVIOURS:
            os._exit(4)
        case "session/prompt":
            turn(message)
        case "session/set_mode":
            reply(message, {})
        case "session/cancel":
            pass
        case _:
            fail(message, -32601, "Method not found")


def initialized(message: Message) -> None:
    if "mute on start" in BEHAVIOURS:
        return
    if "garbage" in BEHAVIOURS:
        sys.stdout.write("npm warn deprecated\n{not json\n[1, 2]\n\n\x00\xff\n" + "[" * 9999 + "\n")
        send({"jsonrpc": "2.0", "id": 999, "result": {}})
        send({"jsonrpc": "2.0", "method": "session/update", "params": 7})
        send({"jsonrpc": "2.0", "method": "session/update", "params": {"update": [None]}})
    if "flood" in BEHAVIOURS:
        sys.stderr.write(("x" * 99 + "\n") * (FLOOD_BYTES // 100))
    result = {
        "protocolVersion": 7 if "from the future" in BEHAVIOURS else 1,
        "agentCapabilities": {
            "loadSession": True,
            "sessionCapabilities": {"resume": {}},
        },
        "agentInfo": {"name": "fake", "version": "0.1"},
    }
    reply(message, result)


_is_new = False


def opened(message: Message) -> None:
    global _is_new
    _is_new = True
    if "signed out" in BEHAVIOURS:
        fail(message, -32000, "Authentication required")
    elif "no session" in BEHAVIOURS:
        fail(message, -32603, "Internal error", {"details": "disk is \x1b[2Jfull"})
    else:
        modes = [{"id": "ask", "name": "Ask"}, {"id": "yolo", "name": "Go"}]
        reply(
            message,
            {
                "sessionId": SESSION,
                "modes": {"currentModeId": "ask", "availableModes": modes},
            },
        )


def turn(message: Message) -> None:
    for behaviour in BEHAVIOURS:
        if (deed := DEEDS.get(behaviour)) is not None:
            deed()
    if "mute in turn" in BEHAVIOURS:
        return
    if "waits for cancel" in BEHAVIOURS:
        wait_for_cancel()
        reply(message, {"stopReason": "cancelled"})
        return
    say("All is done.")
    usage = {"totalTokens": 12, "inputTokens": 10, "outputTokens": 2}
    reply(message, {"stopReason": "end_turn", "usage": usage})


def die() -> None:
    sys.stderr.write("panic: out of memory\n")
    sys.stderr.flush()
    os._exit(9)


def huge() -> None:
    tool("big", title="Write a big file", rawInput={"content": "x" * HUGE_BYTES})


def grandchildren() -> None:
    """Leave processes: in the group, in a session of its own, and there without a parent."""
    sleep = "import time; time.sleep(600)"
    orphan = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {sleep!r}], "
    orphan += "start_new_session=True, stdout=subprocess.DEVNULL).pid)"
    for is_apart in (False, True):
        child = subprocess.Popen([sys.executable, "-c", sleep], start_new_session=is_apart)
        note({"left": child.pid})
    note({"left": int(subprocess.check_output([sys.executable, "-c", orphan]))})


def permission() -> None:
    tool("t1", title="rm -rf build", kind="execute", rawInput={"command": "rm -rf build"})
    outcome = ask(
        "session/request_permission",
        {"toolCall": {"toolCallId": "t1", "title": None}, "options": OPTIONS},
    )
    say(f"permission: {json.dumps(outcome)}. ")


def form() -> None:
    params = {"mode": "form", "message": "Which colour?", "requestedSchema": FORM}
    say(f"form: {json.dumps(ask('elicitation/create', params))}. ")


def write() -> None:
    Path("colour.txt").write_text("red\n")


def odd_form() -> None:
    schema = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "binary"}},
    }
    params = {"mode": "form", "message": "Your passport?", "requestedSchema": schema}
    say(f"form: {json.dumps(ask('elicitation/create', params))}. ")


def unknown() -> None:
    say(f"unknown: {json.dumps(ask('fs/read_text_file', {'path': '/etc/passwd'}))}. ")


def withdraw() -> None:
    """Ask, and take the question back."""
    number = request(
        "elicitation/create", {"mode": "form", "message": "Well?"} | {"requestedSchema": FORM}
    )
    time.sleep(0.05)
    send({"jsonrpc": "2.0", "method": "$/cancel_request", "params": {"requestId": number}})
    say(f"withdrawn: {json.dumps(replied(number))}. ")


def plan() -> None:
    entries = [
        {"content": "look", "priority": "high", "status": "completed"},
        {"content": "mend", "priority": "high", "status": "pending"},
    ]
    update({"sessionUpdate": "plan", "entries": entries})


def chatter() -> None:
    for number in range(2000):
        tool(f"c{number}", title=f"step {number}", status="completed")


DEEDS = {
    "dies": die,
    "huge": huge,
    "grandchildren": grandchildren,
    "permission": permission,
    "form": form,
    "odd form": odd_form,
    "writes": write,
    "unknown": unknown,
    "withdraws": withdraw,
    "plan": plan,
    "chatter": chatter,
}


def send(message: Message) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def reply(message: Message, result: Message) -> None:
    send({"jsonrpc": "2.0", "id": message["id"], "result": result})


def fail(message: Message, code: int, words: str, data: Message | None = None) -> None:
    if "id" in message:
        error = {"code": code, "message": words, "data": data}
        send({"jsonrpc": "2.0", "id": message["id"], "error": error})


def update(what: Message) -> None:
    params = {"sessionId": SESSION, "update": what}
    send({"jsonrpc": "2.0", "method": "session/update", "params": params})


def say(words: str) -> None:
    content = {"type": "text", "text": words}
    update({"sessionUpdate": "agent_message_chunk", "content": content})


def tool(number: str, **facts: Any) -> None:
    update({"sessionUpdate": "tool_call", "toolCallId": number, **facts})


_asked = 0


def request(method: str, params: Message) -> str:
    global _asked
    _asked += 1
    number = f"ask-{_asked}"
    send(
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": method,
            "params": params | {"sessionId": SESSION},
        }
    )
    return number


def ask(method: str, params: Message) -> Message:
    return replied(request(method, params))


def replied(number: str) -> Message:
    while True:
        message = heard()
        if message.get("id") == number:
            return dict(message.get("result") or {"error": message["error"]["code"]})


_is_cancelled = False


def heard() -> Message:
    global _is_cancelled
    message: Message = json.loads(sys.stdin.readline())
    note(message)
    _is_cancelled = _is_cancelled or message.get("method") == "session/cancel"
    return message


def wait_for_cancel() -> None:
    while not _is_cancelled:
        heard()


def note(message: Message) -> None:
    if NOTES:
        with Path(NOTES).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
