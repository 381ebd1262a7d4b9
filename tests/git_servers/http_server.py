"""A real git server on loopback: `git http-backend` behind Basic authentication, and a forge.

Everything that git's own clients do is answered by git's own program; what is ours is the little
that a web server does: who may come in, bodies in pieces, bodies packed by gzip.
"""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit


class Forge(Protocol):
    """Answers what a forge's interface for programs is asked."""

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Return status, headers and body; None for what is git's."""


@dataclass
class Seen:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class GitServer:
    """Serves the bare repositories of a folder, as long as its block runs."""

    folder: Path
    logins: dict[str, str] = field(default_factory=dict)
    """Who may come in; everybody when there is none."""
    forge: Forge | None = None
    seen: list[Seen] = field(default_factory=list)
    before: Callable[[Seen], tuple[int, dict[str, str], bytes] | None] | None = None
    """May answer a request itself: a redirect, an error, a wait."""
    bytes_sent: int = 0
    """Of bodies, from the beginning."""

    def __enter__(self) -> GitServer:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def netloc(self) -> str:
        return urlsplit(self.url).netloc

    def repository(self, name: str) -> Path:
        """Make an empty bare repository that may be pushed to."""
        path = self.folder / f"{name}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
        for key, value in (("http.receivepack", "true"), ("receive.advertisePushOptions", "true")):
            subprocess.run(["git", f"--git-dir={path}", "config", key, value], check=True)
        return path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, owner: GitServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _serve(self) -> None:
        owner = self.server.owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self._body())
        owner.seen.append(seen)
        if owner.before is not None and (told := owner.before(seen)) is not None:
            return self._answer(*told)
        if owner.forge is not None:
            told = owner.forge.answer(seen.method, seen.target, headers, seen.body)
            if told is not None:
                return self._answer(*told)
        if owner.logins and not self._may_come_in(headers):
            return self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"Who are you?\n")
        return self._backend(seen)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _may_come_in(self, headers: dict[str, str]) -> bool:
        scheme, _, told = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        user, _, secret = base64.b64decode(told).decode().partition(":")
        return self.server.owner.logins.get(user) == secret

    def _backend(self, seen: Seen) -> None:
        parts = urlsplit(seen.target)
        path = parts.path
        first = path.partition(".git/")[0]
        if ".git/" not in path and (self.server.owner.folder / f"{first[1:]}").exists() is False:
            # As forges do: a repository is found with and without its ending.
            for end in ("/info/refs", "/git-upload-pack", "/git-receive-pack"):
                if path.endswith(end):
                    path = f"{path.removesuffix(end)}.git{end}"
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.owner.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.server.owner.folder),
            "PATH_INFO": path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": seen.method,
            "CONTENT_TYPE": seen.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(seen.body)),
            "HTTP_CONTENT_ENCODING": seen.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": seen.headers.get("git-protocol", ""),
            "REMOTE_USER": "anna",
            "REMOTE_ADDR": "127.0.0.1",
        }
        argv = ["git", "http-backend"]
        ran = subprocess.run(argv, input=seen.body, env=env, capture_output=True, check=False)
        head, _, body = ran.stdout.partition(b"\r\n\r\n")
        told = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(told.pop("Status", "200 OK").split()[0])
        self._answer(status, told, body)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.server.owner.bytes_sent += len(body)
        self.wfile.write(body)
