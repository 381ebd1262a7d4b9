"""What a node is started with is checked before anything runs, and every fault has its code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from desktop.fleet.setup import default_node, keys_of, read_setup
from shared.errors import AppError

GIVEN = {
    "hub": "https://hub.example.org/",
    "broker": "redis://broker.example.org:6379/0",
    "kinds": "llm.ask, llm.probe,llm.ask",
    "node": "box-1",
}
KEY = {"DESKHAND_FLEET_KEY": "dhf_secret"}


def test_options_count_before_the_environment() -> None:
    variables = {
        **KEY,
        "DESKHAND_FLEET_NODE": "other",
        "DESKHAND_FLEET_SLOTS": "7",
        "DESKHAND_FLEET_POOL": "small",
        "DESKHAND_FLEET_DRAIN_SECONDS": "30",
    }

    setup = read_setup(GIVEN, variables)

    assert setup.hub_url == "https://hub.example.org"
    assert setup.kinds == ("llm.ask", "llm.probe")
    assert (setup.node, setup.slots, setup.pool, setup.drain_seconds) == ("box-1", 7, "small", 30)
    assert setup.key == "dhf_secret"


def test_the_key_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("dhf_in_a_file\n")

    assert read_setup({**GIVEN, "key-file": str(tmp_path / "key")}, KEY).key == "dhf_in_a_file"


def test_no_secret_is_in_its_words() -> None:
    broker = "amqps://name:password@broker.example.org"
    setup = read_setup({**GIVEN, "broker": broker}, {**KEY, "OPENAI_API_KEY": "sk-secret"})

    assert "secret" not in repr(setup)
    assert "password" not in repr(setup)


@pytest.mark.parametrize(
    ("more", "variables", "code"),
    [
        ({"hub": None}, KEY, "fleet_setting_missing"),
        ({"broker": None}, KEY, "fleet_setting_missing"),
        ({"kinds": ","}, KEY, "fleet_setting_missing"),
        ({}, {}, "fleet_setting_missing"),
        ({"hub": "hub.example.org"}, KEY, "hub_url_invalid"),
        ({"broker": "http://broker"}, KEY, "fleet_setting_invalid"),
        ({"broker": "redis:///0"}, KEY, "fleet_setting_invalid"),
        ({"slots": "0"}, KEY, "fleet_setting_invalid"),
        ({"slots": "many"}, KEY, "fleet_setting_invalid"),
        ({"node": "a node"}, KEY, "fleet_setting_invalid"),
        ({"kinds": "llm.none"}, KEY, "kind_unknown"),
        ({"kinds": "ml.train"}, KEY, "fleet_kind_private"),
        ({"kinds": "llm.ask,code.bugfix"}, KEY, "fleet_kind_private"),
        ({"key-file": "/nowhere/key"}, KEY, "key_file_missing"),
        ({"policy": "/nowhere/policy.toml"}, KEY, "policy_invalid"),
    ],
)
def test_every_fault_has_its_code_and_a_next_step(
    more: Mapping[str, str | None], variables: Mapping[str, str], code: str
) -> None:
    with pytest.raises(AppError) as caught:
        read_setup({**GIVEN, **more}, variables)

    assert caught.value.code == code
    assert caught.value.hint


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(AppError) as caught:
        read_setup({"hub": "http://127.0.0.1:1"}, {})

    assert caught.value.message == "--key-file, --broker and --kinds are missing."
    assert "DESKHAND_FLEET_KEY, DESKHAND_FLEET_BROKER, DESKHAND_FLEET_KINDS" in caught.value.hint


def test_an_empty_key_file_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with pytest.raises(AppError, match="is empty") as caught:
        read_setup({**GIVEN, "key-file": str(tmp_path / "key")}, {})

    assert caught.value.code == "key_file_missing"


def test_a_policy_is_read_for_where_models_are(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[llm.endpoints]]\nname = "house"\nbase_url = "http://127.0.0.1:9/v1"\n')

    setup = read_setup({**GIVEN, "policy": str(policy)}, KEY)

    assert [one.name for one in setup.policy.llm.endpoints] == ["house"]


def test_nodes_of_one_machine_have_names_of_their_own() -> None:
    assert default_node() != default_node()


def test_keys_come_from_the_environment_alone() -> None:
    assert keys_of(["A", "B", "C"], {"A": " sk-1\n", "B": " "}) == {"A": "sk-1"}
