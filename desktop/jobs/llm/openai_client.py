"""OpenAI's client without its walk through every message of every request.

The library checks each part of a request against its types to rename fields that need it; a chat
has none, and the walk is a third of what a call costs here. This way in is the library's own, for
requests that it has no method for. Imported with OpenAI's library, at the first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from openai import AsyncOpenAI, AsyncStream, NotGiven, Omit
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat import ChatCompletion, ChatCompletionChunk


class DirectCompletions(AsyncCompletions):
    """Sends what it is given as it is given."""

    async def create(  # type: ignore[override]
        self,
        *,
        stream: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: object = None,
        **wanted: Any,
    ) -> ChatCompletion | AsyncStream[ChatCompletionChunk]:
        """Make one call; what is omitted is left out, and waits are bounded by our own client."""
        body = {
            name: part for name, part in wanted.items() if not isinstance(part, Omit | NotGiven)
        }
        if stream:
            body["stream"] = True
        return await self._client.post(
            "/chat/completions",
            body={**body, **(extra_body or {})},
            options={"headers": dict(extra_headers or {})},
            cast_to=ChatCompletion,
            stream=stream,
            stream_cls=AsyncStream[ChatCompletionChunk],
        )


class DirectChat(AsyncChat):
    @cached_property
    def completions(self) -> AsyncCompletions:
        return DirectCompletions(self._client)


class DirectOpenAI(AsyncOpenAI):
    @cached_property
    def chat(self) -> AsyncChat:
        return DirectChat(self)
