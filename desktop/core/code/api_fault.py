"""Errors as agents understand them: in the shape of the API that they speak, without secrets.

What a provider says about the key or the account is never passed on, not even blotted: it is said
in our words. Everything else keeps its shape, its status and its waits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.core.code.agent_profiles import GatewayApi
from desktop.core.code.budget import Excess
from desktop.core.llm.fault import FaultClass, LlmFault, blotted, quoted
from shared.redaction import redact_text

BUDGET_USED = "budget_used"
STATUS_BUDGET = 402
"""Payment Required: no agent's library tries that again, as it would a 429."""
TEXT_CHARS_MAX = 8000
ITEMS_MAX = 200
DEPTH_MAX = 8

_ABOUT_THE_KEY = frozenset({FaultClass.AUTH_ERROR, FaultClass.QUOTA, FaultClass.MISSING_API_KEY})
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_GOOGLE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFault:
    """An error as it goes to an agent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def fault_of(
    api: GatewayApi, status: int, code: str, message: str, *, is_final: bool = False
) -> ApiFault:
    """Say an error of ours.

    Args:
        api: whose shape it takes.
        status: of HTTP.
        code: ours, stable.
        message: with the facts.
        is_final: libraries shall not try again, whatever they do at this status.
    """
    told = json.dumps(_shape(api, status, code, message), ensure_ascii=False)
    headers = {"x-should-retry": "false"} if is_final else {}
    return ApiFault(status=status, body=told.encode(errors="replace"), headers=headers)


def fault_of_budget(api: GatewayApi, excess: Excess) -> ApiFault:
    """Say that nothing more is asked."""
    words = f"{excess.message} Stop here."
    return fault_of(api, STATUS_BUDGET, BUDGET_USED, words, is_final=True)


def words_for(fault: LlmFault) -> str:
    """Say a fault to whoever is in the box: nothing that a provider said about key or account."""
    match fault.fault:
        case FaultClass.AUTH_ERROR:
            return f"'{fault.endpoint}' does not accept the key that is kept on this machine."
        case FaultClass.QUOTA:
            return f"The account's credit or allowance at '{fault.endpoint}' is used up."
        case FaultClass.MISSING_API_KEY:
            return f"This machine has no key for '{fault.endpoint}'."
        case _:
            return fault.message


def fault_of_provider(
    api: GatewayApi, status: int, body: bytes, fault: LlmFault, secrets: tuple[str, ...]
) -> ApiFault:
    """Pass a provider's error on.

    Args:
        api: whose shape it has.
        status: of HTTP.
        body: as it came.
        fault: what it means.
        secrets: the key that was sent; blotted out wherever it comes back.
    """
    if fault.fault in _ABOUT_THE_KEY:
        return fault_of(api, status, fault.code, words_for(fault), is_final=True)
    try:
        told: object = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict | list):
        words = quoted(body.decode(errors="replace"), secrets) or fault.message
        return fault_of(api, status, fault.code, words)
    clean = json.dumps(_clean(told, secrets, 0))
    return ApiFault(status=status, body=clean.encode())


def _shape(api: GatewayApi, status: int, code: str, message: str) -> object:
    match api:
        case GatewayApi.MESSAGES:
            kind = _KINDS.get(status, "api_error")
            return {"type": "error", "error": {"type": kind, "message": message, "code": code}}
        case GatewayApi.GEMINI:
            kind = _GOOGLE.get(status, "INTERNAL")
            return {"error": {"code": status, "message": message, "status": kind}}
        case _:
            kind = _KINDS.get(status, "server_error")
            told = {"message": message, "type": kind, "param": None, "code": code}
            return {"error": told}


def _clean(told: object, secrets: tuple[str, ...], depth: int) -> object:
    """Blot out secrets in every text of a JSON value."""
    if depth > DEPTH_MAX:
        return None
    match told:
        case str():
            return without_secrets(told, secrets)
        case dict():
            return {
                without_secrets(str(name), secrets): _clean(part, secrets, depth + 1)
                for name, part in list(told.items())[:ITEMS_MAX]
            }
        case list():
            return [_clean(part, secrets, depth + 1) for part in told[:ITEMS_MAX]]
        case _:
            return told


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """Blot out the keys that were sent, and whatever else looks like one."""
    told = text[:TEXT_CHARS_MAX]
    for secret in filter(None, secrets):
        told = blotted(told, secret)
    return redact_text(told)
