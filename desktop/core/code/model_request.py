"""What leaves the box in a request to a model: the work order's model, and no other way out.

A provider is a program on the internet that does what a request says: search, fetch an address,
run code, connect to a tool server. From a box without a network all of that is taken out of the
request; what a link would fetch, has to be sent itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from desktop.core.code.agent_profiles import GatewayApi
from desktop.core.code.model_apis import Action, Route
from shared.errors import BadInput

Json = dict[str, object]

MISTRAL_HOST = "api.mistral.ai"
_LEFT_OUT = {
    GatewayApi.CHAT: (
        "web_search_options", "search_parameters", "search_settings", "search_options",
        "enable_search", "compound_custom", "service_tier", "store", "plugins", "models", "route",
        "fallbacks",
    ),
    GatewayApi.RESPONSES: (
        "background", "prompt", "conversation", "service_tier", "plugins", "search_parameters",
        "enable_search",
    ),
    GatewayApi.MESSAGES: ("mcp_servers", "container", "service_tier"),
    GatewayApi.GEMINI: ("cachedContent", "cached_content"),
}  # fmt: skip
"""Work elsewhere, at another price, or of others; agents do without it."""
_RUN_HERE = {
    GatewayApi.CHAT: frozenset({"function", "custom"}),
    GatewayApi.RESPONSES: frozenset(
        {"function", "custom", "local_shell", "apply_patch", "namespace", "tool_search"}
    ),
    GatewayApi.MESSAGES: frozenset({"custom"}),
}
"""Types of tools that the agent carries out itself."""
_RUN_HERE_STARTS = ("bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_")
_GEMINI_TOOLS = frozenset({"functionDeclarations", "function_declarations"})
_WORDS = frozenset({"args", "arguments", "response"})
"""Where a conversation holds what tools were given and gave back: any JSON, never fetched."""
_DEPTH_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request as it goes to the provider."""

    body: bytes
    is_stream: bool
    hides_usage: bool
    """The agent did not ask for the piece that tells the tokens, so it shall not get it."""
    left_out: tuple[str, ...]
    """What was taken out, for the log."""


def outgoing(route: Route, model: str, raw: bytes, *, host: str = "") -> Outgoing:
    """Make an agent's request the one that goes out.

    Args:
        route: by which it came.
        model: the work order's.
        raw: the body.
        host: the endpoint's, for what only its maker does otherwise.

    Raises:
        BadInput: `request_invalid`, `request_links`.
    """
    body = _parsed(raw)
    left_out = [name for name in _LEFT_OUT.get(route.api, ()) if body.pop(name, None)]
    left_out += _without_hosted_tools(route.api, body)
    if any(_links(route.api, body)):
        raise BadInput(
            "request_links",
            "Links are not followed for a program in the sandbox.",
            "Send the picture or file itself.",
        )
    hides_usage = False
    is_stream = route.is_stream or body.get("stream") is True
    if route.api is not GatewayApi.GEMINI:
        body["model"] = model
    if route.api is GatewayApi.CHAT and host == MISTRAL_HOST:
        _as_mistral_takes_it(body)
    elif route.api is GatewayApi.CHAT and is_stream:
        hides_usage = _ask_for_usage(body)
    if route.action is Action.COUNT and route.api is GatewayApi.GEMINI:
        _name_model(body, model)
    return Outgoing(
        body=json.dumps(body, separators=(",", ":")).encode(),
        is_stream=is_stream,
        hides_usage=hides_usage,
        left_out=tuple(left_out),
    )


def _parsed(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadInput("request_invalid", "The request's body is no JSON object.")
    return body


def _as_mistral_takes_it(body: Json) -> None:
    """Leave out what Mistral answers with 422; its streams tell their tokens unasked."""
    body.pop("stream_options", None)
    tokens_max = body.pop("max_completion_tokens", None)
    if tokens_max is not None:
        body.setdefault("max_tokens", tokens_max)


def _ask_for_usage(body: Json) -> bool:
    options = body.get("stream_options")
    told = dict(options) if isinstance(options, dict) else {}
    hides = told.get("include_usage") is not True
    body["stream_options"] = told | {"include_usage": True}
    return hides


def _name_model(body: Json, model: str) -> None:
    """A count may hold the whole request, which names its model once more."""
    for name in ("generateContentRequest", "generate_content_request"):
        inner = body.get(name)
        if isinstance(inner, dict):
            inner["model"] = f"models/{model.removeprefix('models/')}"


def _without_hosted_tools(api: GatewayApi, body: Json) -> list[str]:
    tools = body.get("tools")
    if tools is None:
        return []
    left_out: list[str] = []
    body["tools"] = _kept_tools(api, tools, left_out)
    if not body["tools"]:
        for name in ("tools", "tool_choice", "toolConfig"):
            body.pop(name, None)
    return left_out


def _kept_tools(api: GatewayApi, tools: object, left_out: list[str]) -> list[object]:
    kept: list[object] = []
    for tool in tools if isinstance(tools, list) else []:
        if not isinstance(tool, dict):
            left_out.append("odd tool")
        elif api is GatewayApi.GEMINI:
            own = {name: part for name, part in tool.items() if name in _GEMINI_TOOLS}
            left_out += [str(name)[:50] for name in tool if name not in _GEMINI_TOOLS]
            kept += [own] if own else []
        elif not _is_run_here(api, tool):
            left_out.append(str(tool.get("type"))[:50])
        elif tool.get("type") == "namespace":
            kept.append(tool | {"tools": _kept_tools(api, tool.get("tools"), left_out)})
        else:
            kept.append(tool)
    return kept


def _is_run_here(api: GatewayApi, tool: Json) -> bool:
    kind = tool.get("type")
    if kind is None:
        return api is GatewayApi.MESSAGES
    if not isinstance(kind, str) or tool.get("server_url"):
        return False
    if api is GatewayApi.MESSAGES and kind.startswith(_RUN_HERE_STARTS):
        return True
    return kind in _RUN_HERE[api]


def _links(api: GatewayApi, body: Json) -> Iterator[bool]:
    """Tell of each part of the conversation whether it names a place to fetch it from."""
    finds = _FINDERS[api]
    for name in ("messages", "input", "contents", "system", "systemInstruction"):
        if name in body:
            yield from (finds(part) for part in _parts(body[name], 0))


def _parts(told: object, depth: int) -> Iterator[Json]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(told, dict):
        yield told
        for name, inner in told.items():
            is_words = name in _WORDS or (name == "input" and told.get("type") == "tool_use")
            if isinstance(inner, dict | list) and not is_words:
                yield from _parts(inner, depth + 1)
    elif isinstance(told, list):
        for inner in told:
            if isinstance(inner, dict | list):
                yield from _parts(inner, depth + 1)


def _is_away(address: object) -> bool:
    """Whether a text is the address of something that is not in the text itself."""
    if isinstance(address, dict):
        address = address.get("url")
    return isinstance(address, str) and bool(address) and not address.startswith("data:")


def _chat_link(part: Json) -> bool:
    return _is_away(part.get("image_url")) or _is_away(part.get("video_url"))


def _responses_link(part: Json) -> bool:
    kind = part.get("type")
    if not isinstance(kind, str) or not kind.startswith(("input_", "computer_screenshot")):
        return False
    return _is_away(part.get("image_url")) or _is_away(part.get("file_url"))


def _messages_link(part: Json) -> bool:
    return part.get("type") == "url" and "url" in part


def _gemini_link(part: Json) -> bool:
    return any(
        isinstance(part.get(name), dict) for name in ("fileData", "file_data") if part.get(name)
    )


_FINDERS: Mapping[GatewayApi, Callable[[Json], bool]] = {
    GatewayApi.CHAT: _chat_link,
    GatewayApi.RESPONSES: _responses_link,
    GatewayApi.MESSAGES: _messages_link,
    GatewayApi.GEMINI: _gemini_link,
}
