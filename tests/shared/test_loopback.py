"""Only this machine is talked to without encryption."""

from __future__ import annotations

import pytest

from shared.loopback import is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example", "127.1", "::"],
)
def test_nothing_else_is_this_machine(host: str) -> None:
    assert not is_loopback(host)
