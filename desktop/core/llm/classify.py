"""From what came over the wire to a fault: body's code, then its reason, then status, then text.

An exact code of a provider's decides. Where there is none, the status does, and the sentence
beside it makes a wide status narrower ("400" of an incorrect key). Sources of the codes:
tests/desktop/core/llm/error_table.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from desktop.core.llm.error_body import ErrorReading, read_error
from desktop.core.llm.fault import FaultClass, LlmFault, quoted
from desktop.core.llm.fault_wording import hint_for, message_for
from desktop.core.llm.types import Endpoint
from desktop.core.llm.waits import (
    header_wait_seconds,
    reset_wait_seconds,
    should_retry,
    text_wait_seconds,
)

_F = FaultClass

_CODES: Mapping[str, FaultClass] = {
    # OpenAI, and those who speak like it
    "rate_limit_exceeded": _F.RATE_LIMIT,
    "slow_down": _F.RATE_LIMIT,
    "too_many_requests": _F.RATE_LIMIT,
    "insufficient_quota": _F.QUOTA,
    "billing_hard_limit_reached": _F.QUOTA,
    "billing_not_active": _F.QUOTA,
    "credit_balance_exhausted": _F.QUOTA,
    "organization_spend_limit_exceeded": _F.QUOTA,
    "project_spend_limit_exceeded": _F.QUOTA,
    "organization_usage_limit_exceeded": _F.QUOTA,
    "quota_exceeded": _F.QUOTA,
    "payment_required": _F.QUOTA,
    "server_is_overloaded": _F.OVERLOADED,
    "overloaded": _F.OVERLOADED,
    "invalid_api_key": _F.AUTH_ERROR,
    "account_deactivated": _F.AUTH_ERROR,
    "ip_not_authorized": _F.AUTH_ERROR,
    "unsupported_country_region_territory": _F.AUTH_ERROR,
    "model_not_found": _F.BAD_REQUEST,
    "context_length_exceeded": _F.CONTEXT_LENGTH,
    "string_above_max_length": _F.CONTEXT_LENGTH,
    "content_filter": _F.CONTENT_FILTER,
    "content_policy_violation": _F.CONTENT_FILTER,
    "invalid_prompt": _F.CONTENT_FILTER,
    # Anthropic
    "billing_error": _F.QUOTA,
    "enforced_spend_limit_reached": _F.QUOTA,
    "overloaded_error": _F.OVERLOADED,
    # Google (google.rpc.ErrorInfo reasons)
    "api_key_invalid": _F.AUTH_ERROR,
    "api_key_service_blocked": _F.AUTH_ERROR,
    "api_key_expired": _F.AUTH_ERROR,
    "service_disabled": _F.AUTH_ERROR,
    "consumer_suspended": _F.AUTH_ERROR,
    "billing_disabled": _F.QUOTA,
    "model_capacity_exhausted": _F.OVERLOADED,
    # Mistral
    "1300": _F.RATE_LIMIT,
    "rate_limited": _F.RATE_LIMIT,
    "3505": _F.OVERLOADED,
    "service_tier_capacity_exceeded": _F.OVERLOADED,
    "3051": _F.CONTEXT_LENGTH,
    "1500": _F.BAD_REQUEST,
    "unknown_model": _F.BAD_REQUEST,
    "invalid_model": _F.BAD_REQUEST,
    # llama.cpp
    "exceed_context_size_error": _F.CONTEXT_LENGTH,
}
"""Words exact enough to decide alone, in lower case."""

_TYPES: Mapping[str, FaultClass] = {
    "rate_limit_error": _F.RATE_LIMIT,
    "resource_exhausted": _F.RATE_LIMIT,
    "authentication_error": _F.AUTH_ERROR,
    "permission_error": _F.AUTH_ERROR,
    "permission_denied": _F.AUTH_ERROR,
    "unauthenticated": _F.AUTH_ERROR,
    "unavailable": _F.OVERLOADED,
    "unavailable_error": _F.OVERLOADED,
    "service_unavailable_error": _F.OVERLOADED,
    "timeout_error": _F.TIMEOUT,
    "deadline_exceeded": _F.TIMEOUT,
    "api_error": _F.SERVER,
    "server_error": _F.SERVER,
    "internal": _F.SERVER,
    "internal_server_error": _F.SERVER,
    "invalid_request_error": _F.BAD_REQUEST,
    "not_found_error": _F.BAD_REQUEST,
    "not_found": _F.BAD_REQUEST,
    "invalid_argument": _F.BAD_REQUEST,
    "request_too_large": _F.BAD_REQUEST,
}
"""Words for a whole family, for errors that a stream tells without a status."""

_STATUSES: Mapping[int, FaultClass] = {
    401: _F.AUTH_ERROR,
    402: _F.QUOTA,
    403: _F.AUTH_ERROR,
    407: _F.NETWORK,
    408: _F.TIMEOUT,
    409: _F.SERVER,
    425: _F.SERVER,
    429: _F.RATE_LIMIT,
    499: _F.SERVER,
    503: _F.OVERLOADED,
    504: _F.TIMEOUT,
    522: _F.TIMEOUT,
    524: _F.TIMEOUT,
    529: _F.OVERLOADED,
}

_CONTEXT = re.compile(
    r"\bcontext[ -](length|window|size|limit)|long context|(prompt|input) is too (long|large)"
    r"|max(imum)? (context|model|prompt|input|sequence) length|too large for model with"
    r"|input token count|exceeds? the maximum number of tokens|reduce the length of the"
    r"|request too large for",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"credit balance|\bcredits\b|insufficient balance|spend(ing)? limit|usage limits?\b(?!.*per)"
    r"|enable billing|billing account|billing (is )?(disabled|not)|purchase",
    re.IGNORECASE,
)
_USED_UP = re.compile(r"exceeded your current quota", re.IGNORECASE)
_NOTHING_ALLOWED = re.compile(r"\blimit: 0\b", re.IGNORECASE)
_KEY = re.compile(
    r"(incorrect|invalid|expired|missing|no) api[ _-]?key|api[ _-]?key (not|is not|is in)valid"
    r"|api[ _-]?key (not valid|expired|not found)|user location is not supported"
    r"|(organization|account|team|workspace|project) (has been|is|was) (disabled|suspended|blocked"
    r"|deactivated|deleted|banned)",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    r"content exists risk|violates? (our )?usage (guidelines|polic)|violating our usage polic"
    r"|content (filter|management polic|policy)|safety_check|output blocked",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"overloaded|over capacity|capacity exceeded|at capacity|high demand|server busy|loading model",
    re.IGNORECASE,
)
_MODEL_NOT_OPEN = re.compile(
    r"model\b.*\b(not available|no access|not have access|subscription|tier)"
    r"|(access|available)\b.*\bmodel\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is no success, as it came."""

    status: int | None
    """None for an error told inside a stream that had begun well."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By names in any case."""
    body: bytes = b""


def fault_of_answer(
    endpoint: Endpoint, answer: Answer, *, now: datetime, secrets: tuple[str, ...] = ()
) -> LlmFault:
    """Say what an answer means.

    Args:
        endpoint: who answered.
        answer: what it was.
        now: aware; waits may be told as dates.
        secrets: keys that were sent, blotted out of what is quoted.
    """
    headers = {name.lower(): value for name, value in answer.headers.items()}
    reading = read_error(answer.body)
    fault = class_of(reading, answer.status, endpoint.format)
    words = quoted(reading.message, secrets)
    wait = _wait_seconds(headers, reading, now)
    told = LlmFault(
        fault,
        message_for(fault, endpoint, answer.status, words),
        hint_for(fault, endpoint, wait),
        endpoint=endpoint.name,
        http_status=answer.status,
        provider_code=quoted(reading.best_code, secrets)[:64],
        wait_seconds=wait,
        request_id=quoted(_request_id(headers, reading), secrets)[:64],
    )
    # The provider knows best what is of no use; "true" beside an empty purse is no reason to ask.
    return told.for_good() if should_retry(headers) is False else told


def class_of(reading: ErrorReading, status: int | None, format_: str) -> FaultClass:
    """Apply the rule: code, reason, status, text."""
    by_code = next((_CODES[word] for word in reading.codes if word in _CODES), None)
    if by_code is FaultClass.RATE_LIMIT and _CONTEXT.search(reading.message):
        # OpenAI's "Request too large ... on tokens per min" never fits, however long one waits.
        return FaultClass.CONTEXT_LENGTH
    if by_code is FaultClass.RATE_LIMIT and _NOTHING_ALLOWED.search(reading.message):
        return FaultClass.QUOTA
    if by_code is not None:
        return by_code
    if any("perday" in quota.lower() for quota in reading.quotas):
        # Gemini's daily allowance; without details a 429 of Google's is one of the minute.
        return FaultClass.QUOTA
    wide = _by_status(status)
    if wide is None:
        wide = next((_TYPES[word] for word in reading.codes if word in _TYPES), FaultClass.SERVER)
    return _narrowed(wide, reading.message, status, format_)


def _by_status(status: int | None) -> FaultClass | None:
    if status is None or status < 400:
        return None
    return _STATUSES.get(status, FaultClass.BAD_REQUEST if status < 500 else FaultClass.SERVER)


def _narrowed(wide: FaultClass, text: str, status: int | None, format_: str) -> FaultClass:
    """Let the sentence beside a wide class make it narrower."""
    narrower: tuple[tuple[re.Pattern[str], FaultClass], ...]
    match wide:
        case FaultClass.BAD_REQUEST if status != 404:
            narrower = (
                (_CREDIT, _F.QUOTA),
                (_KEY, _F.AUTH_ERROR),
                (_CONTENT, _F.CONTENT_FILTER),
                (_CONTEXT, _F.CONTEXT_LENGTH),
            )
        case FaultClass.AUTH_ERROR if status != 401:
            narrower = (
                (_CREDIT, _F.QUOTA),
                (_CONTENT, _F.CONTENT_FILTER),
                (_MODEL_NOT_OPEN, _F.BAD_REQUEST),
            )
        case FaultClass.RATE_LIMIT:
            used_up = () if format_ == "google" else ((_USED_UP, _F.QUOTA),)
            narrower = (
                (_CONTEXT, _F.CONTEXT_LENGTH),
                (_CREDIT, _F.QUOTA),
                (_NOTHING_ALLOWED, _F.QUOTA),
                *used_up,
                (_BUSY, _F.OVERLOADED),
            )
        case FaultClass.SERVER:
            narrower = ((_CONTEXT, _F.CONTEXT_LENGTH), (_BUSY, _F.OVERLOADED))
        case _:
            return wide
    return next((fault for pattern, fault in narrower if pattern.search(text)), wide)


def _wait_seconds(headers: Mapping[str, str], reading: ErrorReading, now: datetime) -> float | None:
    """Ask the places where a wait may stand, the plainest first."""
    told = header_wait_seconds(headers, now)
    if told is None:
        told = reading.retry_seconds
    if told is None:
        told = text_wait_seconds(reading.message)
    return reset_wait_seconds(headers, now) if told is None else told


def _request_id(headers: Mapping[str, str], reading: ErrorReading) -> str:
    for name in ("x-request-id", "request-id", "x-goog-request-id", "mistral-correlation-id"):
        if headers.get(name):
            return headers[name]
    return reading.request_id
