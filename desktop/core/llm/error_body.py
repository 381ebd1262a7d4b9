"""Reads what a provider put into the body of an error: codes, sentence, quotas, wait.

Bodies are hostile and of many shapes: `{"error": {...}}` (OpenAI, Anthropic, Google, llama.cpp),
`{"object": "error", ...}` (Mistral, older vLLM), `{"code": ..., "error": "..."}` (xAI),
`{"error": "..."}` (Ollama), `{"detail": ...}` (FastAPI servers), lists of one, events of a stream,
pages of HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desktop.core.llm.waits import duration_seconds

BODY_BYTES_MAX = 64 * 1024
"""Of an error; what is longer is read as text, as far as this."""
TEXT_CHARS_MAX = 2000
_CODE_CHARS_MAX = 64
_DETAILS_MAX = 16

_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^<>]{0,500}>", re.IGNORECASE | re.DOTALL)

_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReading:
    """An error's body, read."""

    codes: tuple[str, ...] = ()
    """The provider's words for it in lower case, the most exact first."""
    message: str = ""
    quotas: tuple[str, ...] = ()
    """Names of the allowances that were exceeded (google.rpc.QuotaFailure)."""
    retry_seconds: float | None = None
    """google.rpc.RetryInfo."""
    request_id: str = ""

    @property
    def best_code(self) -> str:
        return self.codes[0] if self.codes else ""


def read_error(body: bytes) -> ErrorReading:
    """Read an error's body; never raises."""
    text = body[:BODY_BYTES_MAX].decode("utf-8", "replace").strip()
    found = _parsed(text)
    if found is None:
        return ErrorReading(message=_sentence(text))
    outer, inner = found
    details = tuple(_details(inner))
    return ErrorReading(
        codes=tuple(dict.fromkeys(_codes(outer, inner, details))),
        message=_message(outer, inner),
        quotas=tuple(_quotas(details)),
        retry_seconds=_retry_seconds(details),
        request_id=_text(outer.get("request_id")) or _text(inner.get("request_id")),
    )


def _parsed(text: str) -> tuple[_Json, _Json] | None:
    """Return the body's object and the one in it that tells the error."""
    if text.startswith(("data:", "event:")):
        text = next((part[5:] for part in text.splitlines() if part.startswith("data:")), "")
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    inner = value.get("error")
    if isinstance(inner, dict):
        return value, inner
    detail = value.get("detail")
    return value, detail if isinstance(detail, dict) else value


def _codes(outer: _Json, inner: _Json, details: tuple[_Json, ...]) -> Iterator[str]:
    anthropic = inner.get("details")
    candidates = [
        anthropic.get("error_code") if isinstance(anthropic, dict) else None,
        *(detail.get("reason") for detail in details),
        inner.get("code"),
        inner.get("type"),
        inner.get("status"),
        None if outer is inner else outer.get("code"),
    ]
    for candidate in candidates:
        code = str(candidate) if isinstance(candidate, int) else _text(candidate)
        # A number that repeats the status (Google, llama.cpp, vLLM) says nothing of its own.
        is_status = code.isdigit() and len(code) == 3
        if code and not is_status and code != "error":
            yield code[:_CODE_CHARS_MAX].lower()


def _message(outer: _Json, inner: _Json) -> str:
    for candidate in (
        inner.get("message"),
        inner.get("error"),
        inner.get("detail"),
        outer.get("message"),
    ):
        if isinstance(candidate, str) and candidate.strip():
            return _nested(candidate)
        if isinstance(candidate, list | dict) and candidate:
            return json.dumps(candidate, ensure_ascii=False)[:TEXT_CHARS_MAX]
    return ""


def _nested(message: str) -> str:
    """Some gateways put the provider's whole body, as text, into their own message."""
    if message.lstrip().startswith("{"):
        found = _parsed(message)
        if found is not None:
            inner = _text(found[1].get("message"))
            return inner[:TEXT_CHARS_MAX] or message[:TEXT_CHARS_MAX]
    return message[:TEXT_CHARS_MAX]


def _details(inner: _Json) -> Iterator[_Json]:
    details = inner.get("details")
    if isinstance(details, list):
        yield from (detail for detail in details[:_DETAILS_MAX] if isinstance(detail, dict))


def _quotas(details: tuple[_Json, ...]) -> Iterator[str]:
    for detail in details:
        violations = detail.get("violations")
        if isinstance(violations, list):
            for violation in violations[:_DETAILS_MAX]:
                if isinstance(violation, dict) and (name := _text(violation.get("quotaId"))):
                    yield name[:TEXT_CHARS_MAX]


def _retry_seconds(details: tuple[_Json, ...]) -> float | None:
    waits = [duration_seconds(_text(detail.get("retryDelay"))) for detail in details]
    return max((wait for wait in waits if wait is not None), default=None)


def _sentence(text: str) -> str:
    """Take the words out of a page; plain text stays."""
    return " ".join(_TAG.sub(" ", text[:TEXT_CHARS_MAX]).split())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
