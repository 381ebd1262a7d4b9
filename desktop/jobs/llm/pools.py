"""Connections to one endpoint, kept in several small pools.

A pool of the library's looks at each of its connections at every request and at its end: with two
hundred of them that is more work than the call. Small pools, the first with room, cost the same
for every number, and what is idle stays in the last ones and runs out there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx2

POOL_CONNECTIONS = 16


class Pools(httpx2.AsyncBaseTransport):
    """One transport for as many as are needed; they are made when they are."""

    def __init__(self, make: Callable[[httpx2.Limits], httpx2.AsyncBaseTransport]) -> None:
        self._make = make
        self._pools: list[_Pool] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request by the first pool that has room."""
        pool = next((pool for pool in self._pools if pool.flying < POOL_CONNECTIONS), None)
        if pool is None:
            limits = httpx2.Limits(
                max_connections=POOL_CONNECTIONS, max_keepalive_connections=POOL_CONNECTIONS
            )
            pool = _Pool(self._make(limits))
            self._pools.append(pool)
        return await pool.send(request)

    async def aclose(self) -> None:
        pools, self._pools = self._pools, []
        for pool in pools:
            await pool.transport.aclose()


class _Pool:
    """A pool, and how many of its connections have a request or an answer on them."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self.transport = transport
        self.flying = 0

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        self.flying += 1
        try:
            response = await self.transport.handle_async_request(request)
        except BaseException:
            self.flying -= 1
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Landing(response.stream, self)
        return response


class _Landing(httpx2.AsyncByteStream):
    """An answer's bytes; its pool has room again when they are closed."""

    def __init__(self, inner: httpx2.AsyncByteStream, pool: _Pool) -> None:
        self._inner = inner
        self._pool: _Pool | None = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            yield chunk

    async def aclose(self) -> None:
        pool, self._pool = self._pool, None
        try:
            await self._inner.aclose()
        finally:
            if pool is not None:
                pool.flying -= 1
