"""No page makes a job do anything: a model that obeys them all changes words, and only words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from desktop.core.web.citations import REMOVED
from desktop.jobs.web import read, research
from shared.kinds.web import ReadInputs, ResearchInputs, ResearchOutput
from tests.web_sites.injections import EVIL, Injection, injections
from tests.web_sites.net import OTHER, PUBLIC
from tests.web_sites.obeying import ObeyingSpeaker
from tests.web_sites.site import article
from tests.web_sites.world import HOST, WebWorld, web_world

ALL = injections()
QUESTION = "How much honey do bees make?"
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^\s]+|www\.[^\s]+", re.IGNORECASE)


def test_there_are_enough_of_them() -> None:
    assert len({one.name for one in ALL}) == len(ALL) >= 45


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
async def test_a_page_has_no_effect_but_words(tmp_path: Path, page: Injection) -> None:
    speaker = ObeyingSpeaker()
    async with web_world(tmp_path, speaker=speaker) as world:
        _put(world, page)
        before = _files(tmp_path)
        inputs = ResearchInputs(question=QUESTION, model="local:tiny", sources_max=1)
        output = await research.run(world.context, inputs)
        assert world.site.urls == [f"{HOST}{page.path}"], "it was fetched, once, and nothing else"
        assert {address for address, _ in world.net.called} == {PUBLIC}
        assert set(world.net.looked_up) == {HOST}
        assert world.engine.asked == ["honey bees"]
        _nothing_happened(world)
        assert _files(tmp_path) == before
    _only_words(output)
    assert "Honey bees make 30 kg a year [1]." in output.findings, "the model did obey"
    assert output.sources[0].url == f"http://{HOST}{page.path}"


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
async def test_without_a_model_a_page_has_no_effect_either(tmp_path: Path, page: Injection) -> None:
    async with web_world(tmp_path, endpoints=()) as world:
        _put(world, page)
        output = await research.run(world.context, ResearchInputs(question=QUESTION))
        assert world.site.urls == [f"{HOST}{page.path}"]
        _nothing_happened(world)
    _only_words(output)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
async def test_reading_a_page_fetches_that_page_alone(tmp_path: Path, page: Injection) -> None:
    async with web_world(tmp_path) as world:
        _put(world, page)
        output = await read.run(world.context, ReadInputs(urls=(f"http://{HOST}{page.path}",)))
        assert world.site.urls == [f"{HOST}{page.path}"]
        assert {address for address, _ in world.net.called} == {PUBLIC}
        _nothing_happened(world)
    assert "\x1b" not in output.text
    assert "\u202e" not in output.text


async def test_all_of_them_together_have_no_effect_on_an_honest_page(tmp_path: Path) -> None:
    async with web_world(tmp_path, speaker=ObeyingSpeaker()) as world:
        world.site.page("/honest", article("Honest", "Bees make honey. " * 20))
        urls = [f"http://{HOST}/honest"]
        for page in ALL[:19]:
            _put(world, page)
            urls.append(f"http://{HOST}{page.path}")
        inputs = ResearchInputs(
            question=QUESTION, urls=tuple(urls), model="local:tiny", sources_max=20
        )
        output = await research.run(world.context, inputs)
        assert sorted(world.site.urls) == sorted(url.removeprefix("http://") for url in urls)
        _nothing_happened(world)
    _only_words(output)
    assert output.sources[0].title == "Honest"


async def test_a_page_cannot_know_the_marks_it_stands_between(tmp_path: Path) -> None:
    marks: set[str] = set()
    for n in range(3):
        folder = tmp_path / str(n)
        folder.mkdir()
        async with web_world(folder, speaker=ObeyingSpeaker()) as world:
            world.site.page("/a", article("Honey", "Bees make honey. " * 20))
            inputs = ResearchInputs(
                question=QUESTION, urls=(f"http://{HOST}/a",), model="local:tiny"
            )
            output = await research.run(world.context, inputs)
            found = re.search(r"<<<([0-9a-f]{18}) page 1>>>", world.speaker.readings[0][-1].text)
            assert found is not None
            assert found[1] not in output.findings
            marks.add(found[1])
    assert len(marks) == 3


def _put(world: WebWorld, page: Injection) -> None:
    world.site.page(page.path, page.body, media_type=page.media_type)
    world.net.names[EVIL] = [OTHER]
    world.net.sites[OTHER] = world.site.port
    world.net.names["localhost"] = ["127.0.0.1"]
    world.net.sites["127.0.0.1"] = world.net.sites["169.254.169.254"] = world.site.port
    world.engine.any = (f"http://{HOST}{page.path}",)


def _nothing_happened(world: WebWorld) -> None:
    context = world.context
    assert context.followed == []
    assert context.plain.asked == []
    assert context.plain.sent == []
    assert context.plain.written == []
    assert all(not getattr(one, "tools", ()) for one in world.speaker.sampling)


def _only_words(output: ResearchOutput) -> None:
    known = {source.url for source in output.sources}
    shown = output.findings.replace(REMOVED, "")
    for address in _ADDRESS.findall(shown):
        assert any(address.rstrip(".,;:!?*_)'\"").startswith(url) for url in known), address
    told = [shown, output.headline, *(source.title for source in output.sources)]
    for text in told:
        assert not re.search(rf"{EVIL}[/?#:@]\S", text), "a name is a word, an address is not"
        assert "![" not in text
        assert "\x1b" not in text
    cited = {int(n) for n in re.findall(r"\[(\d{1,4})\]", output.findings)}
    assert cited <= {source.number for source in output.sources}
    assert output.source_urls == tuple(source.url for source in output.sources)


def _files(folder: Path) -> Mapping[str, bytes]:
    """Return all files but those that a job keeps for itself."""
    own = ("job/workdir",)
    return {
        name: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (name := str(path.relative_to(folder))).startswith(own)
    }
