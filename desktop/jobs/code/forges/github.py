"""GitHub, and GitHub Enterprise Server: REST, version 2022-11-28 (docs.github.com/rest/pulls)."""

from __future__ import annotations

from desktop.core.code.forge import (
    TITLE_CHARS_MAX,
    Checks,
    CheckState,
    Comment,
    ForgeSort,
    PullRequest,
)
from desktop.core.code.repository import Repository
from desktop.jobs.code.forges.reading import comment_of, dicts, states, text_of
from desktop.jobs.code.forges.rest import Rest, segment
from desktop.jobs.code.forges.rest_forge import RestForge
from shared.errors import AppError
from shared.kinds import JsonObject

_BAD = frozenset(("failure", "timed_out", "cancelled", "action_required", "error"))


class GitHub(RestForge):
    sort = ForgeSort.GITHUB

    def __init__(self, repository: Repository, rest: Rest) -> None:
        super().__init__(repository, rest)
        self._owner = repository.slug.split("/")[0]

    async def _open(self, wanted: PullRequest) -> JsonObject | None:
        query = {"state": "open", "head": f"{self._owner}:{wanted.branch}", "per_page": "10"}
        for one in await self._rest.many(f"{self._path}/pulls", query):
            if self._is_of(one, wanted):
                return one
        return None

    def _body(self, wanted: PullRequest) -> JsonObject:
        return {
            "title": wanted.title[:TITLE_CHARS_MAX],
            "head": wanted.branch,
            "base": wanted.base,
            "body": wanted.body,
            "draft": wanted.is_draft,
        }

    async def checks(self, commit: str) -> Checks:
        """As `Forge.checks`: what Actions and other apps say, and statuses of the older sort."""
        path = f"{self._path}/commits/{segment(commit)}"
        runs = dicts(await self._rest.one("GET", f"{path}/check-runs"), "check_runs")
        try:
            statuses = dicts(await self._rest.one("GET", f"{path}/status"), "statuses")
        except AppError:
            statuses = []
        told = [(text_of(r, "name"), text_of(r, "status"), text_of(r, "conclusion")) for r in runs]
        told += [(text_of(s, "context"), "", text_of(s, "state")) for s in statuses]
        return states((name, _state(status, end)) for name, status, end in told)

    async def comments(self, number: int) -> tuple[Comment, ...]:
        """As `Forge.comments`: below the whole, and beside its lines."""
        query = {"per_page": "100"}
        whole = await self._rest.many(f"{self._path}/issues/{number}/comments", query)
        lines = await self._rest.many(f"{self._path}/pulls/{number}/comments", query)
        ordered = sorted([*whole, *lines], key=lambda one: text_of(one, "created_at"))
        return tuple(comment_of(one, "user", "login") for one in ordered)


def _state(status: str, end: str) -> CheckState:
    if end in _BAD:
        return CheckState.FAILED
    is_over = status in ("", "completed") and end != "pending"
    return CheckState.GOOD if is_over else CheckState.RUNNING
