"""The hub's container: runs the hub, and leaves keys where workers and nodes find them.

The workers' key (scope `enrol`) makes pairing codes and can do nothing else; the nodes' (scope
`fleet`) takes the fleet's work, and is left only where there is a broker. Each is made when there
is none yet, or when the one that is there counts no more, and lies in a volume of its own that
nobody else can read.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from supervise import run, say

KEY_FILE = Path(os.environ.get("ENROLMENT_KEY_FILE", "/enrolment/key"))
FLEET_KEY_FILE = Path(os.environ.get("FLEET_KEY_FILE", "/fleet/key"))
DATA = Path(os.environ.get("HUB_DATA", "/data"))
PORT = int(os.environ.get("HUB_PORT", "8765"))
START_SECONDS = 120.0
LOOK_SECONDS = 0.25
CALL_SECONDS = 10.0


def main() -> int:
    """Run the hub until the container is stopped."""
    if sys.argv[1:] == ["check"]:
        return check()
    wanted = [(KEY_FILE, "containers", "enrol")]
    if os.environ.get("HUB_FLEET_BROKER"):
        wanted.append((FLEET_KEY_FILE, "fleet containers", "fleet"))
    keys = [one for one in wanted if one[0].parent.is_dir()]
    if keys:
        threading.Thread(target=leave_keys, args=(keys,), daemon=True).start()
    return run(["deskhand-hub", "serve", *sys.argv[1:]])


def check() -> int:
    """Say whether the hub answers: the container's health."""
    try:
        health = call("GET", "/health", "")
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"The hub does not answer: {error}.")
        return 1
    print(f"The hub is {health['status']}; {health['workers_online']} workers are online.")
    return 0 if health["status"] == "ok" else 1


def leave_keys(wanted: list[tuple[Path, str, str]]) -> None:
    """Wait for the hub, and see to it that each key is there: where, its name, its scope."""
    for place, name, scope in wanted:
        try:
            _wait_for_hub()
            admin = (DATA / "admin.key").read_text().strip()
            if _is_good(admin, place):
                continue
            _write(call("POST", "/keys", admin, {"name": name, "scope": scope})["key"], place)
            say(f"{name} find their key in {place}")
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            say(f"no key of scope {scope} could be made: {error}; start the container again")


def call(method: str, path: str, key: str, body: object = None) -> dict[str, Any]:
    """Ask the hub in this container; it is nobody's business which proxy the environment names."""
    line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=CALL_SECONDS)
    with contextlib.closing(line):
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        line.request(method, f"/api/v1{path}", json.dumps(body) if body else None, headers)
        answer = line.getresponse()
        told = json.load(answer)
        if answer.status >= 400:
            raise OSError(f"{answer.status} {told.get('detail', '')}")
        return dict(told)


def _wait_for_hub() -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            call("GET", "/health", "")
        except (OSError, ValueError, http.client.HTTPException):
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return


def _is_good(admin: str, place: Path) -> bool:
    """Say whether the key that lies there still counts."""
    try:
        key = place.read_text().strip()
    except FileNotFoundError:
        return False
    known = call("GET", "/keys", admin)["keys"]
    return any(f"_{one['key_id']}_" in key and one["expires_at"] is None for one in known)


def _write(key: str, place: Path) -> None:
    """Put the key there whole; who reads it runs as the same user."""
    aside = place.with_suffix(".new")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
    aside.replace(place)


if __name__ == "__main__":
    sys.exit(main())
