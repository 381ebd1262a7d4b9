"""A server that is asked for nothing but git, or that no token was given for."""

from __future__ import annotations

from desktop.core.code.forge import (
    Checks,
    CheckState,
    Comment,
    ForgeSort,
    Opened,
    PullRequest,
    compare_url,
)
from desktop.core.code.forge_keys import key_name
from desktop.core.code.repository import Repository, Scheme


class Plain:
    def __init__(self, repository: Repository, sort: ForgeSort) -> None:
        """Take what the host's name says it is: enough for the page that compares a branch."""
        self._repository = repository
        self.sort = sort

    def push_options(self, wanted: PullRequest) -> tuple[str, ...]:
        """Have GitLab open a merge request at the push: that takes no token (its push options)."""
        if self.sort is not ForgeSort.GITLAB or self._repository.scheme is not Scheme.SSH:
            return ()
        return (
            "merge_request.create",
            f"merge_request.target={wanted.base}",
            f"merge_request.title={wanted.title}",
            *(("merge_request.draft",) if wanted.is_draft else ()),
        )

    def url(self, wanted: PullRequest) -> str:
        """As `Forge.url`."""
        return compare_url(self.sort, self._repository, wanted.base, wanted.branch)

    async def create_or_update(self, wanted: PullRequest) -> Opened:
        """Say where to open it by hand."""
        if self._repository.scheme is Scheme.FOLDER:
            return Opened(url="")
        if self.push_options(wanted):
            return Opened(
                url=self.url(wanted),
                sentence="GitLab was asked to open a merge request when the branch was pushed.",
            )
        sentence = (
            f"No pull request was opened: there is no token for {self._repository.netloc} "
            f"(`deskhand keys`, {key_name(self._repository.netloc)})."
        )
        return Opened(url=self.url(wanted), sentence=sentence)

    async def checks(self, commit: str) -> Checks:
        """Tell nothing."""
        return Checks(state=CheckState.NONE)

    async def comments(self, number: int) -> tuple[Comment, ...]:
        """Tell nothing."""
        return ()
