"""Results of web jobs in a chat: findings with their sources, strangers' words as plain text."""

from __future__ import annotations

from hub.frontends.results import result_view
from shared.ids import JobId
from shared.kinds.web import (
    Hit,
    Link,
    PageText,
    ReadOutput,
    ResearchOutput,
    SearchOutput,
    SessionOutput,
    Source,
)

JOB = JobId("01900000-0000-7000-8000-00000000cccc")
AT = "2026-11-22T01:00:00Z"


def shown(kind: str, output: object) -> str:
    result = output.model_dump(mode="json")  # type: ignore[attr-defined]
    return result_view(kind, result, job_id=JOB, label="it").text


def test_findings_stand_above_the_sources_that_they_cite() -> None:
    sources = tuple(
        Source(
            number=n,
            title=f"Page {n}",
            url=f"https://example.org/{n}",
            published="2026-01-02" if n == 1 else "",
            fetched_at=AT,
            is_cited=n != 2,
        )
        for n in (1, 2, 3)
    )
    output = ResearchOutput(
        headline="local:tiny has read 3 pages about “honey”:",
        notes=("⚠ Something.",),
        findings="Bees make honey [1].\nWax, too [3].",
        sources=sources,
        model="local:tiny",
        cost_usd=0.0,
    )
    text = shown("web.research", output)
    assert text.index("⚠ Something.") < text.index("Bees make honey [1].")
    assert (
        "[1] Page 1, 2026-01-02: https://example.org/1\n[3] Page 3: https://example.org/3" in text
    )
    assert "Page 2" not in text
    assert "(local:tiny" in text


def test_pages_searches_and_sessions_are_told_in_bounds() -> None:
    page = PageText(url="https://example.org/", title="A", fetched_at=AT)
    text = "\n".join(f"line {n}\x1b[2J" for n in range(500))
    told = shown("web.read", ReadOutput(headline="Read A:", text=text, pages=(page,)))
    assert "line 39" in told
    assert "line 40\n" not in told
    assert "and 460 more lines" in told
    assert "\x1b" not in told
    hits = tuple(Hit(url=f"https://example.org/{n}", title=f"T{n}") for n in range(12))
    told = shown("web.search", SearchOutput(headline="12 results:", hits=hits))
    assert "10. T9: https://example.org/9" in told
    assert "T10" not in told
    session = SessionOutput(
        headline="It shows A.",
        state="open",
        text="Words",
        links=(Link(number=1, label="Next", url="https://example.org/n"),),
    )
    assert "Words\n1. Next" in shown("web.session", session)
