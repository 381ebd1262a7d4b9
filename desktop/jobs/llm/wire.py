"""The last metres to an endpoint: what goes out is noted here, and keys are put in here.

Libraries of providers are given a stand-in for the key, so that it stands in none of their
objects, and a note of the call is found by the task it runs in. Of their headers only those go out
that a request needs. What comes back is bounded, an answer that is no success is kept as it came,
and nothing is followed to another address.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2

from desktop.core.llm.broken import invalid_response
from desktop.core.llm.classify import Answer, fault_of_answer
from desktop.core.llm.fault import FaultClass, LlmFault, blotted
from desktop.core.llm.types import Endpoint, Format
from desktop.jobs.llm.gathering import Gatherer, Whole
from desktop.jobs.llm.pools import Pools
from desktop.system.way import Way
from shared.kinds import JsonObject

STAND_IN = "put-in-on-the-wire"
"""What the libraries take for the key."""
CONNECT_SECONDS = 10.0
WRITE_SECONDS = 60.0
KEEP_SECONDS = 60.0
REPLY_BYTES_MAX = 32 * 1024 * 1024
"""Of one answer, stream or not; a server that never ends is let go there."""
ERROR_BYTES_MAX = 256 * 1024
NOTED_BYTES_MAX = 16 * 1024
"""Of the beginning and of the end of an answer, where its fingerprint and its sums stand."""
PARAMETER_CHARS_MAX = 20_000
"""A request's parameters without its messages; a longer one is noted as cut."""
MESSAGES = ("messages", "system", "contents", "systemInstruction", "system_instruction")
"""Where the formats put what is said; never among the parameters that are noted."""
REQUEST_IDS = ("x-request-id", "request-id", "x-goog-request-id", "mistral-correlation-id")
SENT_HEADERS = (
    "host",
    "accept",
    "content-type",
    "content-length",
    "transfer-encoding",
    "anthropic-version",
    "anthropic-beta",
)
OPENAI_HOST = "api.openai.com"
OPENAI_HEADERS = ("openai-organization", "openai-project")
"""Whose bill it is; told to OpenAI alone."""

_FINGERPRINT = re.compile(rb'"system_fingerprint"\s*:\s*"([^"\\]{1,200})"')
_TOTAL = re.compile(rb'"total(?:_tokens|TokenCount)"\s*:\s*(\d{1,12})\b')


@dataclass(slots=True)
class Call:
    """One call's note: what was sent, and what the answer said beside its text."""

    key: str = field(repr=False)
    began: float = field(default_factory=time.perf_counter)
    first_token_ms: float | None = None
    sent: JsonObject = field(default_factory=dict)
    prompt_sha256: str = ""
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    error: bytes | None = field(default=None, repr=False)
    """The body of an answer that is no success."""
    head: bytes = field(default=b"", repr=False)
    tail: bytes = field(default=b"", repr=False)

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self.began) * 1000

    def note(self, chunk: bytes, *, is_error: bool) -> None:
        """Keep what an answer's facts are read from: all of an error, of others the two ends."""
        if is_error:
            self.error = (self.error or b"") + chunk
            return
        if not self.head:
            self.head = chunk[:NOTED_BYTES_MAX]
        self.tail = (self.tail + chunk)[-NOTED_BYTES_MAX:]

    @property
    def is_stream(self) -> bool:
        """Whether the answer comes in pieces."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def request_id(self) -> str:
        found = (self.headers[name] for name in REQUEST_IDS if self.headers.get(name))
        told = next(found, "")[:200]
        return blotted(told, self.key) if self.key else told

    @property
    def fingerprint(self) -> str:
        found = _FINGERPRINT.search(self.head) or _FINGERPRINT.search(self.tail)
        return found[1].decode(errors="replace") if found else ""

    @property
    def total_tokens(self) -> int | None:
        """All that the provider counts, reasoning that it leaves out of the output included."""
        found = _TOTAL.findall(self.tail or self.head)
        return int(found[-1]) if found else None


current_call: ContextVar[Call] = ContextVar("current_call")


class Wire(httpx2.AsyncBaseTransport):
    """The way to one endpoint, for all calls to it; connections are kept and shared."""

    def __init__(self, endpoint: Endpoint, inner: httpx2.AsyncBaseTransport) -> None:
        self._endpoint = endpoint
        self._origin = _origin(endpoint.base_url)
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request of the call that this task is in.

        Raises:
            LlmFault: BAD_REQUEST, if it would leave for another place.
        """
        call = current_call.get()
        if _origin(str(request.url)) != self._origin:
            raise elsewhere(self._endpoint)
        _note_request(call, request)
        request.headers = _headers(self._endpoint, request, call.key)
        response = await self._inner.handle_async_request(request)
        call.status = response.status_code
        call.headers = {
            name.lower(): value[:1000] for name, value in response.headers.multi_items()[:100]
        }
        if response.is_redirect:
            await response.aclose()
            raise elsewhere(self._endpoint, call.status)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise _packed(self._endpoint, call)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        gatherer = self._gatherer(response, call)
        response.stream = _Bounded(response.stream, self._endpoint, call, gatherer)
        return response

    def _gatherer(self, response: httpx2.Response, call: Call) -> Gatherer | Whole | None:
        """Gather the pieces of a good stream; Google's are few, and as large as it likes."""
        format_ = self._endpoint.format
        if format_ is Format.GOOGLE or response.status_code >= 300:
            return None
        if call.is_stream:
            return Gatherer(format_)
        was_wanted = call.sent.get("stream") is True and format_ is Format.OPENAI
        return Whole() if was_wanted else None

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """An answer's bytes on their way: counted, and noted where the call needs them."""

    def __init__(
        self,
        inner: httpx2.AsyncByteStream,
        endpoint: Endpoint,
        call: Call,
        gatherer: Gatherer | Whole | None,
    ) -> None:
        self._inner = inner
        self._endpoint = endpoint
        self._call = call
        self._gatherer = gatherer
        self._passing = self._pass()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Go on where the last one who read stopped.

        OpenAI's library reads a second time for what is left; the connection below, asked again
        after its end, would turn round for ever.
        """
        return self._passing

    async def _pass(self) -> AsyncGenerator[bytes, None]:
        call, gatherer, count = self._call, self._gatherer, 0
        is_error = call.status is not None and call.status >= 400
        async for chunk in self._inner:
            count += len(chunk)
            if is_error and count > ERROR_BYTES_MAX:
                return
            if count > REPLY_BYTES_MAX:
                raise invalid_response(self._endpoint, "it does not end", status=call.status)
            call.note(chunk, is_error=is_error)
            passed = gatherer.feed(chunk) if gatherer else chunk
            if gatherer and gatherer.has_begun and call.first_token_ms is None:
                call.first_token_ms = call.elapsed_ms()
            if passed:
                yield passed
        if gatherer and (rest := gatherer.end()):
            yield rest

    async def aclose(self) -> None:
        await self._passing.aclose()
        await self._inner.aclose()


def client_for(endpoint: Endpoint, way: Way) -> httpx2.AsyncClient:
    """Make the client for an endpoint. Reads certificates; make it once."""
    is_secure = endpoint.base_url.startswith("https:")
    # A line without TLS needs no certificates, and reading them takes its time.
    trust = way.trust() if is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    proxy = way.proxy_for(endpoint.base_url)

    def pool(limits: httpx2.Limits) -> httpx2.AsyncHTTPTransport:
        limits.keepalive_expiry = KEEP_SECONDS
        return httpx2.AsyncHTTPTransport(verify=trust, trust_env=False, proxy=proxy, limits=limits)

    return httpx2.AsyncClient(
        transport=Wire(endpoint, Pools(pool)),
        timeout=timeouts(endpoint),
        follow_redirects=False,
        trust_env=False,
    )


def timeouts(endpoint: Endpoint) -> httpx2.Timeout:
    """Bound each wait; the whole call is bounded by its caller."""
    seconds = endpoint.timeout_seconds
    return httpx2.Timeout(
        connect=min(CONNECT_SECONDS, seconds),
        read=seconds,
        write=min(WRITE_SECONDS, seconds),
        pool=seconds,
    )


def elsewhere(endpoint: Endpoint, status: int | None = None) -> LlmFault:
    """Say that an answer points to another address, which gets neither text nor key."""
    return LlmFault(
        FaultClass.BAD_REQUEST,
        f"'{endpoint.name}' sends us on to another address; nothing is sent there.",
        "Write the address that it wants into the policy, if you trust it.",
        endpoint=endpoint.name,
        http_status=status,
    )


def _packed(endpoint: Endpoint, call: Call) -> LlmFault:
    """Say that an answer came compressed, unasked: a few bytes of it may be gigabytes."""
    if call.status is not None and call.status >= 400:
        answer = Answer(status=call.status, headers=call.headers, body=b"")
        return fault_of_answer(endpoint, answer, now=datetime.now(UTC))
    return invalid_response(endpoint, "it is compressed, unasked", status=call.status)


def _note_request(call: Call, request: httpx2.Request) -> None:
    body = json.loads(request.content)
    said = {name: body.pop(name) for name in MESSAGES if name in body}
    if len(json.dumps(body)) > PARAMETER_CHARS_MAX:
        body = {name: "…" if len(json.dumps(part)) > 1000 else part for name, part in body.items()}
    call.sent = body
    call.prompt_sha256 = hashlib.sha256(_canonical(said)).hexdigest()


def _canonical(said: JsonObject) -> bytes:
    """Write messages so that the same ones always have the same hash."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _headers(endpoint: Endpoint, request: httpx2.Request, key: str) -> httpx2.Headers:
    """Keep what the request needs, and add the key.

    Libraries put in headers of the environment's, which may be secrets and meant for others
    (OPENAI_CUSTOM_HEADERS), and facts about this machine.
    """
    kept = {name: request.headers[name] for name in SENT_HEADERS if name in request.headers}
    if urlsplit(endpoint.base_url).hostname == OPENAI_HOST:
        kept |= {
            name: request.headers[name] for name in OPENAI_HEADERS if request.headers.get(name)
        }
    # What comes is noted and put together on its way, so it comes as it is.
    kept |= {"accept-encoding": "identity", "user-agent": "deskhand"}
    if key:
        kept |= _key_header(endpoint.format, key)
    return httpx2.Headers(kept)


def _key_header(format_: Format, key: str) -> dict[str, str]:
    match format_:
        case Format.OPENAI:
            return {"authorization": f"Bearer {key}"}
        case Format.ANTHROPIC:
            return {"x-api-key": key}
        case Format.GOOGLE:
            return {"x-goog-api-key": key}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname, parts.port or default
