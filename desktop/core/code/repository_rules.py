"""Which repositories the owner of a machine lets coding jobs use: `repositories` of the policy.

A pattern is a URL in which "*" stands for anything within its host or within its path, never
across both: "https://*.example.org/*" means no other host. Without a scheme it means https and
ssh. Nothing but a pattern that says http lets anything pass unencrypted.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from desktop.core.code.repository import Repository, Scheme
from shared.errors import BadInput, NotAllowed

_SCHEME = re.compile(r"(https?|ssh)://")
_PLACE = re.compile(
    r"(?:[A-Za-z0-9_.-]+@)?"
    r"(\[[0-9a-fA-F:*]+\](?::[\d*]+)?|[A-Za-z0-9.*?-]+(?::[\d*]+)?)"
    r"[/:](?!//)([^:\s]+)"
)
_ENCRYPTED = (Scheme.HTTPS, Scheme.SSH)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryPattern:
    schemes: tuple[Scheme, ...]
    netloc: str
    slug: str

    def matches(self, repository: Repository) -> bool:
        return (
            repository.scheme in self.schemes
            and fnmatch.fnmatchcase(repository.netloc, self.netloc)
            and fnmatch.fnmatchcase(repository.slug, self.slug)
        )


def parse_pattern(text: str) -> RepositoryPattern:
    """Read one entry of the policy.

    Raises:
        BadInput: `repository_pattern_invalid`.
    """
    if text.strip() == "*":
        return RepositoryPattern(schemes=_ENCRYPTED, netloc="*", slug="*")
    scheme = _SCHEME.match(text.strip())
    found = _PLACE.fullmatch(text.strip()[scheme.end() if scheme else 0 :])
    if found is None:
        raise BadInput(
            "repository_pattern_invalid",
            f'"{text[:60]}" under repositories names no place.',
            'Write it as in "https://github.com/anna/*".',
        )
    schemes = (Scheme(scheme[1]),) if scheme else _ENCRYPTED
    slug = found[2].strip("/").removesuffix(".git")
    return RepositoryPattern(schemes=schemes, netloc=found[1].lower(), slug=slug)


def is_allowed(repository: Repository, patterns: Iterable[str]) -> bool:
    """Say whether the owner's patterns let a repository elsewhere be fetched and pushed to."""
    return any(parse_pattern(text).matches(repository) for text in patterns)


def check_remote(repository: Repository, patterns: Iterable[str]) -> None:
    """Refuse a repository elsewhere that the owner did not name.

    Raises:
        NotAllowed: `repository_not_allowed`, `repository_unencrypted`.
        BadInput: `repository_pattern_invalid`.
    """
    assert repository.scheme is not Scheme.FOLDER
    if is_allowed(repository, patterns):
        return
    if not repository.is_encrypted:
        raise NotAllowed(
            "repository_unencrypted",
            f"{repository.shown} would be reached without encryption.",
            "Name it with https://, or let the owner of the machine write it with http:// under "
            "repositories in the policy.",
        )
    raise NotAllowed(
        "repository_not_allowed",
        f"The owner of this machine has not allowed {repository.shown}.",
        f'Its owner can add "{repository.url}" to repositories under [code] in the policy.',
    )


def check_folder(folder: PurePath, allowed: Iterable[PurePath]) -> None:
    """Refuse a folder that is in no allowed one; all of them resolved.

    Raises:
        NotAllowed: `repository_outside_folders`.
    """
    if any(folder == one or one in folder.parents for one in allowed):
        return
    raise NotAllowed(
        "repository_outside_folders",
        f"{folder} is in no folder that the owner of this machine allows.",
        "Its owner can add it to folders in the policy.",
    )
