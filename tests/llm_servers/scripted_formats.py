"""The formats a scripted model is spoken to in: what a request asks, and how an answer is written.

Chat completions and responses are OpenAI's, messages Anthropic's, generateContent Google's. Each is
a class with `reads` (the request), `whole` (a plain answer), `events` (the same as server-sent
events) and `fault` (the body of an error).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from tests.llm_servers.scripted_steps import Asked, Deed, Tool, tokens_of

Body = Mapping[str, Any]


class Format(Protocol):
    """How one API reads and writes."""

    def reads(self, path: str, body: Body) -> Asked: ...

    def whole(self, asked: Asked, deed: Deed) -> dict[str, Any]: ...

    def events(self, asked: Asked, deed: Deed) -> list[str]:
        """Give the events as they stand on the line, each with its empty line."""
        ...

    def fault(self, status: int, words: str) -> dict[str, Any]: ...


def format_of(path: str) -> Format | None:
    """Find the format by the request's path; None for what no API of these has."""
    if path.endswith("/chat/completions"):
        return ChatCompletions()
    if path.endswith("/responses"):
        return Responses()
    if path.endswith("/messages"):
        return Messages()
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return GenerateContent()
    return None


def _event(data: object, name: str = "") -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def _words(content: object) -> str:
    """Read a text that may be a string or parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_words(part) for part in content)
    if isinstance(content, dict):
        return _words(content.get("text") or content.get("content") or "")
    return ""


def _pieces(text: str) -> Iterable[str]:
    """Split, so that whoever puts an answer together has something to put together."""
    middle = (len(text) + 1) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


class ChatCompletions:
    def reads(self, path: str, body: Body) -> Asked:
        messages: Sequence[Body] = body.get("messages", ())
        wanted = body.get("response_format") or {}
        return Asked(
            model=str(body.get("model", "")),
            tools=tuple(
                Tool(one["function"]["name"], one["function"].get("parameters") or {})
                for one in body.get("tools") or ()
                if one.get("type") == "function"
            ),
            results=tuple(_words(m.get("content")) for m in messages if m["role"] == "tool"),
            said=tuple(
                _words(m.get("content"))
                for m in messages
                if m["role"] == "assistant" and not m.get("tool_calls")
            ),
            text=_text_of(body),
            is_stream=bool(body.get("stream")),
            schema=(wanted.get("json_schema") or {}).get("schema"),
        )

    def whole(self, asked: Asked, deed: Deed) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": deed.text or None}
        if deed.tool:
            message["tool_calls"] = [{**self._call(deed), "type": "function"}]
        choice = {"index": 0, "message": message, "finish_reason": _chat_reason(deed)}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": asked.model,
            "choices": [choice],
            "usage": self._usage(asked, deed),
        }

    def events(self, asked: Asked, deed: Deed) -> list[str]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in _pieces(deed.text)]
        if deed.tool:
            name = {"name": deed.tool.name, "arguments": ""}
            begun: dict[str, Any] = {
                "index": 0,
                "id": deed.call_id,
                "type": "function",
                "function": name,
            }
            deltas.append({"tool_calls": [begun]})
            deltas += [
                {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
                for piece in _pieces(json.dumps(deed.arguments))
            ]
        chunks: list[dict[str, Any]] = [
            {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
        ]
        chunks.append({"index": 0, "delta": {}, "finish_reason": _chat_reason(deed)})
        made = [_event(self._chunk(asked, [chunk])) for chunk in chunks]
        usage = self._chunk(asked, []) | {"usage": self._usage(asked, deed)}
        return [*made, _event(usage), _event("[DONE]")]

    def fault(self, status: int, words: str) -> dict[str, Any]:
        code = {429: "rate_limit_exceeded", 401: "invalid_api_key"}.get(status)
        return {"error": {"message": words, "type": "scripted", "param": None, "code": code}}

    def _call(self, deed: Deed) -> dict[str, Any]:
        assert deed.tool
        function = {"name": deed.tool.name, "arguments": json.dumps(deed.arguments)}
        return {"id": deed.call_id, "function": function}

    def _chunk(self, asked: Asked, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": asked.model,
            "choices": choices,
        }

    def _usage(self, asked: Asked, deed: Deed) -> dict[str, Any]:
        read = tokens_of(asked.text)
        return {
            "prompt_tokens": read,
            "completion_tokens": deed.tokens,
            "total_tokens": read + deed.tokens,
        }


def _chat_reason(deed: Deed) -> str:
    return "tool_calls" if deed.tool else "stop"


class Responses:
    def reads(self, path: str, body: Body) -> Asked:
        told = body.get("input", ())
        items: Sequence[Body] = [] if isinstance(told, str) else told
        wanted = (body.get("text") or {}).get("format") or {}
        return Asked(
            model=str(body.get("model", "")),
            tools=tuple(self._tools(body.get("tools") or ())),
            results=tuple(
                _words(item.get("output"))
                for item in items
                if str(item.get("type", "")).endswith("call_output")
            ),
            said=tuple(
                _words(item.get("content")) for item in items if item.get("role") == "assistant"
            ),
            text=_text_of(body),
            is_stream=bool(body.get("stream")),
            schema=wanted.get("schema") if wanted.get("type") == "json_schema" else None,
        )

    def _tools(self, told: Sequence[Body], space: str = "") -> Iterable[Tool]:
        for one in told:
            if one.get("type") == "namespace":
                yield from self._tools(one.get("tools") or (), one["name"])
            elif one.get("type") == "function":
                yield Tool(one["name"], one.get("parameters") or {}, space)

    def whole(self, asked: Asked, deed: Deed) -> dict[str, Any]:
        return self._response(asked, deed, "completed")

    def events(self, asked: Asked, deed: Deed) -> list[str]:
        item = self._item(deed)
        begun = self._response(asked, deed, "in_progress") | {"output": [], "usage": None}
        empty: dict[str, Any] = {"arguments": ""} if deed.tool else {"content": []}
        told: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": item | empty | {"status": "in_progress"},
            },
            *(self._argument_events(item) if deed.tool else self._text_events(item, deed)),
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": self.whole(asked, deed)},
        ]
        return [
            _event(one | {"sequence_number": number}, one["type"])
            for number, one in enumerate(told)
        ]

    def fault(self, status: int, words: str) -> dict[str, Any]:
        return ChatCompletions().fault(status, words)

    def _argument_events(self, item: Body) -> list[dict[str, Any]]:
        place = {"item_id": item["id"], "output_index": 0}
        whole = item["arguments"]
        name = "response.function_call_arguments"
        return [
            *({"type": f"{name}.delta", **place, "delta": piece} for piece in _pieces(whole)),
            {"type": f"{name}.done", **place, "arguments": whole},
        ]

    def _text_events(self, item: Body, deed: Deed) -> list[dict[str, Any]]:
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        part, empty = item["content"][0], item["content"][0] | {"text": ""}
        return [
            {"type": "response.content_part.added", **place, "part": empty},
            *(
                {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
                for piece in _pieces(deed.text)
            ),
            {"type": "response.output_text.done", **place, "text": deed.text, "logprobs": []},
            {"type": "response.content_part.done", **place, "part": part},
        ]

    def _item(self, deed: Deed) -> dict[str, Any]:
        if not deed.tool:
            part = {"type": "output_text", "text": deed.text, "annotations": []}
            return {
                "type": "message",
                "id": f"msg_{deed.number}",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        made = {
            "type": "function_call",
            "id": f"fc_{deed.number}",
            "call_id": deed.call_id,
            "name": deed.tool.name,
            "arguments": json.dumps(deed.arguments),
            "status": "completed",
        }
        return made | ({"namespace": deed.tool.space} if deed.tool.space else {})

    def _response(self, asked: Asked, deed: Deed, status: str) -> dict[str, Any]:
        read = tokens_of(asked.text)
        usage = {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": deed.tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + deed.tokens,
        }
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "status": status,
            "model": asked.model,
            "output": [self._item(deed)],
            "usage": usage,
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
        }


class Messages:
    def reads(self, path: str, body: Body) -> Asked:
        messages: Sequence[Body] = body.get("messages", ())
        blocks = [(m["role"], block) for m in messages for block in _blocks(m.get("content"))]
        return Asked(
            model=str(body.get("model", "")),
            tools=tuple(
                Tool(one["name"], one["input_schema"])
                for one in body.get("tools") or ()
                if "input_schema" in one
            ),
            results=tuple(
                _words(block.get("content"))
                for _, block in blocks
                if block["type"] == "tool_result"
            ),
            said=tuple(_words(m["content"]) for m in messages if _is_only_said(m)),
            text=_text_of(body),
            is_stream=bool(body.get("stream")),
            schema=_messages_schema(body),
        )

    def whole(self, asked: Asked, deed: Deed) -> dict[str, Any]:
        return self._message(asked, [self._block(deed)], deed)

    def events(self, asked: Asked, deed: Deed) -> list[str]:
        block = self._block(deed)
        begun = self._message(asked, [], deed) | {"stop_reason": None}
        begun["usage"] = begun["usage"] | {"output_tokens": 1}
        if deed.tool:
            empty = block | {"input": {}}
            deltas = [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in _pieces(json.dumps(deed.arguments))
            ]
        else:
            empty = block | {"text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(deed.text)]
        end = {"stop_reason": self._reason(deed), "stop_sequence": None}
        told: list[dict[str, Any]] = [
            {"type": "message_start", "message": begun},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            *({"type": "content_block_delta", "index": 0, "delta": one} for one in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": end, "usage": {"output_tokens": deed.tokens}},
            {"type": "message_stop"},
        ]
        return [_event(one, one["type"]) for one in told]

    def fault(self, status: int, words: str) -> dict[str, Any]:
        kinds = {429: "rate_limit_error", 401: "authentication_error", 529: "overloaded_error"}
        kind = kinds.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": words}}

    def _block(self, deed: Deed) -> dict[str, Any]:
        if not deed.tool:
            return {"type": "text", "text": deed.text}
        return {
            "type": "tool_use",
            "id": f"toolu_{deed.number}",
            "name": deed.tool.name,
            "input": deed.arguments,
        }

    def _reason(self, deed: Deed) -> str:
        return "tool_use" if deed.tool else "end_turn"

    def _message(self, asked: Asked, content: list[Any], deed: Deed) -> dict[str, Any]:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": content,
            "stop_reason": self._reason(deed),
            "stop_sequence": None,
            "usage": {"input_tokens": tokens_of(asked.text), "output_tokens": deed.tokens},
        }


def _blocks(content: object) -> list[Body]:
    if isinstance(content, list):
        return [block for block in content if isinstance(block, dict) and "type" in block]
    return []


def _is_only_said(message: Body) -> bool:
    blocks = _blocks(message.get("content"))
    calls = any(block["type"] == "tool_use" for block in blocks)
    return message["role"] == "assistant" and not calls


def _messages_schema(body: Body) -> Mapping[str, Any] | None:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    schema: Mapping[str, Any] | None = wanted.get("schema")
    return schema


class GenerateContent:
    def reads(self, path: str, body: Body) -> Asked:
        contents: Sequence[Body] = body.get("contents", ())
        parts = [(one.get("role"), part) for one in contents for part in one.get("parts") or ()]
        config = body.get("generationConfig") or {}
        declared = [
            one for tool in body.get("tools") or () for one in tool.get("functionDeclarations", ())
        ]
        return Asked(
            model=path.rsplit("/", 1)[-1].partition(":")[0],
            tools=tuple(Tool(one["name"], _google_schema(one)) for one in declared),
            results=tuple(
                _google_result(part["functionResponse"])
                for _, part in parts
                if "functionResponse" in part
            ),
            said=tuple(
                "".join(part.get("text", "") for part in one.get("parts") or ())
                for one in contents
                if one.get("role") == "model"
                and not any("functionCall" in part for part in one.get("parts") or ())
            ),
            text=_text_of(body),
            is_stream=path.endswith(":streamGenerateContent"),
            schema=config.get("responseJsonSchema") or config.get("responseSchema"),
        )

    def whole(self, asked: Asked, deed: Deed) -> dict[str, Any]:
        return self._response(asked, deed, self._part(deed), is_end=True)

    def events(self, asked: Asked, deed: Deed) -> list[str]:
        if deed.tool:
            return [_event(self.whole(asked, deed))]
        pieces = [{"text": piece} for piece in _pieces(deed.text)]
        return [
            _event(self._response(asked, deed, piece, is_end=number == len(pieces)))
            for number, piece in enumerate(pieces, 1)
        ]

    def fault(self, status: int, words: str) -> dict[str, Any]:
        kind = {429: "RESOURCE_EXHAUSTED", 401: "UNAUTHENTICATED"}.get(status, "INTERNAL")
        return {"error": {"code": status, "message": words, "status": kind}}

    def _part(self, deed: Deed) -> dict[str, Any]:
        if not deed.tool:
            return {"text": deed.text}
        return {"functionCall": {"name": deed.tool.name, "args": deed.arguments}}

    def _response(
        self, asked: Asked, deed: Deed, part: dict[str, Any], *, is_end: bool
    ) -> dict[str, Any]:
        read = tokens_of(asked.text)
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": 0}
        if is_end:
            candidate["finishReason"] = "STOP"
        usage = {
            "promptTokenCount": read,
            "candidatesTokenCount": deed.tokens,
            "totalTokenCount": read + deed.tokens,
        }
        return {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": asked.model,
            "responseId": "response-1",
        }


def _google_schema(declared: Body) -> Body:
    """Find a tool's schema; the provider's own library writes a name of it as Python does."""
    names = ("parametersJsonSchema", "parameters_json_schema", "parameters")
    return next((declared[name] for name in names if declared.get(name)), {})


def _google_result(told: Body) -> str:
    answer = told.get("response") or {}
    for name in ("output", "result", "return_value", "error"):
        if isinstance(answer.get(name), str):
            return str(answer[name])
    return json.dumps(answer)


def _text_of(body: Body) -> str:
    """All that was sent, with line breaks as they are, for what is looked for and counted."""
    return json.dumps(body, ensure_ascii=False).replace("\\n", "\n")
