"""`make run`: a hub on this machine, and the worker beside it, joined; Ctrl-C ends both.

With a display the worker is the tray app, without one it runs headless. Everything is kept in
`.run/`, apart from whatever else of Deskhand is on this machine.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".run"
PORT = os.environ.get("HUB_PORT", "8765")
BASE = f"http://127.0.0.1:{PORT}"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
CODE = re.compile(r"\b[A-Z]{4}-[A-Z]{4}\b")


def main() -> int:
    environment = {**os.environ, "HUB_DATA": str(FOLDER / "hub"), "HUB_PORT": PORT}
    if is_up():
        print(f"Something answers at {BASE} already. Stop it, or choose another HUB_PORT.")
        return 1
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    hub = subprocess.Popen([sys.executable, "-m", "hub", "serve"], cwd=ROOT, env=environment)
    try:
        wait_for(hub)
        return work(environment)
    except KeyboardInterrupt:
        return 0
    finally:
        end(hub)


def work(environment: dict[str, str]) -> int:
    """Pair the worker's profile when it is new, then run it until it ends."""
    desk = [sys.executable, "-m", "desktop", "--home", str(FOLDER / "desk")]
    status = subprocess.run(
        [*desk, "status"], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    if status.returncode != 0:
        invite = [sys.executable, "-m", "hub", "invite", "--yes"]
        told = subprocess.run(
            invite, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        found = CODE.search(told.stdout)
        if found is None:
            print("The hub gave no code; its answer was:", told.stdout)
            return 1
        subprocess.run([*desk, "pair", found[0], "--hub", BASE], cwd=ROOT, check=True)
    arguments = [] if has_display() else ["--headless"]
    print(f"Talk to it in another terminal: HUB_DATA={FOLDER / 'hub'} .venv/bin/deskhand-hub chat")
    # A link to the dashboard, signed in, while somebody looks at this terminal.
    link = [sys.executable, "-m", "hub", "invite", "--web"]
    subprocess.run(link, cwd=ROOT, env=environment, check=False)
    worker = subprocess.Popen([*desk, *arguments], cwd=ROOT)
    try:
        return worker.wait()
    finally:
        end(worker)


def has_display() -> bool:
    """Say whether windows can be shown here."""
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in names)


def is_up() -> bool:
    try:
        with urllib.request.urlopen(f"{BASE}/api/v1/status", timeout=2):  # noqa: S310 - loopback
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_for(hub: subprocess.Popen[bytes]) -> None:
    """Wait until the hub answers."""
    deadline = time.monotonic() + START_SECONDS
    while not is_up():
        if hub.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The hub did not start; its last words are above.")
        time.sleep(0.1)


def end(program: subprocess.Popen[bytes]) -> None:
    """End a program kindly, then not so kindly."""
    if program.poll() is None:
        program.send_signal(signal.SIGTERM)
        try:
            program.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()


if __name__ == "__main__":
    # Ctrl-C reaches all three programs of the terminal; this one waits for the others.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(main())
