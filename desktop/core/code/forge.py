"""Forges: which one a host is, where its interface for programs is, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlsplit

from desktop.core.code.repository import Repository, Scheme

TITLE_CHARS_MAX = 250


class ForgeSort(StrEnum):
    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    """And Forgejo."""
    PLAIN = "plain"
    """Git alone."""


_HOSTS = {
    "github.com": ForgeSort.GITHUB,
    "gitlab.com": ForgeSort.GITLAB,
    "codeberg.org": ForgeSort.GITEA,
    "gitea.com": ForgeSort.GITEA,
}
_LABELS = {
    "github": ForgeSort.GITHUB,
    "gitlab": ForgeSort.GITLAB,
    "gitea": ForgeSort.GITEA,
    "forgejo": ForgeSort.GITEA,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """What is to be there: one for each branch."""

    branch: str
    base: str
    title: str
    body: str
    is_draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is there now."""

    url: str
    """Of the pull request; else of the page that compares the branch; empty when there is none."""
    number: int | None = None
    is_new: bool = False
    sentence: str = ""
    """For the person, when it is not what was asked for."""


class CheckState(StrEnum):
    NONE = "none"
    RUNNING = "running"
    GOOD = "good"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What a forge's own tests say of a commit."""

    state: CheckState
    failed: tuple[str, ...] = ()
    """Names of those that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody wrote below a pull request. Words of strangers."""

    author: str
    text: str


def known_sort(host: str) -> ForgeSort | None:
    """Return which forge a host is, by its name alone; None when the name says nothing."""
    if sort := _HOSTS.get(host):
        return sort
    labels = host.split(".")
    return next((_LABELS[label] for label in labels[:-1] if label in _LABELS), None)


def web_base(repository: Repository) -> str:
    """Return where a repository's forge is seen with a browser: "https://git.example.org:8443"."""
    if repository.scheme is Scheme.SSH:
        host = f"[{repository.host}]" if ":" in repository.host else repository.host
        return f"https://{host}"
    return f"{repository.scheme}://{repository.netloc}"


def api_base(sort: ForgeSort, repository: Repository) -> str:
    """Return where a forge's interface for programs is."""
    if sort is ForgeSort.GITHUB and repository.host == "github.com":
        return "https://api.github.com"
    path = {ForgeSort.GITHUB: "/api/v3", ForgeSort.GITLAB: "/api/v4", ForgeSort.GITEA: "/api/v1"}
    return web_base(repository) + path.get(sort, "")


def compare_url(sort: ForgeSort, repository: Repository, base: str, branch: str) -> str:
    """Return the page that compares a branch, from where a person opens a pull request."""
    page = f"{web_base(repository)}/{quote(repository.slug, safe='/~%')}"
    old, new = quote(base, safe="/"), quote(branch, safe="/")
    match sort:
        case ForgeSort.GITHUB | ForgeSort.GITEA:
            return f"{page}/compare/{old}...{new}"
        case ForgeSort.GITLAB:
            return f"{page}/-/compare/{old}...{new}"
        case ForgeSort.PLAIN:
            return ""


def own_url(told: object, repository: Repository) -> str:
    """Return an address that a forge told, if it leads to that forge; empty if it does not."""
    if not isinstance(told, str) or len(told) > 2_000 or not told.isascii():
        return ""
    try:
        parts, base = urlsplit(told), urlsplit(web_base(repository))
        is_own = parts.hostname == base.hostname and parts.port == base.port
    except ValueError:
        return ""
    is_plain = not any(sign in told for sign in ' "<>\\^`{|}\n\r\t')
    return told if is_own and is_plain and parts.scheme == base.scheme and "@" not in told else ""
