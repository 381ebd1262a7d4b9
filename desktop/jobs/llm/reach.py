"""Looks whether an endpoint answers: its list of models, with the key, and within a bound.

It costs nothing, no model is called, and a redirect is not followed: the key would go along.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from desktop.core.link import reason_of
from desktop.core.llm.broken import odd_key
from desktop.core.llm.classify import Answer, fault_of_answer
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.models_listed import MODELS_MAX as MODELS_MAX  # noqa: PLC0414 - known from here
from desktop.core.llm.models_listed import models_in as models_in  # noqa: PLC0414
from desktop.core.llm.types import Endpoint, Format
from desktop.core.providers import is_like_a_key
from desktop.system.way import Way, causes

if TYPE_CHECKING:
    import httpx

LOOK_SECONDS = 1.5
"""For all endpoints together; they are asked at the same time."""
ANSWER_BYTES_MAX = 4 * 1024**2

_PATHS = {
    Format.OPENAI: "/models",
    Format.ANTHROPIC: "/v1/models?limit=1000",
    Format.GOOGLE: "/v1beta/models?pageSize=1000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of an endpoint."""

    is_answering: bool
    reason: str = ""
    """Why it does not answer."""
    is_late: bool = False
    """It did not answer in time; it may be that it is slow."""
    fault: LlmFault | None = None
    """What it says instead of a list."""
    models: tuple[str, ...] | None = None
    """Names it lists; None when it lists none that can be read, or not all at once."""
    clock_ahead: timedelta | None = None
    """How much this machine's clock is ahead of the endpoint's; None when it told no time."""


async def look_at(endpoint: Endpoint, key: str, way: Way) -> Look:
    """Ask an endpoint for its models; whatever happens is told, not raised."""
    if endpoint.is_barred:
        return Look(is_answering=False, reason="it is not local, and this is kept local")
    if key and not is_like_a_key(key):
        return Look(is_answering=True, fault=odd_key(endpoint))
    # What a client takes in with its first call, a hundred modules, is loaded before the time runs:
    # on a busy machine the first endpoint would be called late otherwise.
    import httpcore
    import httpx

    await httpcore.AnyIOBackend().sleep(0)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            trust = await _trust(endpoint, way)
            async with httpx.AsyncClient(
                verify=trust,
                proxy=way.proxy_for(endpoint.base_url),
                trust_env=False,
                timeout=LOOK_SECONDS,
            ) as client:
                return await _look(client, endpoint, key)
    except (TimeoutError, httpx.TimeoutException):
        return Look(
            is_answering=False, is_late=True, reason=f"no answer within {LOOK_SECONDS:.1f} s"
        )
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Look(is_answering=False, reason=_why(error))


async def _trust(endpoint: Endpoint, way: Way) -> ssl.SSLContext | bool:
    if not endpoint.base_url.startswith("https:"):
        return False  # no certificate is looked at, so none has to be read
    return await asyncio.to_thread(way.trust)


async def _look(client: httpx.AsyncClient, endpoint: Endpoint, key: str) -> Look:
    url = endpoint.base_url.rstrip("/") + _PATHS[endpoint.format]
    body = bytearray()
    headers = {"accept-encoding": "identity", **headers_with(endpoint.format, key)}
    async with client.stream("GET", url, headers=headers) as answer:
        # As it comes: a few bytes that are unpacked, unasked, may be gigabytes.
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                body.clear()
                break
    now = datetime.now(UTC)
    ahead = _ahead(answer.headers.get("date", ""), now)
    if answer.status_code == 200:
        return Look(is_answering=True, models=models_in(bytes(body)), clock_ahead=ahead)
    told = Answer(
        status=answer.status_code,
        headers={name.lower(): value for name, value in answer.headers.items()},
        body=bytes(body),
    )
    fault = fault_of_answer(endpoint, told, now=now, secrets=(key,))
    return Look(is_answering=True, fault=fault, clock_ahead=ahead)


def headers_with(form: Format, key: str) -> Mapping[str, str]:
    """Return the headers that show a key; none for no key."""
    match form:
        case Format.ANTHROPIC:
            return {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})
        case Format.GOOGLE:
            return {"x-goog-api-key": key} if key else {}
        case Format.OPENAI:
            return {"authorization": f"Bearer {key}"} if key else {}


def _ahead(told: str, now: datetime) -> timedelta | None:
    if not told or len(told) > 64:
        return None
    try:
        there = parsedate_to_datetime(told)
    except ValueError:
        return None
    return None if there.tzinfo is None else now - there


def _why(error: Exception) -> str:
    found = list(causes(error))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in found):
        return "its certificate is not trusted"
    for one in reversed(found):  # the first one that happened says most
        if isinstance(one, OSError) and not isinstance(one, ssl.SSLError):
            return reason_of(one)
    return "it does not speak HTTP" if type(error).__name__ == "RemoteProtocolError" else "no line"


LASTING = frozenset({FaultClass.AUTH_ERROR, FaultClass.QUOTA})
"""What an endpoint says that only a person can change."""
