"""Gitea and Forgejo: REST v1 (docs.gitea.com/api, forgejo.org/docs/latest/user/api-usage)."""

from __future__ import annotations

from desktop.core.code.forge import (
    TITLE_CHARS_MAX,
    Checks,
    CheckState,
    Comment,
    ForgeSort,
    PullRequest,
)
from desktop.jobs.code.forges.reading import comment_of, dicts, states, text_of
from desktop.jobs.code.forges.rest import segment
from desktop.jobs.code.forges.rest_forge import RestForge
from shared.kinds import JsonObject

PAGES_MAX = 20
PAGE_SIZE = 50
"""Both forges' most, unless their owner says otherwise."""
_ENDS = {
    "success": CheckState.GOOD,
    "warning": CheckState.GOOD,
    "skipped": CheckState.GOOD,
    "failure": CheckState.FAILED,
    "error": CheckState.FAILED,
}


class Gitea(RestForge):
    sort = ForgeSort.GITEA

    async def _open(self, wanted: PullRequest) -> JsonObject | None:
        """Look through all that are open: no version of both forges finds one by its branch."""
        for page in range(1, PAGES_MAX + 1):
            query = {"state": "open", "sort": "recentupdate", "page": str(page)}
            told = await self._rest.many(f"{self._path}/pulls", {**query, "limit": str(PAGE_SIZE)})
            for one in told:
                if self._is_of(one, wanted):
                    return one
            if not told:
                return None
        return None

    def _body(self, wanted: PullRequest) -> JsonObject:
        title = f"WIP: {wanted.title}" if wanted.is_draft else wanted.title
        return {
            "head": wanted.branch,
            "base": wanted.base,
            "title": title[:TITLE_CHARS_MAX],
            "body": wanted.body,
        }

    async def checks(self, commit: str) -> Checks:
        """As `Forge.checks`."""
        path = f"{self._path}/commits/{segment(commit)}/status"
        told = dicts(await self._rest.one("GET", path), "statuses")
        return states(
            (text_of(one, "context"), _ENDS.get(text_of(one, "status"), CheckState.RUNNING))
            for one in told
        )

    async def comments(self, number: int) -> tuple[Comment, ...]:
        """As `Forge.comments`."""
        told = await self._rest.many(f"{self._path}/issues/{number}/comments")
        return tuple(comment_of(one, "user", "login") for one in told)
