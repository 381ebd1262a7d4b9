"""Fetches the signed word about the newest version. It never downloads or installs anything."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from desktop.core.update import (
    MANIFEST_BYTES_MAX,
    Manifest,
    UpdateSource,
    forged,
    odd,
    open_envelope,
    read_manifest,
)
from desktop.system.program import NAME
from shared.errors import Unavailable

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 20.0
LABEL = "update manifest"
"""Of the project's URL that names the source, in the metadata of the package."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source answered."""

    manifest: Manifest | None
    """None when nothing has changed since the tag."""
    etag: str


def built_in_source() -> str:
    """Return the source that whoever built this program named; empty without one."""
    try:
        urls = importlib.metadata.metadata(NAME).get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    for line in urls:
        label, _, url = str(line).partition(",")
        if label.strip().lower() == LABEL:
            return url.strip()
    return ""


async def fetch(
    source: UpdateSource, etag: str = "", client: httpx.AsyncClient | None = None
) -> Fetched:
    """Ask a source for its manifest and verify who signed it.

    Args:
        source: where, and whose key.
        etag: of the last answer; empty asks for all.
        client: another than one made for this request; it stays open.

    Raises:
        BadInput: `update_manifest_odd`, `update_signature_wrong`.
        Unavailable: `update_source_silent`.
    """
    import httpx

    own = client or httpx.AsyncClient(timeout=ANSWER_SECONDS)
    try:
        status, told_etag, content = await _asked(own, source.url, etag)
    except (httpx.HTTPError, OSError) as error:
        raise silent(source, "no answer") from error
    finally:
        if client is None:
            await own.aclose()
    if status == HTTPStatus.NOT_MODIFIED and etag:
        return Fetched(None, etag)
    if status != HTTPStatus.OK:
        raise silent(source, f"HTTP {status}")
    signed, signature = open_envelope(content)
    verify(source.key, signed, signature)
    return Fetched(read_manifest(signed), told_etag)


async def _asked(client: httpx.AsyncClient, url: str, etag: str) -> tuple[int, str, bytes]:
    headers = {"if-none-match": etag} if etag else {}
    body = bytearray()
    async with client.stream("GET", url, headers=headers) as answer:
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MANIFEST_BYTES_MAX:
                raise odd()
    return answer.status_code, answer.headers.get("etag", "")[:200], bytes(body)


def verify(key: bytes, signed: bytes, signature: bytes) -> None:
    """Raises: BadInput `update_signature_wrong`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise forged() from error


def silent(source: UpdateSource, why: str) -> Unavailable:
    return Unavailable(
        "update_source_silent",
        f"The source of updates at {urlsplit(source.url).hostname} cannot be asked now ({why}).",
        "It is asked again tomorrow by itself.",
        retryable=True,
    )
