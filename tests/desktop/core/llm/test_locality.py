"""What is kept local calls nobody else, and local servers are looked for where they may be."""

from __future__ import annotations

import pytest

from desktop.core.llm.endpoints import LOCAL_ENDPOINTS, with_built_in
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.locality import Found, NotLocal, check, kept_local, to_look_at, told
from desktop.core.llm.model_name import find_model
from desktop.core.llm.rules import LlmRules
from desktop.core.llm.types import Endpoint
from desktop.core.policy import Policy, parse_policy, write_policy

HOUSE = Endpoint(name="house", base_url="http://192.168.1.20:8080/v1", is_local=True)
KEPT = kept_local(with_built_in((HOUSE,)))


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "gpt-5-mini", "claude-sonnet-5", "xai:g"])
def test_a_model_elsewhere_is_refused_by_its_name(name: str) -> None:
    find_model(name, with_built_in(()))
    with pytest.raises(NotLocal) as caught:
        find_model(name, KEPT)
    assert caught.value.code == "model_not_local"
    assert isinstance(caught.value, LlmFault)
    assert not caught.value.retryable


@pytest.mark.parametrize("name", ["local:tiny", "ollama:llama3:8b", "house:qwen3", "lmstudio:x"])
def test_a_local_model_is_found_as_always(name: str) -> None:
    check(find_model(name, KEPT).endpoint)


def test_every_endpoint_is_barred_unless_it_is_local() -> None:
    assert all(one.is_barred is not one.is_local for one in KEPT)


def test_only_local_places_are_looked_at() -> None:
    elsewhere = Endpoint(name="far", base_url="http://10.0.0.9/v1", is_local=False)
    looked_at = to_look_at(LlmRules(endpoints=(HOUSE, elsewhere)))
    assert [one.name for one in looked_at] == ["house", "local", "ollama", "vllm", "lmstudio"]


def test_a_place_that_the_owner_named_otherwise_is_looked_at_once() -> None:
    own = LOCAL_ENDPOINTS[1].model_copy(update={"name": "mine"})
    assert "ollama" not in [one.name for one in to_look_at(LlmRules(endpoints=(own,)))]


def test_nothing_is_looked_at_where_the_owner_says_so() -> None:
    assert to_look_at(LlmRules(find_local=False, endpoints=(HOUSE,))) == ()


def test_found_models_are_told_by_their_full_names_and_not_without_end() -> None:
    assert told([Found("ollama", ("Llama3:8b", "a\nb"))]) == ("ollama:llama3:8b", "ollama:a b")
    assert len(told([Found("local", tuple(f"m{n}" for n in range(99)))])) == 24
    assert told([Found("local", ("x" * 500,))]) == ()


def test_the_owners_words_about_local_models_are_kept_in_the_policy_file() -> None:
    policy = Policy(llm=LlmRules(local_only=True, find_local=False))
    text = write_policy(policy)
    assert "[llm]\nlocal_only = true\nfind_local = false\n" in text
    assert parse_policy(text).llm == policy.llm
