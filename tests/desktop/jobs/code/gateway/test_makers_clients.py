"""The libraries of three makers, which agents are built on, through the gateway to real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from desktop.core.code.budget import BudgetLimits, Spent
from desktop.core.llm.types import Endpoint, Format
from shared.kinds.llm import UsageFacts
from tests.desktop.jobs.code.gateway.stand import Stand, endpoint_at, stand
from tests.llm_servers.aimock import Aimock
from tests.llm_servers.llamacpp import LlamaServer
from tests.llm_servers.scripted import running

SAID: Any = [{"role": "user", "content": "Do you pull the lever?"}]
WORDS = "B, I think. It is the smaller harm, and I could explain it to anybody."
TAUGHT: dict[str, Any] = {
    "match": {"userMessage": "lever"},
    "response": {
        "content": WORDS,
        "usage": {"prompt_tokens": 31, "completion_tokens": 17, "total_tokens": 48},
    },
}
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def http(here: Stand) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds=str(here.gateway.socket)))


def openai_at(here: Stand, line: httpx2.AsyncClient, tries: int = 0) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key="dummy", base_url="http://127.0.0.1/v1", http_client=line, max_retries=tries
    )


def anthropic_at(here: Stand, line: httpx2.AsyncClient) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        api_key="dummy", base_url="http://127.0.0.1", http_client=line, max_retries=0
    )


async def chat(client: openai.AsyncOpenAI, *, stream: bool) -> str:
    if not stream:
        whole = await client.chat.completions.create(model="own", messages=SAID)
        return whole.choices[0].message.content or ""
    coming = await client.chat.completions.create(model="own", messages=SAID, stream=True)
    return "".join([piece.choices[0].delta.content or "" async for piece in coming])


async def responses(client: openai.AsyncOpenAI, *, stream: bool) -> str:
    if not stream:
        return (await client.responses.create(model="own", input=SAID)).output_text
    coming = await client.responses.create(model="own", input=SAID, stream=True)
    return "".join([one.delta async for one in coming if one.type == "response.output_text.delta"])


async def messages(client: anthropic.AsyncAnthropic, *, stream: bool) -> str:
    if not stream:
        whole = await client.messages.create(model="own", max_tokens=200, messages=SAID)
        return "".join(one.text for one in whole.content if one.type == "text")
    async with client.messages.stream(model="own", max_tokens=200, messages=SAID) as coming:
        return "".join([text async for text in coming.text_stream])


def place(llama: LlamaServer) -> Endpoint:
    return Endpoint(name="local", base_url=llama.base_url, is_local=True, timeout_seconds=30)


@pytest.fixture
async def at_llama(llama: LlamaServer, tmp_path: Path) -> AsyncIterator[Stand]:
    async with stand(tmp_path, place(llama), model="tiny") as here:
        yield here


@STREAMS
@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
async def test_llama_cpp_answers_agents_in_three_apis(
    at_llama: Stand, api: str, stream: bool
) -> None:
    async with http(at_llama) as line:
        if api == "messages":
            text = await messages(anthropic_at(at_llama, line), stream=stream)
        else:
            ask = chat if api == "chat" else responses
            text = await ask(openai_at(at_llama, line), stream=stream)
    spent = at_llama.gateway.spent
    assert text.strip()
    assert spent.calls == 1
    assert spent.usage.input_tokens > 5
    assert spent.usage.output_tokens > 0
    assert not spent.usage.is_estimated
    assert spent.cost_usd_known == 0.0


async def test_llama_cpp_counts_tokens_for_anthropics_library(at_llama: Stand) -> None:
    async with http(at_llama) as line:
        client = anthropic_at(at_llama, line)
        counted = await client.messages.count_tokens(model="own", messages=SAID)
    assert counted.input_tokens > 5
    assert at_llama.gateway.spent.calls == 0


@STREAMS
@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
async def test_aimock_answers_and_its_tokens_are_counted(
    aimock: Aimock, api: str, stream: bool, tmp_path: Path
) -> None:
    aimock.teach(TAUGHT)
    format_ = Format.ANTHROPIC if api == "messages" else Format.OPENAI
    async with stand(tmp_path, endpoint_at(aimock.address, format_)) as here:
        async with http(here) as line:
            if api == "messages":
                text = await messages(anthropic_at(here, line), stream=stream)
            else:
                ask = chat if api == "chat" else responses
                text = await ask(openai_at(here, line), stream=stream)
        usage = here.gateway.spent.usage
    assert text == WORDS
    assert (usage.input_tokens, usage.output_tokens) == (31, 17)


async def test_libraries_do_not_try_again_when_the_budget_is_used(tmp_path: Path) -> None:
    spent = Spent(usage=UsageFacts(input_tokens=2000))
    with running({"say": "x"}) as model:
        endpoint = endpoint_at(model.address, local=True)
        limits = BudgetLimits(tokens_max=1000)
        async with (
            stand(tmp_path, endpoint, limits=limits, spent=spent) as here,
            http(here) as line,
        ):
            with pytest.raises(openai.APIStatusError) as told:
                await openai_at(here, line, tries=2).chat.completions.create(
                    model="own", messages=SAID
                )
            assert told.value.code == "budget_used"
            with pytest.raises(anthropic.APIStatusError) as other:
                await messages(anthropic_at(here, line), stream=True)
            assert "its budget is 1,000" in str(other.value)
    assert model.requests == []


async def test_libraries_know_a_refused_key_and_wait_as_they_are_told(tmp_path: Path) -> None:
    with running({"say": "x"}, key="other") as model:
        async with stand(tmp_path, endpoint_at(model.address)) as here, http(here) as line:
            with pytest.raises(openai.AuthenticationError):
                await openai_at(here, line, tries=2).chat.completions.create(
                    model="own", messages=SAID
                )
            assert len(model.requests) == 1
            here.job.key_now = "other"
            model.fail("429")
            with pytest.raises(openai.RateLimitError) as told:
                await openai_at(here, line).chat.completions.create(model="own", messages=SAID)
            assert told.value.response.headers["retry-after"] == "1"


async def test_a_server_without_an_api_says_so_in_words(tmp_path: Path) -> None:
    with running({"say": "x"}) as model:
        own = Endpoint(name="old", base_url=f"{model.address}/nothing?", is_local=True)
        async with (
            stand(tmp_path, own) as here,
            http(here) as line,
        ):
            with pytest.raises(openai.NotFoundError) as told:
                await openai_at(here, line, tries=2).responses.create(model="own", input=SAID)
    assert told.value.code == "agent_needs_api"
    assert len(model.requests) == 1
