"""A file to send along when something is wrong: what is useful, without what is private.

No tokens, no contents of files, no names of files in the folders that jobs may use; the person's
home is written as "~".
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from desktop.system.paths import Paths
from desktop.system.program import is_frozen, version
from shared.redaction import BLOT, redact_text

LOG_BYTES_MAX = 512 * 1024
"""Of each log, its end."""
SECRET_CHARS_MIN = 8
LIBRARIES = (
    "cryptography", "desktop-notifier", "httpx", "keyring", "numpy", "pandas", "psutil", "pydantic",
    "pyside6-essentials", "qasync", "scikit-learn", "structlog", "websockets",
)  # fmt: skip
_WORDS = re.compile(
    r"(?i)((?:token|secret|passw\w*|authorization|api_?key|credential|cookie|pairing_code)"
    r"[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|\S+)"
)
_LINK_CODE = re.compile(r"(deskhand://\S*?code=)[A-Za-z0-9-]+")


class Cleaner:
    """Takes out of a text what must not leave the machine."""

    def __init__(self, home: Path, folders: Iterable[Path], secrets: Iterable[str] = ()) -> None:
        """Prepare.

        Args:
            home: the person's.
            folders: those whose files' names are nobody's business.
            secrets: known ones, in case something wrote them down in a way no pattern knows.
        """
        self._home = str(home)
        self._secrets = tuple(s for s in secrets if len(s) >= SECRET_CHARS_MIN)
        spelled = {
            (number, text)
            for number, folder in enumerate(folders, start=1)
            for text in _spellings(folder, home)
        }
        # The longest first: a folder may lie within another.
        self._folders = tuple(
            (number, re.compile(re.escape(text) + r"[/\\][^\"'\n]*"))
            for number, text in sorted(spelled, key=lambda entry: -len(entry[1]))
        )

    def clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, BLOT)
        text = _LINK_CODE.sub(rf"\1{BLOT}", redact_text(text))
        text = _WORDS.sub(lambda found: f"{found[1]}{BLOT}", text)
        for number, pattern in self._folders:
            text = pattern.sub(f"[a file in folder {number}]", text)
        return text.replace(self._home, "~") if len(self._home) > 1 else text


def _spellings(folder: Path, home: Path) -> Iterable[str]:
    """Give the ways in which a folder is written: whole, from the home, escaped as in JSON."""
    whole = str(folder)
    yield whole
    yield whole.replace("\\", "\\\\")
    with contextlib.suppress(ValueError):
        yield str(Path("~") / folder.relative_to(home))


def versions() -> str:
    """Tell what this program is made of, and what it runs on."""
    lines = [
        f"deskhand {version()}{' (self-contained)' if is_frozen() else ''}",
        f"Python {platform.python_version()} on {platform.platform()}, {platform.machine()}",
    ]
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            lines.append(f"{name} {importlib.metadata.version(name)}")
    return "\n".join(lines) + "\n"


def log_tails(paths: Paths) -> Mapping[str, str]:
    """Read the ends of the logs there are, by the names they get in the file."""
    files = {
        "deskhand.log": paths.log,
        "crash.log": paths.crash_log,
        "worker.log": paths.worker_log,
    }
    return {f"logs/{name}": tail for name, file in files.items() if (tail := _tail(file))}


def _tail(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(max(0, size - LOG_BYTES_MAX))
            text = opened.read(LOG_BYTES_MAX).decode("utf-8", errors="replace")
    except OSError:
        return ""
    # The first line may be a half one, which no pattern would know.
    return text if size <= LOG_BYTES_MAX else text.partition("\n")[2]


def write_zip(target: Path, parts: Mapping[str, str], cleaner: Cleaner) -> None:
    """Write the parts, each cleaned, whole or not at all.

    Raises:
        OSError: it cannot be written there.
    """
    aside = target.with_name(f"{target.name}.new")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, cleaner.clean(text))
    aside.replace(target)
