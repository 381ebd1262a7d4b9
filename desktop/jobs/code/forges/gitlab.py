"""GitLab: REST v4 (docs.gitlab.com/api/merge_requests)."""

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
from desktop.jobs.code.forges.reading import comment_of, number_of, states, text_of
from desktop.jobs.code.forges.rest import Rest, segment
from desktop.jobs.code.forges.rest_forge import RestForge
from shared.kinds import JsonObject

_ENDS = {
    "success": CheckState.GOOD,
    "skipped": CheckState.GOOD,
    "manual": CheckState.GOOD,
    "failed": CheckState.FAILED,
    "canceled": CheckState.FAILED,
}


class GitLab(RestForge):
    sort = ForgeSort.GITLAB

    number_name = "iid"
    url_name = "web_url"
    body_name = "description"
    change_verb = "PUT"
    requests = "merge_requests"

    def __init__(self, repository: Repository, rest: Rest) -> None:
        super().__init__(repository, rest)
        self._path = f"/projects/{segment(repository.slug)}"

    async def _open(self, wanted: PullRequest) -> JsonObject | None:
        query = {"state": "opened", "source_branch": wanted.branch}
        for one in await self._rest.many(f"{self._path}/merge_requests", query):
            if self._is_of(one, wanted):
                return one
        return None

    def _is_of(self, told: JsonObject, wanted: PullRequest) -> bool:
        return (
            text_of(told, "source_branch") == wanted.branch
            and told.get("source_project_id") == told.get("target_project_id")
            and number_of(told, "iid") is not None
        )

    def _body(self, wanted: PullRequest) -> JsonObject:
        title = f"Draft: {wanted.title}" if wanted.is_draft else wanted.title
        return {
            "source_branch": wanted.branch,
            "target_branch": wanted.base,
            "title": title[:TITLE_CHARS_MAX],
            "description": wanted.body,
            "remove_source_branch": True,
        }

    async def checks(self, commit: str) -> Checks:
        """As `Forge.checks`: the jobs of its pipelines."""
        path = f"{self._path}/repository/commits/{segment(commit)}/statuses"
        told = await self._rest.many(path, {"per_page": "100"})
        return states(
            (text_of(one, "name"), _ENDS.get(text_of(one, "status"), CheckState.RUNNING))
            for one in told
            if not one.get("allow_failure")
        )

    async def comments(self, number: int) -> tuple[Comment, ...]:
        """As `Forge.comments`; what GitLab notes by itself is left out."""
        path = f"{self._path}/merge_requests/{number}/notes"
        query = {"sort": "asc", "order_by": "created_at", "per_page": "100"}
        told = await self._rest.many(path, query)
        return tuple(comment_of(one, "author", "username") for one in told if not one.get("system"))
