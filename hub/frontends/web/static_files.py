"""Style, script and pictures: served with a hash in the address, so that browsers keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
HASH_CHARS = 12
KEEP = "public, max-age=31536000, immutable"
ASK = "no-cache"


@cache
def address(name: str) -> str:
    """The address of a file of ours; a changed file has another."""
    return f"/static/{name}?v={_hash(name)}"


@cache
def _hash(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:HASH_CHARS]


class Files(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_named = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = KEEP if is_named else ASK
        return response
