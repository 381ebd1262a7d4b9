"""Where this machine's Chromium is, or a browser made of it; none is fetched."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
MACOS = ("Chromium", "Google Chrome", "Microsoft Edge", "Brave Browser")
WINDOWS = (
    r"Google\Chrome\Application\chrome.exe",
    r"Chromium\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
)
FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


def find_browser() -> Path | None:
    """Return the program; None where there is none."""
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    return next((path for path in _places() if path.is_file()), None)


def _places() -> list[Path]:
    match platform.system():
        case "Darwin":
            return [Path(f"/Applications/{name}.app/Contents/MacOS/{name}") for name in MACOS]
        case "Windows":
            folders = [os.environ[name] for name in FOLDERS if name in os.environ]
            return [Path(folder, place) for folder in folders for place in WINDOWS]
        case _:
            return []
