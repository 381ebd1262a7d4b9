"""Where models can be asked without any setting: known providers, and servers on this machine."""

from __future__ import annotations

from desktop.core.llm.types import Endpoint, Format
from desktop.core.providers import PROVIDERS

PROVIDER_ENDPOINTS = tuple(
    Endpoint(
        name=provider.endpoint,
        label=provider.name,
        base_url=provider.base_url,
        format=Format(provider.format),
        key_name=provider.key_name,
    )
    for provider in PROVIDERS
)

QUEUEING_CONCURRENCY_MAX = 12
"""Servers that work on four calls at once, and let others wait: more bring only waiting."""

LOCAL_ENDPOINTS = (
    Endpoint(
        name="local",
        label="llama.cpp",
        base_url="http://127.0.0.1:8080/v1",
        is_local=True,
        concurrency_max=QUEUEING_CONCURRENCY_MAX,
    ),
    Endpoint(
        name="ollama",
        label="Ollama",
        base_url="http://127.0.0.1:11434/v1",
        is_local=True,
        concurrency_max=QUEUEING_CONCURRENCY_MAX,
    ),
    Endpoint(name="vllm", label="vLLM", base_url="http://127.0.0.1:8000/v1", is_local=True),
    Endpoint(
        name="lmstudio",
        label="LM Studio",
        base_url="http://127.0.0.1:1234/v1",
        is_local=True,
        concurrency_max=QUEUEING_CONCURRENCY_MAX,
    ),
)

BUILT_IN = PROVIDER_ENDPOINTS + LOCAL_ENDPOINTS


def with_built_in(own: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """Return the policy's endpoints and then the built-in ones whose names it leaves free."""
    taken = {endpoint.name for endpoint in own}
    return own + tuple(endpoint for endpoint in BUILT_IN if endpoint.name not in taken)
