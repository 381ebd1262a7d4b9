"""Regular expressions of models: searched in linear time, by an engine that never goes back.

It is the one of Rust's `regex` crate, which pydantic brings along; patterns with look-around or
backreferences, and those that grow too large, are none for it. `re` could be kept busy for hours.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

PATTERN_CHARS_MAX = 500
KEPT_MAX = 64


def fault(pattern: str) -> str:
    """Say why a pattern cannot be used; empty when it can."""
    if not pattern:
        return "it is empty"
    if len(pattern) > PATTERN_CHARS_MAX:
        return f"it has more than {PATTERN_CHARS_MAX} characters"
    try:
        _compiled(pattern)
    except (SchemaError, UnicodeEncodeError):
        return "it is no regular expression in RE2 syntax (no look-around, no backreferences)"
    return ""


def found(pattern: str, text: str) -> bool:
    """Whether a pattern without fault stands anywhere in a text."""
    try:
        _compiled(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


@lru_cache(KEPT_MAX)
def _compiled(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
