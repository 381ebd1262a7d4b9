"""The house: calls wait their turn, hear at once when there is none, and leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.jobs.llm.house import House
from desktop.jobs.llm.lane import NotCalled
from shared.kinds.llm import UsageFacts

ENDPOINT = Endpoint(name="openai", base_url="http://127.0.0.1:9/v1", key_name="OPENAI_API_KEY")
MODEL = Model(ENDPOINT, "gpt")
HELLO = (Message("user", "Hello"),)
PLAIN = Sampling()


class Speaker:
    """Answers as it is told, when it is told."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.answer: Callable[[str], LlmFault | None] = lambda _key: None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.flying = 0
        self.most_flying = 0
        self.is_closed = False
        self.was_called = asyncio.Event()

    async def say(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, key: str = ""
    ) -> Reply:
        self.keys.append(key)
        self.was_called.set()
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            await asyncio.sleep(0)
            await self.may_answer.wait()
            fault = self.answer(key)
        finally:
            self.flying -= 1
        if fault is not None:
            raise fault
        usage = UsageFacts(input_tokens=10, output_tokens=5)
        return Reply(
            text="Hi", model_reported=model.name, usage=usage, total_ms=1.0, prompt_sha256="0"
        )

    async def aclose(self) -> None:
        self.is_closed = True


def fault(kind: FaultClass, wait_seconds: float | None = None) -> LlmFault:
    return LlmFault(kind, "No.", endpoint="openai", wait_seconds=wait_seconds)


@pytest.fixture
async def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
def keys() -> dict[str, str]:
    return {"OPENAI_API_KEY": "sk-1"}


@pytest.fixture
async def house(speaker: Speaker, keys: dict[str, str]) -> AsyncIterator[House]:
    async with asyncio.timeout(10):
        house = House(lambda: keys, speaker)
        yield house
        await house.aclose()


@pytest.fixture
async def group() -> AsyncIterator[asyncio.TaskGroup]:
    async with asyncio.TaskGroup() as group:
        yield group


async def asked(house: House, model: Model = MODEL) -> Reply | LlmFault:
    try:
        return await house.call(model, HELLO, PLAIN)
    except LlmFault as error:
        return error


async def test_calls_go_through_with_the_key(house: House, speaker: Speaker) -> None:
    replies = await asyncio.gather(*(asked(house) for _ in range(50)))
    assert {type(reply) for reply in replies} == {Reply}
    assert speaker.keys == ["sk-1"] * 50


async def test_a_missing_key_is_told_by_its_name_and_nothing_is_sent(
    house: House, speaker: Speaker, keys: dict[str, str]
) -> None:
    keys.clear()
    with pytest.raises(LlmFault, match="OPENAI_API_KEY") as caught:
        await house.call(MODEL, HELLO, PLAIN)
    assert caught.value.fault is FaultClass.MISSING_API_KEY
    assert speaker.keys == []


async def test_what_can_be_no_key_is_sent_to_nobody(
    house: House, speaker: Speaker, keys: dict[str, str]
) -> None:
    keys["OPENAI_API_KEY"] = "“sk-1”"
    with pytest.raises(LlmFault, match="OPENAI_API_KEY is no key") as caught:
        await house.call(MODEL, HELLO, PLAIN)
    assert caught.value.fault is FaultClass.AUTH_ERROR
    assert "sk-1" not in str(caught.value)
    assert speaker.keys == []


@pytest.mark.parametrize("kind", [FaultClass.AUTH_ERROR, FaultClass.QUOTA])
async def test_the_first_refusal_of_a_key_is_the_last_call(
    house: House, speaker: Speaker, kind: FaultClass
) -> None:
    speaker.answer = lambda _key: fault(kind)
    ends = await asyncio.gather(*(asked(house) for _ in range(50)))
    assert len(speaker.keys) == 1
    assert {end.fault for end in ends if isinstance(end, LlmFault)} == {kind}
    assert sum(isinstance(end, NotCalled) for end in ends) == 49
    assert isinstance(await asked(house), NotCalled)


async def test_another_endpoint_goes_on_when_one_refuses(house: House, speaker: Speaker) -> None:
    speaker.answer = lambda key: fault(FaultClass.AUTH_ERROR) if key else None
    local = Endpoint(name="local", base_url="http://127.0.0.1:9/v1", is_local=True)
    await asked(house)
    assert isinstance(await asked(house, Model(local, "tiny")), Reply)


async def test_a_refusal_is_news_once_and_over_when_a_person_says_so(
    house: House, speaker: Speaker, group: asyncio.TaskGroup
) -> None:
    waiting = group.create_task(house.tripped({"openai"}))
    speaker.answer = lambda _key: fault(FaultClass.AUTH_ERROR)
    await asyncio.gather(*(asked(house) for _ in range(5)))
    trip = await waiting
    assert trip.endpoint is ENDPOINT
    assert trip.refusal.message == "No."
    assert house.claim(trip)
    assert not house.claim(trip)
    assert (await house.tripped({"openai"})).number == trip.number
    later = group.create_task(house.tripped({"openai"}, after=trip.number))
    await asyncio.sleep(0)
    assert not later.done()
    house.reset("openai")
    assert house.refusal("openai") is None
    await asked(house)
    assert (await later).number > trip.number
    speaker.answer = lambda _key: None
    house.reset("openai")
    assert isinstance(await asked(house), Reply)


async def test_another_key_is_tried_though_the_last_one_was_refused(
    house: House, speaker: Speaker, keys: dict[str, str]
) -> None:
    speaker.answer = lambda key: fault(FaultClass.AUTH_ERROR) if key == "sk-1" else None
    await asked(house)
    assert house.refusal("openai") is not None
    keys["OPENAI_API_KEY"] = "sk-2"
    assert isinstance(await asked(house), Reply)
    assert house.refusal("openai") is None
    keys["OPENAI_API_KEY"] = "sk-1"
    await asked(house)
    assert speaker.keys == ["sk-1", "sk-2", "sk-1"]


async def test_a_key_that_changes_while_a_call_is_in_line_is_the_one_that_is_used(
    house: House, speaker: Speaker, keys: dict[str, str], group: asyncio.TaskGroup
) -> None:
    speaker.may_answer.clear()
    calls = [group.create_task(asked(house)) for _ in range(5)]
    await speaker.was_called.wait()
    keys["OPENAI_API_KEY"] = "sk-2"
    speaker.may_answer.set()
    await asyncio.gather(*calls)
    assert speaker.keys == ["sk-1", *["sk-2"] * 4]


async def test_a_long_retry_after_sends_everybody_back_with_the_wait(
    house: House, speaker: Speaker
) -> None:
    speaker.answer = lambda _key: fault(FaultClass.RATE_LIMIT, wait_seconds=60.0)
    ends = await asyncio.gather(*(asked(house) for _ in range(20)))
    assert len(speaker.keys) == 1
    waits = [end.wait_seconds for end in ends if isinstance(end, NotCalled)]
    assert len(waits) == 19
    assert all(wait is not None and 59 < wait <= 60 for wait in waits)
    late = await asked(house)
    assert isinstance(late, NotCalled)
    assert late.retryable


async def test_a_short_retry_after_is_waited_for_in_line(house: House, speaker: Speaker) -> None:
    answers = [fault(FaultClass.RATE_LIMIT, wait_seconds=0.2)]
    speaker.answer = lambda _key: answers.pop() if answers else None
    loop = asyncio.get_running_loop()
    start = loop.time()
    first, second = await asyncio.gather(asked(house), asked(house))
    assert isinstance(first, LlmFault)
    assert isinstance(second, Reply)
    assert loop.time() - start >= 0.2


async def test_a_call_that_is_cancelled_leaves_its_place(
    house: House, speaker: Speaker, group: asyncio.TaskGroup
) -> None:
    speaker.may_answer.clear()
    one = ENDPOINT.model_copy(update={"concurrency_max": 1})
    calls = [group.create_task(asked(house, Model(one, "gpt"))) for _ in range(4)]
    await speaker.was_called.wait()
    calls[0].cancel()
    calls[2].cancel()
    speaker.may_answer.set()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [
        asyncio.CancelledError,
        Reply,
        asyncio.CancelledError,
        Reply,
    ]
    assert speaker.most_flying == 1
    assert isinstance(await asked(house, Model(one, "gpt")), Reply)


async def test_a_call_that_is_cancelled_in_the_moment_of_its_turn_leaves_its_place(
    house: House, speaker: Speaker, group: asyncio.TaskGroup
) -> None:
    one = ENDPOINT.model_copy(update={"concurrency_max": 1})
    first = group.create_task(asked(house, Model(one, "gpt")))
    second = group.create_task(asked(house, Model(one, "gpt")))
    await first  # the second has its turn now, and does not know yet
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert isinstance(await asked(house, Model(one, "gpt")), Reply)


async def test_calls_that_are_cancelled_together_leave_their_places(
    house: House, speaker: Speaker, group: asyncio.TaskGroup
) -> None:
    one = Model(ENDPOINT.model_copy(update={"concurrency_max": 1}), "gpt")
    speaker.may_answer.clear()
    calls = [group.create_task(asked(house, one)) for _ in range(5)]
    await speaker.was_called.wait()
    for call in calls:
        call.cancel()  # the first gives its place to one that is cancelled, too
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 5
    speaker.may_answer.set()
    assert isinstance(await asked(house, one), Reply)


async def test_who_waits_when_the_house_closes_is_not_left_waiting(
    house: House, speaker: Speaker, group: asyncio.TaskGroup
) -> None:
    speaker.may_answer.clear()
    calls = [group.create_task(asked(house)) for _ in range(3)]
    await speaker.was_called.wait()
    await house.aclose()
    speaker.may_answer.set()
    ends = await asyncio.gather(*calls)
    assert [isinstance(end, NotCalled) for end in ends] == [False, True, True]
    assert speaker.is_closed


async def test_no_key_stands_in_what_a_log_could_show(house: House) -> None:
    await asked(house)
    shown = f"{vars(house)!r} {[vars(lane) for lane in house._lanes.values()]}"
    assert "sk-1" not in repr(house) + repr(house._lanes)
    assert "sk-1" in shown  # where it is kept, so that this test could see it


async def test_tokens_are_estimated_by_what_replies_had(house: House) -> None:
    limited = ENDPOINT.model_copy(update={"tokens_per_minute": 1000})
    model = Model(limited, "gpt")
    assert house._estimate(model, HELLO, PLAIN) > 500
    await asked(house, model)
    assert house._estimate(model, HELLO, PLAIN) < 20
    assert house._estimate(MODEL, HELLO, PLAIN) == 0
