"""The owner's rules about language models: read strictly, told in words, written back."""

from __future__ import annotations

import pytest

from desktop.core.llm.rules import is_own_network
from desktop.core.llm.types import Endpoint, Format
from desktop.core.policy import Policy, parse_policy, write_policy
from shared.errors import BadInput
from shared.jobs import Origin

HOUSE = """
slots = 2

[llm]
send_text = ["local", "chat"]

[[llm.endpoints]]
name = "house"
label = "The big one"
base_url = "http://192.168.1.20:8080/v1"
is_local = true
models = ["qwen3", "qwen3:8b"]
requests_per_minute = 120

[[llm.endpoints]]
name = "proxy"
base_url = "https://models.example.org"
format = "anthropic"
key_name = "PROXY_API_KEY"
"""


def test_endpoints_of_the_owner_are_read_and_written_back() -> None:
    policy = parse_policy(HOUSE)
    house, proxy = policy.llm.endpoints
    assert house.models == ("qwen3", "qwen3:8b")
    assert house.requests_per_minute == 120
    assert house.is_local
    assert proxy.format is Format.ANTHROPIC
    assert not proxy.is_local
    assert policy.llm.send_text == (Origin.LOCAL, Origin.CHAT)
    assert parse_policy(write_policy(policy)) == policy


def test_nothing_is_said_of_models_where_nothing_is_ruled() -> None:
    assert parse_policy("").llm.send_text == ()
    assert "llm" not in write_policy(Policy()).partition("[kinds]")[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_what_listens_on_this_machine_is_local_without_a_word(host: str) -> None:
    text = f'[[llm.endpoints]]\nname = "own"\nbase_url = "http://{host}:8080/v1"\n'
    (own,) = parse_policy(text).llm.endpoints
    assert own.is_local


def test_a_machine_in_the_house_is_local_by_its_owners_word_alone() -> None:
    text = '[[llm.endpoints]]\nname = "own"\nbase_url = "http://192.168.1.20/v1"\n'
    assert not parse_policy(text).llm.endpoints[0].is_local
    assert parse_policy(text + "is_local = true\n").llm.endpoints[0].is_local


FIRST = '[[llm.endpoints]]\nname = "own"\nbase_url = "https://a.example.org/v1"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[llm]\nsend = []", "llm.send is no rule that is known (at line 2)"),
        ("[llm]\nsend_text = ['me']", "llm.send_text.0 has to be one of 'local'"),
        (FIRST + "speed = 3\n", "llm.endpoints.0.speed is no rule that is known (at line 4)"),
        (
            FIRST + '[[llm.endpoints]]\nname = "two"\nbase_url = 3\n',
            "llm.endpoints.1.base_url has to be text, as in \"this\" (at line 6)",
        ),
        (
            FIRST + '[[llm.endpoints]]\nname = "two"\n',
            "llm.endpoints.1.base_url is missing (at line 4)",
        ),
        (
            FIRST.replace("own", "My own"),
            "llm.endpoints.0.name has to be one short word of small letters",
        ),
        (FIRST + FIRST, "two endpoints have the name 'own'"),
        (FIRST.replace("https:", "ftp:"), "write base_url as"),
        (FIRST.replace("a.example", "a:key@example"), "a key does not belong into base_url"),
        (FIRST.replace("/v1", "/v1?key=sk"), "a key does not belong into base_url"),
        (FIRST + 'key_name = "sk-abc"\n', "not the key itself"),
        (
            FIRST.replace("a.example.org", "8.8.8.8") + "is_local = true\n",
            "8.8.8.8 is an address of the internet",
        ),
        (
            FIRST.replace("https:", "http:") + 'key_name = "A_KEY"\n',
            "its key would travel for everybody to read",
        ),
        (FIRST + "requests_per_minute = 0\n", "has to be at least 1 (at line 4)"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_told_in_words_and_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_policy(text)
    assert words in caught.value.message


def test_a_key_that_stands_in_the_policy_by_mistake_is_not_told() -> None:
    with pytest.raises(BadInput) as caught:
        parse_policy(FIRST + 'key_name = "sk-canary"\n')
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("192.168.1.20", True),
        ("fd00::1", True),
        ("gpu", True),
        ("gpu.lan", True),
        ("gpu.local", True),
        ("100.64.1.2", True),
        ("8.8.8.8", False),
        ("0.0.0.0", False),
        ("api.openai.com", False),
        ("lan.example.org", False),
    ],
)
def test_addresses_of_the_own_network_are_known(host: str, is_own: bool) -> None:
    assert is_own_network(host) is is_own


def test_an_endpoint_has_a_place_in_what_is_written() -> None:
    policy = parse_policy(FIRST)
    assert policy.llm.endpoints == (Endpoint(name="own", base_url="https://a.example.org/v1"),)
    assert write_policy(policy).endswith("\n" + FIRST)
