"""Which API of a model an agent speaks, which endpoints answer it, and where.

Nothing is translated: an agent works with endpoints that speak its API themselves. Most speak more
than one. Anthropic and Google answer chat completions (each documents it as its compatibility with
OpenAI's libraries), DeepSeek messages (api-docs.deepseek.com/guides/anthropic_api); servers at home
(llama.cpp, Ollama, vLLM, LM Studio) have chat completions, responses and messages in their present
versions. The built-in agent's turns go to any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from desktop.core.code.agent_profiles import AgentProfile, GatewayApi
from desktop.core.llm.types import Endpoint, Format
from shared.errors import BadInput

MODEL_PATH = re.compile(r"/v1(?:beta)?/models/[A-Za-z0-9][A-Za-z0-9._-]{0,199}:([A-Za-z]+)")
ANTHROPIC_VERSION = "2023-06-01"

OPENAI_HOST = "api.openai.com"
_MESSAGES_AT = {"api.deepseek.com": "/anthropic/v1/messages"}
_SUFFIXES = {
    (Format.OPENAI, GatewayApi.CHAT): "/chat/completions",
    (Format.OPENAI, GatewayApi.RESPONSES): "/responses",
    (Format.ANTHROPIC, GatewayApi.MESSAGES): "/v1/messages",
    (Format.ANTHROPIC, GatewayApi.CHAT): "/v1/chat/completions",
    (Format.GOOGLE, GatewayApi.GEMINI): "/v1beta/models",
    (Format.GOOGLE, GatewayApi.CHAT): "/v1beta/openai/chat/completions",
}
_CHAT_ALONE = frozenset({"api.deepseek.com", "api.mistral.ai"})
"""Makers whose OpenAI-like API has no responses."""
_NO_MESSAGES = frozenset({OPENAI_HOST, "api.mistral.ai", "api.x.ai"})


class Action(StrEnum):
    """What a request of an agent's is for."""

    GENERATE = "generate"
    COUNT = "count"
    """How many tokens a text has."""
    MODELS = "models"
    """Which models there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A path of the gateway that leads to a model."""

    api: GatewayApi
    action: Action
    is_stream: bool = False
    """By the path; other APIs say so in the body."""
    query: Mapping[str, str]
    """What may be passed on of the query."""


_PATHS = {
    ("POST", "/v1/chat/completions"): (GatewayApi.CHAT, Action.GENERATE),
    ("POST", "/v1/responses"): (GatewayApi.RESPONSES, Action.GENERATE),
    ("POST", "/v1/messages"): (GatewayApi.MESSAGES, Action.GENERATE),
    ("POST", "/v1/messages/count_tokens"): (GatewayApi.MESSAGES, Action.COUNT),
    ("GET", "/v1/models"): (GatewayApi.CHAT, Action.MODELS),
    ("GET", "/v1beta/models"): (GatewayApi.GEMINI, Action.MODELS),
}
_VERBS = {
    "generateContent": (Action.GENERATE, False),
    "streamGenerateContent": (Action.GENERATE, True),
    "countTokens": (Action.COUNT, False),
}
_QUERY = {GatewayApi.MESSAGES: {"beta": {"true"}}, GatewayApi.GEMINI: {"alt": {"sse", "json"}}}


def route_of(method: str, target: str) -> Route | None:
    """Find where a request leads; None for whatever is not one of the few ways.

    The path counts as it stands: nothing in it is decoded, shortened or completed.
    """
    path, _, query = target.partition("?")
    found = _PATHS.get((method, path))
    if found is not None:
        return Route(api=found[0], action=found[1], query=_kept(found[0], query))
    verb = MODEL_PATH.fullmatch(path)
    if method != "POST" or verb is None or verb[1] not in _VERBS:
        return None
    action, is_stream = _VERBS[verb[1]]
    kept = _kept(GatewayApi.GEMINI, query)
    return Route(api=GatewayApi.GEMINI, action=action, is_stream=is_stream, query=kept)


def _kept(api: GatewayApi, query: str) -> Mapping[str, str]:
    known = _QUERY.get(api, {})
    told = parse_qsl(query[:2000], max_num_fields=20) if query.count("&") < 20 else []
    return {name: value for name, value in told if value in known.get(name, ())}


def base_for(endpoint: Endpoint, api: GatewayApi) -> str | None:
    """Return where an endpoint answers an API, without the model's name; None where it does not.

    Servers that nobody here knows are taken to have what is asked for; they say so themselves.
    """
    base = endpoint.base_url.rstrip("/")
    if api is GatewayApi.TURN:
        return base
    host = _host(base)
    if (endpoint.format, api) == (Format.OPENAI, GatewayApi.MESSAGES):
        return _messages_at(base)
    if api is GatewayApi.RESPONSES and host in _CHAT_ALONE:
        return None
    suffix = _SUFFIXES.get((endpoint.format, api))
    return None if suffix is None else f"{base}{suffix}"


def _messages_at(base: str) -> str | None:
    host = _host(base)
    if host in _NO_MESSAGES:
        return None
    return f"https://{host}{_MESSAGES_AT[host]}" if host in _MESSAGES_AT else f"{base}/messages"


def _host(base: str) -> str:
    return urlsplit(base).hostname or ""


def url_of(endpoint: Endpoint, model: str, route: Route) -> str | None:
    """Return the address that a request goes to; None where the endpoint has no such API."""
    base = base_for(endpoint, route.api)
    if base is None:
        return None
    if route.api is GatewayApi.GEMINI:
        verb = "countTokens" if route.action is Action.COUNT else "generateContent"
        verb = "streamGenerateContent" if route.is_stream else verb
        base = f"{base}/{model.removeprefix('models/')}:{verb}"
    elif route.action is Action.COUNT:
        base = f"{base}/count_tokens"
    query = "&".join(f"{name}={value}" for name, value in route.query.items())
    return f"{base}?{query}" if query else base


def key_headers(endpoint: Endpoint, api: GatewayApi, key: str) -> Mapping[str, str]:
    """Return the headers that show a key; none for no key."""
    if not key:
        return {}
    if api is GatewayApi.MESSAGES:
        # Some servers of that API take a key in one way, some in the other.
        own = endpoint.format is Format.ANTHROPIC or _host(endpoint.base_url) in _MESSAGES_AT
        return {"x-api-key": key} if own else {"authorization": f"Bearer {key}", "x-api-key": key}
    if api is GatewayApi.GEMINI:
        return {"x-goog-api-key": key}
    return {"authorization": f"Bearer {key}"}


_SPOKEN = {
    GatewayApi.CHAT: "chat completions",
    GatewayApi.RESPONSES: "OpenAI's responses",
    GatewayApi.MESSAGES: "Anthropic's messages",
    GatewayApi.GEMINI: "Gemini's API",
}


def check_agent(profile: AgentProfile, endpoint: Endpoint) -> None:
    """See, before an agent is started, that the endpoint speaks what it speaks.

    Raises:
        BadInput: `agent_needs_api`.
    """
    if base_for(endpoint, profile.api) is None:
        raise BadInput(
            "agent_needs_api",
            f"{profile.title} speaks {_SPOKEN[profile.api]}, and '{endpoint.name}' does not.",
            "Choose a model at an endpoint that does, or the built-in agent, which works with any.",
        )
