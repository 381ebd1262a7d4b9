"""What a person pastes or taps to make a computer a worker: one place for every frontend."""

from __future__ import annotations

from urllib.parse import quote


def shell_line(hub_url: str, code: str) -> str:
    """The one line for Linux and macOS."""
    return f"curl -fsSL {hub_url}/worker.sh | sh -s -- {code}"


def powershell_line(hub_url: str, code: str) -> str:
    """The one line for PowerShell on Windows."""
    return f"& ([scriptblock]::Create((irm {hub_url}/worker.ps1))) {code}"


def pair_link(hub_url: str, code: str) -> str:
    """The link that a worker which is installed already follows."""
    return f"deskhand://pair?hub={quote(hub_url, safe=':/')}&code={code}"


def download_page(hub_url: str, code: str) -> str:
    """The page with all of it; the code stands where no server and no log sees it."""
    return f"{hub_url}/download#{code}"
