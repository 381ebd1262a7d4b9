"""The table of agents: complete, filled in without surprises, and the owner's to change."""

from __future__ import annotations

import json
import tomllib

import pytest

from desktop.core.code.agent_profiles import (
    PROFILES,
    AgentProfile,
    AskRoad,
    Places,
    filled,
    is_below_home,
    profile_of,
    profiles_of,
)
from desktop.core.code.rules import CodeRules, CustomAgent
from shared.errors import NotFound

PLACES = Places(
    gateway="http://127.0.0.1:4141", model="tiny", home="/home/box", builtin=("py", "x")
)
NASTY = Places(gateway="http://h", model='a"}, "evil": {"x": "{key}\n', home="/h")
IDS = [profile.name for profile in PROFILES]


@pytest.mark.parametrize("profile", PROFILES, ids=IDS)
def test_nothing_is_left_to_fill_in(profile: AgentProfile) -> None:
    done = filled(profile, PLACES, prompt="Mend it")
    words = [*done.argv, *done.env.values(), *done.files.values()]
    for name in ("gateway", "model", "home", "key", "prompt", "builtin"):
        assert not any(f"{{{name}}}" in word for word in words)


@pytest.mark.parametrize("profile", PROFILES, ids=IDS)
@pytest.mark.parametrize("places", [PLACES, NASTY], ids=["plain", "nasty"])
def test_configuration_stays_what_it_is_whatever_is_filled_in(
    profile: AgentProfile, places: Places
) -> None:
    for path, content in filled(profile, places).files.items():
        assert is_below_home(path)
        if "{model}" not in profile.files[path]:
            continue
        read = tomllib.loads(content) if path.endswith(".toml") else json.loads(content)
        assert "evil" not in json.dumps(list(read))
        model = read["model"]
        assert places.model in (model["name"] if isinstance(model, dict) else model)


@pytest.mark.parametrize("profile", PROFILES, ids=IDS)
def test_no_agent_is_given_a_real_key(profile: AgentProfile) -> None:
    done = filled(profile, PLACES)
    keys = {value for name, value in done.env.items() if name.endswith("_KEY")}
    assert keys <= {PLACES.key}


def test_the_task_is_one_word_of_a_command_whatever_it_says() -> None:
    aider = profile_of("aider", PROFILES)
    prompt = "'; rm -rf / #{key}{model}"
    assert filled(aider, PLACES, prompt=prompt).argv[-1] == prompt


def test_our_own_agent_is_started_as_it_is_told() -> None:
    assert filled(profile_of("builtin", PROFILES), PLACES).argv == ("py", "x")


def test_an_owners_agent_takes_the_place_of_one_of_the_table() -> None:
    own = CustomAgent(name="codex", command=("mine", "{prompt}"), is_headless=True)
    profiles = profiles_of(CodeRules(agents=(own,)))

    assert [p.name for p in profiles].count("codex") == 1
    assert profile_of("codex", profiles).command == ("mine", "{prompt}")
    assert profile_of("codex", profiles).ask_road is AskRoad.PARK


def test_only_agents_that_the_owner_allows_are_there() -> None:
    profiles = profiles_of(CodeRules(agents_allowed=("builtin", "goose")))

    assert [p.name for p in profiles] == ["builtin", "goose"]
    with pytest.raises(NotFound) as caught:
        profile_of("claude", profiles)
    assert caught.value.code == "agent_unknown"
    assert "builtin, goose" in caught.value.hint


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ""])
def test_configuration_is_written_below_the_home_alone(path: str) -> None:
    assert not is_below_home(path)
