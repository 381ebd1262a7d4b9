"""`web.search`: what a search engine finds; nothing of it is fetched."""

from __future__ import annotations

from desktop.core.web.rules import WebRules
from desktop.core.web.url_guard import check_url
from desktop.jobs.context import SharedContext
from desktop.jobs.web.asked import said
from desktop.jobs.web.room import room_of
from shared.errors import AppError, NotAllowed
from shared.kinds.web import Hit, SearchInputs, SearchOutput

SNIPPET_CHARS_MAX = 300


async def run(context: SharedContext, inputs: SearchInputs) -> SearchOutput:
    """Search once.

    Raises:
        NotAllowed: `search_off`.
        AppError: as `Engine.search`.
    """
    query = (inputs.query or "").strip() or await said(context, "query", "Search for what?")
    engine = room_of(context).engine(context.web, context.network, context.keys)
    if engine is None:
        raise NotAllowed(
            "search_off",
            "This machine asks no search engine.",
            "Its owner decides that: search under [web] in the policy.",
        )
    found = await engine.search(query, inputs.results_max)
    hits = tuple(
        Hit(url=one.url, title=one.title or one.url[:200], snippet=one.snippet[:SNIPPET_CHARS_MAX])
        for one in found
        if _may(one.url, context.web)
    )[: inputs.results_max]
    lines = [f"{n}. {hit.title}\n{hit.url}\n{hit.snippet}" for n, hit in enumerate(hits, start=1)]
    return SearchOutput(
        headline=f"{len(hits)} results of {engine.name} for “{query[:150]}”:",
        text="\n\n".join(lines),
        hits=hits,
        urls=tuple(hit.url for hit in hits),
        search=engine.name,
    )


def _may(url: str, rules: WebRules) -> bool:
    """Say whether a result could be read at all; others are no help to anybody."""
    try:
        check_url(url, rules)
    except AppError:
        return False
    return True
