"""Which hosts a box may reach, and which are worth a question."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.client_hello import NotTls, server_name
from desktop.core.code.registries import (
    KNOWN,
    Standing,
    host_of,
    is_listed,
    question_for,
    registry_of,
    standing_of,
)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("pypi.org:443", "pypi.org"),
        ("PyPI.org:443", "pypi.org"),
        ("files.pythonhosted.org:443", "files.pythonhosted.org"),
        ("xn--bcher-kva.example:443", "xn--bcher-kva.example"),
        ("pypi.org:0443", None),
        ("pypi.org:80", None),
        ("pypi.org", None),
        ("pypi.org.:443", None),
        (".pypi.org:443", None),
        ("-a.org:443", None),
        ("bücher.example:443", None),
        ("10.0.0.1:443", None),
        ("10.1:443", None),
        ("0x7f.0x1:443", None),
        ("[2001:db8::1]:443", None),
        ("com:443", None),
        ("router.lan:443", None),
        ("a.localhost:443", None),
        ("pypi.org\r\nX: y:443", None),
    ],
)
def test_only_a_public_name_at_the_usual_port_is_a_host(target: str, host: str | None) -> None:
    assert host_of(target) == host


@given(st.text(max_size=80))
def test_no_text_is_more_than_a_name(text: str) -> None:
    host = host_of(f"{text}:443")
    assert host is None or (host.isascii() and not set(host) & set(" /@:\r\n%[]"))


@pytest.mark.parametrize(
    ("host", "pattern", "is_in"),
    [
        ("pypi.org", "pypi.org", True),
        ("pypi.org", " PyPI.org ", True),
        ("a.example.org", "*.example.org", True),
        ("a.b.example.org", "*.example.org", True),
        ("example.org", "*.example.org", False),
        ("evilexample.org", "*.example.org", False),
        ("a.org", "*.org", False),
        ("a.org", "*", False),
        ("a.org", "", False),
        ("pypi.org.evil.org", "pypi.org", False),
    ],
)
def test_a_list_has_names_and_what_is_below_them(host: str, pattern: str, is_in: bool) -> None:
    assert is_listed(host, [pattern]) is is_in


@pytest.mark.parametrize("host", [host for registry in KNOWN for host in registry.hosts])
def test_known_registries_are_asked_about(host: str) -> None:
    assert standing_of(host, ()) is Standing.ASKED
    assert host_of(f"{host}:443") == host


@pytest.mark.parametrize(
    ("host", "standing"),
    [
        ("nexus.example.org", Standing.ASKED),
        ("npm.pkg.example.com", Standing.ASKED),
        ("api.anthropic.com", Standing.REFUSED),
        ("statsig.example.com", Standing.REFUSED),
        ("play.googleapis.com", Standing.REFUSED),
        ("telemetry.example.org", Standing.REFUSED),
        ("example.org", Standing.REFUSED),
    ],
)
def test_only_what_looks_like_a_registry_is_asked_about(host: str, standing: Standing) -> None:
    assert standing_of(host, ()) is standing
    assert standing_of(host, (host,)) is Standing.ALLOWED


def test_hosts_of_one_registry_are_one_question_whose_default_is_no() -> None:
    assert registry_of("pypi.org") == registry_of("files.pythonhosted.org")
    asking = question_for(registry_of("pypi.org"))
    assert "pypi.org, files.pythonhosted.org" in asking.text
    assert asking.default == "deny"
    assert question_for(registry_of("npm.example.org")).key == "registry:npm.example.org"


def hello(name: str | None) -> bytes:
    """The first message of a real client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    line = context.wrap_bio(coming, going, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        line.do_handshake()
    return going.read()


@given(size=st.integers(1, 600))
def test_the_name_in_a_first_message_is_read_as_it_comes(size: int) -> None:
    told = hello("files.pythonhosted.org")
    names = [server_name(told[:end]) for end in range(0, len(told), size)]
    assert set(names) <= {None}
    assert server_name(told) == "files.pythonhosted.org"
    assert server_name(told + b"more") == "files.pythonhosted.org"


def test_a_message_in_many_records_is_put_together() -> None:
    told = hello("pypi.org")[5:]
    parts = [told[place : place + 50] for place in range(0, len(told), 50)]
    records = [b"\x16\x03\x01" + len(part).to_bytes(2) + part for part in parts]
    assert server_name(b"".join(records)) == "pypi.org"


def test_one_that_names_nobody_is_refused() -> None:
    with pytest.raises(NotTls):
        server_name(hello(None))


@pytest.mark.parametrize(
    "told",
    [b"GET / HTTP/1.1\r\n", b"SSH-2.0-x", b"\x16\x03\x01\x00\x00", b"\x17\x03\x03\x00\x01a"],
)
def test_what_is_no_tls_is_refused(told: bytes) -> None:
    with pytest.raises(NotTls):
        server_name(told)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_whatever_comes_is_a_name_or_none_or_refused(noise: bytes, place: int) -> None:
    real = hello("pypi.org")
    for told in (noise, b"\x16\x03\x01" + noise, real[:place] + noise + real[place:]):
        try:
            name = server_name(told)
        except NotTls:
            continue
        assert name is None or isinstance(name, str)


def test_a_message_without_an_end_is_refused() -> None:
    record = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + b"\0" * (0x4000 - 4)
    with pytest.raises(NotTls):
        server_name(record * 5)
