"""What jobs that read the web gave back, in lines for a chat: findings, then their sources.

All of it was written by a model or by strangers: it is shown as plain text, and no button is made
of it.
"""

from __future__ import annotations

from hub.core.view import Button
from hub.frontends.figures import count
from shared.kinds import Output
from shared.kinds.web import ReadOutput, ResearchOutput, SearchOutput, SessionOutput, Source
from shared.money import dollars
from shared.plain_text import plain_line

LINES_SHOWN_MAX = 60
TEXT_LINES_MAX = 40
HITS_SHOWN_MAX = 10
LINKS_SHOWN_MAX = 15


def told(output: Output) -> tuple[list[str], tuple[Button, ...]] | None:
    """Tell a result in lines; None when it is no such result."""
    match output:
        case ResearchOutput():
            lines = _research(output)
        case ReadOutput() | SessionOutput():
            lines = _capped(output.text.splitlines(), TEXT_LINES_MAX)
            if isinstance(output, SessionOutput):
                links = [f"{one.number}. {one.label}" for one in output.links]
                lines += ["", *_capped(links, LINKS_SHOWN_MAX)] if links else []
        case SearchOutput():
            hits = enumerate(output.hits, start=1)
            lines = _capped([f"{n}. {one.title}: {one.url}" for n, one in hits], HITS_SHOWN_MAX)
        case _:
            return None
    return [plain_line(line) for line in lines], ()


def _research(output: ResearchOutput) -> list[str]:
    lines = _capped(output.findings.splitlines(), LINES_SHOWN_MAX)
    sources = [one for one in output.sources if one.is_cited] or list(output.sources)
    lines += ["", *(_source(one) for one in sources)]
    if output.model:
        cost = f", {dollars(output.cost_usd)}" if output.cost_usd is not None else ""
        lines.append(f"({output.model_reported or output.model}{cost})")
    return lines


def _source(source: Source) -> str:
    dated = f", {source.published}" if source.published else ""
    return f"[{source.number}] {source.title}{dated}: {source.url}"


def _capped(lines: list[str], most: int) -> list[str]:
    more = len(lines) - most
    return lines if more <= 0 else [*lines[:most], f"and {count(more)} more lines"]
