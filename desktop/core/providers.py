"""Makers of language models whose keys a person may keep here: names, and where they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.errors import BadInput

KEY_CHARS_MAX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One maker."""

    name: str
    """As people call it."""
    key_name: str
    """The key's name in the safe, which is the usual environment variable's."""
    endpoint: str
    """What stands before the colon in "openai:gpt-5"."""
    base_url: str
    """Where it is asked; its library adds the version of the API, except for OpenAI's format."""
    format: Literal["openai", "anthropic", "google"] = "openai"
    models_url: str
    """Lists models: the smallest request that needs a key, and costs nothing."""
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    headers: tuple[tuple[str, str], ...] = ()
    """What else its API asks for."""
    keys_page: str = ""
    """Where a person gets a key."""

    def request_headers(self, key: str) -> Mapping[str, str]:
        return {self.key_header: f"{self.key_prefix}{key}", **dict(self.headers)}


PROVIDERS = (
    Provider(
        name="OpenAI",
        key_name="OPENAI_API_KEY",
        endpoint="openai",
        base_url="https://api.openai.com/v1",
        models_url="https://api.openai.com/v1/models",
        keys_page="https://platform.openai.com/api-keys",
    ),
    Provider(
        name="Anthropic",
        key_name="ANTHROPIC_API_KEY",
        endpoint="anthropic",
        base_url="https://api.anthropic.com",
        format="anthropic",
        models_url="https://api.anthropic.com/v1/models",
        key_header="x-api-key",
        key_prefix="",
        headers=(("anthropic-version", "2023-06-01"),),
        keys_page="https://console.anthropic.com/settings/keys",
    ),
    Provider(
        name="Google Gemini",
        key_name="GEMINI_API_KEY",
        endpoint="google",
        base_url="https://generativelanguage.googleapis.com",
        format="google",
        models_url="https://generativelanguage.googleapis.com/v1beta/models",
        key_header="x-goog-api-key",
        key_prefix="",
        keys_page="https://aistudio.google.com/apikey",
    ),
    Provider(
        name="xAI",
        key_name="XAI_API_KEY",
        endpoint="xai",
        base_url="https://api.x.ai/v1",
        models_url="https://api.x.ai/v1/models",
        keys_page="https://console.x.ai",
    ),
    Provider(
        name="DeepSeek",
        key_name="DEEPSEEK_API_KEY",
        endpoint="deepseek",
        base_url="https://api.deepseek.com",
        models_url="https://api.deepseek.com/models",
        keys_page="https://platform.deepseek.com/api_keys",
    ),
    Provider(
        name="Mistral",
        key_name="MISTRAL_API_KEY",
        endpoint="mistral",
        base_url="https://api.mistral.ai/v1",
        models_url="https://api.mistral.ai/v1/models",
        keys_page="https://console.mistral.ai/api-keys",
    ),
)


def is_like_a_key(text: str) -> bool:
    """Return whether a header can hold it as a key."""
    is_plain = text.isascii() and text.isprintable() and " " not in text
    return bool(text) and is_plain and len(text) <= KEY_CHARS_MAX


def checked_key(text: str) -> str:
    """Return a key as it is kept, without what came along when it was copied.

    Raises:
        BadInput: `key_odd`; the message never holds the key.
    """
    key = text.strip().strip("\"'").strip()
    if not is_like_a_key(key):
        raise BadInput(
            "key_odd",
            "That does not look like a key: it is one word of plain letters, figures and signs.",
            "Copy it again from the provider's page.",
        )
    return key


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """What a provider said to a key."""

    is_good: bool | None
    """None when it could not be tried."""
    sentence: str


def verdict_of(provider: Provider, status: int, count: int | None) -> KeyVerdict:
    """Word the answer of a provider's list of models.

    Args:
        provider: who answered.
        status: of HTTP.
        count: how many models it listed, when that could be read.
    """
    if status == 200:
        models = "" if count is None else f"; it opens {count} models"
        return KeyVerdict(is_good=True, sentence=f"{provider.name} accepts this key{models}.")
    if status in (400, 401, 403):
        # Gemini answers 400 to a key that it does not know.
        return KeyVerdict(
            is_good=False, sentence=f"{provider.name} does not accept this key (HTTP {status})."
        )
    if status == 429:
        return KeyVerdict(
            is_good=True,
            sentence=f"{provider.name} knows this key, and says its limit is used up for now.",
        )
    return KeyVerdict(
        is_good=None,
        sentence=f"{provider.name} has a problem of its own (HTTP {status}); try again later.",
    )
