"""Forges: a pull request is opened or brought up to date, its checks and comments are read.

One adapter each for GitHub, GitLab, Gitea (and Forgejo); for every other server the branch that
was pushed is the end of it, with the page that compares it where one is known.
"""

from __future__ import annotations

from collections.abc import Mapping

from desktop.core.code.forge import ForgeSort, known_sort
from desktop.core.code.forge_keys import token_for
from desktop.core.code.repository import Repository, Scheme
from desktop.jobs.code.forges.detecting import detected
from desktop.jobs.code.forges.forge import Forge
from desktop.jobs.code.forges.gitea import Gitea
from desktop.jobs.code.forges.github import GitHub
from desktop.jobs.code.forges.gitlab import GitLab
from desktop.jobs.code.forges.plain import Plain
from desktop.jobs.code.forges.rest import Rest
from desktop.system.way import Way


async def forge_for(repository: Repository, keys: Mapping[str, str], way: Way) -> Forge:
    """Return the forge of a repository that a branch was, or is to be, pushed to.

    Args:
        repository: where it is pushed to.
        keys: all of them, by name; only the one of this host is used.
        way: the owner's way to other machines.
    """
    if repository.scheme is Scheme.FOLDER:
        return Plain(repository, ForgeSort.PLAIN)
    is_ssh = repository.scheme is Scheme.SSH
    # The port of ssh says nothing about where the forge is seen with a browser.
    token = token_for(repository.host if is_ssh else repository.netloc, keys)
    sort = known_sort(repository.host)
    if not token:
        return Plain(repository, sort or ForgeSort.PLAIN)
    sort = sort or await detected(repository, way)
    match sort:
        case ForgeSort.GITHUB:
            return GitHub(repository, Rest(sort, repository, token, way))
        case ForgeSort.GITLAB:
            return GitLab(repository, Rest(sort, repository, token, way))
        case ForgeSort.GITEA:
            return Gitea(repository, Rest(sort, repository, token, way))
        case ForgeSort.PLAIN:
            return Plain(repository, sort)
