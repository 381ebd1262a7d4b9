"""The page about the API, `/api/v1/docs`: written on the server, with no script in it at all."""

from __future__ import annotations

import gzip
import re
from functools import cache
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from hub.frontends.api.reference import reference_of
from hub.frontends.web import static_files

router = APIRouter()
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}
MARKED = {"strong": Markup("<strong>{}</strong>"), "code": Markup("<code>{}</code>")}
_MARKS = re.compile(r"\*\*(?P<strong>[^*]+)\*\*|`(?P<code>[^`]+)`")


@router.get("/docs", include_in_schema=False)
async def read_docs(request: Request, accept_encoding: Annotated[str, Header()] = "") -> Response:
    """The API, to be read."""
    packed = _packed(request.app)
    if "gzip" in accept_encoding:
        headers = {**HEADERS, "Content-Encoding": "gzip"}
        return Response(packed, media_type="text/html; charset=utf-8", headers=headers)
    return Response(gzip.decompress(packed), media_type="text/html", headers=HEADERS)


@cache
def _packed(api: FastAPI) -> bytes:
    """Write the page; once, for the document never changes while a hub runs."""
    about = api.state.about
    told = reference_of(api.openapi(), about.hub_url)
    environment = Environment(
        loader=FileSystemLoader(static_files.FOLDER.parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    environment.globals["static"] = static_files.address
    page = environment.get_template("api.html").render(reference=told, hub_name=about.hub_name)
    return gzip.compress(page.encode(), mtime=0)


def prose(text: str) -> Markup:
    """Lay out a description: paragraphs, lists, **words** and `code`."""
    blocks = [block.strip() for block in text.strip().split("\n\n") if block.strip()]
    return Markup("\n").join(map(_block, blocks))


def _block(block: str) -> Markup:
    if not block.startswith("- "):
        return Markup("<p>{}</p>").format(_inline(" ".join(block.split())))
    items = [" ".join(item.split()) for item in re.split(r"(?m)^- ", block) if item.strip()]
    listed = Markup("").join(Markup("<li>{}</li>").format(_inline(item)) for item in items)
    return Markup("<ul>{}</ul>").format(listed)


def _inline(line: str) -> Markup:
    told, end = Markup(""), 0
    for found in _MARKS.finditer(line):
        told += escape(line[end : found.start()])
        told += MARKED[str(found.lastgroup)].format(found[str(found.lastgroup)])
        end = found.end()
    return told + escape(line[end:])
