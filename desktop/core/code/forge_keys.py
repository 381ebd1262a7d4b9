"""Which key belongs to which host: a token is shown to the host that it was given for, alone.

"GITHUB_TOKEN" is for github.com, "GITLAB_TOKEN" for gitlab.com, "GITEA_TOKEN" for codeberg.org and
gitea.com. Any other host has its own: "GIT_TOKEN_GIT_EXAMPLE_ORG" for git.example.org. A key with a
colon in it is a name and a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from desktop.core.code.rules import CodeRules

HOST_PREFIX = "GIT_TOKEN_"
FORGE_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "GITHUB_TOKEN": ("github.com",),
        "GITLAB_TOKEN": ("gitlab.com",),
        "GITEA_TOKEN": ("codeberg.org", "gitea.com"),
    }
)
_PATTERN = re.compile(
    r"(?:[a-z+]+://)?(?:[^@/:]+@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]{1,5})?)[/:]", re.IGNORECASE
)
"""A URL, or git's short form, whose host stands for itself alone."""
_USERS = {"github.com": "x-access-token", "bitbucket.org": "x-token-auth"}
USER_DEFAULT = "oauth2"
"""GitLab asks for this name beside a token; GitHub, Gitea and Forgejo take any."""


@dataclass(frozen=True, slots=True)
class Login:
    """What is shown to one host. Neither may be written or told anywhere."""

    user: str
    secret: str

    def __repr__(self) -> str:
        return "Login(...)"


def key_name(netloc: str) -> str:
    """Return what a host's own key is called: "GIT_TOKEN_GIT_EXAMPLE_ORG_8443"."""
    return HOST_PREFIX + re.sub(r"[^A-Z0-9]", "_", netloc.upper().replace("-", "__"))


def token_for(netloc: str, keys: Mapping[str, str]) -> str:
    """Return a host's key; empty when there is none.

    Args:
        netloc: host and port, as in "git.example.org:8443".
        keys: all there are, by name.
    """
    if own := keys.get(key_name(netloc)):
        return own
    for name, hosts in FORGE_KEYS.items():
        if netloc in hosts:
            return keys.get(name, "")
    return ""


def forge_keys(rules: CodeRules) -> Mapping[str, tuple[str, ...]]:
    """Return the keys that this machine may keep, by name, and the hosts that each is for."""
    known = {host for hosts in FORGE_KEYS.values() for host in hosts}
    others = (host for host in hosts_of(rules.repositories) if host not in known)
    return {**FORGE_KEYS, **{key_name(host): (host,) for host in others}}


def hosts_of(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts that patterns of repositories name, without those that stand for many."""
    found = (_PATTERN.match(pattern.strip()) for pattern in patterns)
    return tuple(dict.fromkeys(match[1].lower() for match in found if match))


def login_for(netloc: str, keys: Mapping[str, str]) -> Login | None:
    """Return what git shows to a host; None when there is no key for it."""
    token = token_for(netloc, keys)
    if not token:
        return None
    user, colon, secret = token.partition(":")
    if colon:
        return Login(user, secret)
    return Login(_USERS.get(netloc, USER_DEFAULT), token)
