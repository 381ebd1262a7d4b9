"""The hub as another program on this machine: where it lies, and how it is started.

It is never imported. Its standard input is held open by whoever started it: when that process
ends, however it ends, the hub reads the end of its input and stops (`serve --until-input-ends`).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from desktop.system.program import is_frozen, lasting
from shared.errors import NotFound

NAME = "deskhand-hub"
HOST = "127.0.0.1"
LINE_BYTES_MAX = 64 * 1024
if sys.platform == "win32":
    NO_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    NO_WINDOW = 0


def hub_command() -> tuple[str, ...]:
    """Return how to run the hub's program: the one beside this one, else one that is installed.

    Raises:
        NotFound: `hub_program_missing`.
    """
    beside = Path(sys.executable).parent
    if is_frozen():
        beside = lasting(Path(sys.executable)).parent
    found = shutil.which(NAME, path=str(beside))
    if found is None and not is_frozen() and importlib.util.find_spec("hub") is not None:
        return (sys.executable, "-m", "hub")
    found = found or shutil.which(NAME)
    if found is None:
        raise hub_missing()
    return (found,)


def hub_missing() -> NotFound:
    return NotFound(
        "hub_program_missing",
        "The hub's program is not on this computer, or not all of it.",
        'Install it with: pipx install "deskhand[hub]". Or connect to a hub that runs elsewhere.',
    )


def port_is_free(port: int) -> bool:
    """Say whether a hub could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        if sys.platform != "win32":
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        tried.bind((HOST, 0))
        return int(tried.getsockname()[1])


async def start_hub(
    command: tuple[str, ...], *, data: Path, port: int, secrets: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start a hub for this machine alone; its words come out of its standard output.

    Args:
        command: as `hub_command` returns it.
        data: the hub's own folder.
        port: on loopback.
        secrets: more of its settings ("HUB_TELEGRAM_TOKEN"), by its environment alone.
    """
    settings = {
        "HUB_DATA": str(data),
        "HUB_HOST": HOST,
        "HUB_PORT": str(port),
        "HUB_NAME": "this computer",
        **secrets,
    }
    return await asyncio.create_subprocess_exec(
        *command,
        "serve",
        "--until-input-ends",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=LINE_BYTES_MAX,
        env={**_clean(os.environ), **settings},
        # A Ctrl-C in a terminal is for us; the hub goes when we do.
        start_new_session=sys.platform != "win32",
        creationflags=NO_WINDOW,
    )


def is_well(url: str) -> bool:
    """Ask a hub on this machine whether it is there; blocks for a second at most."""
    import httpx

    try:
        answer = httpx.get(f"{url}/api/v1/health", timeout=1.0, trust_env=False)
        return answer.status_code == 200 and answer.json().get("status") == "ok"
    except (httpx.HTTPError, ValueError, AttributeError):
        return False


def _clean(variables: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is meant for another hub, or for this very program."""
    kept = {name: value for name, value in variables.items() if not name.startswith("HUB_")}
    if is_frozen():
        # PyInstaller's documentation, "Run-time Information": the system's own value comes back.
        kept["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
        original = kept.pop("LD_LIBRARY_PATH_ORIG", None)
        kept.pop("LD_LIBRARY_PATH", None)
        if original:
            kept["LD_LIBRARY_PATH"] = original
    return kept
