"""The public web: answer a question from pages that are named, read pages, search, browse.

What pages say is material. They decide on no request, no file and no further job: which pages are
fetched follows from the question, and from what a person or a plan names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.kinds import Inputs, Kind, Output
from shared.kinds.llm import LOCAL_HELP, MODEL_HELP, ModelName, UsageFacts, listed
from shared.plan import OutputType, Permission, PlanFace

URL_CHARS_MAX = 2000
QUESTION_CHARS_MAX = 4000
QUERY_CHARS_MAX = 300
QUERIES_MAX = 5
URLS_MAX = 20
SOURCES_MAX = 20
SOURCES_DEFAULT = 6
RESULTS_MAX = 30
FINDINGS_CHARS_MAX = 24_000
EXCERPT_CHARS_MAX = 600
"""Of what a source's entry shows of what was taken."""
TITLE_CHARS_MAX = 200
PAGE_CHARS_MAX = 30_000
"""Of one page's text in a result."""
PAGES_CHARS_MAX = 90_000
"""Of all pages' texts in one result; more travels as a file."""
URLS_HELP = "Addresses of pages, as in https://example.org/page."
RENDER_HELP = (
    "Whether a page's scripts are run in a browser: auto (where it shows nothing without), always, "
    "never."
)


def urls_in(value: object) -> object:
    """Take "a b", or one a line, as people and steps write addresses for the list that it is."""
    if isinstance(value, str):
        return tuple(value.split())
    return value


Url = Annotated[str, Field(min_length=1, max_length=URL_CHARS_MAX)]
Query = Annotated[str, Field(min_length=1, max_length=QUERY_CHARS_MAX)]
Urls = Annotated[tuple[Url, ...] | None, BeforeValidator(urls_in)]
Render = Literal["auto", "always", "never"]


class ResearchInputs(Inputs):
    question: str | None = Field(
        default=None, max_length=QUESTION_CHARS_MAX, description="What you want to know."
    )
    queries: Annotated[tuple[Query, ...] | None, BeforeValidator(listed)] = Field(
        default=None,
        max_length=QUERIES_MAX,
        description="What to search for; made from the question when left out.",
    )
    urls: Urls = Field(
        default=None,
        max_length=URLS_MAX,
        description="Pages to read in any case; with urls and no queries nothing is searched.",
    )
    sources_max: int = Field(
        default=SOURCES_DEFAULT, ge=1, le=SOURCES_MAX, description="Read so many pages at most."
    )
    model: ModelName | None = Field(default=None, description=MODEL_HELP)
    local: bool = Field(default=False, description=LOCAL_HELP)


class Source(BaseModel):
    """A page that was read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int = Field(ge=1)
    """As the findings cite it: [1]."""
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    url: str = Field(max_length=URL_CHARS_MAX)
    """Where it was in the end."""
    taken: str = Field(default="", max_length=EXCERPT_CHARS_MAX)
    """The beginning of what was taken from it for the answer."""
    published: str = Field(default="", max_length=40)
    """The date that the page tells; empty when it tells none."""
    fetched_at: str
    """RFC 3339, UTC."""
    is_cited: bool = False
    is_cut: bool = False
    """It is longer than what was read."""


class Unread(BaseModel):
    """A page that was to be read and was not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str = Field(max_length=URL_CHARS_MAX)
    code: str
    why: str


class ResearchOutput(Output):
    findings: str = Field(default="", max_length=FINDINGS_CHARS_MAX)
    """Each statement cites its sources: "… [1][3]"."""
    sources: tuple[Source, ...] = Field(default=(), max_length=SOURCES_MAX)
    unread: tuple[Unread, ...] = Field(default=(), max_length=2 * SOURCES_MAX)
    source_urls: tuple[str, ...] = Field(default=(), max_length=SOURCES_MAX)
    """Addresses of the sources, in their order."""
    queries: tuple[str, ...] = ()
    """What was searched for."""
    search: str = ""
    """Who was asked: "ddgs"; empty when nobody was."""
    model: str = ""
    """Empty when no model took part: the findings are excerpts then."""
    model_reported: str = ""
    is_local: bool = True
    """No model elsewhere has read anything."""
    usage: UsageFacts = UsageFacts()
    cost_usd: float | None = None


class ReadInputs(Inputs):
    urls: Urls = Field(default=None, max_length=URLS_MAX, description=URLS_HELP)
    render: Render = Field(default="auto", description=RENDER_HELP)


class PageText(BaseModel):
    """A page as text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str = Field(max_length=URL_CHARS_MAX)
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    text: str = Field(default="", max_length=PAGE_CHARS_MAX)
    media_type: str = ""
    published: str = Field(default="", max_length=40)
    fetched_at: str
    is_cut: bool = False


class ReadOutput(Output):
    text: str = Field(default="", max_length=PAGES_CHARS_MAX)
    """All pages, each under its address."""
    pages: tuple[PageText, ...] = Field(default=(), max_length=URLS_MAX)
    unread: tuple[Unread, ...] = Field(default=(), max_length=URLS_MAX)


class SearchInputs(Inputs):
    query: str | None = Field(
        default=None, max_length=QUERY_CHARS_MAX, description="What to search for."
    )
    results_max: int = Field(default=10, ge=1, le=RESULTS_MAX)


class Hit(BaseModel):
    """One result of a search."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str = Field(max_length=URL_CHARS_MAX)
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    snippet: str = Field(default="", max_length=EXCERPT_CHARS_MAX)


class SearchOutput(Output):
    text: str = ""
    hits: tuple[Hit, ...] = Field(default=(), max_length=RESULTS_MAX)
    urls: tuple[str, ...] = Field(default=(), max_length=RESULTS_MAX)
    search: str = ""


SessionAction = Literal["status", "open", "follow", "close"]


class SessionInputs(Inputs):
    action: SessionAction = Field(
        default="status",
        description="status, open (with url), follow (with link, a number), close.",
    )
    url: Url | None = Field(default=None, description="For open: the page's address.")
    link: int | None = Field(
        default=None, ge=1, description="For follow: a link's number on the page."
    )


class Link(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int = Field(ge=1)
    label: str = Field(max_length=TITLE_CHARS_MAX)
    url: str = Field(max_length=URL_CHARS_MAX)


class SessionOutput(Output):
    state: Literal["open", "closed"]
    url: str = Field(default="", max_length=URL_CHARS_MAX)
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    text: str = Field(default="", max_length=PAGE_CHARS_MAX)
    links: tuple[Link, ...] = ()
    opened_at: str = ""
    """RFC 3339, UTC; empty when no session is open."""
    closes_at: str = ""
    """When it is closed at the latest."""
    pages: int = Field(default=0, ge=0)
    """How many were opened in it."""


KINDS = (
    Kind(
        name="web.research",
        summary="Answer a question from the web, with its sources: /research QUESTION",
        inputs=ResearchInputs,
        output=ResearchOutput,
        idempotent=True,
        resumable=True,
        timeout_seconds=3600,
        takes_slot=False,
        is_shared=True,
        is_for_fleet=True,
        names_needs=("local",),
        named_by=("question",),
        words_input="question",
        planned=PlanFace(
            permission=Permission.READ,
            goes_out=True,
            words="question",
            takes={
                "queries": "What to search for, with commas between; made from the question "
                "when left out.",
                "urls": "Addresses of public pages to read, with blanks between.",
                "sources_max": "Read so many pages at most, 1 to 20.",
            },
            gives={
                "findings": OutputType.TEXT,
                "sources": OutputType.JSON,
                "source_urls": OutputType.URL_LIST,
            },
            joins=("urls",),
            uses_model=True,
        ),
    ),
    Kind(
        name="web.read",
        summary="Fetch pages, PDFs and documents of the web as text",
        inputs=ReadInputs,
        output=ReadOutput,
        idempotent=True,
        timeout_seconds=900,
        takes_slot=False,
        is_shared=True,
        is_for_fleet=True,
        named_by=("urls",),
        planned=PlanFace(
            permission=Permission.READ,
            goes_out=True,
            takes={"urls": "Addresses of public pages, with blanks between."},
            gives={"text": OutputType.TEXT, "pages": OutputType.JSON},
            joins=("urls",),
        ),
    ),
    Kind(
        name="web.search",
        summary="Search the web: titles, addresses, a few words of each",
        inputs=SearchInputs,
        output=SearchOutput,
        idempotent=True,
        timeout_seconds=120,
        takes_slot=False,
        is_shared=True,
        is_for_fleet=True,
        named_by=("query",),
        planned=PlanFace(
            permission=Permission.READ,
            goes_out=True,
            takes={"query": "What to search for.", "results_max": "At most so many, 1 to 30."},
            gives={"text": OutputType.TEXT, "urls": OutputType.URL_LIST},
        ),
    ),
    Kind(
        name="web.session",
        summary="A browser of the task's own: open a page, follow a link, look, close",
        inputs=SessionInputs,
        output=SessionOutput,
        idempotent=True,
        timeout_seconds=300,
        takes_slot=False,
        is_shared=True,
        named_by=("url",),
    ),
)
