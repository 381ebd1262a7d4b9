"""One request to a hub outside the worker socket: to that address alone, bounded on every side.

Nothing a hub answers is trusted: its size, its speed, its shape and its words are limited here.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TypedDict
from urllib.parse import urlsplit

from desktop.core.joining import WAITING
from desktop.core.link import reason_of
from desktop.core.network_rules import is_proxy, proxy_invalid, proxy_unsupported
from desktop.system.way import Way
from shared.errors import AppError, Unavailable

ANSWER_BYTES_MAX = 64 * 1024
ANSWER_SECONDS = 20.0
WORDS_CHARS_MAX = 500
"""Of what a hub that refuses says to the person."""
CODE_CHARS_MAX = 100
SOCKS_PACKAGE = "socksio"
"""What httpx speaks SOCKS with; the line itself takes python-socks."""


def post(
    base: str,
    path: str,
    body: Mapping[str, object],
    *,
    token: str = "",
    seconds: float = ANSWER_SECONDS,
    way: Way | None = None,
) -> dict[str, object]:
    """Post a body; return the JSON object that a 2xx came with.

    Args:
        base: as `hub_base` returns it.
        path: below `/api/v1`.
        body: JSON.
        token: this machine's; empty while it has none.
        seconds: how long the whole answer may take.
        way: by the owner's rules; None for as the system says.

    Raises:
        AppError: as the hub tells it; `retryable` when asking again may help.
        Unavailable: `hub_unreachable`, `hub_odd_answer`.
    """
    return _told("POST", base, path, body, token, seconds, way or Way())


def ask_for(base: str, path: str, *, token: str, way: Way | None = None) -> dict[str, object]:
    """Get what stands at a path; else as `post`."""
    return _told("GET", base, path, None, token, ANSWER_SECONDS, way or Way())


def _told(
    method: str,
    base: str,
    path: str,
    body: Mapping[str, object] | None,
    token: str,
    seconds: float,
    way: Way,
) -> dict[str, object]:
    import httpx

    url = f"{base}/api/v1{path}"
    try:
        status, content, retry_after = _exchange(
            method, url, body, token, seconds, client_options(way, base)
        )
    except httpx.HTTPError as error:
        told_of_way = way.why(error, base)
        if told_of_way is not None and told_of_way.code != "hub_unreachable":
            raise AppError.from_body(told_of_way) from error
        reason = error.__cause__ if isinstance(error.__cause__, OSError) else error
        raise Unavailable(
            "hub_unreachable",
            f"The hub at {urlsplit(base).netloc} cannot be reached ({_reason(reason)}).",
            "Check the address, and that the hub runs.",
            retryable=True,
        ) from error
    told = _json_object(content)
    if told is None:
        raise odd(status)
    if not 200 <= status < 300:
        raise _refusal(told, status, retry_after)
    return told


class ClientOptions(TypedDict):
    """What an httpx client takes of a way."""

    proxy: str | None
    verify: ssl.SSLContext | bool
    trust_env: bool


def client_options(way: Way, base: str) -> ClientOptions:
    """Make a client go a way. Reads files.

    Raises:
        Unavailable: `ca_file_unusable`.
        AppError: `proxy_invalid`, `proxy_unsupported`.
    """
    proxy = way.proxy_for(base)
    if proxy is not None:
        _check(proxy)
    verify = way.trust() if base.startswith("https:") else True
    return ClientOptions(proxy=proxy, verify=verify, trust_env=False)


def _check(proxy: str) -> None:
    if not is_proxy(proxy):
        raise AppError.from_body(proxy_invalid(proxy))
    if proxy.startswith("socks") and find_spec(SOCKS_PACKAGE) is None:
        raise AppError.from_body(proxy_unsupported(proxy, SOCKS_PACKAGE))


def odd(status: int) -> Unavailable:
    """Say that something answers which is no hub, or a hub that is not well."""
    return Unavailable(
        "hub_odd_answer",
        f"The address answers, but not as a Deskhand hub does (HTTP {status}).",
        "Check the hub's address.",
        retryable=status >= 500,
    )


def _exchange(
    method: str,
    url: str,
    body: Mapping[str, object] | None,
    token: str,
    seconds: float,
    options: ClientOptions,
) -> tuple[int, bytes, str]:
    import httpx

    headers = {"Accept-Encoding": "identity"}
    if token:
        headers["Authorization"] = f"Bearer {token}"

    ends_at = time.monotonic() + seconds
    with (
        # No other address gets what is meant for this one.
        httpx.Client(timeout=seconds, follow_redirects=False, **options) as client,
        client.stream(method, url, json=body, headers=headers) as answer,
    ):
        content = b""
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > ANSWER_BYTES_MAX:
                raise odd(answer.status_code)
            if time.monotonic() > ends_at:  # a drop now and then keeps a line alive for ever
                raise httpx.ReadTimeout("the answer took too long")
    return answer.status_code, content, answer.headers.get("Retry-After", "")


def _json_object(content: bytes) -> dict[str, object] | None:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _refusal(problem: Mapping[str, object], status: int, retry_after: str) -> AppError:
    code, message = problem.get("code"), problem.get("detail") or problem.get("title")
    if not isinstance(code, str) or not isinstance(message, str):
        return odd(status)
    seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    return AppError(
        code[:CODE_CHARS_MAX],
        message[:WORDS_CHARS_MAX],
        str(problem.get("hint") or "")[:WORDS_CHARS_MAX],
        retryable=code == WAITING or status == 429 or status >= 500,
        retry_after_seconds=seconds,
    )


def _reason(error: BaseException) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "nothing answers there"
    if isinstance(error, OSError):
        return reason_of(error)
    return "the line was cut"
