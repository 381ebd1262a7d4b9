"""`web.session`: a browser of the task's own, with its cookies, while the task's session lives.

One opens an address or follows a link that the page shows, by its number: nothing is typed, clicked
or sent.
"""

from __future__ import annotations

import asyncio

from desktop.core.web.sorts import Sort
from desktop.jobs.context import SharedContext
from desktop.jobs.web.asked import said
from desktop.jobs.web.fetcher import Fetched
from desktop.jobs.web.results import cut_bytes, told_at
from desktop.jobs.web.room import gear_of, now_utc, room_of
from shared.errors import BadInput, Conflict
from shared.kinds.web import Link, SessionInputs, SessionOutput
from shared.plain_text import plain_line

TEXT_BYTES_MAX = 24_000
LINKS_BYTES_MAX = 16_000
NO_SESSION = "No browser is open for this task."


async def run(context: SharedContext, inputs: SessionInputs) -> SessionOutput:
    """Do one thing with the task's browser.

    Raises:
        Conflict: `session_closed`.
        BadInput: `link_unknown`; those of the guard.
        AppError: as `visit`, `Sessions.opened`.
    """
    match inputs.action:
        case "open":
            url = inputs.url or await said(context, "url", "Which page? Its address.")
            return await _opened(context, url)
        case "follow":
            return await _opened(context, _link(context, inputs.link))
        case "close":
            was_open = await gear_of(context).all_sessions().close(context.workspace)
            words = "The task's browser is closed." if was_open else NO_SESSION
            return SessionOutput(headline=words, state="closed")
        case "status":
            return _status(context)


async def _opened(context: SharedContext, url: str) -> SessionOutput:
    from desktop.jobs.web.browser.visiting import visit

    gear = gear_of(context)
    target = await gear.fetcher.check(url)
    session = await gear.all_sessions().opened(context.workspace, now_utc())
    async with session.busy:
        visited = await visit(session.context, target, gear.rules)
        fetched = Fetched(
            url=visited.url,
            sort=Sort.HTML,
            media_type="text/html",
            charset="utf-8",
            body=visited.html,
            is_cut=visited.is_cut,
            at=now_utc(),
        )
        read = await room_of(context).reader.read(fetched)
        session.last, session.title, session.text = visited, read.title, read.text
        session.pages += 1
        session.used = asyncio.get_running_loop().time()
    return _status(context)


def _link(context: SharedContext, number: int | None) -> str:
    session = gear_of(context).all_sessions().get(context.workspace)
    if session is None or session.last is None:
        raise Conflict("session_closed", NO_SESSION, "Open a page first: action=open url=https://…")
    links = session.last.links
    if number is None or number > len(links):
        raise BadInput(
            "link_unknown",
            f"The page shows {len(links)} links; there is no number {number or 0}.",
            "Look with action=status.",
        )
    return links[number - 1][1]


def _status(context: SharedContext) -> SessionOutput:
    session = gear_of(context).all_sessions().get(context.workspace)
    if session is None:
        return SessionOutput(headline=NO_SESSION, state="closed")
    last = session.last
    title = plain_line(session.title)[:200]
    links: list[Link] = []
    room = LINKS_BYTES_MAX
    for number, (label, url) in enumerate(last.links if last else (), start=1):
        room -= len(label.encode()) + len(url.encode())
        if room < 0:
            break
        links.append(Link(number=number, label=plain_line(label)[:200], url=url))
    return SessionOutput(
        headline=f"The task's browser shows {title or 'a page'}.",
        state="open",
        url=last.url if last else "",
        title=title,
        text=cut_bytes(session.text, TEXT_BYTES_MAX),
        links=tuple(links),
        opened_at=told_at(session.opened_at),
        closes_at=told_at(session.closes_at),
        pages=session.pages,
    )
