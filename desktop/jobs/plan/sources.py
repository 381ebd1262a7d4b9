"""What steps bring beside their outputs: files they wrote and pages they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from desktop.core.plan import citing
from desktop.core.plan.ledger import Ledger
from desktop.jobs.plan.state import Brought, Page
from shared.kinds import file_name_of
from shared.kinds.llm import UsageFacts
from shared.kinds.plan import Source
from shared.plain_text import plain_line
from shared.plan import StepEnded, StepState

FILES_MAX = 20
PAGES_MAX = 40
TITLE_CHARS_MAX = 200
URL_CHARS_MAX = 2000


def brought_by(end: StepEnded) -> Brought:
    """Read it from a job's result; what does not look as it should is left out."""
    output = end.output or {}
    files = (file_name_of(one) for one in _listed(output.get("files")) if isinstance(one, str))
    pages = output.get("sources") or output.get("pages")
    return Brought(files=tuple(files)[:FILES_MAX], sources=tuple(_pages(pages))[:PAGES_MAX])


def usage_in(end: StepEnded) -> UsageFacts:
    """Read what a job used of models; nothing where it tells none."""
    try:
        return UsageFacts.model_validate((end.output or {}).get("usage", {}))
    except ValidationError:
        return UsageFacts()


def _pages(told: object) -> Iterator[Page]:
    for one in _listed(told):
        url = one.get("url") if isinstance(one, Mapping) else None
        title = one.get("title") if isinstance(one, Mapping) else None
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            shown = plain_line(title)[:TITLE_CHARS_MAX] if isinstance(title, str) else ""
            yield Page(url=plain_line(url)[:URL_CHARS_MAX], title=shown)


def _listed(told: object) -> list[object]:
    return list(told) if isinstance(told, list | tuple) else []


def sources_of(ledger: Ledger, brought: Mapping[str, Brought]) -> tuple[Source, ...]:
    """Number what the steps that are done may be cited for."""
    return citing.all_sources(
        (run.step.id, run.step.title, brought.get(run.step.id, Brought()).model_dump())
        for run in ledger.in_state(StepState.DONE)
    )


def files_of(ledger: Ledger, brought: Mapping[str, Brought]) -> tuple[str, ...]:
    """Name the files that steps wrote, each once, in the order of the steps."""
    names = (
        name
        for run in ledger.in_state(StepState.DONE)
        for name in brought.get(run.step.id, Brought()).files
    )
    return tuple(dict.fromkeys(names))
