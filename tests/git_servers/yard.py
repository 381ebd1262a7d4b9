"""All that a test of git needs in one folder: a remote, a mirror, clones, git as jobs run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.code.change import Change
from desktop.core.code.repository import Repository, of_folder
from desktop.jobs.code.clones import Clone, make_clone
from desktop.jobs.code.git import Git
from desktop.jobs.code.identity import Identity
from desktop.jobs.code.mirrors import Mirror, Mirrors
from desktop.jobs.code.taking import commit, take
from tests.git_servers.repositories import FILES, fill, git

ANNA = Identity("Anna", "anna@example.org")
SECONDS = 1_800_000_000


@dataclass
class Yard:
    folder: Path
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))

    def __post_init__(self) -> None:
        self.git = Git(self.folder / "home")
        self.mirrors = Mirrors(self.folder / "mirrors", self.git)
        self.bare = self.folder / "remote" / "parser.git"
        self.bare.parent.mkdir(parents=True)
        git(self.folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        self.first = fill(self.bare, self.folder / "first", self.files)

    @property
    def repository(self) -> Repository:
        return of_folder(str(self.bare))

    async def mirror(self) -> Mirror:
        return await self.mirrors.refreshed(self.repository)

    async def clone(self, name: str = "a") -> tuple[Mirror, Clone]:
        mirror = await self.mirror()
        folder = self.folder / "jobs" / name / "clone"
        return mirror, await make_clone(self.git, self.mirrors, mirror, folder, author=ANNA)

    async def change(self, mirror: Mirror, clone: Clone, job: str = "K7Q2") -> Change:
        """Take and commit what is in a clone."""
        taken = await take(self.git, mirror, clone)
        return await commit(
            self.git, mirror, taken, job=job, message="Work\n", author=ANNA, seconds=SECONDS
        )
