"""One row of the table of errors, and the shapes in which providers wrap theirs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from desktop.core.llm.fault import FaultClass
from shared.kinds import JsonObject


@dataclass(frozen=True, slots=True)
class Case:
    """What comes, and what it has to mean."""

    provider: str
    """Name of a built-in endpoint."""
    status: int
    name: str
    fault: FaultClass
    source: str
    """Page or thread that documents it; "(shape)" when it shows no body whole."""
    body: JsonObject | str
    headers: dict[str, str] = field(default_factory=dict)
    wait: float | None = None
    """Seconds that the provider asks for, when the clock says noon of 21 November 2026 (UTC)."""

    @property
    def id(self) -> str:
        return f"{self.provider}-{self.status}-{self.name}"

    @property
    def body_bytes(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def openai(
    message: str, code: str | None = None, type_: str = "invalid_request_error"
) -> JsonObject:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def anthropic(type_: str, message: str, details: JsonObject | None = None) -> JsonObject:
    error: JsonObject = {"type": type_, "message": message}
    return {
        "type": "error",
        "error": {**error, "details": details} if details else error,
        "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
    }


def google(code: int, status: str, message: str, *details: JsonObject) -> JsonObject:
    error: JsonObject = {"code": code, "message": message, "status": status}
    return {"error": {**error, "details": list(details)} if details else error}


def quota_failure(*quota_ids: str) -> JsonObject:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": quota_id} for quota_id in quota_ids],
    }


def retry_info(delay: str) -> JsonObject:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def error_info(reason: str) -> JsonObject:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}


def xai(code: str, error: str) -> JsonObject:
    return {"code": code, "error": error}


def mistral(message: str | JsonObject, type_: str, code: str | None = None) -> JsonObject:
    return {"object": "error", "message": message, "type": type_, "param": None, "code": code}


def llama(code: int, type_: str, message: str) -> JsonObject:
    return {"error": {"code": code, "message": message, "type": type_}}
