"""OpenAI's client without its walks through every message and every answer.

The library checks each part of a request against its types to rename fields that need it (a chat
has none), and makes each object of an answer by looking at its type anew (0.4 ms for an event).
Half of what a call cost here was this. Both ways around are the library's own: its `post` for
requests that it has no method for, and `build` of types that make themselves. Imported with
OpenAI's library, at the first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import httpx2
from openai import AsyncOpenAI, AsyncStream, NotGiven, Omit, not_given
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError


class DirectCompletion(ChatCompletion):
    """A whole answer."""

    @classmethod
    def build(cls, *, response: httpx2.Response, data: Any) -> DirectCompletion:
        """Make one; what is not quite as agreed is taken as it is, as the library does."""
        try:
            return cls.model_validate(data)
        except ValidationError:
            return cls.construct(**_fields(response, data))


class DirectChunk(ChatCompletionChunk):
    """An event of a streamed answer."""

    @classmethod
    def build(cls, *, response: httpx2.Response, data: Any) -> DirectChunk:
        """As `DirectCompletion.build`."""
        try:
            return cls.model_validate(data)
        except ValidationError:
            return cls.construct(**_fields(response, data))


def _fields(response: httpx2.Response, data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise httpx2.DecodingError("the answer is no object", request=response.request)
    return data


class DirectCompletions(AsyncCompletions):
    """Sends what it is given as it is given."""

    async def create(  # type: ignore[override]
        self,
        *,
        stream: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, object] | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: Any = not_given,
        **wanted: Any,
    ) -> ChatCompletion | AsyncStream[DirectChunk]:
        """Make one call; what is omitted is left out."""
        body = {
            name: part for name, part in wanted.items() if not isinstance(part, Omit | NotGiven)
        }
        if stream:
            body["stream"] = True
        return await self._client.post(
            "/chat/completions",
            body={**body, **(extra_body or {})},
            options={
                "headers": dict(extra_headers or {}),
                "params": dict(extra_query or {}),
                "timeout": timeout,
            },
            cast_to=DirectCompletion,
            stream=stream,
            stream_cls=AsyncStream[DirectChunk],
        )


class DirectChat(AsyncChat):
    @cached_property
    def completions(self) -> AsyncCompletions:
        return DirectCompletions(self._client)


class DirectOpenAI(AsyncOpenAI):
    @cached_property
    def chat(self) -> AsyncChat:
        return DirectChat(self)
