"""How many tokens a text has, as far as it can be told without asking anybody. No network, ever.

tiktoken would fetch its tables from elsewhere; it is used where somebody has put them on this
machine (`TIKTOKEN_CACHE_DIR`), and else the count is an estimate by characters on the safe side.
What a provider reports counts before either.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from desktop.core.llm.types import Message

CHARS_PER_TOKEN = 4
SAFETY = 1.3
"""Texts with figures, code or other scripts than Latin have more tokens than a quarter."""
TOKENS_PER_MESSAGE = 4
"""Marks around each message, and its role."""
EXACT_CHARS_MAX = 200_000
"""Longer text is estimated: counting it would hold up all that share this process."""
O200K = "fb374d419588a4632f3f557e76b4b70aebbca790"
"""The name under which tiktoken keeps the table o200k_base: the SHA-1 of its address."""
O200K_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
"""As tiktoken expects it; it fetches a table that is another, so we look first."""


class Encoding(Protocol):
    def encode_ordinary(self, text: str) -> list[int]:
        """Cut a text into tokens."""


def of_messages(messages: Sequence[Message]) -> int:
    """Count what a request with these messages has; on the safe side."""
    return sum(of_text(_words(message)) + TOKENS_PER_MESSAGE for message in messages)


def _words(message: Message) -> str:
    if not message.calls:
        return message.text
    return message.text + "".join(call.name + call.arguments for call in message.calls)


def of_text(text: str) -> int:
    encoding = _encoding() if len(text) <= EXACT_CHARS_MAX else None
    if encoding is not None:
        return len(encoding.encode_ordinary(text))
    # Letters beyond ASCII are often tokens of their own.
    plain = sum(1 for character in text if character.isascii())
    return math.ceil((plain / CHARS_PER_TOKEN + (len(text) - plain)) * SAFETY)


def has_table() -> bool:
    """Tell whether tokens are counted, and not estimated by characters."""
    return _encoding() is not None


@cache
def _encoding() -> Encoding | None:
    """Return the table that is on this machine; None without one. Takes 0.2 s and 60 MB."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", "")
    if not folder:
        return None
    try:
        table = (Path(folder) / O200K).read_bytes()
        if hashlib.sha256(table).hexdigest() != O200K_SHA256:
            return None
        import tiktoken
    except (OSError, ImportError):
        return None
    return tiktoken.get_encoding("o200k_base")
