"""The agent's client over ACP v1: what it is told while a turn goes on, and what it is asked.

Source: agentclientprotocol.com, protocol v1: session/update, session/request_permission,
elicitation/create.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from desktop.core.code.acp import rpc
from desktop.core.code.turn import TurnReply
from desktop.core.llm.message import ToolCall
from desktop.jobs.code.builtin import prompts
from desktop.jobs.code.builtin.peer import Peer, Refusal
from desktop.jobs.code.builtin.tools.offered import KINDS
from desktop.jobs.code.builtin.tools.outcome import Change, Outcome
from desktop.jobs.code.builtin.tools.toolbox import Prepared
from desktop.jobs.code.builtin.work import Question

if TYPE_CHECKING:
    from pydantic import JsonValue

    from shared.kinds import JsonObject

SHOWN_CHARS_MAX = 4000
"""Of a tool's output, for the client; the model has it whole."""
DIFF_CHARS_MAX = 200_000
"""Of each side of a diff; larger ones are not shown."""
ANSWER, OTHER = "answer", "answer_other"
ALLOW, ALWAYS, REJECT = "allow", "always", "reject"


class AcpClient:
    """One session's client."""

    def __init__(self, peer: Peer, session_id: str, *, can_ask: bool) -> None:
        self._peer = peer
        self._session_id = session_id
        self._can_ask = can_ask
        self.wants_permission = False
        self._allowed: set[str] = set()
        """Tools that need no leave any more."""
        self.input_tokens = 0
        self.output_tokens = 0
        self._cost_usd: float | None = 0.0

    @property
    def can_ask(self) -> bool:
        return self._can_ask

    def say(self, text: str, *, by: str = "agent") -> None:
        """Tell a text; `by` the user when an old session is told again."""
        self._update(f"{by}_message_chunk", {"content": {"type": "text", "text": text}})

    def began(self, number: str, call: ToolCall, prepared: Prepared | None) -> None:
        self._update("tool_call", {**_tool(number, call, prepared), "status": "in_progress"})

    def did(self, number: str, call: ToolCall) -> None:
        """Tell of a call of long ago."""
        self._update("tool_call", {**_tool(number, call, None), "status": "completed"})

    def ended(self, number: str, outcome: Outcome) -> None:
        text = outcome.text[:SHOWN_CHARS_MAX]
        said: JsonObject = {"type": "content", "content": {"type": "text", "text": text}}
        status = "failed" if outcome.is_error else "completed"
        content = [*_diff(outcome.change), said]
        self._update(
            "tool_call_update", {"toolCallId": number, "status": status, "content": content}
        )

    def used(self, reply: TurnReply, window_tokens: int) -> None:
        self.input_tokens += reply.input_tokens
        self.output_tokens += reply.output_tokens
        told: JsonObject = {
            "used": reply.input_tokens + reply.output_tokens,
            "size": reply.window_tokens or window_tokens,
        }
        if self._cost_usd is not None and reply.cost_usd is not None:
            self._cost_usd += reply.cost_usd
            told["cost"] = {"amount": self._cost_usd, "currency": "USD"}
        else:
            self._cost_usd = None
        self._update("usage_update", told)

    def plans(self, steps: Sequence[str], done: int) -> None:
        entries: list[JsonValue] = [
            {"content": step, "priority": "medium", "status": _step_status(place, done)}
            for place, step in enumerate(steps)
        ]
        self._update("plan", {"entries": entries})

    async def permits(self, number: str, call: ToolCall, prepared: Prepared) -> bool:
        if call.name in self._allowed:
            return True
        options: list[JsonValue] = [
            {"optionId": ALLOW, "name": "Allow once", "kind": "allow_once"},
            {"optionId": ALWAYS, "name": f"Allow `{call.name}` always", "kind": "allow_always"},
            {"optionId": REJECT, "name": "Refuse", "kind": "reject_once"},
        ]
        told = await self._request(
            "session/request_permission",
            {"toolCall": _tool(number, call, prepared), "options": options},
        )
        chosen = rpc.text(rpc.record(told.get("outcome")), "optionId")
        if chosen == ALWAYS:
            self._allowed.add(call.name)
        return chosen in (ALLOW, ALWAYS)

    async def ask(self, question: Question) -> str:
        words = f"{question.text}\n\nWhy: {question.why}" if question.why else question.text
        told = await self._request(
            "elicitation/create",
            {"mode": "form", "message": words, "requestedSchema": _form(question)},
        )
        content = rpc.record(told.get("content"))
        said = rpc.text(content, OTHER) or rpc.text(content, ANSWER)
        match rpc.text(told, "action"):
            case "accept" if said:
                return said
            case "cancel":
                return prompts.NOT_YET
            case _ if question.default:
                return prompts.NO_ANSWER_DEFAULT.format(default=question.default)
            case _:
                return prompts.NO_ANSWER

    async def _request(self, method: str, params: JsonObject) -> JsonObject:
        """Ask the client; one that answers with an error has said nothing."""
        try:
            return await self._peer.request(method, {"sessionId": self._session_id, **params})
        except Refusal:
            return {}

    def _update(self, kind: str, params: JsonObject) -> None:
        update: JsonObject = {"sessionUpdate": kind, **params}
        self._peer.notify("session/update", {"sessionId": self._session_id, "update": update})


def _step_status(place: int, done: int) -> str:
    if place < done:
        return "completed"
    return "in_progress" if place == done else "pending"


def _form(question: Question) -> JsonObject:
    """Make a form of one field; with options, a second one takes any other answer."""
    field: JsonObject = {"type": "string", "title": "Answer"}
    options = list(dict.fromkeys(filter(None, question.options)))
    if options and question.default and question.default not in options:
        options.append(question.default)
    if question.default:
        field["default"] = question.default
    properties: JsonObject = {ANSWER: field}
    if options:
        field["oneOf"] = [{"const": option, "title": option} for option in options]
        properties[OTHER] = {"type": "string", "title": "Something else"}
    return {"type": "object", "properties": properties, "required": [ANSWER]}


def _tool(number: str, call: ToolCall, prepared: Prepared | None) -> JsonObject:
    told: JsonObject = {
        "toolCallId": number,
        "title": prepared.title if prepared else call.name,
        "kind": KINDS.get(call.name, "other"),
    }
    if prepared is not None:
        told["rawInput"] = prepared.arguments
        told["content"] = _diff(prepared.change)
        told["locations"] = [{"path": prepared.path}] if prepared.path else []
    return told


def _diff(change: Change | None) -> list[JsonValue]:
    if change is None or max(len(change.old or ""), len(change.new)) > DIFF_CHARS_MAX:
        return []
    return [{"type": "diff", "path": change.path, "oldText": change.old, "newText": change.new}]
