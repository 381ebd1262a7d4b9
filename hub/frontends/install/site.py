"""The ASGI application of the installers: two scripts, a page, and the files they name.

Reading and packing happen in threads. Nothing is taken from a request but its path, its Host
(to see whether the local address makes sense there) and the system its browser names.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from hub.frontends.install import page, scripts
from hub.frontends.install.address import Address, Told
from hub.frontends.install.downloads import Download, Downloads, frozen_workers, is_offered
from hub.frontends.install.scripts import Offer
from hub.frontends.install.wheel import OwnWheel
from shared.errors import AppError
from shared.requirements import lock_file

PARTS = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
"""What the page loads, at /download/-/…; no download is called "-"."""
LOCKS = ("worker", "worker-ml")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class InstallSite:
    """Serves /worker.sh, /worker.ps1, /download and all below it."""

    def __init__(self, *, address: Address, hub_name: str, folder: Path, cache: Path) -> None:
        self._address = address
        self._hub_name = hub_name
        self._downloads = Downloads(folder)
        self._wheel = OwnWheel(cache)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            answer = _plain("Only GET works here.", 405, {"Allow": "GET, HEAD"})
        else:
            try:
                answer = await self._answer(request)
            except AppError as error:
                answer = _plain(f"{error.message} {error.hint}", 503, {"Retry-After": "30"})
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        told = self._address.told_to(request.headers.get("host", ""))
        match request.scope["path"]:
            case "/worker.sh":
                offer = await asyncio.to_thread(self._offer) if told.url else None
                return _plain(scripts.worker_sh(told, offer))
            case "/worker.ps1":
                offer = await asyncio.to_thread(self._offer) if told.url else None
                return _plain(scripts.worker_ps1(told, offer))
            case "/download" | "/download/":
                return await self._page(told, request.headers.get("user-agent", ""))
            case path:
                return await self._file(path.removeprefix("/download/"))

    async def _page(self, told: Told, agent: str) -> Response:
        offer, files = await asyncio.to_thread(self._shown)
        shown = page.Shown(hub_name=self._hub_name, told=told, offer=offer, files=files)
        return Response(
            page.written(shown, page.system_of(agent)),
            media_type="text/html; charset=utf-8",
            headers=HEADERS | {"Content-Security-Policy": PAGE_POLICY},
        )

    async def _file(self, name: str) -> Response:
        if name.startswith("-/") and (kind := PARTS.get(name[2:])):
            text = (scripts.FOLDER / name[2:]).read_bytes()
            return Response(text, media_type=kind, headers=HEADERS)
        found = await asyncio.to_thread(self._find, name)
        if found is None:
            return _plain("There is no such file here. /download lists them.", 404)
        # Asked for by name and sum: a stored copy is good for as long as its sum is the same.
        headers = HEADERS | {"Cache-Control": "no-cache", "ETag": f'"{found.sha256}"'}
        return FileResponse(
            found.place,
            headers=headers,
            filename=found.name,
            media_type="application/octet-stream",
        )

    def _shown(self) -> tuple[Offer, list[Download]]:
        return self._offer(), self._downloads.files()

    def _offer(self) -> Offer:
        slim, with_ml = (self._downloads.measured(lock_file(name)) for name in LOCKS)
        wheel = self._downloads.measured(self._wheel.place())
        assert slim is not None
        assert with_ml is not None
        assert wheel is not None
        frozen = tuple(frozen_workers(self._downloads.files()))
        return Offer(frozen=frozen, wheel=wheel, lock_slim=slim, lock_ml=with_ml)

    def _find(self, name: str) -> Download | None:
        """A file by its name: our own three first, then the folder's."""
        if not is_offered(name):
            return None
        for lock in LOCKS:
            if name == f"{lock}.txt":
                return self._downloads.measured(lock_file(lock))
        if name.endswith(".whl") and (wheel := self._wheel.place()).name == name:
            return self._downloads.measured(wheel)
        return self._downloads.find(name)


def _plain(text: str, status: int = 200, more: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, headers=HEADERS | (more or {}))
