"""What each provider's library and format wants: its client, its model object, its settings.

Libraries are imported when the first call of their format is made. Differences that their
documents name, and that would fail a request, stand in `_ACCEPTS`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import httpx2

from desktop.core.llm.message import Tool
from desktop.core.llm.types import Endpoint, Format, Message, Sampling, ToolSampling
from desktop.core.llm.types import Model as AskedModel
from desktop.jobs.llm.wire import STAND_IN

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.tools import ToolDefinition

    # Typed by the library's own client, of which there are three.
    ModelObject = Model[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepts:
    """How an endpoint of OpenAI's format differs from what most of them take."""

    completion_tokens: bool = False
    """The bound of a reply is called max_completion_tokens; max_tokens elsewhere."""
    stream_options: bool = True
    """A stream may be asked to tell its usage; Mistral tells it anyway, and refuses the wish."""
    seed: str = "seed"
    schema: bool = True
    """A reply can be bound to a JSON schema."""


_ACCEPTS = {
    # platform.openai.com/docs/api-reference/chat/create
    "openai": Accepts(completion_tokens=True),
    # docs.mistral.ai/api: "random_seed"; unknown fields are answered with 422 extra_forbidden
    "mistral": Accepts(stream_options=False, seed="random_seed"),
    # api-docs.deepseek.com/api/create-chat-completion: response_format text or json_object
    "deepseek": Accepts(schema=False),
}
_HOSTS = {"api.openai.com": "openai", "api.mistral.ai": "mistral", "api.deepseek.com": "deepseek"}
_COMMON = Accepts()


def accepts(endpoint: Endpoint) -> Accepts:
    """Tell how an endpoint differs, whatever its owner calls it."""
    known = _HOSTS.get(urlsplit(endpoint.base_url).hostname or "", endpoint.name)
    return _ACCEPTS.get(known, _COMMON)


def model_object(model: AskedModel, client: httpx2.AsyncClient) -> ModelObject:
    """Make the library's object for a model; it tries nothing twice and holds no key."""
    match model.endpoint.format:
        case Format.OPENAI:
            return _openai(model, client)
        case Format.ANTHROPIC:
            return _anthropic(model, client)
        case Format.GOOGLE:
            return _google(model, client)


def _openai(model: AskedModel, client: httpx2.AsyncClient) -> ModelObject:
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    from desktop.jobs.llm.openai_client import DirectOpenAI
    from desktop.jobs.llm.openai_model import CompatibleModel

    endpoint, differs = model.endpoint, accepts(model.endpoint)
    sdk = DirectOpenAI(
        api_key=STAND_IN, base_url=endpoint.base_url, http_client=client, max_retries=0
    )
    if differs.completion_tokens:
        return CompatibleModel(model.name, provider=OpenAIProvider(openai_client=sdk))
    provider = OpenAICompatibleProvider(endpoint.name, openai_client=sdk)
    profile = OpenAIModelProfile(
        openai_chat_supports_max_completion_tokens=False, supports_json_schema_output=differs.schema
    )
    # A probe says what its definition says, to the letter; no type of the library's has this field.
    profile.update({"may_tokenize_special_tokens_in_content": False})  # type: ignore[misc]
    made = CompatibleModel(model.name, provider=provider, profile=profile)
    made.tells_usage_when_asked = differs.stream_options
    return made


def _anthropic(model: AskedModel, client: httpx2.AsyncClient) -> ModelObject:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    sdk = AsyncAnthropic(
        api_key=STAND_IN, base_url=model.endpoint.base_url, http_client=client, max_retries=0
    )
    return AnthropicModel(model.name, provider=AnthropicProvider(anthropic_client=sdk))


def _google(model: AskedModel, client: httpx2.AsyncClient) -> ModelObject:
    from google.genai import Client
    from google.genai.types import HttpOptions, HttpRetryOptions
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    options = HttpOptions(
        base_url=model.endpoint.base_url,
        api_version="v1beta",
        httpx_async_client=client,
        timeout=int(model.endpoint.timeout_seconds * 1000),
        retry_options=HttpRetryOptions(attempts=1),
    )
    sdk = Client(vertexai=False, api_key=STAND_IN, http_options=options)
    return GoogleModel(model.name, provider=GoogleProvider(client=sdk))


def settings(endpoint: Endpoint, sampling: Sampling) -> ModelSettings:
    """Word what a definition asks of the sampler as the library takes it."""
    from pydantic_ai.settings import ModelSettings

    made = ModelSettings()
    if sampling.temperature is not None:
        made["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        made["top_p"] = sampling.top_p
    if sampling.tokens_max is not None:
        made["max_tokens"] = sampling.tokens_max
    if sampling.seed is not None:
        name = accepts(endpoint).seed if endpoint.format is Format.OPENAI else "seed"
        if name == "seed":
            made["seed"] = sampling.seed
        else:
            made["extra_body"] = {name: sampling.seed}
    if isinstance(sampling, ToolSampling):
        made["cache"] = True
    return made


def parameters(model: ModelObject, sampling: Sampling) -> ModelRequestParameters:
    """Ask for a reply that fits the definition's schema, of whoever can do that; offer tools."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition

    if isinstance(sampling, ToolSampling) and sampling.tools:
        return ModelRequestParameters(function_tools=[_tool(tool) for tool in sampling.tools])
    schema = sampling.response_schema
    if schema is None or not model.profile.get("supports_json_schema_output", False):
        return ModelRequestParameters()
    wanted = OutputObjectDefinition(json_schema=dict(schema), name="reply", strict=True)
    return ModelRequestParameters(output_mode="native", output_object=wanted)


def _tool(tool: Tool) -> ToolDefinition:
    from pydantic_ai.tools import ToolDefinition

    # Strict schemas are a subset that ours need not fit, and few servers know them.
    return ToolDefinition(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=dict(tool.schema),
        strict=False,
    )


def conversation(messages: Sequence[Message]) -> list[ModelMessage]:
    """Turn messages into the library's; those to the model that follow each other go together."""
    from pydantic_ai.messages import (
        ModelRequest,
        ModelRequestPart,
        SystemPromptPart,
        ToolReturnPart,
        UserPromptPart,
    )

    made: list[ModelMessage] = []
    parts: list[ModelRequestPart] = []
    for message in messages:
        match message.role:
            case "system":
                parts.append(SystemPromptPart(message.text))
            case "user":
                parts.append(UserPromptPart(message.text))
            case "tool":
                outcome: Literal["failed", "success"] = "failed" if message.is_error else "success"
                said = message.text
                parts.append(ToolReturnPart(message.name, said, message.call_id, outcome=outcome))
            case "assistant":
                made += [ModelRequest(parts), _said(message)]
                parts = []
    return [*made, ModelRequest(parts)] if parts else made


def _said(message: Message) -> ModelResponse:
    """Write what a model said as it was: its reasoning, its words, its calls."""
    from pydantic_ai.messages import (
        ModelResponse,
        ModelResponsePart,
        TextPart,
        ThinkingPart,
        ToolCallPart,
    )

    parts: list[ModelResponsePart] = [
        ThinkingPart(
            one.text,
            id=one.id or None,
            signature=one.signature or None,
            provider_name=one.provider or None,
            provider_details=_mark(one.mark),
        )
        for one in message.thoughts
    ]
    if message.text or not message.calls:
        parts.append(TextPart(message.text))
    parts += [
        ToolCallPart(
            call.name,
            call.arguments or "{}",
            call.id,
            provider_name=call.provider or None,
            provider_details=_mark(call.mark),
        )
        for call in message.calls
    ]
    return ModelResponse(parts)


def _mark(mark: str) -> dict[str, Any] | None:
    """Read a provider's own mark, which has been through other hands."""
    try:
        told = json.loads(mark) if mark else None
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
