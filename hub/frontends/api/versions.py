"""Headers that make calls safe: ETag and If-Match (RFC 9110, 8.8.3 and 13.1), Idempotency-Key."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from hub.core.answer import KEY_PATTERN
from shared.errors import BadInput, Conflict

Once = Annotated[str | None, Header(alias="Idempotency-Key", pattern=KEY_PATTERN)]
"""What makes a POST harmless to repeat, where the route itself sees to that."""
ETAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
ETAGS_CHARS_MAX = 1000
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=ETAGS_CHARS_MAX,
        description="The ETag that the change was decided on; `*` for whatever stands there.",
        examples=['"5f0c9a2e7b1d4c3f8e6a0d9b2c4e6f81"'],
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=ETAGS_CHARS_MAX,
        description="An ETag that is known already: the answer is 304 while it still holds.",
    ),
]


def etag(version: str) -> str:
    return f'"{version}"'


def expected(if_match: str | None) -> frozenset[str] | None:
    """Read which versions a change is for; None for any. Weak tags are equal to none.

    Raises:
        Conflict: `version_missing`, for the header must be there.
        BadInput: `version_unreadable`.
    """
    if if_match is None:
        raise Conflict(
            "version_missing",
            "This needs the header If-Match.",
            "Read it first, and send its ETag; or send * to change whatever stands there.",
        )
    if if_match.strip() == "*":
        return None
    return frozenset(tag for is_weak, tag in _tags(if_match) if not is_weak)


def is_known(if_none_match: str | None, version: str) -> bool:
    """Whether the reader has this version already; weak comparison."""
    if if_none_match is None:
        return False
    try:
        tags = {tag for _, tag in _tags(if_none_match)}
    except BadInput:
        return False
    return if_none_match.strip() == "*" or version in tags


def _tags(header: str) -> list[tuple[str, str]]:
    parts = [ETAG.fullmatch(part.strip()) for part in header.split(",")]
    found = [(part[1] or "", part[2]) for part in parts if part is not None]
    if len(found) != len(parts):
        raise BadInput(
            "version_unreadable",
            "If-Match holds no ETag.",
            'An ETag stands in quotes, as it was sent: "5f0c…".',
        )
    return found
