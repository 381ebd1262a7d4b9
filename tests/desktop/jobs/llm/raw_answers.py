"""Answers as they go over the wire, for what no real server can be made to say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Told = dict[str, Any]


def answered(
    body: Told | str | bytes, *, status: str = "200 OK", headers: Sequence[str] = ()
) -> bytes:
    """A whole answer."""
    told = json.dumps(body) if isinstance(body, dict) else body
    raw = told.encode() if isinstance(told, str) else told
    head = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(raw)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + raw


def streamed(*events: Told | str, named: bool = False) -> bytes:
    """A stream of events; the line is cut after the last."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return head + b"".join(event(one, named=named) for one in events)


def event(told: Told | str, *, named: bool = False) -> bytes:
    data = told if isinstance(told, str) else json.dumps(told)
    name = f"event: {told['type']}\n" if named and isinstance(told, dict) else ""
    return f"{name}data: {data}\n\n".encode()


def chat(
    text: str | None = "B",
    finish: str | None = "stop",
    *,
    message: Told | None = None,
    usage: Told | None = None,
) -> Told:
    """A whole reply in OpenAI's format."""
    told: Told = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-2026-11-01",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **(message or {})},
            }
        ],
    }
    return told if usage is None else {**told, "usage": usage}


def chunk(delta: Told, finish: str | None = None) -> Told:
    """A piece of a streamed reply in OpenAI's format."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m-2026-11-01",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def claude(text: str | None, stop: str = "end_turn", **more: Told) -> Told:
    """A whole reply in Anthropic's format."""
    usage: Told = {"input_tokens": 10, "output_tokens": 5, **more.pop("usage", {})}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x-20261101",
        "content": [] if text is None else [{"type": "text", "text": text}],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
        **more,
    }


def gemini(
    text: str | None, finish: str = "STOP", *, usage: Told | None = None, **more: Told
) -> Told:
    """A whole reply in Google's format."""
    parts = [] if text is None else [{"text": text}]
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
        ],
        "usageMetadata": usage
        or {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        "modelVersion": "gemini-x-001",
        "responseId": "r-1",
        **more,
    }
