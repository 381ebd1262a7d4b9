"""llm.ask: what is missing is asked, nothing leaves unasked, long texts go in pieces."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.jobs.context import Postponed
from desktop.jobs.llm import ask
from desktop.jobs.llm.ask_wanted import TEXT_CHARS_MAX, read_text
from desktop.jobs.llm.house import House
from shared.errors import AppError, LimitReached
from shared.kinds.llm import AskInputs, UsageFacts
from shared.questions import QuestionKind
from tests.desktop.jobs.fake_shared import FakeShared, shared_of
from tests.llm_servers.llamacpp import LlamaServer

LOCAL = Endpoint(name="local", base_url="http://127.0.0.1:9/v1", is_local=True)
CLOUD = Endpoint(
    name="openai", label="OpenAI", base_url="https://api.openai.com/v1", key_name="OPENAI_API_KEY"
)
KEYS = {"OPENAI_API_KEY": "sk-1"}
REAL_TRIES_MAX = 10
SECRET = "The safe is opened by 4711."


class Speaker:
    """Answers as it is told; remembers what reached it."""

    def __init__(self, answer: Callable[[str], str | LlmFault]) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.sampling: list[Sampling] = []

    async def say(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, key: str = ""
    ) -> Reply:
        await asyncio.sleep(0)
        self.asked.append(messages[-1].text)
        self.sampling.append(sampling)
        told = self._answer(messages[-1].text)
        if isinstance(told, LlmFault):
            raise told
        usage = UsageFacts(input_tokens=10, output_tokens=5)
        return Reply(
            text=told, model_reported="tiny-v1", usage=usage, total_ms=2.0, prompt_sha256="0"
        )

    async def aclose(self) -> None:
        return


def context_with(
    tmp_path: Path,
    speaker: Speaker,
    replies: Mapping[str, str] | None = None,
    *,
    may_send_text: bool = False,
) -> FakeShared:
    context = shared_of(
        tmp_path, replies, endpoints=(LOCAL, CLOUD), keys=KEYS, may_send_text=may_send_text
    )
    context.kept[House] = House(lambda: KEYS, speaker)
    return context


def written(context: FakeShared, text: str, name: str = "minutes.txt") -> str:
    (context.plain.folder / name).write_text(text, encoding="utf-8")
    return name


def too_long() -> LlmFault:
    return LlmFault(FaultClass.CONTEXT_LENGTH, "Too long.", endpoint="local")


async def test_a_file_is_summarized_by_a_model_of_this_machine_without_a_question(
    tmp_path: Path,
) -> None:
    speaker = Speaker(lambda _asked: "A safe.")
    context = context_with(tmp_path, speaker)
    file = written(context, SECRET)
    output = await ask.run(context, AskInputs(task="summarize", file=file, model="local:tiny"))
    assert (output.text, output.model, output.model_reported) == (
        "A safe.", "local:tiny", "tiny-v1",
    )  # fmt: skip
    assert output.headline == "local:tiny has summarized minutes.txt:"
    assert output.cost_usd == 0
    assert SECRET in speaker.asked[0]
    assert context.plain.asked == []


async def test_a_files_text_leaves_only_when_the_person_says_so(tmp_path: Path) -> None:
    speaker = Speaker(lambda _asked: "A safe.")
    context = context_with(tmp_path, speaker, {"may_send": "No"})
    inputs = AskInputs(task="summarize", file=written(context, SECRET), model="openai:gpt-5")
    with pytest.raises(AppError) as caught:
        await ask.run(context, inputs)
    assert caught.value.code == "sending_refused"
    assert speaker.asked == []
    [asked] = context.plain.asked
    assert asked.kind is QuestionKind.APPROVAL
    assert asked.default is None
    assert "minutes.txt" in asked.text
    assert "OpenAI (api.openai.com)" in asked.text
    assert SECRET not in asked.text
    context.plain.replies = {"may_send": "yes"}
    assert (await ask.run(context, inputs)).text == "A safe."


async def test_an_owner_may_have_said_for_good_that_texts_leave(tmp_path: Path) -> None:
    context = context_with(tmp_path, Speaker(lambda _asked: "A safe."), may_send_text=True)
    inputs = AskInputs(task="summarize", file=written(context, SECRET), model="openai:gpt-5")
    await ask.run(context, inputs)
    assert context.plain.asked == []


async def test_what_is_kept_local_goes_to_no_model_elsewhere(tmp_path: Path) -> None:
    speaker = Speaker(lambda _asked: "A safe.")
    context = context_with(tmp_path, speaker, may_send_text=True)
    inputs = AskInputs(question="Why?", model="openai:gpt-5", local=True)
    with pytest.raises(AppError) as caught:
        await ask.run(context, inputs)
    assert caught.value.code == "model_not_local"
    assert speaker.asked == []


async def test_what_is_missing_is_asked_for_with_choices(tmp_path: Path) -> None:
    replies = {"file": "1", "task": "Answer a question", "question": "Why?"}
    context = context_with(tmp_path, Speaker(lambda _asked: "So."), replies)
    written(context, SECRET)
    await ask.run(context, AskInputs(model="local:tiny"))
    assert [asking.key for asking in context.plain.asked] == ["file", "task", "question"]
    assert [choice.label for choice in context.plain.asked[0].choices] == ["minutes.txt"]


async def test_a_question_alone_needs_no_file(tmp_path: Path) -> None:
    speaker = Speaker(lambda _asked: "Because of the air.")
    context = context_with(tmp_path, speaker)
    question = "Why is the sky blue?"
    output = await ask.run(context, AskInputs(question=question, model="local:tiny"))
    assert speaker.asked == [question]
    assert output.headline == "local:tiny answers:"


async def test_what_follows_summarize_is_the_text_itself(tmp_path: Path) -> None:
    speaker = Speaker(lambda _asked: "Short.")
    context = context_with(tmp_path, speaker)
    inputs = AskInputs(task="summarize", question="A long story.", model="local:tiny")
    await ask.run(context, inputs)
    assert "A long story." in speaker.asked[0].split("<<<")[1]


async def test_a_long_file_goes_in_pieces_and_their_notes_become_one_answer(
    tmp_path: Path,
) -> None:
    speaker = Speaker(lambda asked: "whole" if "These are notes" in asked else "note")
    context = context_with(tmp_path, speaker)
    file = written(context, "A sentence of thirty letters. " * 1000)
    output = await ask.run(context, AskInputs(task="summarize", file=file, model="local:tiny"))
    assert output.text == "whole"
    [*parts, notes] = speaker.asked
    assert len(parts) == 4
    assert notes.count("note") >= 4
    assert output.usage.output_tokens == 5 * len(speaker.asked)
    assert context.plain.stages == ["pieces", "notes"]


async def test_a_model_that_takes_less_gets_smaller_pieces(tmp_path: Path) -> None:
    speaker = Speaker(lambda asked: too_long() if len(asked) > 3000 else "note")
    context = context_with(tmp_path, speaker)
    file = written(context, "A sentence of thirty letters. " * 400)
    output = await ask.run(context, AskInputs(task="summarize", file=file, model="local:tiny"))
    assert output.text == "note"
    assert len(context.plain.lines) == 2, "8000, 4000, 2000"


async def test_a_model_that_takes_nothing_at_all_is_given_up(tmp_path: Path) -> None:
    context = context_with(tmp_path, Speaker(lambda _asked: too_long()))
    file = written(context, "A sentence of thirty letters. " * 400)
    with pytest.raises(LlmFault) as caught:
        await ask.run(context, AskInputs(task="summarize", file=file, model="local:tiny"))
    assert caught.value.fault is FaultClass.CONTEXT_LENGTH


async def test_pieces_without_an_answer_do_not_reach_the_last_question(tmp_path: Path) -> None:
    def answer(asked: str) -> str:
        if "These are notes" in asked:
            return "4711"
        return "The code is 4711." if "4711" in asked else "NOTHING"

    speaker = Speaker(answer)
    context = context_with(tmp_path, speaker)
    file = written(context, "Idle talk, line by line. " * 1000 + SECRET)
    inputs = AskInputs(file=file, question="What is the code?", model="local:tiny")
    assert (await ask.run(context, inputs)).text == "4711"
    assert "NOTHING" not in speaker.asked[-1]


async def test_fields_are_found_in_all_pieces(tmp_path: Path) -> None:
    def answer(asked: str) -> str:
        number = asked.partition("part ")[2][:1]
        return json.dumps({"sum": [f"{number} EUR"], "date": ["1 May"]})

    speaker = Speaker(answer)
    context = context_with(tmp_path, speaker)
    file = written(context, "A bill with many lines on it. " * 500)
    inputs = AskInputs(task="extract", file=file, question="sum, date", model="local:tiny")
    output = await ask.run(context, inputs)
    assert output.found == {"sum": ["1 EUR", "2 EUR"], "date": "1 May"}
    assert output.headline == "2 of 2 fields were found in minutes.txt in 2 calls."
    assert all(sampling.response_schema for sampling in speaker.sampling)


async def test_a_reply_that_is_no_object_is_asked_for_once_more_and_then_told(
    tmp_path: Path,
) -> None:
    speaker = Speaker(lambda _asked: "I cannot do that.")
    context = context_with(tmp_path, speaker)
    inputs = AskInputs(task="extract", text="A bill.", fields=("sum",), model="local:tiny")
    with pytest.raises(LlmFault) as caught:
        await ask.run(context, inputs)
    assert (caught.value.fault, caught.value.retryable) == (FaultClass.INVALID_RESPONSE, False)
    assert len(speaker.asked) == 2


async def test_after_a_limit_only_what_is_missing_is_asked(tmp_path: Path) -> None:
    def answer(asked: str) -> str | LlmFault:
        if "part 3 of 4" in asked and not is_well:
            return LlmFault(FaultClass.RATE_LIMIT, "Slow down.", endpoint="local", wait_seconds=7)
        return "note"

    is_well = False
    speaker = Speaker(answer)
    context = context_with(tmp_path, speaker)
    file = written(context, "A sentence of thirty letters. " * 1000)
    inputs = AskInputs(task="summarize", file=file, model="local:tiny")
    with pytest.raises(Postponed) as caught:
        await ask.run(context, inputs)
    assert caught.value.seconds >= 7
    before, is_well = len(speaker.asked), True
    again = context_with(tmp_path, speaker)
    assert (await ask.run(again, inputs)).text == "note"
    answered = before - 1
    assert len(speaker.asked) - before == 5 - answered, "the pieces that were missing, and the end"


async def test_a_machine_with_one_model_asks_it_and_offers_the_models_of_servers(
    tmp_path: Path, llama: LlamaServer
) -> None:
    endpoint = Endpoint(name="local", base_url=llama.base_url, is_local=True)
    context = shared_of(tmp_path, {"model": "local:tiny"}, endpoints=(endpoint,))
    output = await ask.run(context, AskInputs(question="Is it so?"))
    [asked] = context.plain.asked
    assert {"local:tiny", "local:tiny2"} <= {choice.value for choice in asked.choices}
    assert output.text
    assert output.model == "local:tiny"
    await context.aclose()


async def test_without_any_model_it_is_said_what_to_do(tmp_path: Path) -> None:
    context = shared_of(tmp_path, endpoints=(CLOUD,))
    with pytest.raises(AppError) as caught:
        await ask.run(context, AskInputs(question="Is it so?"))
    assert caught.value.code == "models_none"


async def test_a_real_model_fills_the_fields(tmp_path: Path, llama: LlamaServer) -> None:
    """It is a random one, but bound to the schema: whatever it finds is read."""
    endpoint = Endpoint(name="local", base_url=llama.base_url, is_local=True)
    context = shared_of(tmp_path, endpoints=(endpoint,))
    inputs = AskInputs(
        task="extract", text="12 EUR on 1 May", fields=("sum", "date"), model="local:tiny"
    )
    found = None
    for _ in range(REAL_TRIES_MAX):
        # A random model may talk until it is cut short; then it is asked again, as a job is.
        with contextlib.suppress(LlmFault):
            found = (await ask.run(context, inputs)).found
            break
    assert found is not None
    assert list(found) == ["sum", "date"]
    await context.aclose()


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"\x00\x01\x02" * 100, b"  \n "])
async def test_what_is_no_text_is_told_before_anything_is_asked(
    tmp_path: Path, content: bytes
) -> None:
    speaker = Speaker(lambda _asked: "?")
    context = context_with(tmp_path, speaker)
    (context.plain.folder / "odd.txt").write_bytes(content)
    with pytest.raises(AppError) as caught:
        await ask.run(context, AskInputs(task="summarize", file="odd.txt", model="openai:gpt-5"))
    assert caught.value.code in ("file_binary", "file_empty")
    assert context.plain.asked == []


def test_a_file_that_is_too_long_is_not_read_in_part_without_a_word(tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("a" * (TEXT_CHARS_MAX + 1))
    with pytest.raises(LimitReached, match="4,000,001 characters"):
        read_text(file)
