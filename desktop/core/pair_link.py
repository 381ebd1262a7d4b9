"""Links that pair a machine: `deskhand://pair?hub=https://hub.example.org&code=BCDF-GHJK`.

A link can come from any page or mail, so it is read strictly, and a person is asked before
anything is done with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from desktop.core.hub_address import hub_base
from shared.errors import AppError, BadInput

SCHEME = "deskhand:"
LINK_CHARS_MAX = 500
_CODE = re.compile(r"[A-Za-z]{4}-?[A-Za-z]{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLink:
    base: str
    """Of the hub, as `hub_base` returns it."""
    code: str


def is_link(text: str) -> bool:
    """Say whether somebody gave a link where a code could stand."""
    return text.strip().lower().startswith(SCHEME)


def is_code(text: str) -> bool:
    """Say whether a text is written as a hub's codes are: BCDF-GHJK, in any case."""
    return _CODE.fullmatch(text.strip()) is not None


def parse_link(text: str) -> PairLink:
    """Read a link, and nothing that is not exactly one.

    Raises:
        BadInput: `pair_link_invalid`.
        NotAllowed: `hub_url_insecure`.
    """
    link = text.strip()
    # ASCII only: a host of look-alike letters comes as "xn--..." and shows what it is.
    if len(link) > LINK_CHARS_MAX or not link.isascii() or not link.isprintable():
        raise _invalid()
    try:
        parts = urlsplit(link)
        pairs = parse_qsl(parts.query, strict_parsing=True, max_num_fields=2, errors="strict")
    except ValueError:
        raise _invalid() from None
    found = dict(pairs)
    is_exact = (
        parts.scheme == "deskhand"
        and parts.netloc == "pair"
        and parts.path in ("", "/")
        and not parts.fragment
        and found.keys() == {"hub", "code"}
        and len(pairs) == len(found)
        and _CODE.fullmatch(found["code"]) is not None
        and _is_plain(found["hub"])
    )
    if not is_exact:
        raise _invalid()
    try:
        base = hub_base(found["hub"])
    except BadInput:
        raise _invalid() from None
    return PairLink(base=base, code=found["code"].upper())


def _is_plain(hub: str) -> bool:
    return hub.isascii() and hub.isprintable() and not set(hub) & set(" \\?#@%")


def _invalid() -> AppError:
    return BadInput(
        "pair_link_invalid",
        "That is not a link that pairs a computer.",
        "Ask for a new one with /connect, or use the code: deskhand pair CODE --hub URL",
    )
