"""From a library's response to our Reply, or to the fault that it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from desktop.core.llm.broken import invalid_response
from desktop.core.llm.classify import Answer, fault_of_answer
from desktop.core.llm.fault import FaultClass, LlmFault, blotted, quoted
from desktop.core.llm.message import Thought, ToolCall
from desktop.core.llm.types import Endpoint, Message, Reply
from desktop.jobs.llm import tokens
from desktop.jobs.llm.wire import Call
from shared.kinds.llm import UsageFacts
from shared.redaction import BLOT

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.usage import RequestUsage

WORD_CHARS_MAX = 200
KEY_CHARS_MIN = 8
"""A shorter one may be a word that anybody says."""
REASONING = ("reasoning_tokens", "thinking_tokens", "thoughts_tokens")
"""What OpenAI, Anthropic and Google call it."""


def reply_of(
    endpoint: Endpoint,
    messages: Sequence[Message],
    response: ModelResponse,
    call: Call,
    *,
    has_tools: bool = False,
) -> Reply:
    """Read a response.

    Args:
        endpoint: who answered.
        messages: what was said, for where nobody counts tokens.
        response: the library's.
        call: the wire's note of it.
        has_tools: tools were offered: a reply may be calls alone, or cut short.

    Raises:
        LlmFault: INVALID_RESPONSE for an empty one or one that was cut short, CONTEXT_LENGTH,
            CONTENT_FILTER if the question itself was blocked.
    """
    from pydantic_ai.messages import TextPart

    details: Mapping[str, object] = response.provider_details or {}
    said = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    text = without_key(said, call.key)
    refusal = without_key(_text(details.get("refusal")), call.key)
    is_refusal = bool(refusal) or response.finish_reason == "content_filter"
    reason = _word(details.get("finish_reason"), call.key)
    reason = reason or ("refusal" if refusal else "")
    _check(endpoint, details, call)
    is_cut = has_tools and response.finish_reason == "length"
    calls = _calls(response, call.key) if has_tools and not is_cut else ()
    if not is_refusal and not is_cut and not calls:
        _check_whole(endpoint, text, reason, response.finish_reason, call)
    return Reply(
        text=text or refusal,
        model_reported=_word(response.model_name, call.key),
        request_id=_word(call.request_id or response.provider_response_id, call.key),
        fingerprint=_word(call.fingerprint, call.key),
        finish_reason=reason,
        is_refusal=is_refusal,
        calls=calls,
        thoughts=_thoughts(response, call.key) if calls else (),
        is_cut=is_cut,
        usage=_usage(response.usage, call) or _estimate(messages, text or refusal),
        first_token_ms=call.first_token_ms,
        total_ms=call.elapsed_ms(),
        sent=call.sent,
        prompt_sha256=call.prompt_sha256,
    )


def _calls(response: ModelResponse, key: str) -> tuple[ToolCall, ...]:
    from pydantic_ai.messages import ToolCallPart

    return tuple(
        ToolCall(
            id=without_key(part.tool_call_id, key),
            name=without_key(part.tool_name, key),
            # As it was written: what is no JSON is told to the model that wrote it.
            arguments=without_key(
                part.args if isinstance(part.args, str) else part.args_as_json_str(), key
            ),
            mark=_mark(part.provider_details),
            provider=part.provider_name or "",
        )
        for part in response.parts
        if isinstance(part, ToolCallPart)
    )


def _thoughts(response: ModelResponse, key: str) -> tuple[Thought, ...]:
    """Keep the reasoning that calls came of: some providers refuse their results without it."""
    from pydantic_ai.messages import ThinkingPart

    return tuple(
        Thought(
            text=without_key(part.content, key),
            id=part.id or "",
            signature=part.signature or "",
            provider=part.provider_name or "",
            mark=_mark(part.provider_details),
        )
        for part in response.parts
        if isinstance(part, ThinkingPart)
    )


def _mark(details: Mapping[str, object] | None) -> str:
    try:
        return json.dumps(details) if details else ""
    except (TypeError, ValueError):
        return ""


def _check(endpoint: Endpoint, details: Mapping[str, object], call: Call) -> None:
    blocked = _word(details.get("block_reason"), call.key)
    if blocked:
        raise LlmFault(
            FaultClass.CONTENT_FILTER,
            f"'{endpoint.name}' does not take this question (its filter says {quoted(blocked)}).",
            "This is kept as a result; it is not asked again.",
            endpoint=endpoint.name,
            http_status=call.status,
            provider_code=blocked,
            request_id=call.request_id,
        )


def _check_whole(endpoint: Endpoint, text: str, reason: str, kind: str | None, call: Call) -> None:
    if reason == "model_context_window_exceeded":
        body = b'{"error": {"code": "context_length_exceeded", "message": "context window"}}'
        raise fault_of_answer(endpoint, Answer(status=None, body=body), now=datetime.now(UTC))
    wrong = ""
    if kind == "length":
        wrong = f"it was cut short ({reason or 'length'})"
    elif not reason:
        wrong = "it has no end: no reason to finish was told"
    elif kind != "stop":
        wrong = f"it ended with “{reason}”"
    elif not text.strip():
        wrong = "it has no text"
    if wrong:
        raise invalid_response(endpoint, wrong, status=call.status, request_id=call.request_id)


def _usage(told: RequestUsage, call: Call) -> UsageFacts | None:
    """Read what was reported; None if nothing was."""
    read, written = max(told.input_tokens, 0), max(told.output_tokens, 0)
    if read == 0 and written == 0:
        return None
    reasoning = next((told.details[name] for name in REASONING if told.details.get(name)), 0)
    if reasoning and call.total_tokens == read + written + reasoning:
        # xAI counts reasoning in the sum alone.
        written += reasoning
    return UsageFacts(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=max(told.cache_read_tokens, 0),
        cache_write_tokens=max(told.cache_write_tokens, 0),
        reasoning_tokens=max(reasoning, 0),
    )


def _estimate(messages: Sequence[Message], text: str) -> UsageFacts:
    return UsageFacts(
        input_tokens=tokens.of_messages(messages),
        output_tokens=tokens.of_text(text),
        is_estimated=True,
    )


def without_key(text: str, key: str) -> str:
    """Blot out the key in what a server says: who got it may say it, and replies are kept."""
    return text.replace(key, BLOT) if len(key) >= KEY_CHARS_MIN else text


def _word(told: object, key: str) -> str:
    """Read a short word of a server's. What was cut before may end within the key."""
    word = _text(told)[:WORD_CHARS_MAX]
    return blotted(word, key) if len(key) >= KEY_CHARS_MIN else word


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""
