"""Tries a provider's key with the smallest request there is. The key is in no message of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.core.link import reason_of
from desktop.core.providers import KeyVerdict, Provider, verdict_of

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 15.0
ANSWER_BYTES_MAX = 4 * 1024**2


async def check_key(
    provider: Provider, key: str, client: httpx.AsyncClient | None = None
) -> KeyVerdict:
    """Ask the provider for its models with this key; never raises for what the network does.

    Args:
        provider: whose key it is.
        key: as `checked_key` returned it.
        client: another than one made for this request; it stays open.
    """
    import httpx

    own = client or httpx.AsyncClient(timeout=ANSWER_SECONDS)
    try:
        status, body = await _asked(own, provider, key)
    except (httpx.HTTPError, OSError) as error:
        reason = reason_of(error.__cause__ if isinstance(error.__cause__, Exception) else error)
        host = httpx.URL(provider.models_url).host
        return KeyVerdict(
            is_good=None,
            sentence=f"{host} cannot be reached ({reason}); the key was not tried.",
        )
    finally:
        if client is None:
            await own.aclose()
    return verdict_of(provider, status, _count(body))


async def _asked(client: httpx.AsyncClient, provider: Provider, key: str) -> tuple[int, bytes]:
    """Return status and body. Redirects are not followed: the key would go along."""
    body = bytearray()
    headers = dict(provider.request_headers(key))
    async with client.stream("GET", provider.models_url, headers=headers) as answer:
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                return answer.status_code, b""
    return answer.status_code, bytes(body)


def _count(body: bytes) -> int | None:
    import json

    try:
        told = json.loads(body)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    models = told.get("data", told.get("models"))
    return len(models) if isinstance(models, list) else None
