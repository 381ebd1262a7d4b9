"""Counts the tokens of a model's reply while it passes, in the formats of four APIs.

Fed with bytes as they come, of a stream of server-sent events or of one JSON text. Nothing is held
but the line that is not over yet. Where the provider told nothing, because the agent hung up or the
server does not count, the tokens are estimated, so that no budget is got around.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from desktop.core.code.agent_profiles import GatewayApi
from shared.kinds.llm import UsageFacts

LINE_BYTES_MAX = 16 * 1024 * 1024
"""Of one event, or of an answer that is no stream; a longer one is not read."""
CHARS_PER_TOKEN = 4
NAME_CHARS_MAX = 200
TOKENS_MAX = 10**12

Json = Mapping[str, object]
_SIGNS = {
    GatewayApi.CHAT: b'"usage"',
    GatewayApi.RESPONSES: b'"usage"',
    GatewayApi.MESSAGES: b'"usage"',
    GatewayApi.GEMINI: b'"usageMetadata"',
}


class ReplyTally:
    """One reply's tokens."""

    def __init__(self, api: GatewayApi, sent_bytes: int, *, is_stream: bool) -> None:
        """Begin.

        Args:
            api: whose format it is.
            sent_bytes: of the request, for an estimate.
            is_stream: it comes as server-sent events.
        """
        self.model_reported = ""
        self._api = api
        self._sent_bytes = sent_bytes
        self._is_stream = is_stream
        self._line = bytearray()
        self._is_too_long = False
        self._told: dict[str, int] = {}
        self._events = 0
        self._bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take what came."""
        self._bytes += len(chunk)
        if not self._is_stream:
            self._keep(chunk)
            return
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._keep(line)
            self._take_line()
        self._keep(rest)

    def end(self) -> None:
        """No more comes."""
        if self._is_stream:
            self._take_line()
        elif not self._is_too_long:
            for told in _objects(bytes(self._line)):
                self._take(told)
        self._line.clear()

    def usage(self) -> UsageFacts:
        """Return what was told, or estimated where nothing was."""
        told = self._told
        is_whole = bool(told.get("input_tokens") or told.get("output_tokens"))
        read = told.get("input_tokens") or self._sent_bytes // CHARS_PER_TOKEN
        if "output_tokens" in told and self._is_final:
            written = told["output_tokens"]
        else:
            is_whole = False
            written = max(told.get("output_tokens", 0), self._events or self._guess())
        return UsageFacts(
            input_tokens=read,
            output_tokens=written,
            cached_tokens=told.get("cached_tokens", 0),
            cache_write_tokens=told.get("cache_write_tokens", 0),
            reasoning_tokens=told.get("reasoning_tokens", 0),
            is_estimated=not is_whole,
        )

    @property
    def _is_final(self) -> bool:
        """Anthropic tells the output's first token at the start, and the rest at the end."""
        return self._api is not GatewayApi.MESSAGES or not self._is_stream or "final" in self._told

    def _guess(self) -> int:
        return self._bytes // CHARS_PER_TOKEN

    def _keep(self, part: bytes) -> None:
        if len(self._line) + len(part) > LINE_BYTES_MAX:
            self._is_too_long = True
            self._line.clear()
        elif not self._is_too_long:
            self._line += part

    def _take_line(self) -> None:
        line, is_whole = bytes(self._line), not self._is_too_long
        self._line.clear()
        self._is_too_long = False
        if not line.startswith(b"data:") or not is_whole:
            return
        self._events += 1
        # Most events are pieces of text: only those that can tell something are read.
        if _SIGNS[self._api] in line or not self.model_reported:
            for told in _objects(line[5:]):
                self._take(told)

    def _take(self, told: Json) -> None:
        inner = _inner(self._api, told)
        model = inner.get("model") or inner.get("modelVersion")
        if isinstance(model, str) and model:
            self.model_reported = model[:NAME_CHARS_MAX]
        usage = inner.get("usageMetadata" if self._api is GatewayApi.GEMINI else "usage")
        if isinstance(usage, dict):
            self._told |= _READERS[self._api](usage)
            if told.get("type") == "message_delta":
                self._told["final"] = 1


def _inner(api: GatewayApi, told: Json) -> Json:
    """Return the object that has the usage: events of two APIs wrap it."""
    wrapped = told.get("response" if api is GatewayApi.RESPONSES else "message")
    is_wrapped = api in (GatewayApi.RESPONSES, GatewayApi.MESSAGES) and isinstance(wrapped, dict)
    return wrapped if is_wrapped else told  # type: ignore[return-value]


def _objects(raw: bytes) -> Iterator[Json]:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return
    # Gemini's streams that are no events are a list of replies.
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, dict):
            yield one


def _count(usage: Json, *names: str) -> int | None:
    """Return the first of these that tells a number."""
    for name in names:
        found = usage.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= TOKENS_MAX:
            return found
    return None


def _part(usage: Json, name: str, detail: str) -> int | None:
    details = usage.get(name)
    return _count(details, detail) if isinstance(details, dict) else None


def _known(**found: int | None) -> dict[str, int]:
    return {name: count for name, count in found.items() if count is not None}


def _of_chat(usage: Json) -> dict[str, int]:
    written = _count(usage, "completion_tokens")
    total, read = _count(usage, "total_tokens"), _count(usage, "prompt_tokens")
    if total is not None and read is not None and written is not None:
        written = max(written, total - read)  # xAI counts reasoning in the sum alone
    cached = _part(usage, "prompt_tokens_details", "cached_tokens")
    return _known(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=cached if cached is not None else _count(usage, "prompt_cache_hit_tokens"),
        reasoning_tokens=_part(usage, "completion_tokens_details", "reasoning_tokens"),
    )


def _of_responses(usage: Json) -> dict[str, int]:
    return _known(
        input_tokens=_count(usage, "input_tokens"),
        output_tokens=_count(usage, "output_tokens"),
        cached_tokens=_part(usage, "input_tokens_details", "cached_tokens"),
        reasoning_tokens=_part(usage, "output_tokens_details", "reasoning_tokens"),
    )


def _of_messages(usage: Json) -> dict[str, int]:
    """Anthropic counts what was cached apart from the rest of the input."""
    fresh = _count(usage, "input_tokens")
    cached = _count(usage, "cache_read_input_tokens")
    kept = _count(usage, "cache_creation_input_tokens")
    read = None if fresh is None else fresh + (cached or 0) + (kept or 0)
    return _known(
        input_tokens=read,
        output_tokens=_count(usage, "output_tokens"),
        cached_tokens=cached,
        cache_write_tokens=kept,
    )


def _of_gemini(usage: Json) -> dict[str, int]:
    thoughts = _count(usage, "thoughtsTokenCount")
    written = _count(usage, "candidatesTokenCount")
    read = _count(usage, "promptTokenCount")
    tools = _count(usage, "toolUsePromptTokenCount") or 0
    is_told = written is not None or thoughts is not None
    return _known(
        input_tokens=None if read is None else read + tools,
        output_tokens=(written or 0) + (thoughts or 0) if is_told else None,
        cached_tokens=_count(usage, "cachedContentTokenCount"),
        reasoning_tokens=thoughts,
    )


_READERS = {
    GatewayApi.CHAT: _of_chat,
    GatewayApi.RESPONSES: _of_responses,
    GatewayApi.MESSAGES: _of_messages,
    GatewayApi.GEMINI: _of_gemini,
}
