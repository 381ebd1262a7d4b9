"""Words as Telegram's HTML, of the length that it takes.

Lengths are UTF-16 units of what people see, as Telegram counts them
(core.telegram.org/bots/api#sendmessage: "after entities parsing").
"""

from __future__ import annotations

from hub.core.view import View
from hub.frontends.html import marked
from hub.frontends.layout import fitted, laid_out

TEXT_UNITS_MAX = 4096
CAPTION_UNITS_MAX = 1024


def html_of(view: View, units_max: int = TEXT_UNITS_MAX) -> str:
    """Write a view's text as HTML of at most `units_max` visible units; never empty."""
    return marked(fitted(laid_out(view), units_max), view)
