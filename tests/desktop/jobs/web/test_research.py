"""`web.research`: from a question to findings whose sources can be looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.web.rules import Search, WebRules
from desktop.jobs.context import Postponed
from desktop.jobs.llm.house import House
from desktop.jobs.web import research
from shared.errors import AppError, Unavailable
from shared.kinds.web import ResearchInputs
from tests.web_sites.site import article
from tests.web_sites.world import CLOUD, HOST, LOCAL, RULES, ScriptedSpeaker, web_world

HONEY = "Honey bees make 30 kg of honey a year in a good hive, from two million flowers a pound. "
WAX = "Bees make wax from glands at their bellies, and build combs of it, six corners a cell. "


def asks(question: str = "How much honey do bees make?", **more: object) -> ResearchInputs:
    return ResearchInputs.model_validate({"question": question, "model": "local:tiny", **more})


async def test_a_question_is_answered_from_pages_that_are_cited(tmp_path: Path) -> None:
    answer = "A good hive makes 30 kg a year [1]. Wax comes from glands [2]."
    speaker = ScriptedSpeaker(answer=answer)
    async with web_world(tmp_path, speaker=speaker) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        world.site.page("/wax", article("Wax", WAX * 5))
        world.engine.any = (f"http://{HOST}/honey", f"http://{HOST}/wax")
        output = await research.run(world.context, asks())
    assert output.findings == answer
    assert [(one.number, one.title, one.url, one.is_cited) for one in output.sources] == [
        (1, "Honey", f"http://{HOST}/honey", True),
        (2, "Wax", f"http://{HOST}/wax", True),
    ]
    assert "30 kg of honey" in output.sources[0].taken
    assert output.sources[0].fetched_at.endswith("Z")
    assert output.source_urls == tuple(one.url for one in output.sources)
    assert (output.queries, output.search, output.model) == (
        ("honey bees",),
        "scripted",
        "local:tiny",
    )
    assert output.is_local
    assert output.notes == ()


async def test_queries_are_made_before_any_page_is_read_and_the_model_gets_no_tools(
    tmp_path: Path,
) -> None:
    async with web_world(tmp_path) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        world.engine.any = (f"http://{HOST}/honey",)
        await research.run(world.context, asks())
    first, second = world.speaker.asked
    assert HONEY not in first[-1].text
    assert HONEY in second[-1].text
    assert all(not getattr(one, "tools", ()) for one in world.speaker.sampling)


async def test_without_a_model_the_best_passages_are_given_and_it_is_said(tmp_path: Path) -> None:
    async with web_world(tmp_path, endpoints=()) as world:
        world.site.page("/honey", article("Honey", "Idle talk. " * 40, HONEY * 3))
        world.engine.any = (f"http://{HOST}/honey",)
        output = await research.run(
            world.context, ResearchInputs(question="How much honey do bees make?")
        )
    assert world.engine.asked == ["How much honey do bees make?"]
    assert "30 kg of honey" in output.findings
    assert output.findings.startswith("[1] Honey")
    assert output.notes == ("No model took part: these are excerpts of the pages.",)
    assert output.model == ""


async def test_pages_that_are_named_are_read_without_any_search(tmp_path: Path) -> None:
    async with web_world(tmp_path) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        output = await research.run(world.context, asks(urls=f"http://{HOST}/honey"))
    assert world.engine.asked == []
    assert output.search == ""
    assert [one.url for one in output.sources] == [f"http://{HOST}/honey"]


async def test_queries_that_are_given_are_asked_as_they_are(tmp_path: Path) -> None:
    async with web_world(tmp_path) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        world.engine.any = (f"http://{HOST}/honey",)
        await research.run(world.context, asks(queries="honey yield, hive weight"))
    assert sorted(world.engine.asked) == ["hive weight", "honey yield"]


async def test_a_page_that_cannot_be_read_gives_its_place_to_the_next_and_is_told(
    tmp_path: Path,
) -> None:
    async with web_world(tmp_path) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        world.engine.any = (
            f"http://{HOST}/gone",
            "http://10.0.0.1/inside",
            f"http://{HOST}/honey",
        )
        output = await research.run(world.context, asks(sources_max=1))
    assert [one.url for one in output.sources] == [f"http://{HOST}/honey"]
    assert [one.code for one in output.unread] == ["page_status", "page_private"]
    assert output.notes == ("2 more could not be read.",)
    assert all(address == "93.184.216.34" for address, _ in world.net.called)


async def test_one_text_at_two_addresses_is_one_source(tmp_path: Path) -> None:
    async with web_world(tmp_path) as world:
        for path in ("/a", "/b"):
            world.site.page(path, article("Honey", HONEY * 5))
        world.engine.any = (f"http://{HOST}/a", f"http://{HOST}/b", f"http://{HOST}/a?utm_source=x")
        output = await research.run(world.context, asks())
    assert len(output.sources) == 1


async def test_when_nothing_can_be_read_it_is_said_why(tmp_path: Path) -> None:
    async with web_world(tmp_path) as world:
        world.engine.any = (f"http://{HOST}/gone",)
        with pytest.raises(AppError, match="answers 404") as caught:
            await research.run(world.context, asks())
    assert caught.value.code == "sources_none"


async def test_a_search_that_fails_is_told_unless_pages_were_named(tmp_path: Path) -> None:
    async with web_world(tmp_path) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        world.engine.failure = Unavailable("search_failed", "The engine is down.", retryable=True)
        with pytest.raises(AppError, match="The engine is down"):
            await research.run(world.context, asks())
        output = await research.run(
            world.context, asks(urls=f"http://{HOST}/honey", queries=("honey",))
        )
    assert "⚠ The engine is down." in output.notes


async def test_a_citation_of_a_page_that_there_is_not_is_taken_out_and_told(
    tmp_path: Path,
) -> None:
    speaker = ScriptedSpeaker(answer="Bees make honey [1]. They vote in May [7].")
    async with web_world(tmp_path, speaker=speaker) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        output = await research.run(world.context, asks(urls=f"http://{HOST}/honey"))
    assert output.findings == "Bees make honey [1]. They vote in May."
    assert output.notes == ("⚠ It cited pages that there are not (7); that was taken out.",)


async def test_an_answer_without_citations_is_asked_for_once_more(tmp_path: Path) -> None:
    speaker = ScriptedSpeaker(answer=["Bees make honey.", "Bees make honey [1]."])
    async with web_world(tmp_path, speaker=speaker) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        output = await research.run(world.context, asks(urls=f"http://{HOST}/honey"))
        assert output.findings == "Bees make honey [1]."
        assert len(speaker.readings) == 2
        speaker.answer = "Bees make honey."
        again = await research.run(world.context, asks(urls=f"http://{HOST}/honey"))
    assert again.findings == "Bees make honey."
    assert again.notes == ("⚠ The answer cites no page; nothing in it can be checked.",)


async def test_a_figure_that_no_cited_page_has_is_pointed_at(tmp_path: Path) -> None:
    speaker = ScriptedSpeaker(answer="A hive makes 30 kg [1]. It weighs 4,500 kg [1].")
    async with web_world(tmp_path, speaker=speaker) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        output = await research.run(world.context, asks(urls=f"http://{HOST}/honey"))
    assert output.notes == (
        "⚠ A figure stands in none of the pages cited: “It weighs 4,500 kg [1].”",
    )


async def test_a_model_that_takes_less_gets_less_of_the_pages(tmp_path: Path) -> None:
    too_long = LlmFault(FaultClass.CONTEXT_LENGTH, "Too long.", endpoint="local")
    speaker = ScriptedSpeaker(answer=[too_long, too_long, "Bees make honey [1]."])
    async with web_world(tmp_path, speaker=speaker) as world:
        world.site.page("/honey", article("Honey", *[f"{HONEY} {n}" * 4 for n in range(60)]))
        output = await research.run(world.context, asks(urls=f"http://{HOST}/honey"))
    lengths = [len(one[-1].text) for one in speaker.readings]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[2] < lengths[0] / 2
    assert output.findings == "Bees make honey [1]."


async def test_after_a_limit_the_same_pages_are_not_fetched_again(tmp_path: Path) -> None:
    limit = LlmFault(FaultClass.RATE_LIMIT, "Slow down.", endpoint="local", wait_seconds=7)
    speaker = ScriptedSpeaker(answer=[limit, "Bees make honey [1]."])
    async with web_world(tmp_path, speaker=speaker) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        world.engine.any = (f"http://{HOST}/honey",)
        with pytest.raises(Postponed) as caught:
            await research.run(world.context, asks())
        assert caught.value.seconds >= 7
        world.context.kept[House] = House(dict, speaker)  # another process, later
        await research.run(world.context, asks())
    assert world.site.urls == [f"{HOST}/honey"]
    assert world.engine.asked == ["honey bees"]


async def test_what_is_to_be_kept_local_never_asks_a_model_elsewhere(tmp_path: Path) -> None:
    async with web_world(tmp_path, endpoints=(CLOUD,)) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        inputs = ResearchInputs(question="Honey?", urls=(f"http://{HOST}/honey",), local=True)
        output = await research.run(world.context, inputs)
        assert (world.speaker.asked, output.model, output.is_local) == ([], "", True)
        with pytest.raises(AppError) as caught:
            await research.run(world.context, inputs.model_copy(update={"model": "openai:gpt-5"}))
    assert caught.value.code == "model_not_local"


async def test_public_pages_go_to_a_model_elsewhere_without_a_question(tmp_path: Path) -> None:
    async with web_world(tmp_path, endpoints=(CLOUD,)) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        output = await research.run(
            world.context, asks(urls=f"http://{HOST}/honey", model="openai:gpt-5")
        )
    assert output.model == "openai:gpt-5"
    assert not output.is_local
    assert world.context.plain.asked == []


@pytest.mark.parametrize(("answer", "reads"), [("yes", 1), ("no", 0)])
async def test_pages_of_the_owners_network_leave_only_when_its_person_says_so(
    tmp_path: Path, answer: str, reads: int
) -> None:
    rules = RULES.model_copy(update={"private_hosts": ("wiki.lan",)})
    async with web_world(
        tmp_path, rules, replies={"may_send_inside": answer}, endpoints=(CLOUD, LOCAL)
    ) as world:
        world.net.names["wiki.lan"] = ["10.0.0.7"]
        world.net.sites["10.0.0.7"] = world.site.port
        world.site.page("/plan", article("Plan", "The secret plan of the company. " * 20))
        output = await research.run(
            world.context, asks(urls="http://wiki.lan/plan", model="openai:gpt-5")
        )
    [asked] = world.context.plain.asked
    assert "wiki.lan" in asked.text
    assert "OpenAI" in asked.text or "openai" in asked.text
    assert asked.default is None
    assert len(world.speaker.readings) == reads
    assert ("secret plan" in output.findings) is (reads == 0), "the person may read it"


async def test_a_machine_that_searches_nowhere_reads_what_is_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    rules = WebRules(search=Search.NONE, pause_seconds=0, browser=False)
    async with web_world(tmp_path, rules, has_engine=False) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        output = await research.run(world.context, asks(urls=f"http://{HOST}/honey"))
        assert output.findings
    async with web_world(tmp_path / "other", rules, has_engine=False) as world:
        with pytest.raises(AppError) as caught:
            await research.run(world.context, asks("Anything?"))
    assert caught.value.code == "sources_none"


async def test_a_result_fits_into_an_event_whatever_pages_hold(tmp_path: Path) -> None:
    speaker = ScriptedSpeaker(answer="蜜 [1] " * 20_000)
    async with web_world(tmp_path, speaker=speaker) as world:
        urls = [f"http://{HOST}/{n}" for n in range(20)]
        for n in range(20):
            world.site.page(f"/{n}", article(f"蜜{n}" * 200, f"蜂蜜{n}。" * 800))
        output = await research.run(world.context, asks(urls=" ".join(urls), sources_max=20))
    assert len(output.sources) == 20
    assert len(output.model_dump_json().encode()) < 60_000


async def test_a_question_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    async with web_world(tmp_path, replies={"question": "Honey?"}) as world:
        world.site.page("/honey", article("Honey", HONEY * 5))
        await research.run(
            world.context, ResearchInputs(urls=(f"http://{HOST}/honey",), model="local:tiny")
        )
    assert [one.key for one in world.context.plain.asked] == ["question"]


async def test_a_title_is_no_citation_and_no_link(tmp_path: Path) -> None:
    async with web_world(tmp_path) as world:
        world.site.page("/a", article("See [1] and www.evil.example/x", HONEY * 5))
        output = await research.run(world.context, asks(urls=f"http://{HOST}/a"))
    assert output.sources[0].title == "See (1) and (link removed)"
