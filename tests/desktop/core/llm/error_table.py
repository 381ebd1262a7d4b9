"""Errors that providers document, or were seen to send: what comes, and what it has to mean.

Every row names its source.
"""

from __future__ import annotations

from tests.desktop.core.llm.error_rows_blind import BLIND
from tests.desktop.core.llm.error_rows_formats import CLAUDE, GOOGLE, OPENAI
from tests.desktop.core.llm.error_rows_others import DEEPSEEK, LOCAL, MISTRAL, XAI

CASES = OPENAI + CLAUDE + GOOGLE + XAI + DEEPSEEK + MISTRAL + LOCAL + BLIND
