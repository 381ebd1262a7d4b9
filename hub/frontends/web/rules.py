"""What holds for every request of a browser and every answer to it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.frontends.web.everyone import keep_in_location
from hub.frontends.web.foreign import SAFE, comes_from_elsewhere

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TLS_ONLY = "max-age=31536000"
"""A year: a browser that was here by TLS does not come without it (RFC 6797)."""
FOREIGN = "This request came from another site. Open the page here and try again.\n"


class Guarded:
    """Puts the rules for browsers on every answer, and lets no other site change anything."""

    def __init__(self, app: ASGIApp, hub_url: str) -> None:
        self._app = app
        self._hub_url = hub_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        is_secure = request.url.scheme == "https"

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                keep_in_location(headers, scope.get("query_string", b""))
                if is_secure:
                    headers.setdefault("Strict-Transport-Security", TLS_ONLY)
                    message["headers"] = [_secured(header) for header in message["headers"]]
            await send(message)

        app = self._app
        if request.method not in SAFE and comes_from_elsewhere(request, self._hub_url):
            app = PlainTextResponse(FOREIGN, status_code=403)
        await app(scope, receive, guarded)


def _secured(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Let no cookie travel without TLS once there is TLS."""
    name, value = header
    if name != b"set-cookie" or b"; secure" in value.lower():
        return header
    return name, value + b"; Secure"
