"""The short way to the program that runs already: it is asked to show itself, or to take a link.

Python's own library alone is imported here, because a second start should feel like none. What is
unclear goes the long way (`desktop.commands.tray`), which can tell what is wrong.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path

KNOCK_SECONDS = 5.0
REPLY_BYTES_MAX = 64 * 1024
SCHEME = "deskhand:"


def knock(arguments: Sequence[str]) -> bool:
    """Hand a start over to the program that runs, where the command line asks for nothing else.

    Args:
        arguments: of the command line; at most `--home FOLDER` and a link.

    Returns:
        Whether it took it; False also when none runs.
    """
    rest, home = list(arguments), None
    if rest[:1] == ["--home"] and len(rest) > 1:
        home, rest = Path(rest[1]), rest[2:]
    if len(rest) > 1 or not all(link.strip().lower().startswith(SCHEME) for link in rest):
        return False
    from desktop.system.paths import find_paths

    return _ask(find_paths(home).control, rest[0] if rest else "")


def _ask(control: Path, item: str) -> bool:
    try:
        place = json.loads(control.read_text(encoding="utf-8"))
        arguments = {"window": "", "item": item}
        order = {"token": place["token"], "do": "open", "arguments": arguments}
        with socket.create_connection(("127.0.0.1", place["port"]), KNOCK_SECONDS) as line:
            line.sendall(json.dumps(order).encode() + b"\n")
            with line.makefile("rb") as answer:
                reply = json.loads(answer.readline(REPLY_BYTES_MAX))
        return isinstance(reply["ok"], dict)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return False
