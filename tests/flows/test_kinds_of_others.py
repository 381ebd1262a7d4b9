"""The example of docs/job-kinds.md is installed as a package and run, through hub and worker."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.agent.setup import EXECUTORS_AT, KINDS_AT
from desktop.core.link import LinkState
from desktop.jobs.added import added
from hub.services.requests import Request
from shared.errors import BadInput
from shared.jobs import JobState
from tests.flows.ring import Ring, a_ring, everything

pytestmark = pytest.mark.flow
PAGE = Path(__file__).resolve().parents[2] / "docs" / "job-kinds.md"


def example() -> tuple[str, dict[str, str]]:
    """Return the page's module, and its entry points."""
    text = PAGE.read_text(encoding="utf-8")
    (module,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    project = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]
    return module, tomllib.loads(project)["project"]["entry-points"]["deskhand.jobs"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages, as an installer leaves them, that workers and their children see."""
    folder = tmp_path / "site"
    module, points = example()
    installed(folder, "wordcount", module, points)
    monkeypatch.syspath_prepend(str(folder))
    path = [str(folder), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    added.cache_clear()
    yield folder
    added.cache_clear()
    sys.modules.pop("wordcount", None)


def installed(folder: Path, name: str, module: str, points: dict[str, str]) -> None:
    information = folder / f"{name}-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / f"{name}.py").write_text(module, encoding="utf-8")
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{point} = {value}\n" for point, value in points.items()]
    (information / "entry_points.txt").write_text("".join(["[deskhand.jobs]\n", *lines]))


def test_the_example_is_short() -> None:
    code = [line for line in example()[0].splitlines() if line.strip()]
    assert len(code) <= 22


async def joined(ring: Ring, *patterns: str) -> None:
    allowed = dict.fromkeys(everything(ring.folder).kinds, patterns)
    policy = everything(ring.folder).model_copy(update={"kinds": allowed})
    worker = await ring.pair("anna-pc", policy=policy)
    worker.setup = replace(worker.setup, kinds_at=KINDS_AT, executors_at=EXECUTORS_AT)
    worker.start()
    await worker.until(LinkState.ONLINE)


def count(ring: Ring, **inputs: str) -> Request:
    return Request(person_id=ring.person_id, kind="wordcount.count", inputs={**inputs})


@pytest.mark.usefixtures("site")
async def test_the_example_runs_through_a_hub_that_has_never_heard_of_it(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        await joined(ring, "wordcount.*")
        receipt = await ring.hub.services.intake.request(count(ring, text="one two three"))
        card = await ring.until(receipt.card.job_id, JobState.SUCCEEDED)
        assert card.result is not None
        assert card.result["headline"] == "The text has 3 words."
        assert card.result["words"] == 3


@pytest.mark.usefixtures("site")
async def test_its_worker_checks_the_inputs_and_says_what_is_wrong(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await joined(ring, "wordcount.*")
        receipt = await ring.hub.services.intake.request(count(ring, odd="x"))
        await ring.why_waiting(receipt.card.job_id, "wordcount.count cannot take these inputs")


async def test_a_kind_that_nobody_offers_is_unknown(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        with pytest.raises(BadInput) as caught:
            await ring.hub.services.intake.request(count(ring, text="x"))
        assert caught.value.code == "kind_unknown"


@pytest.mark.usefixtures("site")
async def test_a_kind_runs_only_where_its_owner_allows_it(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await joined(ring, "code.*", "llm.*")
        receipt = await ring.hub.services.intake.request(count(ring, text="x"))
        await ring.why_waiting(receipt.card.job_id, "anna-pc")
        assert (await ring.card(receipt.card.job_id)).state is JobState.QUEUED


BROKEN = {
    "raising": "1 / 0\n",
    "quitting": "raise SystemExit\n",
    "shapeless": "JOBS = {'a': 1}\n",
    "impostor": "from shared.kinds.catalogue import BUILT_IN\n"
    "JOBS = [(BUILT_IN['llm.ask'], 'impostor:run')]\n",
    "doubling": "import wordcount\nJOBS = wordcount.JOBS * 2\n",
}


def test_a_package_that_is_broken_is_told_and_takes_no_other_along(site: Path) -> None:
    for name, module in BROKEN.items():
        installed(site, name, module, {name: f"{name}:JOBS"})
    installed(site, "missing", "", {"missing": "nowhere:JOBS"})
    added.cache_clear()
    found = added()
    assert found.kinds.keys() == {"wordcount.count"} == found.executors.keys()
    assert found.troubles.keys() == {*BROKEN, "missing"}
    assert "ZeroDivisionError" in found.troubles["raising"]
    assert "family of its own" in found.troubles["impostor"]
    assert "more than once" in found.troubles["doubling"]
