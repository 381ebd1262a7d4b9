"""Makes one request of the web and reads its answer, within limits: size, time, packing.

Redirects are not followed here, cookies are not kept, nothing of this machine is told but what
reads (`user_agent`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpcore

from desktop.core.network_rules import shown
from desktop.core.web.rules import WebRules
from desktop.core.web.url_guard import Target
from desktop.jobs.web.outside import GuardedNetwork, Outside
from desktop.jobs.web.unpacking import ACCEPTED, Unpacker
from shared.errors import AppError, Unavailable

CONNECT_SECONDS = 10.0
READ_SECONDS = 15.0
"""Without a single byte."""
KEEP_SECONDS = 20.0
LINES_MAX = 20
DOCUMENTS = (
    "text/html,application/xhtml+xml,application/pdf,text/plain,application/json;q=0.9,*/*;q=0.5"
)
Pool = httpcore.AsyncConnectionPool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to one request."""

    status: int
    headers: Mapping[str, str]
    """With small names; the last of several counts."""
    body: bytes
    is_cut: bool = False
    """There is more than was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request."""

    target: Target
    bytes_max: int
    seconds_max: float
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


class Lines:
    """The connections of one process to the web."""

    def __init__(
        self,
        rules: WebRules,
        outside: Outside,
        *,
        proxy_for: Callable[[str], str | None],
        tls: ssl.SSLContext | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """Connect to nobody yet.

        Args:
            rules: the owner's.
            outside: says where a host may be called.
            proxy_for: the proxy on the way to an address; None for none.
            tls: whom to trust; the system's certificates when None.
            network: connects; the real one when None.
        """
        self._rules = rules
        self._outside = outside
        self._proxy_for = proxy_for
        self._tls = tls
        self._network = network
        self._pools: dict[str | None, Pool] = {}

    async def ask(self, ask: Ask) -> Answer:
        """Make one request.

        Raises:
            NotAllowed: `host_denied`, `page_private`.
            BadInput: `page_packed`.
            Unavailable: `page_unreachable`, `page_too_slow`, `proxy_unsupported`.
        """
        host = ask.target.host
        try:
            async with asyncio.timeout(ask.seconds_max):
                return await self._asked(ask)
        except (TimeoutError, httpcore.TimeoutException):
            raise Unavailable(
                "page_too_slow",
                f"{host} did not send its page within {ask.seconds_max:.0f} s.",
                "Try again later, or read another page.",
                retryable=True,
            ) from None
        except AppError:
            raise
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise unreachable(host, error) from error
        except (ssl.SSLError, OSError) as error:
            raise unreachable(host, error) from error

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def _asked(self, ask: Ask) -> Answer:
        proxy = self._proxy_for(ask.target.url)
        if proxy is not None:
            await self._outside.check_for_proxy(ask.target.host, ask.target.port)
        headers = {
            "user-agent": self._rules.user_agent,
            "accept": DOCUMENTS,
            "accept-encoding": ACCEPTED,
            "accept-language": "en;q=0.8, *;q=0.5",
            **ask.headers,
        }
        calling = self._pool(proxy).stream(
            ask.method,
            ask.target.url,
            headers=list(headers.items()),
            content=ask.content,
            extensions={
                "timeout": {
                    "connect": CONNECT_SECONDS,
                    "read": READ_SECONDS,
                    "write": READ_SECONDS,
                    "pool": CONNECT_SECONDS,
                }
            },
        )
        async with calling as response:
            return await _read(response, ask.bytes_max)

    def _pool(self, proxy: str | None) -> Pool:
        pool = self._pools.get(proxy)
        if pool is None:
            pool = self._pools[proxy] = self._made(proxy)
        return pool

    def _made(self, proxy: str | None) -> Pool:
        tls = self._tls or httpcore.default_ssl_context()
        if proxy is None:
            return Pool(
                ssl_context=tls,
                max_connections=LINES_MAX,
                keepalive_expiry=KEEP_SECONDS,
                network_backend=GuardedNetwork(self._outside, self._network),
            )
        kind = httpcore.AsyncSOCKSProxy if proxy.startswith("socks") else httpcore.AsyncHTTPProxy
        try:
            return kind(
                proxy_url=proxy.replace("socks5h://", "socks5://", 1),
                ssl_context=tls,
                max_connections=LINES_MAX,
                keepalive_expiry=KEEP_SECONDS,
                network_backend=self._network,
            )
        except (ImportError, ValueError) as error:
            raise Unavailable(
                "proxy_unsupported",
                f"The proxy {shown(proxy)} cannot be used for pages ({error}).",
                "Name another under [network] in the policy.",
            ) from error


async def _read(response: httpcore.Response, bytes_max: int) -> Answer:
    """Read an answer as far as is allowed; a line with more to come is closed."""
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
    }
    unpacker = Unpacker(headers.get("content-encoding", ""), bytes_max=bytes_max)
    async for part in response.aiter_stream():
        unpacker.feed(part)
        if unpacker.is_full:
            break
    return Answer(response.status, headers, unpacker.body, unpacker.is_full)


def unreachable(host: str, error: BaseException) -> Unavailable:
    """Say that a host was not reached, and why as far as that is known."""
    return Unavailable(
        "page_unreachable",
        f"{host} cannot be reached ({_why(error)}).",
        "Check the address, and this machine's network.",
        retryable=True,
    )


def _why(error: BaseException) -> str:
    one: BaseException | None = error
    while one is not None:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {one.verify_message}"
        if isinstance(one, ssl.SSLError):
            return "it does not speak TLS as it should"
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
        one = one.__cause__ or one.__context__
    return "the line broke"
