"""A token goes over an open line to this machine alone."""

from __future__ import annotations

import pytest

from desktop.core.hub_address import hub_base, worker_socket
from shared.errors import AppError


@pytest.mark.parametrize(
    ("given", "base", "socket"),
    [
        ("https://hub.example.org/", "https://hub.example.org", "wss://hub.example.org"),
        ("hub.example.org", "https://hub.example.org", "wss://hub.example.org"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
        ("http://localhost:1/", "http://localhost:1", "ws://localhost:1"),
        ("http://[::1]:80", "http://[::1]:80", "ws://[::1]:80"),
    ],
)
def test_a_safe_address_is_taken(given: str, base: str, socket: str) -> None:
    assert hub_base(given) == base
    assert worker_socket(base) == f"{socket}/api/v1/worker"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("http://hub.example.org", "hub_url_insecure"),
        ("http://192.168.1.4:8080", "hub_url_insecure"),
        ("http://127.0.0.1.example.org", "hub_url_insecure"),
        ("http://localhost.example.org", "hub_url_insecure"),
        ("http://0.0.0.0:8080", "hub_url_insecure"),
        ("ftp://hub.example.org", "hub_url_invalid"),
        ("file:///etc/passwd", "hub_url_invalid"),
        ("https://user:secret@hub.example.org", "hub_url_invalid"),
        ("https://hub.example.org:99999", "hub_url_invalid"),
        ("https://", "hub_url_invalid"),
        ("", "hub_url_invalid"),
        ("http://[::1", "hub_url_invalid"),
    ],
)
def test_an_unsafe_or_broken_address_is_refused_with_a_hint(given: str, code: str) -> None:
    with pytest.raises(AppError) as caught:
        hub_base(given)
    assert caught.value.code == code
    assert caught.value.hint
