"""The four examples of the documentation go today as they are written down there."""

from __future__ import annotations

import io
import shutil

import pytest

from tests.examples.__main__ import DOCS
from tests.examples.performing import performed


@pytest.mark.flow
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
async def test_examples_go_as_they_are_written_down() -> None:
    played = {
        place(name, path): text
        for name, files in (await performed(io.StringIO())).items()
        for path, text in files.items()
    }
    written = {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
        for path in DOCS.rglob("*")
        if path.is_file()
    }
    assert sorted(played) == sorted(written)
    for name, text in played.items():
        assert text.splitlines() == written[name].splitlines(), name


def place(name: str, path: str) -> str:
    return f"{name}/{path}" if name else path
