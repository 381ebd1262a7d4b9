"""aimock (npm `@copilotkit/aimock`): the formats of three providers as somebody else reads them.

Installed once, by `npm ci` from a lock file with the package's hash, into a folder of this
checkout that git does not see. It answers what a test gives it (`teach`), fails as it is told
(`chaos`), and tells what reached it (`journal`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PARCEL = Path(__file__).parent / "aimock_npm"
ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS, END_SECONDS, CALL_SECONDS = 50, 10, 10
# The package's own program lives on when its parent is killed; this one ends with its input.
PROGRAM = """
import { LLMock } from "@copilotkit/aimock";
const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" });
await mock.start();
console.log(JSON.stringify({ address: mock.url }));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
"""


@dataclass(frozen=True, slots=True)
class Aimock:
    """A running aimock; `address` has no path."""

    address: str

    @property
    def openai_url(self) -> str:
        return f"{self.address}/v1"

    @property
    def anthropic_url(self) -> str:
        return self.address

    @property
    def google_url(self) -> str:
        return self.address

    def teach(self, *fixtures: dict[str, Any]) -> None:
        """Have these answered, as in {"match": {"userMessage": …}, "response": {…}}."""
        self._call("POST", "/fixtures", {"fixtures": list(fixtures)})

    def chaos(self, **rates: float) -> None:
        """Fail: `rateLimitRate`, `malformedRate`, `disconnectRate`, `dropRate`, `latencyMs`."""
        self._call("POST", "/chaos", rates)

    def journal(self) -> list[dict[str, Any]]:
        """Tell what came in, the oldest first."""
        entries: list[dict[str, Any]] = self._call("GET", "/journal")
        return entries

    def forget(self) -> None:
        """Be as if freshly started."""
        self._call("DELETE", "/chaos")
        self._call("POST", "/reset", {})

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(
            f"{self.address}/__aimock{path}", data, headers, method=method
        )
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as response:
            told = response.read()
        return json.loads(told) if told else None


def is_possible() -> bool:
    """Tell whether this machine has what aimock runs on."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


@contextlib.contextmanager
def running() -> Iterator[Aimock]:
    """Run aimock on a free port, and end it afterwards."""
    argv = ["node", "--input-type=module", "-e", PROGRAM]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=installed(),
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            line = process.stdout.readline()
            if not line:
                said.seek(0)
                raise RuntimeError(f"aimock did not start: {said.read()[-2000:]!r}")
            yield Aimock(json.loads(line)["address"])
        finally:
            process.stdin.close()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def installed() -> Path:
    """Return the folder of the installed package; install it first if it is not there yet."""
    lock = (PARCEL / "package-lock.json").read_bytes()
    home = ROOT / ".venv" if (ROOT / ".venv").is_dir() else ROOT / ".run"
    folder = home / f"aimock-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not folder.is_dir():
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    """Install aside, then rename: of several test processes one comes first, and none sees half."""
    folder.parent.mkdir(exist_ok=True)
    aside = folder.with_name(f"{folder.name}.{os.getpid()}.{time.monotonic_ns()}")
    shutil.copytree(PARCEL, aside)
    argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(
        argv, cwd=aside, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"npm ci failed: {done.stderr[-2000:]}")
    try:
        aside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(aside)
