"""The way to the hub, a step at a time, against real sockets and real certificates."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desktop.core.network_rules import shown
from desktop.doctor.finding import Finding
from desktop.doctor.network import _certificate, _name, examine_way
from desktop.system.way import Way
from tests.fakes.one_page import a_page


def by_check(found: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in found}


def test_a_hub_on_this_machine_answers_and_tells_the_time() -> None:
    with a_page(200, b"{}") as page:
        found = by_check(examine_way(page.base))
    assert {name: finding.is_well for name, finding in found.items()} == {
        "hub": True,
        "clock": True,
    }


def test_another_program_at_the_address_is_no_hub() -> None:
    with a_page(404, b"") as page:
        found = by_check(examine_way(page.base))
    assert not found["hub"].is_well
    assert found["hub"].hint


def test_a_hub_that_is_down_says_what_to_look_at() -> None:
    found = by_check(examine_way("http://127.0.0.1:1"))
    assert not found["hub"].is_well
    assert "cannot be reached" in found["hub"].sentence


def test_a_name_that_nobody_knows_ends_the_way() -> None:
    told = _name("no-such-host.invalid", 443)
    assert not told.is_well
    assert "no-such-host.invalid" in told.sentence
    assert _name("localhost", 80).is_well


def test_a_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://anna:hunter2@proxy.example.org:3128")
    way = Way()
    proxy = way.proxy_for("https://hub.example.org")
    assert proxy is not None
    assert shown(proxy) == "proxy.example.org:3128"
    assert way.proxy_for("https://127.0.0.1:9") is None
    monkeypatch.setenv("no_proxy", "hub.example.org")
    assert way.proxy_for("https://hub.example.org") is None


@contextlib.contextmanager
def tls_server(folder: Path, days: int) -> Iterator[tuple[int, Path]]:
    """Serve TLS on loopback with a certificate of its own; gives the port and the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    server = QuietServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield server.server_port, pem
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


def test_a_certificate_of_nobody_known_is_told_with_the_way_out(tmp_path: Path) -> None:
    with tls_server(tmp_path, 90) as (port, _):
        told = _certificate("127.0.0.1", port, Way())
    assert not told.is_well
    assert "not trusted" in told.sentence
    assert "ca_file" in told.hint


@pytest.mark.parametrize(("days", "is_well"), [(90, True), (3, False)])
def test_a_certificate_that_is_trusted_says_how_long_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, is_well: bool
) -> None:
    with tls_server(tmp_path, days) as (port, pem):
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        told = _certificate("127.0.0.1", port, Way())
    assert told.is_well is is_well
    assert f"ends in {days} days" in told.sentence
    assert "TLS" in told.sentence


def test_a_port_that_nobody_listens_at_is_told() -> None:
    told = _certificate("127.0.0.1", 1, Way())
    assert not told.is_well
    assert "nothing answers at that port" in told.sentence
