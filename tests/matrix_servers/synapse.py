"""A real Matrix homeserver for tests: Synapse as a process of its own, on loopback, with SQLite.

It federates with nobody, hashes passwords cheaply, and limits nobody's pace unless told to.
Whoever wants a person of their own registers one; nothing is ever shared between two tests but
the server itself.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

SERVER_NAME = "hub.test"
SECRET = "only-the-tests-register-here"
PASSWORD = "a long password of the tests"
UPLOAD_MB = 2
"""Larger files are refused, as a frontend has to find out by itself."""
START_SECONDS = 60.0
STOP_SECONDS = 15.0
PROGRAM = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
from synapse.app.homeserver import main
main()
"""
"""Synapse, which ends with its standard input: a test that is killed leaves none behind."""
FAST = {"per_second": 1000, "burst_count": 1000}


@dataclass(slots=True)
class Synapse:
    """One homeserver; `stop` and `start` keep its data and its address."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    admin_token: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it; returns once it answers."""
        assert self.process is None
        log = (self.folder / "output.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "-c", str(self._config)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "output.log").read_text()[-4000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """End it. Idempotent."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.communicate(timeout=STOP_SECONDS)

    def person(self, name: str) -> str:
        """Register somebody; their id. The name is made unique."""
        localpart = f"{name}-{uuid.uuid4().hex[:8]}"
        self._register(localpart)
        return f"@{localpart}:{SERVER_NAME}"

    def limit(self, user_id: str, per_second: int, burst: int) -> None:
        """Let somebody send no faster than this (0: as fast as they like)."""
        self.ask(
            "POST",
            f"/_synapse/admin/v1/users/{quote(user_id)}/override_ratelimit",
            {"messages_per_second": per_second, "burst_count": burst},
        )

    def log_out(self, user_id: str) -> None:
        """End all of somebody's sessions, as a person does who lost a device."""
        self.ask(
            "POST",
            f"/_synapse/admin/v1/reset_password/{quote(user_id)}",
            {"new_password": PASSWORD, "logout_devices": True},
        )

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        """Call its API, as its admin unless another token is given."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {token or self._admin()}",
            },
        )
        with _opener().open(request, timeout=20) as answer:
            return json.loads(answer.read())

    def _admin(self) -> str:
        if not self.admin_token:
            self.admin_token = self._register(f"admin-{uuid.uuid4().hex[:8]}", is_admin=True)
        return self.admin_token

    def _register(self, localpart: str, *, is_admin: bool = False) -> str:
        """Register by the shared secret (Synapse, admin_api/register_api)."""
        path = "/_synapse/admin/v1/register"
        with _opener().open(self.url + path, timeout=20) as answer:
            nonce = json.loads(answer.read())["nonce"]
        parts = (nonce, localpart, PASSWORD, "admin" if is_admin else "notadmin")
        mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        told = {
            "nonce": nonce,
            "username": localpart,
            "password": PASSWORD,
            "admin": is_admin,
            "mac": mac,
        }
        return str(self.ask("POST", path, told, token="none")["access_token"])

    @property
    def _config(self) -> Path:
        return self.folder / "homeserver.yaml"

    def _is_up(self) -> bool:
        with contextlib.suppress(OSError), _opener().open(f"{self.url}/health", timeout=5) as told:
            return bool(told.status == 200)
        return False

    def write_config(self) -> None:
        seed = base64.b64encode(os.urandom(32)).decode().rstrip("=")
        (self.folder / "signing.key").write_text(f"ed25519 a_test {seed}\n")
        (self.folder / "log.yaml").write_text(
            json.dumps(
                {
                    "version": 1,
                    "handlers": {"out": {"class": "logging.StreamHandler"}},
                    "root": {"level": "ERROR", "handlers": ["out"]},
                    "disable_existing_loggers": False,
                }
            )
        )
        # JSON is YAML, too.
        self._config.write_text(json.dumps(self._settings(), indent=1))

    def _settings(self) -> dict[str, Any]:
        folder = self.folder
        limits = dict.fromkeys(
            ("rc_message", "rc_registration", "rc_admin_redaction", "rc_media_create"), FAST
        )
        by_place = {"local": FAST, "remote": FAST}
        listener = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "type": "http",
            "tls": False,
            "resources": [{"names": ["client", "media"], "compress": False}],
        }
        return {
            "server_name": SERVER_NAME,
            "public_baseurl": f"{self.url}/",
            "pid_file": str(folder / "synapse.pid"),
            "listeners": [listener],
            "database": {
                "name": "sqlite3",
                "args": {"database": str(folder / "synapse.db"), "cp_min": 1, "cp_max": 2},
            },
            "log_config": str(folder / "log.yaml"),
            "media_store_path": str(folder / "media"),
            "max_upload_size": f"{UPLOAD_MB}M",
            "registration_shared_secret": SECRET,
            "macaroon_secret_key": SECRET,
            "form_secret": SECRET,
            "signing_key_path": str(folder / "signing.key"),
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "report_stats": False,
            "presence": {"enabled": False},
            "url_preview_enabled": False,
            "bcrypt_rounds": 4,
            **limits,
            "rc_login": {"address": FAST, "account": FAST, "failed_attempts": FAST},
            "rc_joins": by_place,
            "rc_invites": {"per_room": FAST, "per_user": FAST, "per_issuer": FAST},
        }


def _opener() -> urllib.request.OpenerDirector:
    """Never through a proxy of the environment."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def running() -> Iterator[Synapse]:
    """Run a homeserver of one's own inside the block."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="synapse-", dir=memory if memory.is_dir() else None))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Synapse(folder, port)
    server.write_config()
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
