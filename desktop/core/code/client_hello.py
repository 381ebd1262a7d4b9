"""Reads whom a TLS connection is for, from its first bytes (RFC 8446, RFC 6066).

A host that is allowed may share its addresses with others (large networks serve thousands of names
by the name in the first message alone), so a tunnel has to be for the name that it was asked for.
"""

from __future__ import annotations

HELLO_BYTES_MAX = 64 * 1024
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


class NotTls(ValueError):
    """The bytes are no beginning of a TLS connection that names its server."""


def server_name(told: bytes) -> str | None:
    """Return the name in a client's first message; None while it is not whole.

    Raises:
        NotTls: it is none, names nobody, or is longer than may be.
    """
    try:
        hello = _message(told)
        return None if hello is None else _name_in(hello)
    except (IndexError, UnicodeDecodeError):
        raise NotTls from None


def _message(told: bytes) -> bytes | None:
    """Put the first handshake message together from its records."""
    message, rest = b"", told
    while True:
        if message[:1] and message[0] != _CLIENT_HELLO:
            raise NotTls
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4]):
            return message[4 : 4 + int.from_bytes(message[1:4])]
        if len(told) > HELLO_BYTES_MAX or (rest[:1] and rest[0] != _HANDSHAKE):
            raise NotTls
        size = int.from_bytes(rest[3:5])
        if len(rest) < 5 or len(rest) < 5 + size:
            return None
        if size == 0:
            raise NotTls
        message, rest = message + rest[5 : 5 + size], rest[5 + size :]


def _name_in(hello: bytes) -> str:
    place = 2 + 32  # version, random
    place += 1 + hello[place]  # session
    place += 2 + int.from_bytes(hello[place : place + 2])  # cipher suites
    place += 1 + hello[place]  # compressions
    end = place + 2 + int.from_bytes(hello[place : place + 2])
    place += 2
    while place + 4 <= min(end, len(hello)):
        kind = int.from_bytes(hello[place : place + 2])
        size = int.from_bytes(hello[place + 2 : place + 4])
        if kind == _SERVER_NAME:
            return _host(hello[place + 4 : place + 4 + size])
        place += 4 + size
    raise NotTls


def _host(extension: bytes) -> str:
    if extension[2] != _HOST_NAME:
        raise NotTls
    size = int.from_bytes(extension[3:5])
    if not size or len(extension) != 5 + size:
        raise NotTls
    return extension[5:].decode("ascii").lower()
