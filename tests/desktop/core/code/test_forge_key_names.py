"""Which tokens a machine may keep follows from its owner's rules."""

from __future__ import annotations

import pytest

from desktop.core.code.forge_keys import FORGE_KEYS, forge_keys, hosts_of
from desktop.core.code.rules import CodeRules


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("https://git.example.org/anna/*", ("git.example.org",)),
        ("https://Git.Example.org:8443/*", ("git.example.org:8443",)),
        ("ssh://git@git.example.org/x", ("git.example.org",)),
        ("git@git.example.org:anna/x", ("git.example.org",)),
        ("git.example.org/anna/*", ("git.example.org",)),
        ("https://*.example.org/*", ()),
        ("*", ()),
        ("/home/anna/x", ()),
        ("anna/x", ()),
    ],
)
def test_hosts_are_read_from_the_owner_s_patterns(pattern: str, hosts: tuple[str, ...]) -> None:
    assert hosts_of([pattern]) == hosts


def test_each_host_that_the_owner_names_may_have_a_token_of_its_own() -> None:
    rules = CodeRules(repositories=("https://github.com/*", "https://git.example.org:8443/*"))

    assert forge_keys(rules) == {
        **FORGE_KEYS,
        "GIT_TOKEN_GIT_EXAMPLE_ORG_8443": ("git.example.org:8443",),
    }
