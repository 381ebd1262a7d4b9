"""What systems want to read to hand `deskhand://` links to this program. Text in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.core.autostart import checked, exec_key, windows_argument

SCHEME = "deskhand"
MIME_TYPE = f"x-scheme-handler/{SCHEME}"
CLASS_KEY = rf"Software\Classes\{SCHEME}"


def desktop_entry(command: Sequence[str], icon: str) -> str:
    """Write an entry of the applications menu that takes links.

    Args:
        command: that starts the program; the link comes after it.
        icon: a picture's path, or a name in the icon theme.
    """
    return f"""\
[Desktop Entry]
Type=Application
Name=Deskhand
Comment=Text your computer; it does the work and asks when unsure
Exec={" ".join(exec_key(part) for part in checked(command))} %u
Icon={icon}
Terminal=false
Categories=Utility;
MimeType={MIME_TYPE};
StartupNotify=true
StartupWMClass=deskhand
"""


def registry_values(command: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """Return (key, name, value) for the person's part of the registry.

    ("Registering an Application to a URI Scheme", learn.microsoft.com.)
    """
    program = " ".join(windows_argument(part) for part in checked(command))
    return (
        (CLASS_KEY, "", "URL:Deskhand"),
        (CLASS_KEY, "URL Protocol", ""),
        (rf"{CLASS_KEY}\shell\open\command", "", f'{program} "%1"'),
    )
