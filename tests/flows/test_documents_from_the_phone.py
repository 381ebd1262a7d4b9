"""Documents are written, changed, taken back and analyzed from a chat: real hub, worker and box."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.llm_servers.scripted import ScriptedModel, running

if TYPE_CHECKING:
    from tests.flows.phone import Home

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

SECONDS = 90.0
CODE = """```python
by = df.groupby("species")["bill"].mean().round(2).reset_index()
out.table("Bills", by)
out.bar("Bills", by["species"], by["bill"])
```"""
TABLE = "species,bill\n" + "Adelie,38.5\nGentoo,47.5\n" * 20


@pytest.fixture(scope="module", autouse=True)
def _telegram() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.flows.phone")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[tuple[Home, ScriptedModel]]:
    from tests.flows.phone import connect_laptop, link_phone, open_home

    with running() as model:
        async with open_home(tmp_path) as opened:
            policy = tmp_path / "laptop" / "policy.toml"
            policy.parent.mkdir()
            policy.write_text(
                f'folders = ["{opened.documents}"]\n[[llm.endpoints]]\nname = "here"\n'
                f'base_url = "{model.openai_url}"\nis_local = true\n'
            )
            await opened.start_hub()
            await link_phone(opened)
            await connect_laptop(opened)
            yield opened, model


async def test_a_document_is_written_changed_and_taken_back(
    home: tuple[Home, ScriptedModel],
) -> None:
    at, model = home
    at.phone.say("/write notes.md # Cake\nAnna brings it.")
    written = await at.phone.reads("is written to", SECONDS)
    notes = at.documents / "notes.md"
    assert notes.read_text() == "# Cake\nAnna brings it.\n"
    assert {"Send me the file", "Take it back"} <= set(written.labels)

    model.script({"answer": '{"edits": [{"old": "Anna", "new": "Ben"}]}'})
    at.phone.say("/edit notes.md it is Ben model=here:scripted")
    asked = await at.phone.reads("May I change notes.md?", SECONDS)
    assert "+Ben brings it." in asked.text
    assert notes.read_text() == "# Cake\nAnna brings it.\n"
    await at.phone.tap(asked, "Yes")
    changed = await at.phone.reads("notes.md was changed as here:scripted proposed", SECONDS)
    assert notes.read_text() == "# Cake\nBen brings it.\n"

    await at.phone.tap(changed, "Take it back")
    await at.phone.reads("notes.md is as it was before that job", SECONDS)
    assert notes.read_text() == "# Cake\nAnna brings it.\n"

    at.phone.say("/read notes.md")
    await at.phone.reads("notes.md: 23 characters.", SECONDS)
    at.phone.say("/write ../evil.md x")
    await at.phone.reads("That is no name for a new file", SECONDS)
    assert not (at.documents.parent / "evil.md").exists()


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
async def test_a_question_to_a_table_is_answered(home: tuple[Home, ScriptedModel]) -> None:
    at, model = home
    (at.documents / "penguins.csv").write_text(TABLE)
    said = {"answer": "Gentoos: 47.5 against 38.5, 120 % of 1911."}
    model.script({"answer": CODE}, said, said)
    at.phone.say("/analyze penguins.csv whose bills are longest? model=here:scripted")
    told = await at.phone.reads("here:scripted analyzed 'penguins': 1 table, 1 chart.", SECONDS)
    assert "⚠ Not among the computed numbers: 120 %, 1911." in told.text
    assert "Gentoo · 47.5" in told.text
