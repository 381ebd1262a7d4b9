"""`deskhand keys`: kept, listed and removed; what a key is, is never shown."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from desktop.system.paths import find_paths
from tests.desktop.command_world import Profile

CANARY = "sk-canary-77ab21"


@pytest.fixture
def profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Profile:
    for name in ("OPENAI_API_KEY", "MISTRAL_API_KEY", "HOUSE_KEY"):
        monkeypatch.delenv(name, raising=False)
    paths = find_paths(tmp_path / "home")
    paths.make()
    return Profile(paths, capsys)


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def refused(profile: Profile, *words: str) -> str:
    code, said, complaint = profile.run(*words)
    assert code != 0
    assert not said
    return complaint


def places(profile: Profile) -> dict[str, str | None]:
    return {one["name"]: one["place"] for one in json.loads(profile.answer("keys", "--json"))}


def test_a_key_is_kept_listed_and_removed(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places(profile)["OPENAI_API_KEY"] is None
    given(monkeypatch, f"{CANARY}\n")
    said = profile.answer("keys", "set", "openai")
    assert said.startswith("OPENAI_API_KEY is kept in ")
    assert places(profile)["OPENAI_API_KEY"] in ("file", "safe")
    listed = profile.answer("keys")
    assert CANARY not in said + listed
    assert "OpenAI" in listed
    profile.answer("keys", "remove", "OPENAI_API_KEY")
    assert places(profile)["OPENAI_API_KEY"] is None


def test_a_key_of_the_environment_is_told(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", CANARY)
    assert places(profile)["MISTRAL_API_KEY"] == "environment"


def test_a_key_that_the_policy_names_can_be_kept(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile.paths.policy.write_text(
        '[[llm.endpoints]]\nname = "house"\nbase_url = "https://a.example.org/v1"\n'
        'key_name = "HOUSE_KEY"\n'
    )
    given(monkeypatch, CANARY)
    assert profile.answer("keys", "set", "HOUSE_KEY").startswith("HOUSE_KEY is kept")
    profile.answer("keys", "remove", "house")


@pytest.mark.parametrize("arguments", [("set",), ("set", "PATH"), ("remove", "../x")])
def test_a_key_that_nothing_needs_is_not_kept(profile: Profile, arguments: tuple[str, ...]) -> None:
    error = refused(profile, "keys", *arguments)
    assert "Known: OPENAI_API_KEY" in error


def test_what_is_no_key_is_not_kept_and_not_repeated(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, f"my key is {CANARY}\n")
    error = refused(profile, "keys", "set", "openai")
    assert "does not look like a key" in error
    assert CANARY not in error
    assert places(profile)["OPENAI_API_KEY"] is None


def test_a_key_that_is_not_there_cannot_be_removed(profile: Profile) -> None:
    assert "No key OPENAI_API_KEY is kept here." in refused(profile, "keys", "remove", "openai")


def test_tokens_of_forges_are_kept_by_their_host(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    profile.paths.policy.write_text("[code]\nrepositories = ['https://git.example.org/anna/*']\n")
    assert places(profile)["GITHUB_TOKEN"] is None

    for name in ("github.com", "git.example.org"):
        given(monkeypatch, f"{CANARY}-{name}\n")
        profile.answer("keys", "set", name)

    told = profile.answer("keys", "--json")
    assert CANARY not in told
    assert places(profile)["GITHUB_TOKEN"]
    assert places(profile)["GIT_TOKEN_GIT_EXAMPLE_ORG"]
    profile.answer("keys", "remove", "GITHUB_TOKEN")
    assert places(profile)["GITHUB_TOKEN"] is None
