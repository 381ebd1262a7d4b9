"""Pages that jobs of a task have read, kept for a while in the folder that they share.

What lies there was written by strangers, like the pages themselves; it is checked when it is read,
and a file that is odd counts as none.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from desktop.core.web.choosing import key_of
from desktop.jobs.web.page import Page

FOLDER = "web"
KEEP = timedelta(minutes=30)
PAGES_MAX = 200
FILE_BYTES_MAX = 4 * 1024**2


class PageCache:
    """The pages of one task."""

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / FOLDER

    def get(self, url: str, render: str, now: datetime) -> Page | None:
        """Return a page as it was read not long ago."""
        path = self._path(url, render)
        try:
            if path.stat().st_size > FILE_BYTES_MAX:
                return None
            page = Page.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return page if now - KEEP <= page.at <= now else None

    def put(self, url: str, render: str, page: Page) -> None:
        """Keep a page; a folder that cannot be written to keeps nothing."""
        data = page.model_dump_json().encode()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if len(data) > FILE_BYTES_MAX or self._is_full():
                return
            handle, made = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(made).replace(self._path(url, render))
        except OSError:
            return

    def _is_full(self) -> bool:
        return sum(1 for _ in self._folder.iterdir()) >= PAGES_MAX

    def _path(self, url: str, render: str) -> Path:
        name = hashlib.sha256(f"{render} {key_of(url)}".encode(errors="replace")).hexdigest()
        return self._folder / f"{name[:40]}.json"
