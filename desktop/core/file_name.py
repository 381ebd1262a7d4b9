"""Names that must not even be looked up: looking is the harm, or they are not what they seem."""

from __future__ import annotations

import re

_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)[ .]*(\.|$)")
"""Device names of Windows, which keep their power with any ending (learn.microsoft.com,
"Naming Files, Paths, and Namespaces")."""


def is_trap(name: str, *, is_windows: bool) -> bool:
    r"""Say whether a name is a network path, a device or a hidden stream.

    A path to another machine (``\\server\share``) makes Windows send it the person's log-in
    as soon as it is looked at, so it is a trap on every system. Devices and streams
    ("a.csv:x") are plain file names elsewhere.
    """
    if name.lstrip().replace("\\", "/").startswith("//"):
        return True
    if not is_windows:
        return False
    without_drive = re.sub(r"^[A-Za-z]:", "", name.strip())
    parts = re.split(r"[\\/]", without_drive)
    return ":" in without_drive or any(_DEVICES.match(part) for part in parts)
