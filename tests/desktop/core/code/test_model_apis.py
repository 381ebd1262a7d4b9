"""Which paths lead to a model, which endpoints speak what, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.agent_profiles import PROFILES, GatewayApi, profile_of
from desktop.core.code.model_apis import (
    Action,
    base_for,
    check_agent,
    key_headers,
    route_of,
    url_of,
)
from desktop.core.llm.endpoints import BUILT_IN
from desktop.core.llm.types import Endpoint, Format
from shared.errors import BadInput

BY_NAME = {endpoint.name: endpoint for endpoint in BUILT_IN}
CHAT, RESPONSES, MESSAGES, GEMINI = (
    GatewayApi.CHAT,
    GatewayApi.RESPONSES,
    GatewayApi.MESSAGES,
    GatewayApi.GEMINI,
)
SPOKEN = {
    "openai": {CHAT, RESPONSES},
    "anthropic": {CHAT, MESSAGES},
    "google": {CHAT, GEMINI},
    "xai": {CHAT, RESPONSES},
    "deepseek": {CHAT, MESSAGES},
    "mistral": {CHAT},
    "local": {CHAT, RESPONSES, MESSAGES},
    "ollama": {CHAT, RESPONSES, MESSAGES},
    "vllm": {CHAT, RESPONSES, MESSAGES},
}


@pytest.mark.parametrize("name", SPOKEN)
def test_each_endpoint_speaks_what_its_maker_documents(name: str) -> None:
    apis = (CHAT, RESPONSES, MESSAGES, GEMINI)
    assert {api for api in apis if base_for(BY_NAME[name], api)} == SPOKEN[name]


@pytest.mark.parametrize("name", SPOKEN)
def test_the_built_in_agent_works_with_every_endpoint(name: str) -> None:
    check_agent(profile_of("builtin", PROFILES), BY_NAME[name])


def test_an_agent_that_no_endpoint_understands_is_refused_before_it_starts() -> None:
    check_agent(profile_of("claude", PROFILES), BY_NAME["anthropic"])
    with pytest.raises(BadInput) as caught:
        check_agent(profile_of("claude", PROFILES), BY_NAME["openai"])
    assert caught.value.code == "agent_needs_api"
    assert "Anthropic's messages" in caught.value.message
    assert "'openai'" in caught.value.message


@pytest.mark.parametrize(
    ("endpoint", "method", "target", "url"),
    [
        ("openai", "POST", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("openai", "POST", "/v1/responses", "https://api.openai.com/v1/responses"),
        ("ollama", "POST", "/v1/messages", "http://127.0.0.1:11434/v1/messages"),
        (
            "anthropic",
            "POST",
            "/v1/messages?beta=true&key=x",
            "https://api.anthropic.com/v1/messages?beta=true",
        ),
        (
            "anthropic",
            "POST",
            "/v1/messages/count_tokens",
            "https://api.anthropic.com/v1/messages/count_tokens",
        ),
        ("deepseek", "POST", "/v1/messages", "https://api.deepseek.com/anthropic/v1/messages"),
        (
            "google",
            "POST",
            "/v1beta/models/own:streamGenerateContent?alt=sse&key=x",
            "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
        (
            "google",
            "POST",
            "/v1beta/models/own:countTokens",
            "https://generativelanguage.googleapis.com/v1beta/models/m:countTokens",
        ),
        (
            "google",
            "POST",
            "/v1/chat/completions",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
        ("mistral", "POST", "/v1/responses", None),
    ],
)
def test_a_request_goes_to_its_endpoints_address(
    endpoint: str, method: str, target: str, url: str | None
) -> None:
    route = route_of(method, target)
    assert route is not None
    assert url_of(BY_NAME[endpoint], "m", route) == url


def test_lists_of_models_are_routes_of_their_own() -> None:
    route = route_of("GET", "/v1/models")
    assert route is not None
    assert route.action is Action.MODELS


@given(
    st.sampled_from(["GET", "POST", "PUT", "CONNECT"]),
    st.one_of(st.text(max_size=60), st.text(max_size=40).map(lambda text: f"/v1/{text}")),
)
def test_nothing_else_is_a_route(method: str, target: str) -> None:
    route = route_of(method, target)
    if route is not None:
        path = target.partition("?")[0]
        assert path in ("/v1/models", "/v1/messages", "/v1/responses") or ":" in path


@pytest.mark.parametrize(
    "query", ["a=b&" * 100_000, "beta=true" + "&x" * 50, "beta=true%0d%0aX: y"]
)
def test_a_hostile_query_is_left_behind(query: str) -> None:
    route = route_of("POST", f"/v1/messages?{query}")
    assert route is not None
    assert route.query == {}


@pytest.mark.parametrize(
    ("endpoint", "api", "headers"),
    [
        ("openai", CHAT, {"authorization": "Bearer k"}),
        ("anthropic", MESSAGES, {"x-api-key": "k"}),
        ("anthropic", CHAT, {"authorization": "Bearer k"}),
        ("deepseek", MESSAGES, {"x-api-key": "k"}),
        ("google", GEMINI, {"x-goog-api-key": "k"}),
        ("google", CHAT, {"authorization": "Bearer k"}),
    ],
)
def test_the_key_is_shown_as_each_api_wants_it(
    endpoint: str, api: GatewayApi, headers: dict[str, str]
) -> None:
    assert key_headers(BY_NAME[endpoint], api, "k") == headers
    assert key_headers(BY_NAME[endpoint], api, "") == {}


def test_a_server_of_ones_own_is_shown_it_both_ways() -> None:
    own = Endpoint(name="own", base_url="https://llm.example.org/v1", format=Format.OPENAI)
    assert set(key_headers(own, MESSAGES, "k")) == {"authorization", "x-api-key"}
