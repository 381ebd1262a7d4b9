"""What lies in the clipboard and could pair this computer. It is offered, never used unasked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from desktop.core.pair_link import LINK_CHARS_MAX, is_link, parse_link
from desktop.gui.language import tr
from shared.errors import AppError

_CODE = re.compile(r"[A-Z]{4}-[A-Z]{4}")
"""As hubs write it. Eight letters without a dash may be a password, which is not to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    text: str
    """What would go into the field."""
    sentence: str
    """What its button says."""


def offer_of(clipboard: str) -> Offer | None:
    """Return what may be offered of a text, or None."""
    text = clipboard[: LINK_CHARS_MAX + 1].strip()
    if _CODE.fullmatch(text):
        return Offer(text=text, sentence=tr("Paste {code}").format(code=text))
    if is_link(text):
        try:
            host = urlsplit(parse_link(text).base).netloc
        except AppError:
            return None
        return Offer(text=text, sentence=tr("Paste the link to {host}").format(host=host))
    return None
