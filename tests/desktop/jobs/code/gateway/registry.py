"""A package registry over TLS on this machine, in the names of PyPI and npm, for pip and npm."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("pypi.org", "files.pythonhosted.org", "npm.example.org", "packages.example.org")


@dataclass
class Registry:
    port: int
    ca: Path
    """Whom clients have to trust."""
    asked: list[str] = field(default_factory=list)

    async def open(self, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Stand for every host."""
        return await asyncio.open_connection("127.0.0.1", self.port)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Registry]:
    pages = {**_python_pages(), **_npm_pages()}
    chain, ca = _certificates(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.asked.append(f"{self.headers['Host']}{self.path}")
            kind, body = pages.get(self.path, ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            return  # whoever hangs up

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with Server(("127.0.0.1", 0), Handler) as server:
        made = Registry(server.server_address[1], ca)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def _python_pages() -> dict[str, tuple[str, bytes]]:
    wheel = io.BytesIO()
    about = "tiny_thing-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_thing.py", "VALUE = 42\n")
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    name = "tiny_thing-1.0-py3-none-any.whl"
    link = f'<a href="https://files.pythonhosted.org/{name}">{name}</a>'
    return {
        "/simple/tiny-thing/": ("text/html", f"<html><body>{link}</body></html>".encode()),
        f"/{name}": ("application/octet-stream", wheel.getvalue()),
    }


def _npm_pages() -> dict[str, tuple[str, bytes]]:
    about = {"name": "tiny-thing", "version": "1.0.0", "main": "index.js"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in (("package.json", json.dumps(about)), ("index.js", "exports.v = 42;")):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    digest = base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()
    dist = {
        "tarball": "https://npm.example.org/tiny-thing/-/tiny-thing-1.0.0.tgz",
        "integrity": f"sha512-{digest}",
    }
    page = {
        "name": "tiny-thing",
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": about | {"dist": dist}},
    }
    return {
        "/tiny-thing": ("application/json", json.dumps(page).encode()),
        "/tiny-thing/-/tiny-thing-1.0.0.tgz": ("application/octet-stream", packed.getvalue()),
    }


def _certificates(folder: Path) -> tuple[Path, Path]:
    """Make an authority, and a certificate of its for all hosts."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])])
    now = datetime.now(UTC)

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
        )

    basic = x509.BasicConstraints(ca=True, path_length=None)
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    authority = (
        builder(ca_name, ca_key.public_key())
        .add_extension(basic, critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    own = (
        builder(name, key.public_key())
        .add_extension(names, critical=False)
        .add_extension(issuer, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain, ca = folder / "chain.pem", folder / "ca.pem"
    chain.write_bytes(private + own.public_bytes(pem))
    ca.write_bytes(authority.public_bytes(pem))
    return chain, ca
