"""A worker's container: takes a seat, joins the hub once, then runs `deskhand --headless`.

All workers of a Compose project share one volume with a folder for each seat: worker-1, worker-2 …
A container takes the first seat that nobody sits in, and with it the key, the name, the models and
the unfinished jobs of whoever sat there before. So `--scale worker=1` and later `--scale worker=3`
bring the same three machines back, and the hub never fills with machines that will not return.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from relay import open_door
from supervise import run, say

HUB = os.environ.get("DESKHAND_HUB", "http://hub:8765")
KEY_FILE = Path(os.environ.get("ENROLMENT_KEY_FILE", "/enrolment/key"))
DATA = Path(os.environ.get("WORKER_DATA", "/data"))
FILES = Path(os.environ.get("WORKER_FILES", "/files"))
NAME = os.environ.get("WORKER_NAME", "worker")
SLOTS = int(os.environ.get("WORKER_SLOTS", "1"))
NOTE = Path(os.environ.get("WORKER_NOTE", "/tmp/seat"))  # noqa: S108 - a tmpfs of its own
"""Where the health check learns which seat this container has."""
MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where version 2 and version 1 of control groups say it."""
MEMORY_BYTES_MAX = 2**50
"""What is above is how version 1 says "none"."""
DOOR_PORT = 8765
"""Always the same: a machine that joined remembers where."""
SEATS_MAX = 1000
JOB_SHARE = 0.7
"""Of the container's memory, for all its jobs together; the rest is the worker's own."""
WAIT_SECONDS = 180.0
CALL_SECONDS = 10.0
CHECK_SECONDS = 5.0
REFUSED = 3
"""How `deskhand --headless` ends when the hub does not know it any more."""


def main() -> int:
    """Run a worker until the container is stopped."""
    if sys.argv[1:] == ["check"]:
        return check()
    seat = take_seat()
    home = DATA / seat
    NOTE.write_text(str(home))
    write_policy(home)
    hub = hub_address()
    if not is_paired(home):
        join(home, seat, hub)
    ended = run([*deskhand(home), "--headless"])
    if ended == REFUSED:
        say(f"{seat} was shown out. Remove its folder {home} to let it join again.")
        # Ending would only start the container again; like this, it is seen as unhealthy.
        return run(["sleep", "infinity"])
    return ended


def check() -> int:
    """Say whether this worker runs and has its line to the hub: the container's health."""
    try:
        home = Path(NOTE.read_text())
        control = json.loads((home / "control.json").read_text())
        told = json.loads((home / "status.json").read_text())
        with socket.create_connection(("127.0.0.1", control["port"]), CHECK_SECONDS):
            pass
    except (OSError, ValueError, KeyError) as error:
        print(f"The worker does not run: {error}.")
        return 1
    print(f"{home.name} is {told['state']}. {told.get('why', '')}".strip())
    return 0 if told["state"] == "online" else 1


def take_seat() -> str:
    """Sit down where nobody sits; the seat is held until this program ends."""
    for number in range(1, SEATS_MAX + 1):
        home = DATA / f"{NAME}-{number}"
        home.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(home / ".seat", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return home.name
    raise SystemExit(f"all {SEATS_MAX} seats in {DATA} are taken")


def write_policy(home: Path) -> None:
    """Write what jobs may do here: what the Compose file gives, and no more."""
    lines = [f"slots = {SLOTS}"]
    if FILES.is_dir():
        lines.append(f"folders = [{json.dumps(str(FILES))}]")
    limit = memory_limit()
    if limit:
        lines.append(f"memory_bytes_max = {int(limit * JOB_SHARE / max(SLOTS, 1))}")
    (home / "policy.toml").write_text("\n".join(lines) + "\n")


def memory_limit() -> int | None:
    """Return the container's limit in bytes; None without one."""
    for place in MEMORY_LIMITS:
        if place.exists():
            told = place.read_text().strip()
            return int(told) if told.isdecimal() and int(told) < MEMORY_BYTES_MAX else None
    return None


def hub_address() -> str:
    """Return where the worker calls: the hub, or this container's own door to it."""
    parts = urlsplit(HUB)
    if parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost"):
        return HUB
    open_door(DOOR_PORT, parts.hostname or "hub", parts.port or 80)
    return f"http://127.0.0.1:{DOOR_PORT}"


def is_paired(home: Path) -> bool:
    """Say whether whoever sat here before had joined a hub."""
    told = subprocess.run(
        [*deskhand(home), "status", "--json"], capture_output=True, text=True, check=False
    )
    try:
        return bool(json.loads(told.stdout)["paired"])
    except (ValueError, KeyError):
        raise SystemExit(f"the store in {home} cannot be used: {told.stderr.strip()}") from None


def join(home: Path, seat: str, hub: str) -> None:
    """Make this machine's own key, and let the hub know it under the seat's name."""
    for pause in _tries():
        with _turn():
            try:
                code = _new_code(hub)
            except (OSError, ValueError, KeyError) as error:
                say(f"{seat} cannot join yet: {error}")
            else:
                # The code is in the arguments: it is spent before anybody could read it there.
                command = [*deskhand(home), "pair", code, "--hub", hub, "--name", seat]
                if subprocess.run(command, check=False).returncode == 0:
                    return
        time.sleep(pause)
    raise SystemExit(f"{seat} could not join {HUB} within {WAIT_SECONDS:.0f} s")


def deskhand(home: Path) -> list[str]:
    return ["deskhand", "--home", str(home)]


def _tries() -> Iterator[float]:
    """Pause longer and longer, until it has taken long enough."""
    until = time.monotonic() + WAIT_SECONDS
    pause = 0.25
    while time.monotonic() < until:
        yield pause
        pause = min(2 * pause, 5.0)


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Join one after the other: a new code ends the one before it."""
    with (DATA / ".joining").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _new_code(hub: str) -> str:
    """Ask the hub for a code that is good once, and that nobody has to approve."""
    headers = {
        "authorization": f"Bearer {KEY_FILE.read_text().strip()}",
        "content-type": "application/json",
    }
    asked = urllib.request.Request(  # noqa: S310 - whoever runs the container wrote it
        f"{hub}/api/v1/invitations", b'{"is_approved": true}', headers, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=CALL_SECONDS) as answer:  # noqa: S310
        return str(json.load(answer)["code"])


if __name__ == "__main__":
    sys.exit(main())
