"""Errors that providers document, or were seen to send: what comes, and what it has to mean.

Every row names its source. `BLIND` holds rows that were written from documentation before the
classifier had seen anything like them; what it made of them then stands beside it.
"""

from __future__ import annotations

from tests.desktop.core.llm.error_rows_formats import CLAUDE, GOOGLE, OPENAI
from tests.desktop.core.llm.error_rows_others import DEEPSEEK, LOCAL, MISTRAL, XAI

CASES = OPENAI + CLAUDE + GOOGLE + XAI + DEEPSEEK + MISTRAL + LOCAL
