"""The pages in the bar, and how much waits in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.frontends.web.joining import joining
from hub.frontends.web.visitor import Setting, Visitor

QUESTIONS, DEAD = "questions", "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    href: str
    label: str
    icon: str
    key: str = ""
    """After `g`, it leads there."""
    is_main: bool = False
    """One of the few that a phone shows without being asked."""
    is_apart: bool = False
    """Begins another group."""
    is_owners: bool = False
    """Shown to those who run this hub."""
    counts: str = ""
    """What is counted there; empty: nothing."""
    topics: str = ""
    """What changes the count."""
    count: int = 0
    """What waits for the person there."""
    holds: tuple[str, ...] = ()
    """Where else the addresses of its pages begin."""
    is_current: bool = False


PAGES: Sequence[Link] = (
    Link(href="/", label="Tasks", icon="tasks", key="t", is_main=True, holds=("/tasks", "/jobs")),
    Link(
        href="/inbox",
        label="Questions",
        icon="inbox",
        key="i",
        is_main=True,
        counts=QUESTIONS,
        topics="questions joins",
    ),
    Link(href="/chat", label="Chat", icon="chat", key="c", is_main=True),
    Link(href="/workers", label="Workers", icon="workers", key="w", is_main=True),
    Link(href="/runs", label="Runs", icon="runs", key="r", is_apart=True),
    Link(href="/queue", label="Queue", icon="queue", key="q"),
    Link(href="/schedules", label="Schedules", icon="schedule", key="e"),
    Link(href="/sessions", label="Sessions", icon="sessions", key="s"),
    Link(href="/dead", label="Dead letters", icon="letter", key="d", counts=DEAD, topics="dead"),
    Link(href="/activity", label="Activity", icon="activity", key="a"),
    Link(href="/audit", label="Audit", icon="audit"),
    Link(href="/pair", label="Connect", icon="pair", is_apart=True),
    Link(href="/keys", label="Keys", icon="key"),
    Link(href="/webhooks", label="Webhooks", icon="webhook"),
    Link(href="/people", label="People", icon="people", key="p", is_owners=True),
    Link(href="/hub", label="This hub", icon="info", is_owners=True),
)


async def navigation(setting: Setting, visitor: Visitor, path: str) -> list[Link]:
    """The bar as one person sees it on one page."""
    me = Link(href="/me", label=visitor.person.name, icon="person", key="m", is_apart=True)
    waiting = await counts(setting, visitor)
    return [
        replace(link, is_current=_is_current(link, path), count=waiting.get(link.counts, 0))
        for link in (*PAGES, me)
        if visitor.is_owner or not link.is_owners
    ]


async def counts(setting: Setting, visitor: Visitor) -> dict[str, int]:
    """How much waits for a person, by what is counted."""
    questions = await setting.services.views.open_question_count(visitor.sees)
    joins = await joining(setting, visitor)
    dead = await setting.services.views.dead_count(visitor.sees)
    return {QUESTIONS: questions + len(joins), DEAD: dead}


def _is_current(link: Link, path: str) -> bool:
    begins = (*link.holds, link.href) if link.href != "/" else link.holds
    return path == link.href or any(path == b or path.startswith(f"{b}/") for b in begins)
