"""A token is for the host that it was given for, and for no other."""

from __future__ import annotations

import pytest

from desktop.core.code.forge_keys import Login, key_name, login_for, token_for

KEYS = {
    "GITHUB_TOKEN": "hub",
    "GITLAB_TOKEN": "lab",
    "GITEA_TOKEN": "tea",
    "GIT_TOKEN_GIT_EXAMPLE_ORG": "own",
    "GIT_TOKEN_SRV_8443": "anna:secret",
}


@pytest.mark.parametrize(
    ("netloc", "token"),
    [
        ("github.com", "hub"),
        ("gitlab.com", "lab"),
        ("codeberg.org", "tea"),
        ("git.example.org", "own"),
        ("github.com.evil.example", ""),
        ("notgithub.com", ""),
        ("gitlab.example.org", ""),
        ("git.example.org:8443", ""),
        ("", ""),
    ],
)
def test_a_token_goes_to_its_own_host(netloc: str, token: str) -> None:
    assert token_for(netloc, KEYS) == token


def test_hosts_that_look_alike_have_names_of_their_own() -> None:
    names = {key_name(host) for host in ("a-b.c", "a.b.c", "a.b-c", "a.b.c:80", "ab.c")}
    assert len(names) == 5
    assert all(name.replace("_", "").isalnum() for name in names)


def test_a_login_is_a_token_or_a_name_with_a_password() -> None:
    assert login_for("github.com", KEYS) == Login("x-access-token", "hub")
    assert login_for("srv:8443", KEYS) == Login("anna", "secret")
    assert login_for("other.example", KEYS) is None


def test_a_login_does_not_show_itself() -> None:
    assert "secret" not in repr(login_for("srv:8443", KEYS))
