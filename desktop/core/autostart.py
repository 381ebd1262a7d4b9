"""What systems want to read to start a program at login. Text in, text out; nothing is written.

Every builder takes the command as argv. Paths hold blanks, quotes, percent and dollar signs, and
each system has its own way to write them; line ends and controls are refused everywhere.
"""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Sequence

from shared.errors import BadInput
from shared.plain_text import plain_line

NAME = "deskhand"
DESCRIPTION = "Deskhand worker"
REFUSED_EXIT_CODE = 3
"""The hub does not know this worker any more: starting it again would not help."""
RESTART_SECONDS = 30
"""It is tried for ever: a safe that is locked until somebody logs in opens one day."""
RUN_CHARS_MAX = 260
"""Of a command in the Run key ("Run and RunOnce Registry Keys", learn.microsoft.com)."""


_AFTER_PANEL = """\
X-KDE-autostart-after=panel
X-LXQt-Need-Tray=true
"""


def entry_name(home: str) -> str:
    """Name a profile's entry: the person's own is "deskhand", one apart has a mark."""
    if not home:
        return NAME
    return f"{NAME}-{hashlib.sha256(home.encode()).hexdigest()[:8]}"


def systemd_unit(command: Sequence[str]) -> str:
    """Write a systemd user unit (systemd.service(5), "Command lines")."""
    return f"""\
# Written by `deskhand autostart on`; `deskhand autostart off` removes it.
[Unit]
Description={DESCRIPTION}
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={_exec_start(checked(command))}
Restart=on-failure
RestartSec={RESTART_SECONDS}
RestartPreventExitStatus={REFUSED_EXIT_CODE}
KillMode=mixed
TimeoutStopSec=20

[Install]
WantedBy=default.target
"""


def desktop_entry(command: Sequence[str], *, needs_tray: bool = False) -> str:
    """Write an XDG autostart entry (Desktop Entry Specification, "The Exec key").

    `needs_tray`: KDE and LXQt start it when their panel is there.
    """
    return f"""\
[Desktop Entry]
Type=Application
Name=Deskhand
Comment={DESCRIPTION}
Exec={" ".join(exec_key(part) for part in checked(command))}
Terminal=false
NoDisplay=true
X-GNOME-Autostart-enabled=true
{_AFTER_PANEL if needs_tray else ""}"""


def is_hidden(entry: str) -> bool:
    """Say whether a person switched an XDG entry off in their desktop's own settings."""
    lines = {line.replace(" ", "").lower() for line in entry.splitlines()}
    return bool(lines & {"hidden=true", "x-gnome-autostart-enabled=false"})


def launch_agent(label: str, command: Sequence[str], log: str) -> bytes:
    """Write a launchd agent (launchd.plist(5)).

    No KeepAlive: launchd knows no exit code after which it should not try again.
    """
    return plistlib.dumps(
        {
            "Label": label,
            "ProgramArguments": checked(command),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "StandardOutPath": log,
            "StandardErrorPath": log,
        }
    )


def run_value(command: Sequence[str]) -> str:
    """Write a command for the Run key, as CommandLineToArgvW reads it.

    Raises:
        BadInput: `command_too_long`, with the limit.
    """
    value = " ".join(windows_argument(part) for part in checked(command))
    if len(value) > RUN_CHARS_MAX:
        raise BadInput(
            "command_too_long",
            f"Windows starts commands of up to {RUN_CHARS_MAX} characters at login; "
            f"this one has {len(value)}.",
            "Install Deskhand into a folder with a shorter path.",
        )
    return value


def checked(command: Sequence[str]) -> list[str]:
    """Return a command that every system can write down.

    Raises:
        BadInput: `path_unusable`.
    """
    assert command
    for part in command:
        if part != plain_line(part) or not part:
            raise _unusable(part)
    return list(command)


def _unusable(path: str) -> BadInput:
    return BadInput(
        "path_unusable",
        f"This system cannot start a program at login from {path!r}.",
        "Install Deskhand into a folder with a plainer name.",
    )


def _exec_start(command: Sequence[str]) -> str:
    """Write a command line; systemd takes no quotes or backslashes in a program's own path."""
    program = command[0]
    if set(program) & set("\"'\\$"):
        if "=" in program:  # env(1) would take it for a variable
            raise _unusable(program)
        command = ("/usr/bin/env", *command)
    first, *rest = command
    return " ".join((_systemd(first, in_path=True), *(_systemd(part) for part in rest)))


def _systemd(part: str, *, in_path: bool = False) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped if in_path else escaped.replace("$", "$$")}"'


def exec_key(part: str) -> str:
    """Write one argument of the Exec key (Desktop Entry Specification, "The Exec key")."""
    escaped = "".join(f"\\{c}" if c in '"`$\\' else c for c in part).replace("%", "%%")
    # The whole is a string value once more, in which a backslash is two.
    return '"' + escaped.replace("\\", "\\\\") + '"'


def windows_argument(part: str) -> str:
    """Write one argument as CommandLineToArgvW reads it.

    Quoted always; backslashes count only before a quote.
    """
    quoted, backslashes = '"', 0
    for character in part:
        if character == "\\":
            backslashes += 1
            continue
        quoted += "\\" * (backslashes * 2 + 1 if character == '"' else backslashes) + character
        backslashes = 0
    return quoted + "\\" * (backslashes * 2) + '"'
