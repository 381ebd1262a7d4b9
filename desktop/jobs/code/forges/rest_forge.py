"""What the forges with an interface for programs do alike: one pull request for each branch."""

from __future__ import annotations

from typing import ClassVar

from desktop.core.code.forge import ForgeSort, Opened, PullRequest, compare_url, own_url
from desktop.core.code.pr_body import merged
from desktop.core.code.repository import Repository
from desktop.jobs.code.forges.reading import number_of, text_of
from desktop.jobs.code.forges.rest import Rest, segment
from shared.errors import Conflict
from shared.kinds import JsonObject


class RestForge:
    """One repository; what a forge calls things stands in the names below."""

    sort: ClassVar[ForgeSort]
    number_name: ClassVar = "number"
    url_name: ClassVar = "html_url"
    body_name: ClassVar = "body"
    change_verb: ClassVar = "PATCH"
    requests: ClassVar = "pulls"
    """What its list of pull requests is called."""

    def __init__(self, repository: Repository, rest: Rest) -> None:
        self._repository = repository
        self._rest = rest
        self._path = "/repos/" + "/".join(map(segment, repository.slug.split("/")))

    def push_options(self, wanted: PullRequest) -> tuple[str, ...]:
        """Return nothing: REST does it all."""
        return ()

    def url(self, wanted: PullRequest) -> str:
        """As `Forge.url`."""
        return compare_url(self.sort, self._repository, wanted.base, wanted.branch)

    async def create_or_update(self, wanted: PullRequest) -> Opened:
        """As `Forge.create_or_update`."""
        if (there := await self._open(wanted)) is not None:
            return await self._updated(there, wanted)
        try:
            made = await self._rest.one("POST", f"{self._path}/{self.requests}", self._body(wanted))
        except Conflict:
            # Somebody was faster, or an earlier try came through; else it is a refusal.
            if (there := await self._open(wanted)) is None:
                raise
            return await self._updated(there, wanted)
        return self._opened(made, wanted, is_new=True)

    async def _updated(self, there: JsonObject, wanted: PullRequest) -> Opened:
        body = merged(text_of(there, self.body_name), wanted.body)
        if body is not None and body != text_of(there, self.body_name):
            path = f"{self._path}/{self.requests}/{number_of(there, self.number_name)}"
            await self._rest.one(self.change_verb, path, {self.body_name: body})
        return self._opened(there, wanted, is_new=False)

    def _opened(self, told: JsonObject, wanted: PullRequest, *, is_new: bool) -> Opened:
        url = own_url(text_of(told, self.url_name), self._repository) or self.url(wanted)
        return Opened(url=url, number=number_of(told, self.number_name), is_new=is_new)

    def _is_of(self, told: JsonObject, wanted: PullRequest) -> bool:
        """Say whether a pull request is the one of a branch, and not of a fork's of that name."""
        from_where = text_of(told, "head", "repo", "full_name") or self._repository.slug
        return (
            text_of(told, "head", "ref") == wanted.branch
            and from_where.lower() == self._repository.slug.lower()
            and number_of(told, self.number_name) is not None
        )

    async def _open(self, wanted: PullRequest) -> JsonObject | None:
        """Find the open pull request of a branch."""
        raise NotImplementedError

    def _body(self, wanted: PullRequest) -> JsonObject:
        """Write what a new one is made of."""
        raise NotImplementedError
