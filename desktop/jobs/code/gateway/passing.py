"""Passes an agent's requests on to the work order's model: key added, tokens counted.

The request is made anew (address, headers, model), the reply passed on as it comes. What goes wrong
is told in the shape of the API that the agent speaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from desktop.core.code import api_fault
from desktop.core.code.agent_profiles import GatewayApi
from desktop.core.code.api_fault import ApiFault
from desktop.core.code.blotter import Blotter
from desktop.core.code.event_stream import Pieces
from desktop.core.code.model_apis import ANTHROPIC_VERSION, Action, Route, key_headers, url_of
from desktop.core.code.model_request import Outgoing, outgoing
from desktop.core.code.model_usage import ReplyTally
from desktop.core.llm.broken import break_of, fault_of_break, missing_key, odd_key
from desktop.core.llm.classify import Answer, fault_of_answer
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Model
from desktop.core.providers import is_like_a_key
from desktop.jobs.code.gateway.line import Gone, Line, Request
from desktop.jobs.code.gateway.meter import Meter
from desktop.system.way import Way
from shared.errors import AppError, BadInput
from shared.plain_text import plain_line

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger(__name__)

REPLY_BYTES_MAX = 64 * 1024 * 1024
ERROR_BYTES_MAX = 256 * 1024
CONNECT_SECONDS = 15.0
VALUE_CHARS_MAX = 2000
LEFT_OUT_TOLD_MAX = 50
CALLS_MAX = 32
"""At once, of one job."""
_AGENTS_MATTER = frozenset(
    {FaultClass.BAD_REQUEST, FaultClass.CONTEXT_LENGTH, FaultClass.CONTENT_FILTER}
)
_TAKEN_HEADERS = ("anthropic-version", "anthropic-beta", "openai-beta", "accept")
_GIVEN_HEADERS = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")
_GIVEN_STARTS = ("x-ratelimit-", "anthropic-ratelimit-")


class Passing:
    """The way to one model at one endpoint."""

    def __init__(
        self,
        model: Model,
        way: Way,
        key: Callable[[], str],
        meter: Meter,
        tell: Callable[[str], None],
    ) -> None:
        """Make no connection yet.

        Args:
            model: of the work order.
            way: which proxy, and whose certificates.
            key: the endpoint's as it is now; empty for none.
            meter: of the job.
            tell: writes a line to the job's log.
        """
        self._model = model
        self._host = urlsplit(model.endpoint.base_url).hostname or ""
        self._way = way
        self._key = key
        self._meter = meter
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()
        self._turns = asyncio.Semaphore(CALLS_MAX)
        self._tell = tell
        self._told: set[str] = set()
        self._fault: LlmFault | None = None
        """Of the last call; None after a good reply."""
        self._has_answered = False

    @property
    def fault(self) -> LlmFault | None:
        """Why the model does not answer; None when it does.

        What is wrong with one request is the agent's matter, once the model has answered others.
        """
        if self._fault is None or (self._has_answered and self._fault.fault in _AGENTS_MATTER):
            return None
        return self._fault

    async def answer(self, route: Route, request: Request, line: Line) -> None:
        """Answer one request of the agent's."""
        fault = await self._try(route, request, line)
        if fault is not None:
            await line.reply(fault.status, fault.body, fault.headers)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _try(self, route: Route, request: Request, line: Line) -> ApiFault | None:
        """Pass a request on; return what is to be answered when nothing was yet."""
        api = route.api
        excess = self._meter.excess
        if excess is not None:
            return api_fault.fault_of_budget(api, excess)
        url = url_of(self._model.endpoint, self._model.name, route)
        if url is None:
            return _no_such_api(self._model.endpoint, api)
        try:
            going = outgoing(route, self._model.name, request.body, host=self._host)
            key = self._checked_key()
            async with self._turns:
                return await self._pass(route, url, key, going, request, line)
        except BadInput as error:
            return api_fault.fault_of(api, 400, error.code, str(error), is_final=True)
        except AppError as error:
            return self._failed(api, error)

    async def _pass(
        self, route: Route, url: str, key: str, going: Outgoing, request: Request, line: Line
    ) -> ApiFault | None:
        self._tell_left_out(going)
        headers = _headers(self._model.endpoint, route.api, key, request)
        client = await self._open_client()
        import httpx

        try:
            async with client.stream("POST", url, content=going.body, headers=headers) as reply:
                if reply.status_code >= 300 or _is_packed(reply):
                    return await self._refused(route, reply, key)
                await self._stream(route, going, reply, line, key)
                if route.action is Action.GENERATE:
                    self._fault, self._has_answered = None, True
                return None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            fault = (
                fault_of_break(self._model.endpoint, kind) if (kind := break_of(error)) else None
            )
            log.info("call broke", error=type(error).__name__)
            if line.has_begun:
                raise Gone from None  # an end that is none tells the agent that it was cut
            return self._failed(route.api, fault or _unforeseen(self._model.endpoint))

    async def _stream(
        self, route: Route, going: Outgoing, reply: httpx.Response, line: Line, key: str
    ) -> None:
        """Give the reply on as it comes, and count it however it ends."""
        is_stream = reply.headers.get("content-type", "").startswith("text/event-stream")
        tally = ReplyTally(route.api, len(going.body), is_stream=is_stream)
        blotter = Blotter(key)
        pieces = Pieces() if going.hides_usage and is_stream else None
        try:
            await line.begin(reply.status_code, _given(reply.headers, (key,)))
            async for piece in self._bounded(reply):
                tally.feed(piece)
                clean = blotter.feed(piece)
                await line.send(pieces.feed(clean) if pieces else clean)
            tally.end()
            await line.send((pieces.end() if pieces else b"") + blotter.end())
        finally:
            if route.action is Action.GENERATE:
                self._meter.count(tally.usage(), tally.model_reported)
        await line.end()

    async def _bounded(self, reply: httpx.Response) -> AsyncIterator[bytes]:
        count = 0
        async for piece in reply.aiter_raw():
            count += len(piece)
            if count > REPLY_BYTES_MAX:
                raise Gone
            yield piece

    async def _refused(self, route: Route, reply: httpx.Response, key: str) -> ApiFault:
        api, endpoint = route.api, self._model.endpoint
        if reply.status_code < 400:
            return api_fault.fault_of(
                api,
                502,
                "endpoint_elsewhere",
                f"'{endpoint.name}' answers in a way that is not followed (HTTP"
                f" {reply.status_code}).",
            )
        body = b"" if _is_packed(reply) else await _start_of(reply)
        told = Answer(
            status=reply.status_code,
            headers={name.lower(): value for name, value in reply.headers.items()},
            body=body,
        )
        fault = fault_of_answer(endpoint, told, now=datetime.now(UTC), secrets=(key,))
        if route.action is Action.GENERATE:
            self._fault = fault
        if reply.status_code in (404, 405, 501) and _is_no_page(body):
            return _no_such_api(endpoint, api)
        passed = api_fault.fault_of_provider(api, reply.status_code, body, fault, (key,))
        more = _given(reply.headers, (key,)) | {"content-type": "application/json"}
        return ApiFault(status=passed.status, body=passed.body, headers=more | dict(passed.headers))

    def _failed(self, api: GatewayApi, error: AppError) -> ApiFault:
        """Answer a call that brought none; libraries try a 502 again, and not a 401."""
        words = str(error)
        if isinstance(error, LlmFault):
            self._fault, words = error, api_fault.words_for(error)
        status = 502 if error.retryable else 401
        return api_fault.fault_of(api, status, error.code, words, is_final=not error.retryable)

    def _tell_left_out(self, going: Outgoing) -> None:
        """Say once what the agent wanted of the model's maker, and does not get."""
        news = [part for part in going.left_out if part not in self._told]
        if news and len(self._told) < LEFT_OUT_TOLD_MAX:
            self._told.update(news)
            parts = plain_line(", ".join(news[:10]))
            self._tell(f"Left out of what the agent asks the model's maker to do: {parts}.")

    def _checked_key(self) -> str:
        """Return the key as it is now. Raises LlmFault."""
        endpoint, key = self._model.endpoint, self._key()
        if endpoint.key_name and not key and not endpoint.is_local:
            raise missing_key(endpoint)
        if key and not is_like_a_key(key):
            raise odd_key(endpoint)
        return key

    async def _open_client(self) -> httpx.AsyncClient:
        async with self._making:
            if self._client is None:
                # Imports and certificates from the disk: questions go on meanwhile.
                self._client = await asyncio.to_thread(self._make_client)
        return self._client

    def _make_client(self) -> httpx.AsyncClient:
        import httpx

        endpoint = self._model.endpoint
        is_secure = endpoint.base_url.startswith("https:")
        seconds = endpoint.timeout_seconds
        return httpx.AsyncClient(
            verify=self._way.trust() if is_secure else False,
            proxy=self._way.proxy_for(endpoint.base_url),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            limits=httpx.Limits(max_connections=CALLS_MAX, keepalive_expiry=60.0),
        )


def _headers(endpoint: Endpoint, api: GatewayApi, key: str, request: Request) -> Mapping[str, str]:
    """Return what the provider hears: a few of the agent's, and the key."""
    told = {
        name: request.headers[name][:VALUE_CHARS_MAX]
        for name in _TAKEN_HEADERS
        if request.headers.get(name, "").isascii() and name in request.headers
    }
    if api is GatewayApi.MESSAGES:
        told.setdefault("anthropic-version", ANTHROPIC_VERSION)
    own = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "deskhand",
    }
    return told | own | dict(key_headers(endpoint, api, key))


def _given(headers: httpx.Headers, secrets: tuple[str, ...]) -> dict[str, str]:
    """Return what the agent hears of a reply's headers."""
    return {
        name.lower(): api_fault.without_secrets(value[:VALUE_CHARS_MAX], secrets)
        for name, value in headers.items()
        if name.lower() in _GIVEN_HEADERS or name.lower().startswith(_GIVEN_STARTS)
    }


def _is_packed(reply: httpx.Response) -> bool:
    """Whether it came compressed, unasked: a few bytes of it may be gigabytes."""
    return str(reply.headers.get("content-encoding", "identity")) != "identity"


async def _start_of(reply: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in reply.aiter_raw():
        body += piece
        if len(body) > ERROR_BYTES_MAX:
            break
    return bytes(body[:ERROR_BYTES_MAX])


def _is_no_page(body: bytes) -> bool:
    """Whether a server says that it has no such path, rather than no such model."""
    return b"model" not in body.lower()


def _no_such_api(endpoint: Endpoint, api: GatewayApi) -> ApiFault:
    return api_fault.fault_of(
        api,
        404,
        "agent_needs_api",
        f"'{endpoint.name}' does not speak this API ({api.value}). Another agent, or a model at"
        " another endpoint, does.",
        is_final=True,
    )


def _unforeseen(endpoint: Endpoint) -> AppError:
    return BadInput("endpoint_unusable", f"'{endpoint.name}' cannot be asked like this.")
