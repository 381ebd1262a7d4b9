"""OpenAI's chat format as others speak it; imported with OpenAI's library, at the first call."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from openai import omit
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionStreamOptionsParam


class CompatibleModel(OpenAIChatModel):
    """A model that is not asked for more than its server knows."""

    tells_usage_when_asked = True

    def _get_stream_options(
        self, model_settings: OpenAIChatModelSettings
    ) -> ChatCompletionStreamOptionsParam:
        if self.tells_usage_when_asked:
            return super()._get_stream_options(model_settings)
        # The library leaves out what is omitted; its type knows of no such server.
        return cast("ChatCompletionStreamOptionsParam", omit)
