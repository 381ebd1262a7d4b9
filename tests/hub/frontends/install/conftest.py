from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.app import Hub, running
from hub.settings import Settings


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with running(Settings(port=0, data=tmp_path / "hub")) as found:
        found.settings.downloads.mkdir()
        yield found
