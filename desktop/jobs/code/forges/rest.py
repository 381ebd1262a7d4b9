"""Talks to a forge's interface for programs: JSON, a token in a header, bounds on everything.

No redirect is followed, for the token would go along; the token stands in no URL and no error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from desktop.core.code.forge import ForgeSort, api_base
from desktop.core.code.repository import Repository
from desktop.system.way import Way
from shared.errors import AppError, Conflict, NotAllowed, NotFound, Unavailable
from shared.kinds import JsonObject
from shared.plain_text import plain_line
from shared.redaction import redact_text

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 30.0
ANSWER_BYTES_MAX = 4 * 1024**2
WORDS_CHARS_MAX = 300
RETRY_AFTER_SECONDS_MAX = 3600.0

_ACCEPT = {
    ForgeSort.GITHUB: {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    },
}


class Rest:
    """One forge's interface, for one token."""

    def __init__(self, sort: ForgeSort, repository: Repository, token: str, way: Way) -> None:
        self._base = api_base(sort, repository)
        self._shown = repository.shown
        self._way = way
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "deskhand",
            **_ACCEPT.get(sort, {}),
            **_authorization(sort, token.partition(":")[2] or token),
        }

    async def many(self, path: str, query: Mapping[str, str] | None = None) -> list[JsonObject]:
        """Get a list; whatever is no object in it is passed over.

        Raises:
            AppError: as `_call`.
        """
        told = await self._call("GET", path, query=query)
        if not isinstance(told, list):
            raise self._odd()
        return [one for one in told if isinstance(one, dict)]

    async def one(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        query: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """Ask, or change, one object.

        Raises:
            AppError: as `_call`.
        """
        told = await self._call(method, path, body=body, query=query)
        if not isinstance(told, dict):
            raise self._odd()
        return told

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: JsonObject | None = None,
        query: Mapping[str, str] | None = None,
    ) -> object:
        """Make one call.

        Raises:
            NotAllowed: `forge_auth`.
            NotFound: `forge_not_found`.
            Conflict: `forge_refused`, with the forge's own words.
            Unavailable: `forge_unreachable`, `forge_busy`, `forge_odd`, and as `Way.trust`.
        """
        import httpx

        trust = await asyncio.to_thread(self._way.trust)
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                httpx.AsyncClient(
                    verify=trust,
                    proxy=self._way.proxy_for(self._base),
                    trust_env=False,
                    follow_redirects=False,
                    headers=self._headers,
                    timeout=ANSWER_SECONDS,
                ) as client,
                client.stream(
                    method, self._base + path, params=query, content=_content(body)
                ) as response,
            ):
                content = await _bounded(response)
                return self._read(response, content)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise self._unreachable(error) from error

    def _read(self, response: httpx.Response, content: bytes) -> object:
        if response.is_success:
            try:
                told: object = json.loads(content) if content else {}
            except (ValueError, RecursionError):
                raise self._odd() from None
            return told
        raise self._refused(response.status_code, response.headers, _words(content))

    def _refused(self, status: int, headers: Mapping[str, str], words: str) -> AppError:
        told = f" ({words})" if words else ""
        if status == 429 or status >= 500 or (status == 403 and _is_limit(headers)):
            return Unavailable(
                "forge_busy",
                f"The forge of {self._shown} answers {status}{told}.",
                "It is tried again.",
                retryable=True,
                retry_after_seconds=_retry_after(headers),
            )
        if status in (401, 403):
            return NotAllowed(
                "forge_auth",
                f"The forge of {self._shown} does not let the token do this{told}.",
                "Give one to `deskhand keys` that may read and write pull requests there.",
            )
        if status == 404 or 300 <= status < 400:
            return NotFound(
                "forge_not_found",
                f"The forge does not show {self._shown} to the token, or it has moved.",
                "Check the name, and that the token may see it.",
            )
        return Conflict(
            "forge_refused",
            f"The forge of {self._shown} refused it: {words or status}.",
            "The branch is pushed; open the pull request by hand.",
        )

    def _unreachable(self, error: BaseException) -> AppError:
        if body := self._way.why(error, self._base):
            return AppError.from_body(body)
        why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        return Unavailable(
            "forge_unreachable",
            f"The forge of {self._shown} cannot be reached ({why}).",
            "Check the network. The branch is pushed; the pull request is tried again.",
            retryable=True,
        )

    def _odd(self) -> AppError:
        return Unavailable(
            "forge_odd",
            f"The forge of {self._shown} answers something that no forge of its sort does.",
            "The branch is pushed; open the pull request by hand.",
        )


def segment(text: str) -> str:
    """Write a name as one part of a path."""
    return quote(text, safe="")


def _authorization(sort: ForgeSort, token: str) -> dict[str, str]:
    match sort:
        case ForgeSort.GITLAB:
            return {"PRIVATE-TOKEN": token}
        case ForgeSort.GITEA:
            return {"Authorization": f"token {token}"}
        case _:
            return {"Authorization": f"Bearer {token}"}


def _content(body: JsonObject | None) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


async def _bounded(response: httpx.Response) -> bytes:
    import httpx

    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            raise httpx.DecodingError("the answer is too large", request=response.request)
    return bytes(content)


def _words(content: bytes) -> str:
    """Find what a forge says is wrong; hostile, as all it says."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    found = [told.get("message"), told.get("error")] if isinstance(told, dict) else []
    errors = told.get("errors") if isinstance(told, dict) else None
    if isinstance(errors, list):
        found += [one.get("message") if isinstance(one, dict) else one for one in errors[:3]]
    words = [str(one) for one in found if isinstance(one, str | list) and one]
    return redact_text(plain_line("; ".join(words)))[:WORDS_CHARS_MAX]


def _is_limit(headers: Mapping[str, str]) -> bool:
    """GitHub says 403 to whoever asks too often."""
    return headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers


def _retry_after(headers: Mapping[str, str]) -> float | None:
    told = headers.get("retry-after", "")
    return min(float(told), RETRY_AFTER_SECONDS_MAX) if told.isascii() and told.isdigit() else None
