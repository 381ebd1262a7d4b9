"""Which hosts programs in a box may reach: package registries, by list or by a person's word.

A host is a name, at port 443. Hosts that are known to be registries, or look like one, are worth a
question; all others are refused without a word to anybody, because agents call home a lot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.public_address import parse_address
from shared.questions import Asking, Choice, QuestionKind

HTTPS = 443
HOST_CHARS_MAX = 253
ALLOW, DENY = "allow", "deny"

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))+")
_LOCAL = re.compile(r"(?:.*\.)?(?:localhost|local|internal|lan|home\.arpa|intranet|corp|onion)")
_LIKE_A_REGISTRY = re.compile(
    r"\b(?:registry|registries|pypi|npm|npmjs|nexus|artifactory|artifacts?|packages?|pkgs?"
    r"|crates|gems?|maven|mirrors?|index|repos?|proxy|pkg|conda|cran|cpan|nuget|hackage)\b"
)


@dataclass(frozen=True, slots=True)
class Registry:
    """Hosts that only work together."""

    title: str
    hosts: tuple[str, ...]


KNOWN = (
    Registry("the Python package index", ("pypi.org", "files.pythonhosted.org")),
    Registry("the Yarn registry", ("registry.yarnpkg.com",)),
    Registry("crates.io", ("index.crates.io", "static.crates.io", "crates.io")),
    Registry("the Go module proxy", ("proxy.golang.org", "sum.golang.org")),
    Registry("RubyGems", ("rubygems.org", "index.rubygems.org")),
    Registry("Maven Central", ("repo.maven.apache.org", "repo1.maven.org")),
    Registry("Gradle's plugins", ("plugins.gradle.org", "plugins-artifacts.gradle.org")),
    Registry("Packagist", ("repo.packagist.org", "packagist.org")),
    Registry("NuGet", ("api.nuget.org",)),
    Registry("conda", ("conda.anaconda.org", "repo.anaconda.com")),
    Registry("Hex", ("hex.pm", "repo.hex.pm")),
    Registry("CRAN", ("cran.r-project.org", "cloud.r-project.org")),
    Registry("Hackage", ("hackage.haskell.org",)),
    Registry("Debian's packages", ("deb.debian.org", "security.debian.org")),
)


class Standing(StrEnum):
    """What the lists say of a host."""

    ALLOWED = "allowed"
    ASKED = "asked"
    """A person decides."""
    REFUSED = "refused"


def host_of(target: str) -> str | None:
    """Read what a CONNECT asks for: the host of "host:443", in small letters.

    None for addresses, local names, other ports and whatever is no name.
    """
    host, colon, port = target.rpartition(":")
    host = host.lower()
    if not colon or port != str(HTTPS) or len(host) > HOST_CHARS_MAX:
        return None
    if _HOST.fullmatch(host) is None or _LOCAL.fullmatch(host) or parse_address(host) is not None:
        return None
    # "10.1" and "0x7f.1" are addresses to some resolvers; no name ends with a number.
    return None if re.fullmatch(r"(?:0x[0-9a-f]*|[0-9]+)", host.rpartition(".")[2]) else host


def is_listed(host: str, patterns: Iterable[str]) -> bool:
    """Say whether a list has a host: exactly, or by "*.example.org", which is not "example.org"."""
    for pattern in (one.strip().lower() for one in patterns):
        if pattern == host:
            return True
        if pattern.startswith("*.") and "." in pattern[2:] and host.endswith(pattern[1:]):
            return True
    return False


def standing_of(host: str, allowed: Iterable[str]) -> Standing:
    """Say what is done about a host.

    Args:
        host: as `host_of` gives it.
        allowed: the owner's list, and what a person allowed for this job.
    """
    if is_listed(host, allowed):
        return Standing.ALLOWED
    is_known = any(host in registry.hosts for registry in KNOWN)
    return Standing.ASKED if is_known or _LIKE_A_REGISTRY.search(host) else Standing.REFUSED


def registry_of(host: str) -> Registry:
    """Return the registry that a host belongs to; itself alone for one that nobody knows."""
    return next((one for one in KNOWN if host in one.hosts), Registry("", (host,)))


def question_for(registry: Registry) -> Asking:
    """Ask whether the box may reach a registry, for this job."""
    hosts = ", ".join(registry.hosts)
    named = f"{registry.title} ({hosts})" if registry.title else hosts
    return Asking(
        key=f"registry:{registry.hosts[0]}"[:100],
        kind=QuestionKind.APPROVAL,
        text=f"A program in the sandbox wants to reach {named}. Allow it for this job?\n\n"
        "What it fetches there runs in the sandbox; what it has seen of the code could be sent.",
        choices=(Choice(value=ALLOW, label="Allow"), Choice(value=DENY, label="Deny")),
        default=DENY,
    )
