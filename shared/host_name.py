"""What a host's name looks like, and what only looks like one: an address in an odd spelling."""

from __future__ import annotations

import re

_NAME = re.compile(r"(?!.*\.\.)[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


def is_host_name(host: str) -> bool:
    """Say whether a text in small letters is a name that can be looked up.

    A name whose last part is a number is an address to many programs ("127.1", "0x7f.1",
    "2130706433") and counts as none.
    """
    last = host.rstrip(".").rpartition(".")[2]
    return _NAME.fullmatch(host) is not None and _NUMBER.fullmatch(last) is None
