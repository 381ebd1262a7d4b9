"""What the bot shows: where, in how many messages, and what becomes of it when Discord refuses."""

from __future__ import annotations

import pytest

from hub.core.view import Button, Sheet, Tone, View, ViewFile
from hub.ports import MessageRef
from shared.errors import BadInput, Unavailable
from shared.ids import ConversationId
from tests.discord_servers.reading import seen
from tests.discord_servers.rules import Refused
from tests.discord_servers.state import Shown
from tests.hub.frontends.discord.bench import ANNA, Bench

STATUS = View(text="Training on anna-pc …", subject="job:1", tone=Tone.RUNNING, key="status")
RESULT = View(text="Model ready. AUC 0.72.", final=True, tone=Tone.DONE, key="result")


async def asked(bench: Bench) -> ConversationId:
    """Ask for something in a channel; the conversation that begins."""
    await bench.fake.choose(ANNA, "train", where=bench.general, file="sales.csv")
    return (await bench.hears(1)).conversation


def choices(count: int) -> tuple[Button, ...]:
    return tuple(Button(f"file {n}.csv · {n} kB", says=f"/answer q {n}") for n in range(count))


async def test_a_task_in_a_channel_is_one_line_there_and_a_thread_below_it(bench: Bench) -> None:
    await bench.start()
    where = await asked(bench)
    status = await bench.show(STATUS, where)
    result = await bench.show(RESULT, where)
    assert status.channel is bench.general
    assert status.interaction is not None
    thread = bench.fake.thread_of(status)
    assert thread is not None
    assert (thread.name, result.channel) == ("train file=sales.csv", thread)
    assert seen(result.written).bold == ["Model ready"]
    await bench.frontend.render(where, View(text="✓ Done."), MessageRef(
        f"{status.channel.channel_id}:{status.message_id}"))  # fmt: skip
    assert [m.written for m in bench.fake.of_bot(bench.general)] == ["✓ Done."]


async def test_a_task_that_is_done_in_one_message_needs_no_thread(bench: Bench) -> None:
    await bench.start()
    result = await bench.show(RESULT, await asked(bench))
    assert result.channel is bench.general
    assert bench.fake.thread_of(result) is None


async def test_words_in_the_thread_are_of_that_task(bench: Bench) -> None:
    await bench.start()
    where = await asked(bench)
    status = await bench.show(STATUS, where)
    question = await bench.show(View(text="Which file?", key="q"), where)
    thread = bench.fake.thread_of(status)
    await bench.fake.say(ANNA, "a.csv", where=thread, reply_to=question)
    heard = await bench.hears(2)
    assert heard.conversation == where
    assert heard.replies_to == f"{question.channel.channel_id}:{question.message_id}"


async def test_without_the_right_to_make_threads_a_task_stays_in_its_channel(
    bench: Bench,
) -> None:
    await bench.start()
    bench.general.can_thread = False
    where = await asked(bench)
    status = await bench.show(STATUS, where)
    result = await bench.show(RESULT, where)
    assert (result.channel, result.reply_to) == (bench.general, status)
    await bench.fake.say(ANNA, "1", where=bench.general, reply_to=result)
    assert (await bench.hears(2)).conversation == where


async def test_after_a_restart_the_thread_is_found_again(bench: Bench) -> None:
    await bench.start()
    where = await asked(bench)
    status = await bench.show(STATUS, where)
    await bench.show(View(text="Which file?", key="q"), where)
    await bench.frontend.stop()
    bench.remake()
    await bench.start()
    result = await bench.show(RESULT, where)
    assert result.channel is bench.fake.thread_of(status)


async def test_a_thread_that_was_deleted_is_no_reason_to_lose_a_result(bench: Bench) -> None:
    await bench.start()
    where = await asked(bench)
    status = await bench.show(STATUS, where)
    await bench.show(View(text="Which file?", key="q"), where)
    del bench.fake.state.channels[status.message_id]
    assert (await bench.show(RESULT, where)).channel is bench.general


async def test_a_sending_whose_answer_was_lost_is_one_message(bench: Bench) -> None:
    await bench.start()
    bench.fake.plan(None, method="POST", part="/messages")
    with pytest.raises(Unavailable):
        await bench.show(RESULT)
    await bench.show(RESULT)
    assert [m.written for m in bench.fake.of_bot(bench.home)] == ["**Model ready**. AUC 0.72."]


async def test_a_promise_is_kept_also_when_the_first_try_failed(bench: Bench) -> None:
    await bench.start()
    await bench.fake.choose(ANNA, "models")
    where = (await bench.hears(1)).conversation
    bench.fake.plan(Refused(500, 0, "Internal"), method="PATCH", part="@original")
    with pytest.raises(Unavailable):
        await bench.show(RESULT, where)
    shown = await bench.show(RESULT, where)
    assert shown.interaction is not None
    assert len(bench.fake.of_bot(bench.home)) == 1


async def test_a_message_that_is_gone_is_sent_anew(bench: Bench) -> None:
    await bench.start()
    first = await bench.frontend.render(bench.of(bench.home), STATUS, None)
    bench.fake.state.messages.clear()
    second = await bench.frontend.render(bench.of(bench.home), RESULT, first)
    assert second != first
    assert len(bench.fake.of_bot(bench.home)) == 1


@pytest.mark.parametrize(
    ("count", "rows", "options"), [(2, 1, 0), (10, 5, 0), (11, 0, 11), (25, 0, 25)]
)
async def test_many_choices_are_a_menu(bench: Bench, count: int, rows: int, options: int) -> None:
    await bench.start()
    shown = await bench.show(View(text="Which?", buttons=choices(count)))
    kinds = [row["components"][0]["type"] for row in shown.rows]
    menus = [row["components"][0] for row in shown.rows if row["components"][0]["type"] == 3]
    assert kinds.count(2) == rows
    assert sum(len(menu["options"]) for menu in menus) == options
    await bench.fake.press(ANNA, shown, shown.labels[-1])
    assert (await bench.hears(1)).text == f"/answer q {count - 1}"


async def test_the_same_button_twice_is_one(bench: Bench) -> None:
    await bench.start()
    shown = await bench.show(View(text="Which?", buttons=(choices(1)[0], choices(1)[0])))
    assert len(shown.labels) == 1


async def test_a_link_that_discord_refuses_stands_in_the_text(bench: Bench) -> None:
    await bench.start()
    button = Button("Open", url="http://localhost:8765/x")
    shown = await bench.show(View(text="Here.", buttons=(button,)))
    assert shown.labels == []
    assert seen(shown.written).text == "Here.\nOpen: http://localhost:8765/x"


async def test_progress_makes_no_sound_and_a_result_does(bench: Bench) -> None:
    await bench.start()
    assert (await bench.show(STATUS)).flags & (1 << 12)
    assert not (await bench.show(RESULT)).flags & (1 << 12)


async def test_files_go_along_with_their_message(bench: Bench) -> None:
    await bench.start()
    bench.shelf.put("aa", b"1,2")
    bench.shelf.put("bb", b"3,4")
    files = tuple(
        ViewFile(name=name, sha256=sha, size_bytes=3, media_type="text/csv")
        for name, sha in (("a b.csv", "aa"), ("../b.csv", "bb"))
    )
    shown = await bench.show(View(text="From anna-pc:", files=files))
    assert shown.files == {"a b.csv": b"1,2", "_b.csv": b"3,4"}


async def test_a_file_that_is_too_large_is_told_with_the_way_to_it(bench: Bench) -> None:
    await bench.start()
    file = ViewFile(name="a.csv", sha256="aa", size_bytes=54_000_000, media_type="text/csv")
    shown = await bench.show(View(text="From anna-pc:", files=(file,)))
    assert seen(shown.written).text == (
        "From anna-pc:\na.csv (54 MB) is too large for Discord, which takes 10 MB here. "
        "Your dashboard has it: /web."
    )


async def test_a_boosted_server_takes_what_discord_says(bench: Bench) -> None:
    await bench.start()
    bench.general.bytes_max = 100 * 1024 * 1024
    where = await asked(bench)
    bench.shelf.put("aa", b"x" * 12_000_000)
    file = ViewFile(name="a.bin", sha256="aa", size_bytes=12_000_000, media_type="x/y")
    shown = await bench.show(View(text="Here.", files=(file,)), where)
    assert len(shown.files["a.bin"]) == 12_000_000


async def test_a_long_text_is_an_embed_and_a_longer_one_a_file_as_well(bench: Bench) -> None:
    await bench.start()
    long = await bench.show(View(text="word " * 700, tone=Tone.DONE))
    assert (long.content, len(long.embeds), long.files) == ("", 1, {})
    longer = await bench.show(View(text="a*b " * 1000, overflow="whole " * 3000))
    assert seen(longer.written).text.endswith(" …")
    assert longer.files["whole message.txt"].decode() == "whole " * 3000


async def test_where_nothing_may_be_embedded_a_long_text_comes_as_a_file(bench: Bench) -> None:
    await bench.start()
    bench.home.can_embed = False
    shown = await bench.show(View(text="word " * 700))
    assert shown.content.endswith(" …")
    assert shown.files["whole message.txt"].decode() == ("word " * 700).strip()


async def test_a_short_sheet_is_a_block_that_cannot_be_left(bench: Bench) -> None:
    await bench.start()
    sheet = Sheet(name="a.diff", text="+x\n```\n@everyone", language="diff")
    shown = await bench.show(View(text="1 file.", sheet=sheet))
    read = seen(shown.written)
    assert read.unmeant == []
    assert "@everyone" in read.code[0]


async def test_somebody_who_takes_no_messages_is_left_alone_until_they_speak(
    bench: Bench,
) -> None:
    await bench.start()
    bench.home.can_write = False
    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            await bench.show(RESULT)
        assert caught.value.code == "chat_blocked"
    assert len(bench.fake.refusals(403)) == 1
    bench.home.can_write = True
    await bench.fake.say(ANNA, "/help")
    await bench.hears(1)
    assert bench.arrived == [bench.of(bench.home)]
    await bench.show(RESULT)


async def test_a_wait_that_discord_asks_for_is_told_to_the_outbox(bench: Bench) -> None:
    await bench.start()
    told = Refused(429, 0, "slow down", retry_after=42.0, **{"global": False})
    bench.fake.plan(told, method="POST", part="/messages")
    with pytest.raises(Unavailable) as caught:
        await bench.show(RESULT)
    assert (caught.value.code, caught.value.retry_after_seconds) == ("discord_busy", 42.0)


async def test_a_refusal_is_the_messages_fault(bench: Bench) -> None:
    await bench.start()
    bench.fake.plan(Refused(400, 50035, "Invalid Form Body"), method="POST", part="/messages")
    with pytest.raises(BadInput) as caught:
        await bench.show(RESULT)
    assert not caught.value.retryable


async def test_nobody_is_called_by_what_a_file_is_named(bench: Bench) -> None:
    await bench.start()
    shown: Shown = await bench.show(View(text="@everyone <@1> [x](https://evil.example) # big"))
    assert seen(shown.written).text == "@everyone <@1> [x](https://evil.example) # big"
    assert seen(shown.written).unmeant == []
