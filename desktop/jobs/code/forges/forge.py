"""What every forge can be asked."""

from __future__ import annotations

from typing import Protocol

from desktop.core.code.forge import Checks, Comment, ForgeSort, Opened, PullRequest


class Forge(Protocol):
    """One repository of one forge."""

    @property
    def sort(self) -> ForgeSort: ...

    def push_options(self, wanted: PullRequest) -> tuple[str, ...]:
        """Return what a push tells the forge, where that is how a pull request is opened."""

    async def create_or_update(self, wanted: PullRequest) -> Opened:
        """Have a pull request for a branch that was pushed; the same one when asked again.

        What people have written into its description stays.

        Raises:
            AppError: `forge_auth`, `forge_not_found`, `forge_refused`, `forge_unreachable`,
                `forge_odd`.
        """

    def url(self, wanted: PullRequest) -> str:
        """Return the page that compares the branch; empty when none is known."""

    async def checks(self, commit: str) -> Checks:
        """Tell what the forge's own tests say of a commit."""

    async def comments(self, number: int) -> tuple[Comment, ...]:
        """Return what people wrote below a pull request, the oldest first."""
