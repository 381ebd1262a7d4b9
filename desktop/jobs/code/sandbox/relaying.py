"""Puts the relay to the gateway before a command."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from desktop.core.code.box import Box
from desktop.core.code.ground import Ground


def relayed(ground: Ground, box: Box, argv: Sequence[str]) -> list[str]:
    """Return the command as it is run inside: by the relay where the box has a gateway."""
    if box.gateway is None:
        return list(argv)
    return [*ground.relay, str(box.port), str(box.gateway), "--", *argv]


def free_port() -> int:
    """Return a port of this machine's loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
